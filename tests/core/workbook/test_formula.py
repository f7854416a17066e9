"""Formulas as spreadsheets calculate them: against IronCalc, and where it differs from Excel
against the numbers that Excel documents.
"""

import io
import math
import re
import tempfile
import zipfile
from functools import cache
from pathlib import Path

import pytest
import xlsxwriter
from spreadsheet import Calculated

from core.workbook.file.calculate import Calculator
from core.workbook.file.read import read
from core.workbook.formula.parse import Meaning, parse
from core.workbook.formula.tokens import tokens
from core.workbook.formula.tree import Address, FormulaError, references

GRID = [
    [0.5, 1.5, 2.5, -0.75],
    [3.5, 4.5, 5.5, 2.0],
    [6.5, 7.5, 8.25, 0.1],
    ["Ab", "5", 1.0, None],
]
"""A1:D4. Row 5 on, column F, hold the formulas."""
NAMES = {
    "all_a": "=Sheet1!$A$1:$A$99",
    "one_b": "=Sheet1!$B$1",
    "scaled": "=Sheet1!$A$1*Sheet1!$B$1",
}
ORDINARY = [
    *("A1*B2-C3/D2", "-A1^2", "2^-1", "50%*A2", "A1&B1", "1-TRUE"),
    *('IF(A4="ab",1,2)', 'IF(J1="",1,2)', "IF(J1=0,1,2)", "A4>5", '"b">"A"', 'A4<>"AB"'),
    *("IF(A1>0,B1,1/0)", "IF(A1<0,1/0,C1)", "IF(A1<0,1)", "IF(A1<0,,7)", "IFERROR(1/0,7)"),
    *("IF(1/0,1,2)", "1/0=1", "SUM(A4,1)", "SUM(A1:C4)", "AVERAGE(A1:D4)", "MEDIAN(A1:A3)"),
    *("COUNT(A1:D4)", "COUNT(A1)", "MIN(A1:D3)", "MAX(A1:D3)", "PRODUCT(A1:B2)", "SUMSQ(A1:B2)"),
    *("SUMPRODUCT(A1:A3*B1:B3)", "SUMPRODUCT(A1:A3,B1:B3)", "SUMPRODUCT((A1:B3>1)*C1:C3)"),
    "SUMPRODUCT(-A1:A3%)",
    *("SUMXMY2(A1:A3,B1:B3)", "SUMX2MY2(A1:A3,B1:B3)", "SUM(MMULT(A1:B2,B1:C2))"),
    *("SUM(TRANSPOSE(A1:A3))", "SUMPRODUCT(TRANSPOSE(A1:A3)*A1:C1)", "SUMPRODUCT(A1:A3*A1:C1)"),
    *("INDEX(A1:C3,2,3)", "INDEX(A1:A3,2)", "INDEX(A1:C1,3)", "SUM(INDEX(A1:C3,0,2))"),
    *("SUM(INDEX(A1:C3,2,0))", "INDEX(A1:C3,4,1)", "INDEX($A$1:$A$3,ROW()-ROW(F4)+ROW(F6)-ROW())"),
    *("ROW()*1", "COLUMN()*1", "ROW(A2)", "COLUMN(C1)", "ROWS(A1:A3)", "COLUMNS(A1:C1)"),
    *("INDEX(A1:C3,1,ROWS(A$1:A2))", "SUM(INDEX(A1:C3,0,COLUMN()-4))"),
    *("ISNUMBER(A1)*1", "ISNUMBER(A4)*1", "ISBLANK(J1)*1", "ISBLANK(A1)*1", "ISNUMBER(1/0)*1"),
    *("IF(AND(A1>0,B1>0),1,2)", "IF(OR(A1<0,B1<0),1,2)", "IF(NOT(A1>0),1,2)", "AND(A1:C3)*1"),
    *("_xlfn.IFS(A1>9,1,TRUE,2)", "_xlfn.IFS(A1>0,B1,TRUE,2)", "_xlfn.IFS(A1>9,1)"),
    *("SIGN(-3)", "SIGN(0)", "LOG(8,2)", "LOG(100)", "LOG10(1000)", "LN(2)", "LN(-1)", "SQRT(-1)"),
    *("SINH(1)", "COSH(1)", "TANH(0.5)", "EXP(1)", "POWER(2,0.5)", "PI()", "ABS(-2)"),
    *("ROUND(2.5,0)", "ROUND(-2.5,0)", "ROUND(1.005,2)", "ROUND(1234.5,-2)", "ROUND(A1,12)"),
    *("ROUNDUP(1.21,1)", "ROUNDUP(-1.21,1)", "ROUNDDOWN(1.29,1)", "ROUNDDOWN(-1.29,1)"),
    *("TRUNC(-1.5)", "TRUNC(1.239,2)", "INT(-1.5)", "MOD(-3,2)", "MOD(3,-2)", "MOD(3,0)"),
    *("one_b*2", "SUM(all_a)-SUM(A1:A99)", "_xlfn.SINGLE(A1)+1"),
]
ARRAYS = {
    "SUM(A1:B1*C1:D1)": (1, 1),
    "SUM(A1:A3*A1:C1)": (1, 1),
    "SUM(IF(A1:C3>2,A1:C3,0))": (1, 1),
    "SUM(IFERROR(1/(A1:A3-0.5),9))": (1, 1),
    "MAX(ABS(D1:D3-A1:A3))": (1, 1),
    "SUM(-A1:A3%)": (1, 1),
    "SUM((A1:A3=3.5)*1)": (1, 1),
    "MMULT(A1:B2,B1:C2)": (2, 2),
    "TRANSPOSE(A1:B3)": (2, 3),
    "A1:B3*C1:C3": (3, 2),
    "A1:A2+A1:C1": (2, 3),
    "1/(1+EXP(-A1:C2))": (2, 3),
    "MMULT(TRANSPOSE(A1:A3),B1:C3)": (1, 2),
    "A1:C2-0.5*TRANSPOSE(A1:B3)": (2, 3),
    "IF(A1:C2>2,A1:C2,-A1:C2)": (2, 3),
    "TANH(A1:A3)": (3, 1),
    "SUM(A1:A3)": (2, 2),
}
"""Array formula -> the rows and columns that it fills."""


