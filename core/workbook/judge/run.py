"""A table as a run of descent, beside the one that network.py has from the same start."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.backprop.network import Array, History, Setup, descend
from core.workbook.file.calculate import Calculator
from core.workbook.file.digits import doubt
from core.workbook.find.layout import Table
from core.workbook.find.reading import Reading


@dataclass(frozen=True)
class Run:
    """One descent as a table of the file lists it, and as network.py has it from the same start.

    reading: its table, and where the start and η were found. theirs, right: E_total of each epoch;
    theirs is NaN where the file shows no number. rate: η, or one for each epoch; None if the file
    does not tell it.
    rate_said: where it was found. formulas, numbers: how many cells were judged as which.
    precision: half a unit of the last digit that E_total is written with; 0 if it is calculated.
    misread: whether so much disagrees that the table is probably none of this exercise.
    """

    reading: Reading
    setup: Setup
    rate: float | Array | None
    rate_said: str
    theirs: Array
    right: Array
    formulas: int = 0
    numbers: int = 0
    precision: float = 0.0
    misread: bool = False

    @property
    def table(self) -> Table:
        """Its place in the file."""
        return self.reading.table

    @property
    def title(self) -> str:
        """The range of its table, with the sheet's name."""
        return self.table.title

    @property
    def epochs(self) -> int:
        return len(self.theirs)

    @property
    def has_curve(self) -> bool:
        """Whether the file shows an E_total for more than one epoch."""
        return self.epochs > 1 and bool(np.isfinite(self.theirs).any())

    @property
    def lists_errors(self) -> bool:
        """Whether its table has a column of E_total."""
        return "E_total" in self.table.columns

    @property
    def is_off(self) -> bool:
        """Whether the file's E_total differs from the right one by more than its digits."""
        with np.errstate(invalid="ignore"):
            return bool((np.abs(self.theirs - self.right) > 1e-12 + 2 * self.precision).any())

    @property
    def first(self) -> float:
        """η as one number: that of the first step."""
        return math.nan if self.rate is None else float(np.ravel(self.rate)[0])


def run_of(reading: Reading, start: Mapping[str, float] = {}) -> Run:
    """A table as a run, with the initial weights `start` where those that it shows are wrong."""
    table, rate = reading.table, reading.rate
    setup = reading.setup.moved(dict(start)) if start else reading.setup
    theirs = all_errors(reading, reading.actual)
    right = np.full(table.epochs, math.nan)
    if rate is not None and not np.isfinite(rate.value).all():
        rate = None
    if rate is not None or table.epochs == 1:
        run = descent(setup, rate.value if rate else None, table, table.epochs)
        right = run.E_total.copy()
        if run.diverged_at:
            right[run.diverged_at - 1 :] = math.nan
        right = right[[table.epoch(k) for k in range(table.epochs)]]
    return Run(
        *(reading, setup, None if rate is None else rate.value, rate.said if rate else ""),
        *(theirs, right),
        precision=_precision(reading),
    )


def _precision(reading: Reading) -> float:
    if "E_total" not in reading.table.columns:
        return 0.0
    cells = [reading.book.cells.get(at) for at in reading.table.places("E_total")]
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


def all_errors(reading: Reading, calculator: Calculator) -> Array:
    """E_total of every epoch."""
    return np.array([errors(reading, calculator, k) for k in range(reading.table.epochs)])


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
