"""Every cell of a run's table, with its part in what is right and wrong: a map of the table."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from core.backprop.network import COLUMNS, WEIGHTS
from core.workbook.file.digits import doubt
from core.workbook.formula.tree import Address
from core.workbook.judge.run import Run, descent
from core.workbook.report.report import Report


class CellState(NamedTuple):
    """A cell of a table: where, what it holds, what the right run has there, and its part in it.

    part: "slip", "follows" (wrong only because others are), "right", or "unknown".
    """

    quantity: str
    epoch: int
    at: Address
    value: float
    right: float
    part: str


def cell_states(report: Report, run: Run) -> list[CellState]:
    """Every cell of a run's table that holds one of `COLUMNS`, epoch by epoch.

    If the weights after the last epoch stand there too, they are of the epoch after it.
    """
    slips = {at for finding in report.findings for at, _ in finding.changes}
    table = run.table
    right = descent(run.setup, run.rate, table, table.steps).single_rows()
    if table.listed:
        right = right[:, list(table.listed)]
    actual, states = run.reading.actual, []
    for name, rows in zip(COLUMNS, right, strict=True):
        if name not in table.columns:
            continue
        lines = table.steps if name in WEIGHTS else run.epochs
        places, rows = [table.at(name, k) for k in range(lines)], rows[:lines]
        room = 1e-7 * np.abs(rows) + 4 * doubt([report.book.cells.get(at) for at in places]) + 1e-14
        for k, at in enumerate(places):
            value, goal = actual.value(at), float(rows[k])
            number = float(value) if isinstance(value, float) else math.nan
            part = "right" if abs(number - goal) <= room[k] else "follows"
            if run.rate is None or run.misread or math.isnan(number):
                part = "unknown"
            part = "slip" if at in slips else part
            states.append(CellState(name, 1 + table.epoch(k), at, number, goal, part))
    return states


def by_quantity(states: Iterable[CellState]) -> list[list[CellState]]:
    """The cells of each column."""
    return [list(column) for _, column in groupby(states, key=attrgetter("quantity"))]