def made(ordinary, arrays, names=NAMES, grid=GRID):
    """A workbook: ordinary formulas in F5, F6, …, array formulas from L5 on, six rows each."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    sheet = book.add_worksheet("Sheet1")
    for row, values in enumerate(grid):
        for column, value in enumerate(values):
            if value is not None:
                sheet.write(row, column, value)
    for name, formula in names.items():
        book.define_name(name, formula)
    for k, formula in enumerate(ordinary):
        sheet.write_formula(4 + k, 5, f"={formula}")
    for k, (formula, (rows, columns)) in enumerate(arrays.items()):
        top = 4 + 6 * k
        area = (top, 11, top + rows - 1, 11 + columns - 1)
        sheet.write_array_formula(*area, f"{{={formula}}}")
    book.close()
    return file.getvalue()


def at(cell):
    column, row = re.fullmatch(r"([A-Z]+)(\d+)", cell).groups()
    number = 0
    for letter in column:
        number = 26 * number + ord(letter) - 64
    return Address("Sheet1", int(row), number)


@cache
def table():
    """The workbook of all formulas, read by us; and by IronCalc."""
    data = made(ORDINARY, ARRAYS)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "table.xlsx")
        path.write_bytes(data)
        calculated = Calculated(path)
    book = read(data)
    return book, Calculator(book), calculated


def agree(ours, theirs):
    if isinstance(theirs, str) and theirs.startswith("#"):
        return isinstance(ours, float) and math.isnan(ours)
    if isinstance(theirs, str):
        return ours == theirs
    return isinstance(ours, float) and math.isclose(ours, float(theirs), rel_tol=1e-12)


@pytest.mark.parametrize("formula", ORDINARY)
def test_formulas_come_to_what_another_engine_calculates(formula):
    book, ours, theirs = table()
    cell = f"F{5 + ORDINARY.index(formula)}"
    assert book.formula(at(cell)) is not None
    value = ours.value(at(cell))
    assert not ours.unread.get(at(cell)), ours.unread
    assert agree(value, theirs.value("Sheet1", cell)), (value, theirs.value("Sheet1", cell))


@pytest.mark.parametrize(
    ("formula", "right"),
    [
        ("SUMPRODUCT(1/(1+EXP(-A1:C1)))", sum(1 / (1 + math.exp(-x)) for x in (0.5, 1.5, 2.5))),
        ("SUMPRODUCT(ABS(D1:D3),A1:A3)", 0.75 * 0.5 + 2 * 3.5 + 0.1 * 6.5),
        ("SUMPRODUCT(IF(A1:A3>1,A1:A3,0))", 10.0),
        ("scaled+1", 1.75),
        ("A1:A3*B1:B3", math.nan),
        ("MMULT(A1:B2,B1:C2)", 7.5),
    ],
)
def test_formulas_that_the_other_engine_does_not_know(formula, right):
    """It lifts no function to areas outside array formulas, and knows no formula in a name."""
    value = Calculator(read(made([formula], {}))).value(at("F5"))
    assert value == pytest.approx(right, nan_ok=True)


@pytest.mark.parametrize("formula", ARRAYS)
def test_every_cell_of_an_array_formula_shows_its_element(formula):
    book, ours, theirs = table()
    rows, columns = ARRAYS[formula]
    for down in range(rows):
        for across in range(columns):
            cell = f"{'LMNOP'[across]}{5 + 6 * list(ARRAYS).index(formula) + down}"
            assert book.formula(at(cell)) == formula
            assert book.formula_text(at(cell)) == formula
            value, right = ours.value(at(cell)), theirs.value("Sheet1", cell)
            assert not ours.unread.get(at(cell)), ours.unread
            assert agree(value, right), (cell, value, right)


def test_arithmetic_on_areas_asks_for_the_own_cells_alone():
    book, _, _ = table()
    top = 5 + 6 * list(ARRAYS).index("A1:B3*C1:C3")
    assert [a.cell for a in book.asked(at(f"M{top + 2}"))] == ["B3", "C3"]
    top = 5 + 6 * list(ARRAYS).index("MMULT(A1:B2,B1:C2)")
    assert {a.cell for a in book.asked(at(f"M{top + 1}"))} == {"A1", "B1", "A2", "B2", "C1", "C2"}


def test_an_array_smaller_than_its_cells_ends_in_errors():
    arrays = {"A1:A2*2": (3, 1), "A1:B1*2": (3, 2), "MMULT(A1:B2,B1:C2)": (3, 3)}
    ours = Calculator(read(made([], arrays)))
    assert [ours.value(at(f"L{row}")) for row in (5, 6)] == [1.0, 7.0]
    assert math.isnan(ours.value(at("L7")))
    assert [ours.value(at(f"M{row}")) for row in (11, 12, 13)] == [3.0, 3.0, 3.0]
    assert all(math.isnan(ours.value(at(cell))) for cell in ("N17", "L19", "N19"))
    assert ours.value(at("M18")) == 33.5


def test_cells_of_an_array_formula_that_the_file_leaves_out_are_filled():
    data = made([], {"A1:A3*2": (3, 1)})
    data = changed(data, "xl/worksheets/sheet1.xml", r'<c r="L[67]".*?</c>', "")
    book = read(data)
    assert book.cells[at("L7")].formula is book.cells[at("L5")].formula
    assert book.cells[at("L7")].formula.array == (3, 1)
    assert Calculator(book).value(at("L7")) == 13.0


def test_row_of_the_own_cell_in_several_cells_is_not_read():
    ours = Calculator(read(made([], {"A1:A3*ROW()": (3, 1)})))
    ours.value(at("L6"))
    assert "ROW()" in ours.unread[at("L6")]


def changed(data, part, pattern, new):
    """A package with a part changed."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w") as package:
        for name in old.namelist():
            content = old.read(name).decode()
            if name == part:
                content, count = re.subn(pattern, new, content)
                assert count, f"{pattern} is not in {part}"
            package.writestr(name, content)
    return file.getvalue()


