"""Where things stand in a book: tables, columns of E_total, labels, and lines of text that tell.

This module knows places, and what is shown there. Who found them it does not know.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

from core.backprop.network import WEIGHTS
from core.workbook.file.book import Cell
from core.workbook.file.calculate import Calculator
from core.workbook.formula.functions import Value
from core.workbook.formula.tree import Address

MOST_EPOCHS = 1000
HEADERS = 3
"""Lines that headers, units and formulas in words may take above the first epoch."""


@dataclass(frozen=True, eq=False)
class Table:
    """Columns that list epochs.

    columns: quantity -> its column, or its row if the epochs run across. hints: column -> what its
    header seems to mean, for those that are not in `COLUMNS` or that another column already is.
    lines: the rows of the epochs, or their columns, in the order of descent: upwards if the newest
    is on top. upwards: whether it is, which one line does not tell. head: the row (column) of the
    headers. rate: η, where the header itself says it. across: whether epochs run across.
    shifts: quantity -> how many lines after its epoch's it stands. last_step: whether the weights
    stand there that the last epoch leads to, which have no epoch of their own. listed: the epoch of
    each line, from 0, where not every epoch is listed; else empty. drops: quantity -> how far below
    its line it stands, where each epoch is a block of its own, in which every number has its label
    on the left, or above it if labels_above.
    """

    sheet: str
    head: int
    columns: Mapping[str, int]
    lines: tuple[int, ...]
    across: bool = False
    rate: float | None = None
    hints: Mapping[int, str] = field(default_factory=dict)
    shifts: Mapping[str, int] = field(default_factory=dict)
    last_step: bool = False
    listed: tuple[int, ...] = ()
    drops: Mapping[str, int] = field(default_factory=dict)
    labels_above: bool = False
    upwards: bool = False

    def at(self, name: str, k: int) -> Address:
        """The cell of a quantity at the k-th epoch, counted from 0; from -1 to `epochs`.

        It may lie beyond the table's lines: one with a shift, or the weights after the last epoch.
        """
        if name not in self._places:
            shift, drop = self.shifts.get(name, 0), self.drops.get(name, 0)
            epochs = range(-1 + shift, self.epochs + 1 + shift)
            column, lines = self.columns[name], [self._line(n) + drop for n in epochs]
            sheet = self.sheet
            self._places[name] = (
                [Address(sheet, column, line) for line in lines]
                if self.across
                else [Address(sheet, line, column) for line in lines]
            )
        return self._places[name][k + 1]

    def places(self, name: str) -> list[Address]:
        """The cell of a quantity at each epoch."""
        self.at(name, 0)
        return self._places[name][1:-1]

    @cached_property
    def _places(self) -> dict[str, list[Address]]:
        return {}

    def _line(self, k: int) -> int:
        last = len(self.lines) - 1
        if 0 <= k <= last:
            return self.lines[k]
        step = self.lines[1] - self.lines[0] if last else 1 - 2 * self.upwards
        return self.lines[0] + k * step if k < 0 else self.lines[last] + (k - last) * step

    def called(self, names: Mapping[str, str]) -> Table:
        """The table whose columns are called what `names` says instead."""
        columns, shifts, drops = (
            {names.get(n, n): one for n, one in places.items()}
            for places in (self.columns, self.shifts, self.drops)
        )
        return replace(self, columns=columns, shifts=shifts, drops=drops)

    def has(self, name: str, k: int) -> bool:
        """Whether the k-th cell of a quantity is in one of the table's lines."""
        return 0 <= k + self.shifts.get(name, 0) < len(self.lines)

    def heading(self, name: str) -> Address:
        """The cell of its header."""
        if self.drops:
            at, above = self.at(name, 0), self.labels_above
            return at._replace(row=at.row - above, column=at.column - (not above))
        return self.cell(self.head, self.columns[name])

    def cell(self, line: int, column: int) -> Address:
        """The cell in a line of the table, in the sheet's own terms."""
        return Address(self.sheet, *((column, line) if self.across else (line, column)))

    @property
    def epochs(self) -> int:
        """How many it lists."""
        return len(self.lines)

    @property
    def title(self) -> str:
        """Its range, with the sheet's name."""
        return f"{self.sheet}!{self.where}" if self.sheet else self.where

    @property
    def in_words(self) -> str:
        """How many epochs it lists, and which."""
        if not self.listed:
            return "1 epoch" if self.epochs == 1 else f"{self.epochs} epochs"
        return f"{self.epochs} of the epochs {1 + self.listed[0]} to {1 + self.listed[-1]}"

    def epoch(self, k: int) -> int:
        """The epoch of the k-th line, both from 0."""
        return self.listed[k] if self.listed else k

    @property
    def weights(self) -> list[str]:
        """The weights that have a column."""
        return [name for name in WEIGHTS if name in self.columns]

    @property
    def steps(self) -> int:
        """How often the weights are listed: once for each epoch, and perhaps after the last."""
        return self.epochs + self.last_step

    @property
    def where(self) -> str:
        """The range it takes, from its headers on if its lines begin there: B31:AF81."""
        columns = sorted(self.columns.values())
        start = min(self.lines)
        start = self.head if start - self.head <= HEADERS else start
        first = self.cell(start, columns[0] - (bool(self.drops) and not self.labels_above))
        last = self.cell(max(self.lines) + max(self.drops.values(), default=0), columns[-1])
        return f"{first.cell}:{last.cell}"


