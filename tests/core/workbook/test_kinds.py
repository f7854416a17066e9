"""Kinds of sheets that few have, each planted in every layout: beside the table, or in it."""

import io
from dataclasses import replace

import openpyxl
import pytest
from faulty import (
    LAYOUTS,
    Cell,
    make,
    possible,
)
from judged import check
from xlsxwriter.utility import xl_rowcol_to_cell

from core.backprop.network import descend
from core.workbook import mended

EPOCHS = 14
RATES = (0.1, 0.2, 0.5, 0.8, 2.0)
WRONG = "t1-out_o1 in ∂E/∂w5"


def accused(report):
    return {(at.sheet, at.cell) for finding in report.findings for at, _ in finding.changes}


def assert_right(report):
    assert report.right, (report.verdict, report.not_judged)


def assert_found(made):
    """What is faulty is found, nothing else, and the mended copy is right."""
    report = check(made.file)
    assert accused(report) == made.accused
    if made.suffix == ".xlsx":
        assert_right(check(mended(report)))


# Beside the table, or on a sheet of its own where the file can have several.


def room(sheets, table, *, own_sheet):
    """A grid, its sheet, and the first cell that is free beside everything else."""
    if own_sheet:
        return sheets.setdefault("Curves", {}), "Curves", (1, 0)
    name = next(name for name, grid in sheets.items() if grid is table.grid)
    right = 3 + max(column for _, column in table.grid)
    return table.grid, name, (table.corner[0], right)


def curves(*, own_sheet, wrong=False):
    """Columns under bare rates, with one number wrong or none."""

    def plant(sheets, table):
        grid, sheet, (row, column) = room(sheets, table, own_sheet=own_sheet)
        for k, rate in enumerate(RATES):
            grid[row, column + k] = Cell(rate)
            for n, error in enumerate(descend(table.setup, rate, table.epochs).E_total, start=1):
                grid[row + n, column + k] = Cell(float(error))
        if not wrong:
            return {}
        grid[row + 7, column + 2].value *= 1.1
        return {sheet: frozenset({xl_rowcol_to_cell(row + 7, column + 2)})}

    return plant


def listing(*, own_sheet, wrong=False):
    """Runs one below the other: η and E_total in each row."""

    def plant(sheets, table):
        grid, sheet, (row, column) = room(sheets, table, own_sheet=own_sheet)
        grid[row, column], grid[row, column + 1] = Cell("LR"), Cell("E_tot")
        for rate in RATES:
            for error in descend(table.setup, rate, table.epochs).E_total.tolist():
                row += 1
                grid[row, column], grid[row, column + 1] = Cell(rate), Cell(error)
        if not wrong:
            return {}
        grid[row - 3, column + 1].value *= 1.1
        return {sheet: frozenset({xl_rowcol_to_cell(row - 3, column + 1)})}

    return plant


PLANTS = {"curves": curves, "listing": listing}


def places(layout):
    return (False,) if LAYOUTS[layout].suffix == ".csv" else (False, True)


BESIDE = [
    (layout, kind, own_sheet)
    for layout in LAYOUTS
    for kind in PLANTS
    for own_sheet in places(layout)
]


@pytest.mark.parametrize(("layout", "kind", "own_sheet"), BESIDE)
def test_other_runs_beside_a_table_are_judged(layout, kind, own_sheet):
    plant = PLANTS[kind]
    report = check(make(layout, epochs=EPOCHS, plant=plant(own_sheet=own_sheet)).file)
    assert_right(report)
    assert [run.first for run in report.runs][len(LAYOUTS[layout].tables) :] == [*RATES]
    assert_found(make(layout, epochs=EPOCHS, plant=plant(own_sheet=own_sheet, wrong=True)))


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if possible(name, WRONG)])
def test_curves_pasted_from_a_faulty_table_follow_it(layout):
    """Of the table's own numbers at its own η: brought up to date with it, or named."""

    def plant(sheets, table):
        grid, _, (row, column) = room(sheets, table, own_sheet=table.layout.suffix != ".csv")
        grid[row, column] = Cell(f"lr = {table.rate:g}")
        for k in range(table.epochs):
            grid[row + 1 + k, column] = Cell(table.grid[table.address("E_total", k)].value)
        return {}

    made = make(layout, WRONG, epochs=EPOCHS, plant=plant)
    report = check(made.file)
    assert made.accused - made.unseen <= accused(report) <= made.accused
    if made.suffix == ".xlsx":
        assert_right(check(mended(report)))


# In the table.

SPELLINGS = {
    "h1": "ADD(MULTIPLY(w1,i1),w2*i2)",
    "out_h2": "DIVIDE(1,1+EXP(UMINUS(h2)))",
    "E1": "0.5*POW(t1-out_o1,2)",
    "E2": "POW(MINUS(t2,out_o2),2)/2",
    "E_total": "ADD(E1,E2)",
    "w3": "MINUS(w3',MULTIPLY(η,g3'))",
}
WITH_FORMULAS = [name for name, layout in LAYOUTS.items() if layout.shown is None]


@pytest.mark.parametrize("layout", WITH_FORMULAS)
def test_the_spellings_of_other_programs_with_ten_digits_saved(layout):
    how = LAYOUTS[layout]
    spelled = replace(how, algebra={**how.algebra, **SPELLINGS}, saved=".10g")
    assert_right(check(make(spelled, epochs=EPOCHS).file))
    assert_found(make(spelled, WRONG, epochs=EPOCHS))


@pytest.mark.parametrize("layout", [n for n in WITH_FORMULAS if "η" in LAYOUTS[n].cells])
def test_a_label_of_the_rate_that_says_nothing(layout):
    how = LAYOUTS[layout]
    odd = replace(how, beside="h") if how.beside else how
    assert_right(check(make(odd, epochs=EPOCHS).file))
    assert_found(make(odd, WRONG, epochs=EPOCHS))


@pytest.mark.parametrize("layout", WITH_FORMULAS)
def test_one_epoch_and_the_weights_it_leads_to(layout):
    how = replace(LAYOUTS[layout], last_step=True)
    assert_right(check(make(how, epochs=1).file))
    for slip in (WRONG, "plus in w6"):
        assert_found(make(how, slip, epochs=1))


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
@pytest.mark.parametrize("layout", [n for n in LAYOUTS if LAYOUTS[n].suffix == ".xlsx"])
def test_a_hidden_draft_is_remarked_and_no_fault(layout, state):
    book = openpyxl.load_workbook(io.BytesIO(make(layout, epochs=EPOCHS).file))
    draft = book.copy_worksheet(book.worksheets[0])
    draft.title, draft.sheet_state = "Draft", state
    head = next(
        cell
        for row in draft.iter_rows()
        for cell in row
        if cell.value == LAYOUTS[layout].head("E1")
    )
    for k in (2, 3):
        across = LAYOUTS[layout].across
        cell = draft.cell(head.row + k * (not across), head.column + k * across)
        cell.value = "=UNKNOWN(A1)"
    file = io.BytesIO()
    book.save(file)
    report = check(file.getvalue())
    assert_right(report)
    assert any(sentence.startswith("On a hidden sheet: ") for sentence in report.remarks)