# One value where an area stands, in a formula that is no array formula.

NUMBERS = {(row, column): row + column / 10 for row in range(1, 41) for column in range(1, 20)}


def named(**meanings):
    def look(name):
        if name not in meanings:
            raise FormulaError(f"the name {name}")
        return Meaning(meanings[name], Address("S", 1, 1))

    return look


def calculated(text, here, names=None, *, array=False):
    tree = parse(text, here, names or named(), array=array)
    value = tree.value(here, lambda a: NUMBERS.get((a.row, a.column)))
    return value, [a.cell for a in references(tree, here)]


@pytest.mark.parametrize(
    ("text", "value", "asked"),
    [
        ("G$6:G$35*2", 24.0 + 1.4, ["G12"]),
        ("col_w1*col_i1", 12.7 * 12.2, ["G12", "B12"]),
        ("-col_w1", -12.7, ["G12"]),
        ("col_w1%", 0.127, ["G12"]),
        ("1/(1+EXP(-(col_w1)))", 1 / (1 + math.exp(-12.7)), ["G12"]),
        ("G6:G35", 12.7, ["G12"]),
        ("@G6:G35+1", 13.7, ["G12"]),
        ("_xlfn.SINGLE(G6:G35)+1", 13.7, ["G12"]),
        ("SUM(col_w1*1)", 12.7, ["G12"]),
        ("IF(col_w1>0,col_w1,0)", 12.7, ["G12", "G12"]),
        ("A5:Z5*1", 5.3, ["C5"]),
        ("G20:G35*1", math.nan, []),
        ("F6:G35*1", math.nan, []),
        ("INDEX(G6:H35,0,2)", 12.8, ["H12"]),
        ("SUM(G11:G12)", 11.7 + 12.7, ["G11", "G12"]),
    ],
)
def test_an_area_gives_the_cell_of_its_own_row_or_column(text, value, asked):
    names = named(col_w1="S!$G$6:$G$35", col_i1="S!$B$6:$B$35")
    found, cells = calculated(text, Address("S", 12, 3), names)
    assert found == pytest.approx(value, nan_ok=True)
    assert cells == asked


