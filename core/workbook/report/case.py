"""What is known of a file while it is judged: the runs in it and the findings so far.

This module knows how slips become findings and a table becomes a run. It judges nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from core.backprop.network import COLUMNS, WEIGHTS, Array, History, Setup, descend
from core.workbook.explain.diagnosis import Slip
from core.workbook.file.book import Book
from core.workbook.file.calculate import Calculator
from core.workbook.file.digits import doubt
from core.workbook.file.saved import settled
from core.workbook.find.layout import Layout, Table
from core.workbook.find.reading import Reading
from core.workbook.find.settle import settle
from core.workbook.formula.tree import Address
from core.workbook.report.report import CellState, Finding, Report, Run


class Case:
    """A file under judgement. runs and readings go together, one for each table.

    follows: cell -> its right number, for numbers that are wrong because of a slip elsewhere.
    """

    def __init__(self, book: Book, layout: Layout) -> None:
        self.book = book
        self.actual = Calculator(book, saved=settled(book))
        self.layout = settle(book, layout, self.actual)
        self.findings: list[Finding] = []
        self.not_judged = [*book.unread, *layout.unread]
        self.remarks = list(book.remarks)
        self.runs: list[Run] = []
        self.readings: list[Reading] = []
        self.follows: dict[Address, str] = {}

    def add(self, reading: Reading, slips: Sequence[Slip], formulas: int, numbers: int) -> None:
        """Take in a table with its slips, and how many of its cells were judged as which."""
        index = len(self.runs)
        groups: dict[tuple[object, ...], list[Slip]] = {}
        for slip in slips:
            groups.setdefault(slip.key, []).append(slip)
        found = [finding_of(reading, group, index) for group in groups.values()]
        order = {name: k for k, name in enumerate(COLUMNS)}
        found.sort(key=lambda f: (order.get(f.quantity, 99), f.changes[0][0]))
        self.findings += found
        self.readings.append(reading)
        self.runs.append(self.run(reading, found, formulas, numbers))

    def run(
        self, reading: Reading, findings: Sequence[Finding], formulas: int, numbers: int
    ) -> Run:
        """A table as a run, its initial weights as the findings mend them."""
        table, rate = reading.table, reading.rate
        fixed = {at: text for finding in findings for at, text in finding.changes}
        setup = reading.setup
        for name in WEIGHTS:
            at = reading.at(name, 0)
            if at in fixed and not fixed[at].startswith("="):
                setup = setup.moved({name: float(fixed[at])})
        theirs = np.array([errors(reading, self.actual, k) for k in range(table.epochs)])
        right = np.full(table.epochs, math.nan)
        known = rate is not None and bool(np.isfinite(rate.value).all())
        if not known:
            rate = None
        if known or table.epochs == 1:
            run = descent(setup, rate.value if rate else None, table, table.epochs)
            right = run.E_total.copy()
            if run.diverged_at:
                right[run.diverged_at - 1 :] = math.nan
            right = right[[table.epoch(k) for k in range(table.epochs)]]
        return Run(
            reading,
            setup,
            None if rate is None else rate.value,
            rate.said if rate else "",
            theirs,
            right,
            formulas,
            numbers,
            self._precision(reading),
        )

    def _precision(self, reading: Reading) -> float:
        table = reading.table
        if "E_total" not in table.columns:
            return 0.0
        cells = [self.book.cells.get(table.at("E_total", k)) for k in range(table.epochs)]
        bare = [cell for cell in cells if cell and cell.formula is None]
        return float(doubt(bare).max()) if bare else 0.0


def errors(reading: Reading, calculator: Calculator, k: int) -> float:
    """E_total of epoch k as the cells come to it; NaN if they show no number."""
    at = reading.at("E_total", k)
    if at is not None:
        value = calculator.value(at)
        return float(value) if isinstance(value, float) else math.nan
    parts = [reading.at(name, k) for name in ("E1", "E2")]
    values = [calculator.value(part) if part else None for part in parts]
    return sum(v if isinstance(v, float) else math.nan for v in values)


def finding_of(reading: Reading, group: Sequence[Slip], run: int) -> Finding:
    """Slips of one cause as one finding; run: the index of their run."""
    first = group[0]
    return Finding(
        first.at.sheet,
        first.name,
        reading.heading(first.name),
        first.kind,
        tuple(slip.at.cell for slip in group),
        first.cause,
        first.theirs,
        first.right,
        tuple((slip.at, slip.right) for slip in group),
        run,
        first.pasted,
    )


def rate_slips(reading: Reading, found: float) -> list[Slip]:
    """η says one thing, and the steps another: in its cell or text, or in all of its column."""
    table, said = reading.table, reading.rate
    at = None if said is None else said.at or said.text
    if said is None or at is None:
        return []
    value = float(np.ravel(said.value)[0])
    theirs, right = f"{value:g}", repr(found)
    cells = [table.at("η", k) for k in range(table.epochs)] if "η" in table.columns else [at]
    if said.text:
        theirs = str(reading.book.cells[at].value)
        right = re.sub(r"\d*[.,]?\d+(?:[eE]-?\d+)?(?=\D*$)", f"{found:g}", theirs)
    cause = f"{at.cell} says η = {value:g}, but the weights move as with η = {found:g}."
    return [Slip(c, "η", "rate", cause, theirs, right, ("rate",)) for c in cells]


def descent(setup: Setup, rate: float | Array | None, table: Table, lines: int) -> History:
    """The right run of so many lines, with all epochs up to the last line's.

    η of a line holds until the next. Without η there is no step to take.
    """
    steps = np.broadcast_to(0.0 if rate is None else rate, (table.epochs,))
    steps = np.pad(steps, (0, lines - table.epochs), "edge")
    if table.listed:
        gaps = np.diff([0, *table.listed[1:], table.listed[-1] + 1])
        steps = np.repeat(steps, gaps)
    return descend(setup, steps[:, np.newaxis], len(steps))


def cell_states(report: Report, run: Run) -> list[CellState]:
    """Every cell of a run's table that holds one of `COLUMNS`, epoch by epoch.

    If the weights after the last epoch stand there too, they are of the epoch after it.
    """
    slips = {at for finding in report.findings for at, _ in finding.changes}
    table = run.table
    right = descent(run.setup, run.rate, table, table.steps).single_rows()
    if table.listed:
        right = right[:, list(table.listed)]
    actual, states = Calculator(report.book), []
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
            states.append(
                CellState(
                    *(name, 1 + table.epoch(k), at, number, goal),
                    "slip" if at in slips else part,
                )
            )
    return states
