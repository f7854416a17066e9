"""The copy of a workbook in which its slips are mended, judged again before it is handed out."""

from __future__ import annotations

from core.workbook.checker import check
from core.workbook.file.book import FileError
from core.workbook.file.digits import doubt
from core.workbook.file.progress import Tell, silent
from core.workbook.formula.tree import Address
from core.workbook.mend.repair import repaired
from core.workbook.report.report import Report, brief
from core.workbook.report.states import by_quantity, cell_states


def mended(report: Report, tell: Tell = silent) -> bytes:
    """The same .xlsx file with every finding's cells put right, coloured and commented.

    All else is untouched, but for the values that follow. tell: as in `check`. Raises FileError,
    with a sentence, for a .csv file, which has neither formulas nor colours, and where a copy would
    be worse than the file: a right cell in it changed, or one called wrong that was not.
    """
    copy = repaired(report)
    again = check(copy, tell)
    before = {at for finding in report.findings for at, _ in finding.changes}
    no_copy = "No mended copy was made: "
    if changed := _changed(report, again) - before:
        raise FileError(f"{no_copy}it would change {_few(changed)}, right as it stands.")
    if worse := {at for finding in again.findings for at, _ in finding.changes} - before:
        said = "judged again, it has a slip that the file has not"
        raise FileError(f"{no_copy}{said}, in {_few(worse)}.")
    return copy


def _changed(report: Report, again: Report) -> set[Address]:
    """The numbers that are right to their last digit and others in the copy, and the formulas that
    come to what is right and do not in the copy.
    """
    parts = {s.at: s.part for run in again.runs for s in cell_states(again, run)}
    found = set()
    for run in report.runs:
        for column in by_quantity(cell_states(report, run)):
            cells = [report.book.cells.get(state.at) for state in column]
            for state, cell, half in zip(column, cells, doubt(cells), strict=True):
                if cell is None or state.part != "right":
                    continue
                there = again.book.cells.get(state.at)
                if cell.formula is not None:
                    worse = parts.get(state.at, "right") in ("follows", "slip")
                else:
                    is_right = abs(state.value - state.right) <= half
                    worse = is_right and (there is None or there.value != cell.value)
                found |= {state.at} if worse else set()
    return found


def _few(cells: set[Address]) -> str:
    first = min(cells)
    here = brief([at for at in sorted(cells) if at.sheet == first.sheet])
    return f"{first.sheet}!{here}" if first.sheet else here