def test_the_same_area_in_an_array_formula_is_taken_whole():
    here = Address("S", 12, 3)
    assert calculated("SUM(G6:G7*1)", here, array=True)[0] == pytest.approx(6.7 + 7.7)
    assert calculated("SUM(@G6:G35*1)", here, array=True)[0] == pytest.approx(12.7)


# Places that follow from the own cell.


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("INDEX($B$4:$D$9,2,3)", ["D5"]),
        ("INDEX($B$4:$B$9,ROW()-10)", ["B5"]),
        ("INDEX($B$4:$D$9,ROW()-10,COLUMN())", ["D5"]),
        ("INDEX($A$1:$A$9,ROWS(A$10:A12))", ["A3"]),
        ("INDEX($B$4:$D$9,7,1)", []),
        ("ROW(A9)+COLUMNS(A1:C1)", []),
    ],
)
def test_places_known_at_reading_are_asked_for_alone(text, asked):
    assert calculated(text, Address("S", 12, 3))[1] == asked


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("INDEX($B$4:$B$9,A1)", "INDEX"),
        ("OFFSET($A$1,1,0)", "OFFSET"),
        ("CHOOSE(1,A1,2)", "CHOOSE"),
        ("VLOOKUP(A1,B1:C9,2)", "VLOOKUP"),
        ("SIGMOID(A1)", "SIGMOID"),
        ("_xlfn.LAMBDA(_xlpm.x,_xlpm.x)", "LAMBDA"),
        ("_xlfn.LET(_xlpm.x,1,_xlpm.x)", "LET"),
        ("ROWS()", "ROWS"),
        ("ROW(1)", "ROW"),
        ("#REF!+1", "#REF!"),
    ],
)
def test_what_is_not_known_is_named(text, named):
    with pytest.raises(FormulaError, match=re.escape(named)):
        calculated(text, Address("S", 12, 3))


