"""Slips whose cause stands outside the table: in helper columns, comparisons, labels."""

import pytest
from test_bad_files import COLUMN, exercise, parts, relations, sheet_xml, workbook_xml, zipped

from core.backprop.rules import in_cells
from core.workbook import mended
from core.workbook.checker import check

EPOCHS = 12


def of(sheets):
    """A workbook of several sheets: name -> cells."""
    more = {
        "xl/workbook.xml": workbook_xml({name: f"rId{n}" for n, name in enumerate(sheets, 1)}),
        "xl/_rels/workbook.xml.rels": relations(
            {f"worksheets/sheet{n}.xml": "worksheet" for n in range(1, len(sheets) + 1)}
        ),
    }
    for n, cells in enumerate(sheets.values(), start=1):
        more[f"xl/worksheets/sheet{n}.xml"] = sheet_xml(cells)
    return zipped(parts("", more))


def found(report):
    return {at.cell for finding in report.findings for at, _ in finding.changes}


def assert_mended(report):
    again = check(mended(report))
    assert again.right, (again.verdict, again.not_judged)


# Columns on the way that hold a part of a quantity.

HELPERS = {
    "a product": ("w1*i1", "w2*i1", {"h1": "HELPER+w2*i2"}, "w1"),
    "a denominator": ("1+EXP(-h1)", "1+EXP(-h2)", {"out_h1": "1/HELPER"}, "h1"),
    "a square": ("(t1-out_o1)^2", "(t1-out_o2)^2", {"E1": "HELPER/2"}, "out_o1"),
}


@pytest.mark.parametrize("rows", [range(EPOCHS), [5]])
@pytest.mark.parametrize("name", HELPERS)
def test_a_slip_in_a_column_on_the_way_is_found_there(name, rows):
    right, wrong, uses, word = HELPERS[name]
    cells = exercise(EPOCHS) | {"AG3": name}
    for k in range(EPOCHS):
        here = {quantity: f"{column}{4 + k}" for quantity, column in COLUMN.items()}
        cells[f"AG{4 + k}"] = "=" + in_cells(wrong if k in rows else right, here)
        for quantity, rule in uses.items():
            cells[here[quantity]] = "=" + in_cells(rule, here).replace("HELPER", f"AG{4 + k}")
    report = check(of({"Sheet1": cells}))
    assert found(report) == {f"AG{4 + k}" for k in rows}
    assert len(report.findings) == 1
    assert f"has {COLUMN[word]}{4 + rows[0]}, {word}" in report.findings[0].cause
    assert_mended(report)


# Columns that show the errors of other tables.


def compared(rates, shown):
    """Tables on sheets of their own, and columns below η that show the errors of some of them."""
    tables = {name: exercise(EPOCHS) | {"B1": rate} for name, rate in rates.items()}
    cells = {"A2": "epoch", **{f"A{3 + k}": k + 1 for k in range(EPOCHS)}}
    for column, (rate, name) in zip("BC", shown, strict=True):
        cells[f"{column}2"] = f"η = {rate:g}"
        for k in range(EPOCHS):
            cells[f"{column}{3 + k}"] = f"={name}!{COLUMN['E_total']}{4 + k}"
    return of(tables | {"Curves": cells})


def test_a_column_that_shows_the_table_of_another_rate_is_found():
    rates = {"S1": 0.5, "S2": 2.0}
    assert check(compared(rates, [(0.5, "S1"), (2.0, "S2")])).right
    report = check(compared(rates, [(0.5, "S2"), (2.0, "S2")]))
    assert found(report) == {f"B{3 + k}" for k in range(EPOCHS)}
    assert report.findings[0].right == "='S1'!W4"
    assert_mended(report)


def test_a_column_whose_rate_no_table_has_is_called_wrong_itself():
    report = check(compared({"S1": 0.5, "S2": 2.0}, [(0.1, "S1"), (2.0, "S2")]))
    assert found(report) == {"B2"}
    assert "shows a table with η = 0.5" in report.findings[0].cause


# Initial values with labels of their own.


def labelled():
    """t1, t2, i1 and i2 with labels in the first row, which every epoch repeats."""
    cells = exercise(EPOCHS)
    places = {"t1": "DE", "t2": "GH", "i1": "JK", "i2": "MN"}
    for name, (label, cell) in places.items():
        cells |= {f"{label}1": name, f"{cell}1": cells[f"{COLUMN[name]}4"]}
        cells |= {f"{COLUMN[name]}{4 + k}": f"=${cell}$1" for k in range(EPOCHS)}
    return cells


def test_an_input_that_repeats_the_label_of_another_is_found():
    assert check(of({"Sheet1": labelled()})).right
    report = check(of({"Sheet1": labelled() | {"C8": "=$N$1"}}))
    assert found(report) == {"C8"}
    assert "repeats N1, i2, where i1 stands in K1" in report.findings[0].cause
    assert_mended(report)


def test_an_input_that_is_not_what_its_label_says_is_found():
    typed = {f"C{4 + k}": 0.06 for k in range(EPOCHS)}
    report = check(of({"Sheet1": labelled() | typed}))
    assert found(report) == typed.keys()
    assert "but i1 is 0.05 in K1" in report.findings[0].cause
    assert_mended(report)


def test_an_input_that_is_empty_is_found():
    report = check(of({"Sheet1": {c: v for c, v in exercise(EPOCHS).items() if c != "C8"}}))
    assert found(report) == {"C8"}
    assert "take 0 for 0.05" in report.findings[0].cause
    assert_mended(report)