@dataclass
class Layout:
    """Everything found in a book.

    tables: with headers of several quantities. curves: single columns of E_total under a header
    that names their η. labels: (quantity, cell) of numbers with a label beside or above them.
    said: quantities told in lines of text, each with the cell in which its line begins. unread:
    sentences about rows that look like epochs and belong to no table.
    """

    tables: list[Table]
    curves: list[Table]
    labels: list[tuple[str, Address]]
    said: list[tuple[str, float, Address]]
    unread: list[str]


def skipping(numbers: Sequence[Value]) -> list[int]:
    """Numbers of epochs, in the order of descent, if most leave some out; else nothing."""
    whole = [int(n) for n in numbers if isinstance(n, float) and n == n // 1 and 0 <= n < 1e6]
    gaps = [b - a for a, b in pairwise(whole)]
    left_out = 2 * sum(gap > 1 for gap in gaps) > len(gaps)
    return whole if len(whole) == len(numbers) > 2 and min(gaps) > 0 and left_out else []


def is_less(a: Value, b: Value) -> bool:
    """Whether both are numbers, and the first is less."""
    return isinstance(a, float) and isinstance(b, float) and a < b


def runs_of(
    counters: Sequence[Sequence[Value]], rates: Sequence[Value], length: int
) -> list[list[int]]:
    """Lines, from 0, in parts: a run begins where epochs are counted anew or η changes."""
    parts = [[0]]
    for k in range(1, length):
        restarts = any(is_less(numbers[k], numbers[k - 1]) for numbers in counters)
        if restarts or (rates and rates[k] != rates[k - 1]):
            parts.append([])
        parts[-1].append(k)
    return parts


_HEADING = re.compile(r'.*".*|(?:.+!)?\$?[A-Z]{1,3}\$?\d+', re.DOTALL)
"""A formula that may give text: one with text in it, or that repeats a cell."""


class Shown:
    """What a file shows in its cells: what was saved, calculated only where nothing was."""

    def __init__(self, actual: Calculator) -> None:
        self.actual, self.book = actual, actual.book
        self._texts: dict[str, list[tuple[Address, str]]] | None = None

    def value(self, at: Address) -> Value:
        """A float, NaN for an error, text, or None for an empty cell."""
        cell = self.book.cells.get(at)
        return cell.value if cell and cell.value is not None else self.actual.value(at)

    def is_number(self, at: Address) -> bool:
        """Whether a number stands there."""
        return isinstance(self.value(at), float)

    def texts(self, sheet: str) -> list[tuple[Address, str]]:
        """The texts of a sheet, row by row."""
        if self._texts is None:
            self._texts = {name: [] for name in self.book.sheets}
            for at, cell in self.book.cells.items():
                if cell.value is None or isinstance(cell.value, str):
                    text = self._text(at, cell)
                    if text is not None:
                        self._texts[at.sheet].append((at, text))
            for texts in self._texts.values():
                texts.sort()
        return self._texts[sheet]

    def _text(self, at: Address, cell: Cell) -> str | None:
        if cell.value is None and cell.formula and _HEADING.fullmatch(cell.formula.text):
            calculated = self.actual.value(at)
            return calculated if isinstance(calculated, str) else None
        return cell.value if isinstance(cell.value, str) else None
