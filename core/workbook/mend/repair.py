"""A copy of a checked workbook in which every finding is mended.

This module knows what the cells should hold. How that gets into a file is for changes.py.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from core.workbook.exercise.quantities import EXAMPLE
from core.workbook.file.book import Book, FileError
from core.workbook.file.calculate import changed
from core.workbook.file.digits import decimals_of, doubt, rounded_like
from core.workbook.formula.tree import Address
from core.workbook.judge.run import Run
from core.workbook.mend.changes import Change, mend
from core.workbook.report.report import Finding, Report
from core.workbook.report.states import by_quantity, cell_states


def repaired(report: Report) -> bytes:
    """The same file with every finding's cells put right, coloured and commented.

    Raises FileError for a .csv file.
    """
    if report.book.kind != "xlsx":
        raise FileError("A .csv file holds no formulas to mend.")
    contents = {at: right for finding in report.findings for at, right in finding.changes}
    comments = {
        at: _comment(report.book, finding, at)
        for finding in report.findings
        for at, _ in finding.changes
    }
    contents |= report.follows
    for run in report.runs:
        contents |= _right_numbers(report, run)
    return rewritten(report.book, contents, comments)


def _right_numbers(report: Report, run: Run) -> dict[Address, str]:
    """Where a table lists numbers without formulas: what the wrong ones, and all that follow from
    them, should be, with the digits of their column.
    """
    if run.rate is None and run.epochs > 1:
        return {}  # what its numbers should be, nobody knows: its steps are in another table
    pasted = {at for f in report.findings if f.pasted for at, _ in f.changes}
    if not any(run.table is report.runs[f.run].table for f in report.findings if f.pasted):
        return {}
    cells = report.book.cells
    states = cell_states(report, run)
    everywhere = decimals_of(cells.get(state.at) for state in states)
    numbers = {}
    for column in by_quantity(states):
        own = [cells.get(state.at) for state in column]
        decimals = everywhere if len({state.value for state in column}) < 3 else 0
        for state, cell, half in zip(column, own, doubt(own), strict=True):
            if cell is None or cell.formula is not None or state.quantity in EXAMPLE:
                continue
            off = state.at in pasted or abs(state.value - state.right) > half
            if off and (state.at in pasted or state.part != "slip"):
                numbers[state.at] = repr(rounded_like(state.right, own, decimals))
    return numbers


def rewritten(
    book: Book, contents: Mapping[Address, str], comments: Mapping[Address, str]
) -> bytes:
    """The .xlsx file of `book` with other contents in some cells, and all values that follow.

    contents: cell -> its new formula ("=…") or number. comments: cell -> a note; such a cell is
    coloured.
    """
    calculator = changed(book, contents)
    changes = []
    for at, content in contents.items():
        value, note = calculator.value(at), comments.get(at)
        formula = content[1:] if content.startswith("=") else None
        shown = value if isinstance(value, float | str) else math.nan
        changes.append(Change(at.sheet, at.cell, formula, shown, note, marked=note is not None))
    values = {}
    for at, cell in book.cells.items():
        if cell.formula is not None and at not in contents:
            value = calculator.value(at)
            if isinstance(value, float) and value != cell.value and at not in calculator.unread:
                values[at.sheet, at.cell] = value
    try:
        return mend(book.file, changes, values)
    except ValueError as wrong:
        raise FileError(f"The file cannot be mended: {wrong}") from wrong


def _comment(book: Book, finding: Finding, at: Address) -> str:
    formula, cell = book.formula_text(at), book.cells.get(at)
    was = f"={formula}" if formula else (cell.written or str(cell.value)) if cell else "nothing"
    like = "" if at.cell == finding.cells[0] else f"As in {finding.cells[0]}: "
    return f"{like}{finding.cause}\nIt was {was}"
