"""Kinds of workbooks that people publish, each made here: what is right is not accused."""

import io
import re
import zipfile

import openpyxl
import pytest
from openpyxl.utils import get_column_letter

from core.backprop.network import COLUMNS, SEED, WEIGHTS, descend
from core.backprop.rules import TABLE_RULES, TABLE_STEPS, in_cells
from core.workbook import check, mended
from core.workbook.export import workbook
from core.workbook.file.book import FileError
from core.workbook.file.digits import distinct
from core.workbook.report.report import effect, lines

RATES = (0.1, 0.2, 0.5, 0.8, 1.0, 2.0)


def saved(book):
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def plain(epochs, rate=1.0, *, label="η", formulas=True, weights_after=False):
    """A sheet with the table alone: headers in row 3, η in B1."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet["A1"], sheet["B1"] = label, rate
    run = descend(SEED, rate, epochs + weights_after)
    for column, name in enumerate(COLUMNS, start=1):
        sheet.cell(3, column, name)
        numbers = run.column(name).tolist()
        for k in range(epochs + weights_after):
            if k == epochs and name not in WEIGHTS:
                continue
            row = {n: f"{get_column_letter(c)}{4 + k}" for c, n in enumerate(COLUMNS, start=1)}
            above = {n: f"{get_column_letter(c)}{3 + k}" for c, n in enumerate(COLUMNS, start=1)}
            if not formulas or (k == 0 and name in WEIGHTS) or name in ("i1", "i2", "t1", "t2"):
                value = numbers[k]
            elif name in WEIGHTS:
                value = "=" + in_cells(TABLE_STEPS[name], above | {"η": "$B$1"})
            else:
                value = "=" + in_cells(TABLE_RULES[name], row)
            sheet.cell(4 + k, column, value)
    return book


def accused(report):
    return {at.cell for finding in report.findings for at, _ in finding.changes}


def with_sheet(file, change):
    """The export's first sheet with its XML changed."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(file)) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                data = change(data.decode()).encode()
            new.writestr(name, data)
    return made.getvalue()


SQUARE = re.compile(r"0\.5\*\((\w+-\w+)\)\^2")


def ten_digits(xml):
    return re.sub(r"<v>(-?\d+\.\d{11,})</v>", lambda v: f"<v>{float(v[1]):.10f}</v>", xml)


@pytest.mark.parametrize("spelling", ["0.5*POW({},2)", "MULTIPLY(0.5,POW({},2))", "POW({},2)/2"])
def test_the_spellings_of_other_programs_are_read(spelling):
    file = with_sheet(
        workbook(SEED, 1.0, 20),
        lambda xml: ten_digits(SQUARE.sub(lambda f: spelling.format(f"({f[1]})"), xml)),
    )
    report = check(file)
    assert report.right, (report.verdict, report.not_judged)


def test_a_formula_that_cannot_be_read_is_judged_by_the_digits_of_its_number():
    def unreadable(xml):
        return ten_digits(SQUARE.sub(r"0.5*NEW.SQUARE(\1)", xml))

    report = check(with_sheet(workbook(SEED, 1.0, 20), unreadable))
    assert not report.findings, report.verdict
    wrong = check(
        with_sheet(
            workbook(SEED, 1.0, 20),
            lambda xml: re.sub(r"<v>0.1674797998</v>", "<v>0.1674798008</v>", unreadable(xml)),
        )
    )
    (finding,) = wrong.findings
    assert finding.cells == ("V12",)
    assert re.search(r"V12 is (\S+), but .* comes to (\S+)\.$", finding.cause)
    said = re.search(r"V12 is (\S+), but .* comes to (\S+)\.$", finding.cause).groups()
    assert said[0] != said[1]


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        (0.15740988346, 0.15740988352, ("0.157409883", "0.157409884")),
        (1.0, 2.0, ("1", "2")),
        (0.5, 0.5, ("0.5", "0.5")),
    ],
)
def test_two_numbers_are_told_apart_in_print(a, b, said):
    assert distinct(a, b) == said


def listing(order, *, names=("LR", "E_Tot"), epochs=20, own_sheet=True):
    """Runs one below the other: η, perhaps the epoch, and E_total in each row."""
    book = plain(epochs)
    sheet, column = (book.create_sheet("Curves"), 1) if own_sheet else (book.active, 40)
    for k, name in enumerate(order):
        sheet.cell(2, column + k, {"rate": names[0], "error": names[1], "epoch": "epoch"}[name])
    line = 3
    for rate in RATES:
        for epoch, error in enumerate(descend(SEED, rate, epochs).E_total.tolist(), start=1):
            for k, name in enumerate(order):
                value = {"rate": rate, "error": error, "epoch": epoch}[name]
                sheet.cell(line, column + k, value)
            line += 1
    return book


@pytest.mark.parametrize(
    ("order", "names"),
    [
        (("rate", "error"), ("LR", "E_Tot")),
        (("error", "rate"), ("learning rate", "E_total")),
        (("epoch", "rate", "error"), ("η", "Total error")),
        (("rate", "epoch", "error"), ("lr", "E_total")),
    ],
)
def test_runs_listed_one_below_the_other_are_runs_of_their_own(order, names):
    book = listing(order, names=names)
    report = check(saved(book))
    assert report.right, (report.verdict, report.not_judged)
    assert [run.first for run in report.runs] == [1.0, *RATES]
    sheet, column = book["Curves"], get_column_letter(1 + order.index("error"))
    sheet[f"{column}45"] = sheet[f"{column}45"].value * 1.2
    report = check(saved(book))
    assert accused(report) == {f"{column}45"}
    assert check(mended(report)).right


