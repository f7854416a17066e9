"""Slips of one cause as one finding."""

from __future__ import annotations

from collections.abc import Sequence

from core.backprop.network import COLUMNS
from core.workbook.explain.slips import Slip
from core.workbook.find.reading import Reading
from core.workbook.report.report import Finding


def findings_of(reading: Reading, slips: Sequence[Slip], run: int) -> list[Finding]:
    """The slips of a table, those of one cause together; run: the index of its run."""
    groups: dict[tuple[object, ...], list[Slip]] = {}
    for slip in slips:
        groups.setdefault(slip.key, []).append(slip)
    order = {name: k for k, name in enumerate(COLUMNS)}
    found = [_finding(reading, group, run) for group in groups.values()]
    return sorted(found, key=lambda f: (order.get(f.quantity, 99), f.changes[0][0]))


def _finding(reading: Reading, group: Sequence[Slip], run: int) -> Finding:
    first = group[0]
    heading = reading.heading(first.name)
    if first.kind == "curve":  # the header says more than “E_total”: the η of the column
        heading = str(reading.book.cells[reading.table.heading("E_total")].value)
    return Finding(
        first.at.sheet,
        first.name,
        heading,
        first.kind,
        tuple(slip.at.cell for slip in group),
        first.cause,
        first.theirs,
        first.right,
        tuple((slip.at, slip.right) for slip in group),
        run,
        first.pasted,
    )