def test_shared_members_take_their_own_row():
    """A formula of the cell C12, filled down to C14: the same tree."""
    tree = parse("INDEX($B$4:$B$39,ROW()-10)+G$6:G$35+D12", Address("S", 12, 3))
    asked = [a.cell for a in references(tree, Address("S", 14, 3))]
    assert asked == ["B7", "G14", "D14"]


# Names.


@pytest.mark.parametrize(
    ("meaning", "cell"),
    [
        ("S!$B$1", "B1"),
        ("S!A1", "C12"),
        ("S!B3", "D14"),
        ("S!$B1", "B12"),
        ("S!XFD1", "B12"),
        ("S!A1048576", "C11"),
        ("S!XFC1048572", "A7"),
    ],
)
def test_references_in_a_name_count_from_a1_around_the_sheet(meaning, cell):
    assert calculated("me", Address("S", 12, 3), named(me=meaning))[1] == [cell]


def test_names_of_a_sheet_come_first_on_it():
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    for name in ("One", "Two", "Three"):
        sheet = book.add_worksheet(name)
        sheet.write(0, 0, 1.0)
        sheet.write(0, 1, 2.0)
        sheet.write_formula(4, 0, "=eta*10")
        sheet.write_formula(5, 0, "='Two'!eta*10")
        sheet.write_formula(6, 0, "=own*10")
        sheet.write_formula(7, 0, "=before*10")
    book.define_name("eta", "=One!$A$1")
    book.define_name("Two!eta", "=Two!$B$1")
    book.define_name("Three!own", "=Three!$B$1")
    book.define_name("before", "=One!A1048576")
    book.close()
    ours = Calculator(read(file.getvalue()))
    assert [ours.value(Address(s, 5, 1)) for s in ("One", "Two", "Three")] == [10.0, 20.0, 10.0]
    assert [ours.value(Address(s, 6, 1)) for s in ("One", "Two", "Three")] == [20.0, 20.0, 20.0]
    assert ours.value(Address("Three", 7, 1)) == 20.0
    ours.value(Address("One", 7, 1))
    assert "own" in ours.unread[Address("One", 7, 1)]
    assert [a.cell for a in ours.book.asked(Address("One", 8, 1))] == ["A7"]


def test_columns_of_an_excel_table_are_read():
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    sheet = book.add_worksheet("Sheet1")
    columns = [{"header": "w1"}, {"header": "h1"}, {"header": "twice"}]
    sheet.add_table("B2:D4", {"name": "Runs", "columns": columns})
    sheet.write_row("B3", [0.25, 3.0])
    sheet.write_formula("D3", "=Runs[[#This Row],[w1]]*2")
    sheet.write_formula("E3", "=Runs[@[h1]]*2")
    sheet.write_formula("F3", "=Runs[w9]*2")
    book.close()
    ours = Calculator(read(file.getvalue()))
    assert [ours.value(at(cell)) for cell in ("D3", "E3")] == [0.5, 6.0]
    ours.value(at("F3"))
    assert "Runs" in ours.unread[at("F3")]


# Bounds.


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("+".join(["x1y"] * 40), "operations"),
        ("SUM(A1:A1000*A1:Z1)", "1024 cells"),
        ("+".join(["SUM(A1:Z39)"] * 100), "values"),
        ("me+1", "operations|deep"),
        ("long*" * 10 + "1", "characters"),
    ],
)
def test_no_formula_takes_long(text, said):
    names = named(me="me+me", x1y="A1" + "+A1" * 20, long=f"SUM({'A1,' * 900}1)")
    with pytest.raises(FormulaError, match=said):
        calculated(text, Address("S", 12, 3), names, array=True)


def test_an_array_formula_of_the_whole_sheet_is_refused():
    data = made([], {"A1:A3*2": (3, 1)})
    whole = changed(data, "xl/worksheets/sheet1.xml", r'ref="L5:L7"', 'ref="L5:XFD1048576"')
    with pytest.raises(ValueError, match="200,000 cells"):
        read(whole)


def test_the_sign_of_one_value_is_a_token():
    assert [t.text for t in tokens("@A1:A3")] == ["@", "A1", ":", "A3"]
