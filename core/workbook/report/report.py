"""What judging a file came to: runs, findings, what was not judged; and the same as text.

This module knows how a report reads. How its findings were made it does not know.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.backprop.network import Array
from core.workbook.file.book import Book
from core.workbook.file.digits import distinct
from core.workbook.formula.tree import Address
from core.workbook.judge.run import Run


@dataclass(frozen=True)
class Finding:
    """One slip, in all cells that have it.

    quantity: the column as `COLUMNS` calls it; heading: as the file does. cells: from the first on.
    cause: what is wrong in the first, in words. theirs, right: its formula ("=…") or number, and
    the one it should have. changes: what each cell should hold. curve: E_total of each epoch with
    this slip alone; None where that cannot be calculated. run: index of its `Run`. pasted: whether
    its cells are among many numbers without formulas.
    """

    sheet: str
    quantity: str
    heading: str
    kind: str
    cells: tuple[str, ...]
    cause: str
    theirs: str
    right: str
    changes: tuple[tuple[Address, str], ...]
    run: int
    pasted: bool = False
    curve: Array | None = None

    @property
    def where(self) -> str:
        """Its cells in brief: AA32:AA81, or X40."""
        return brief([at for at, _ in self.changes])


@dataclass(frozen=True)
class Report:
    """The outcome. not_judged: what could not be, and why. remarks: what else is worth knowing.

    follows: cell -> its right number, for numbers outside the tables that only follow from slips.
    """

    book: Book
    runs: tuple[Run, ...]
    findings: tuple[Finding, ...]
    not_judged: tuple[str, ...]
    remarks: tuple[str, ...]
    follows: Mapping[Address, str]

    @property
    def judged(self) -> int:
        """How many cells were judged."""
        return sum(run.formulas + run.numbers for run in self.runs)

    @property
    def right(self) -> bool:
        """Whether every cell was judged and none is wrong."""
        return not self.findings and not self.not_judged and self.judged > 0

    @property
    def verdict(self) -> str:
        """The outcome in one line."""
        cells = f"{self.judged:,} cells"
        if self.findings:
            wrong = len({at for finding in self.findings for at, _ in finding.changes})
            slips = "1 slip" if len(self.findings) == 1 else f"{len(self.findings)} slips"
            first = place(self.findings[0].changes[0][0])
            return f"Not right: {slips} in {wrong:,} of {cells}, the first at {first}."
        if self.right:
            return f"Right: each of {cells} follows from its neighbours."
        if not self.judged:
            return "Nothing in it could be judged."
        return f"No slip in the {cells} that could be judged. Not everything could."


def place(at: Address) -> str:
    """A cell with its sheet's name."""
    return f"{at.sheet}!{at.cell}" if at.sheet else at.cell


_NEXT = ((1, 0), (0, 1), (-1, 0), (0, -1))


def brief(cells: Sequence[Address]) -> str:
    """Neighbouring cells of a column, or a row, as a range; a few others one by one."""
    parts: list[list[Address]] = []
    for spot in cells:
        last = parts[-1][-1] if parts else None
        if last and (spot.row - last.row, spot.column - last.column) in _NEXT:
            parts[-1].append(spot)
        else:
            parts.append([spot])
    words = [p[0].cell if len(p) == 1 else f"{min(p).cell}:{max(p).cell}" for p in parts]
    more = f" and {len(words) - 4} more" if len(words) > 4 else ""
    return ", ".join(words[:4]) + more


def effect(alone: float, right: float) -> str:
    """What a slip alone makes of E_total at the last epoch, in words."""
    if math.isnan(alone):
        return "With this slip alone E_total is no number at the last epoch."
    if math.isclose(alone, right, rel_tol=1e-9):
        return f"With this slip alone E_total ends at {alone:.8g} all the same."
    ends = distinct(alone, right)
    change = f" ({100 * (alone / right - 1):+.3g} %)".replace("-", "−") if right else ""
    return f"With this slip alone E_total ends at {ends[0]} instead of {ends[1]}{change}."


def lines(report: Report) -> list[str]:
    """The report as text."""
    text = [report.verdict]
    for count, finding in enumerate(report.findings, start=1):
        place = f"{finding.sheet}!" if finding.sheet else ""
        text += [
            "",
            f"{count}. {finding.heading}, {place}{finding.where}",
            f"   {finding.cause}",
            f"   there: {finding.theirs}",
            f"   right: {finding.right}",
        ]
        if finding.curve is not None:
            right = report.runs[finding.run].right
            text.append(f"   {effect(float(finding.curve[-1]), float(right[-1]))}")
    text.append("")
    for run in report.runs:
        if not np.isfinite(run.theirs).any():
            continue
        eta = f"η = {run.first:g} ({run.rate_said})" if run.rate is not None else "η unknown"
        text.append(
            f"{run.title}: {run.table.in_words}, {eta}; E_total ends at {run.theirs[-1]:.8g}, "
            f"the right one at {run.right[-1]:.8g}."
        )
    if report.not_judged:
        text += ["", "Not judged:", *(f"- {sentence}" for sentence in report.not_judged)]
    if report.remarks:
        text += ["", *report.remarks]
    return text
