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


def labelled(epochs=12):
    """As `plain`, with the inputs, targets and initial weights labelled in row 1."""
    book = plain(epochs)
    sheet = book.active
    for k, name in enumerate(("i1", "i2", "t1", "t2", *WEIGHTS)):
        sheet.cell(1, 4 + 2 * k, name)
        sheet.cell(1, 5 + 2 * k, getattr(SEED, name))
    return book


def under(name):
    """The letter of a column of `plain`."""
    return get_column_letter(1 + COLUMNS.index(name))


@pytest.mark.parametrize(
    ("cell", "content"),
    [
        ("{w1}4", 0.51),
        ("{t1}8", "=$E$1"),
        ("{t1}8", None),
        ("{t1}8", "none"),
        ("{t1}8", 0.5),
        ("{w1}4", "=$G$1"),
    ],
)
def test_a_start_or_an_example_that_is_not_the_labelled_one_is_a_slip(cell, content):
    book = labelled()
    at = cell.format(t1=under("t1"), w1=under("w1"))
    book.active[at] = content
    report = check(saved(book))
    assert accused(report) == {at}
    assert [finding.quantity for finding in report.findings] == ["t1" if "t1" in cell else "w1"]


def test_rows_of_many_examples_are_no_epochs():
    book = plain(12)
    for row in range(4, 16):
        for column, name in enumerate(COLUMNS, start=1):
            if name in ("i1", "i2", "t1", "t2"):
                book.active.cell(row, column).value = 0.1 * row + 0.01 * column
    report = check(saved(book))
    assert not report.right
    assert not report.findings


def with_a_gap(book, row):
    """A row inserted as a spreadsheet program does it: references move with their cells."""
    sheet = book.active
    for line in sheet.iter_rows(min_row=4):
        for cell in line:
            if isinstance(cell.value, str):
                cell.value = re.sub(
                    r"\b([A-Z]+)(\d+)\b",
                    lambda at: f"{at[1]}{int(at[2]) + (int(at[2]) >= row)}",
                    cell.value,
                )
    sheet.insert_rows(row)
    return book


@pytest.mark.parametrize("formulas", [True, False])
def test_a_table_goes_on_after_an_empty_row(formulas):
    report = check(saved(with_a_gap(plain(12, formulas=formulas), 9)))
    assert report.right
    assert report.runs[0].epochs == 12


def test_what_stands_after_a_gap_and_does_not_follow_is_said_to_be_unjudged():
    book = with_a_gap(plain(12), 9)
    for name in WEIGHTS:
        book.active[f"{under(name)}10"] = getattr(SEED, name)
    report = check(saved(book))
    assert report.runs[0].epochs == 5
    assert report.not_judged == (
        "Sheet: after a gap there is more that was not judged, from row 9 on.",
    )


def test_a_run_that_goes_on_from_the_one_before_it_has_a_start_of_its_own():
    book = plain(12)
    sheet = book.active
    sheet.cell(3, 1 + len(COLUMNS), "epoch")
    for row in range(4, 16):
        sheet.cell(row, 1 + len(COLUMNS), 1 + (row - 4) % 6)
    report = check(saved(book))
    assert accused(report) == {f"{under(name)}10" for name in WEIGHTS}
    assert all("goes on from the run before it" in one.cause for one in report.findings)
    assert {(at.cell, right) for one in report.findings for at, right in one.changes} == {
        (f"{under(name)}10", str(getattr(SEED, name))) for name in WEIGHTS
    }


def test_a_run_that_goes_on_from_another_sheet_is_not_judged_in_its_first_step():
    book = plain(6)
    first, then = book.active, book.create_sheet("Then")
    for row in first.iter_rows(min_row=3):
        for cell in row:
            formula = isinstance(cell.value, str)
            then[cell.coordinate] = (
                cell.value.replace("$B$1", "Sheet!$B$1") if formula else cell.value
            )
    for name in WEIGHTS:
        above = {n: f"Sheet!{under(n)}9" for n in COLUMNS} | {"η": "Sheet!$B$1"}
        then[f"{under(name)}4"] = "=" + in_cells(TABLE_STEPS[name], above)
    report = check(saved(book))
    assert not report.findings
    assert "the step from another table to this one" in " ".join(report.not_judged)


@pytest.mark.parametrize("k", [1, 2])
def test_a_target_that_stands_in_formulas_alone_is_read_from_them(k):
    book = plain(6)
    sheet = book.active
    column = under(f"t{k}")
    other = getattr(SEED, f"t{k}") + 0.05
    for row in range(4, 10):
        for cell in sheet[row]:
            if isinstance(cell.value, str):
                cell.value = re.sub(rf"\b{column}{row}\b", f"{other:.2f}", cell.value)
        sheet[f"{column}{row}"] = None
    sheet[f"{column}3"] = None
    report = check(saved(book))
    assert report.right, report
    assert getattr(report.runs[0].setup, f"t{k}") == pytest.approx(other)


def test_the_rate_of_a_pasted_table_may_be_labelled_on_another_sheet():
    book = plain(1, 0.5, formulas=False, weights_after=True)
    other = book.create_sheet("Settings")
    other["A1"], other["B1"] = "η", 0.5
    book.active["A1"] = book.active["B1"] = None
    assert check(saved(book)).runs[0].rate == 0.5