def test_a_rate_that_changes_from_row_to_row_is_one_run():
    book = openpyxl.Workbook()
    sheet = book.active
    rates = [1 / (1 + k) for k in range(30)]
    sheet.append(["η", *COLUMNS])
    run = descend(SEED, [[rate] for rate in rates], 30)
    for k, rate in enumerate(rates):
        sheet.append([rate, *(run.column(name)[k] for name in COLUMNS)])
    report = check(saved(book))
    assert report.right, (report.verdict, report.not_judged)
    assert len(report.runs) == 1


@pytest.mark.parametrize("label", ["h", "η", "x", "alpha (h)"])
def test_the_rate_is_the_cell_that_the_updates_name(label):
    book = plain(1, 0.5, label=label, weights_after=True)
    report = check(saved(book))
    assert report.right, (report.verdict, report.not_judged)
    assert report.runs[0].first == 0.5
    book.active["E5"] = "=E4+$B$1*X4"
    assert accused(check(saved(book))) == {"E5"}


def other_network(*, error="error", hidden=4):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append([*(f"w{k}" for k in range(1, 3 * hidden + 1)), "y", "d", error])
    for k in range(8):
        weights = [0.1 * ((5 * k + i) % 7) - 0.3 for i in range(3 * hidden)]
        sheet.append([*weights, 0.1 * k, float(k % 2), 0.1 * k - k % 2])
    return book


@pytest.mark.parametrize("error", ["error", "E_total", "Total error"])
def test_another_network_is_no_such_sheet(error):
    with pytest.raises(FileError, match="w9 stands beside w1 to w8"):
        check(saved(other_network(error=error)))


def test_another_network_beside_a_right_table_is_said():
    book = plain(10)
    theirs = book.create_sheet("Other")
    for row in other_network().active.iter_rows(values_only=True):
        theirs.append(row)
    report = check(saved(book))
    assert not report.findings
    assert any("w9" in sentence for sentence in report.not_judged)


@pytest.mark.parametrize(("row", "column"), [(3, 40), (3, 34), (60, 2)])
def test_curves_under_bare_rates_are_judged(row, column):
    book = plain(20)
    sheet = book.active
    for k, rate in enumerate(RATES):
        sheet.cell(row, column + k, rate)
        for epoch, error in enumerate(descend(SEED, rate, 20).E_total.tolist(), start=1):
            sheet.cell(row + epoch, column + k, error)
    report = check(saved(book))
    assert report.right, (report.verdict, report.not_judged)
    assert [run.first for run in report.runs] == [1.0, *RATES]
    wrong = sheet.cell(row + 7, column + 2)
    wrong.value = wrong.value * 1.2
    report = check(saved(book))
    assert accused(report) == {wrong.coordinate}
    assert check(mended(report)).right


def test_a_table_of_one_epoch_has_its_closing_line():
    report = check(saved(plain(1, weights_after=True)))
    first = descend(SEED, 1.0, 1).E_total[0]
    assert f"1 epoch, η = 1 (B1); E_total ends at {first:.8g}, " in "\n".join(lines(report))


@pytest.mark.parametrize(
    ("alone", "right", "said"),
    [
        (0.5, 0.4, "ends at 0.5 instead of 0.4 (+25 %)."),
        (0.123456781, 0.123456784, "ends at 0.123456781 instead of 0.123456784 (−2.43e−06 %)."),
        (0.5, 0.5 * (1 + 1e-14), "ends at 0.5 all the same."),
        (float("nan"), 0.5, "is no number at the last epoch."),
    ],
)
def test_the_effect_of_a_slip_never_shows_two_equal_numbers(alone, right, said):
    assert effect(alone, right) == f"With this slip alone E_total {said}"


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_a_hidden_draft_is_remarked_and_no_fault(state):
    book = plain(10)
    draft = book.copy_worksheet(book.active)
    draft.title = "Draft"
    for row in (7, 8, 9):
        draft.cell(row, 21).value = "=UNKNOWN(A1)"
    assert not check(saved(book)).right
    draft.sheet_state = state
    report = check(saved(book))
    assert report.right, (report.verdict, report.not_judged)
    assert any(sentence.startswith("On a hidden sheet: ") for sentence in report.remarks)


def test_a_table_that_is_hidden_alone_is_judged_as_any():
    book = plain(10)
    book.active.title = "Hidden"
    for row in (7, 8, 9):
        book.active.cell(row, 21).value = "=UNKNOWN(A1)"
    book.active.sheet_state = "hidden"
    book.create_sheet("Shown")["A1"] = "nothing here"
    assert not check(saved(book)).right


def test_a_column_is_not_called_wrong_and_unjudged_at_once():
    table = descend(SEED, 0.5, 30).table().round(3)
    table.loc[10, "∂E/∂w1"] = 5.0
    report = check(table.to_csv(index=False).encode())
    accused_here = {finding.quantity for finding in report.findings}
    assert "∂E/∂w1" in accused_here
    for sentence in report.not_judged:
        if "∂E/∂w1 " in sentence:
            assert sentence.startswith("But for what is called wrong, ")


@pytest.mark.parametrize("counted", ["ROW()", "ROWS(A$1:A{row})"])
def test_a_formula_that_counts_rows_is_judged_in_each_of_them(counted):
    """One formula, filled down, that is right in the rows above the twelfth alone."""
    book = plain(20)
    sheet = book.active
    letter = get_column_letter(1 + COLUMNS.index("out_h1"))
    net = get_column_letter(1 + COLUMNS.index("h1"))
    for row in range(4, 24):
        here = counted.format(row=row)
        sheet[f"{letter}{row}"] = f"=IF({here}<12,1/(1+EXP(-{net}{row})),1/(1+EXP({net}{row})))"
    assert accused(check(saved(book))) == {f"{letter}{row}" for row in range(12, 24)}
