"""Which formulas come to the values that the file has saved beside them.

A formula that was filled down is calculated once, over whole columns of saved values. Where what it
comes to is what was saved, in all of its cells and in all that they follow from, nothing needs to
be calculated again. All else is for calculate.py.
"""

from __future__ import annotations

import graphlib
import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.workbook.file.book import Book
from core.workbook.file.formulas import Formula
from core.workbook.formula.functions import Value
from core.workbook.formula.tree import Address, FormulaError, references, work

_NEAR = 1e-11
"""Relative: what the exponential functions of two programs may make of a difference."""
_MOST_WORK = 5_000_000
"""Values read and calculated for all cells of one formula."""
_SPARSE = 4
"""Rows for each cell from which on a column is no list of numbers."""


class _Column(NamedTuple):
    """The cells of a column from its first to its last row: numbers, NaN where there is none, and
    the index of each formula's group, −1 where there is none.
    """

    first: int
    numbers: npt.NDArray[np.float64]
    groups: npt.NDArray[np.int_]


class _Group(NamedTuple):
    """The cells of one column into which a formula was filled."""

    formula: Formula
    places: list[Address]


class _Uses(NamedTuple):
    """The groups whose cells a group asks for; beside: not only in rows above its own."""

    all: frozenset[int]
    beside: frozenset[int]


def saved_values(book: Book) -> Callable[[Address], Value | None]:
    """What a cell has that holds no formula, or one whose saved values are what it comes to; None
    of every other.
    """
    cells, formulas = book.cells, _settled(book)

    def saved(at: Address) -> Value | None:
        cell = cells.get(at)
        known = cell is not None and (cell.formula is None or cell.formula in formulas)
        return cell.value if cell and known else None

    return saved


def _settled(book: Book) -> frozenset[Formula]:
    """The formulas whose saved values are what they come to, in each of their cells."""
    groups, columns = _grouped(book)
    saved = _Saved(book, columns)
    found = ((k, saved.uses(group)) for k, group in enumerate(groups))
    known = {k: uses for k, uses in found if uses is not None}
    while left := [k for k, uses in known.items() if not known.keys() >= uses.all]:
        for k in left:
            del known[k]
    try:
        graphlib.TopologicalSorter({k: uses.beside for k, uses in known.items()}).prepare()
    except graphlib.CycleError:
        return frozenset()
    others = {group.formula for k, group in enumerate(groups) if k not in known}
    return frozenset(groups[k].formula for k in known) - others


def _grouped(book: Book) -> tuple[list[_Group], dict[tuple[str, int], _Column]]:
    """Every formula with its cells, column by column, and the columns themselves."""
    groups: list[_Group] = []
    numbers: dict[tuple[int, str, int], int] = {}
    lists: dict[tuple[str, int], list[tuple[int, float, int]]] = {}
    for at, cell in book.cells.items():
        group = -1
        if (formula := cell.formula) is not None:
            group = numbers.setdefault((id(formula), at.sheet, at.column), len(groups))
            if group == len(groups):
                groups.append(_Group(formula, []))
            groups[group].places.append(at)
        number = cell.value if isinstance(cell.value, float) else math.nan
        lists.setdefault((at.sheet, at.column), []).append((at.row, number, group))
    columns = {key: _column(cells) for key, cells in lists.items()}
    return groups, {key: column for key, column in columns.items() if column is not None}


def _column(cells: list[tuple[int, float, int]]) -> _Column | None:
    """None for cells that are too far apart to be a list."""
    rows, numbers, groups = (np.array(values) for values in zip(*cells, strict=True))
    first, length = int(rows.min()), int(np.ptp(rows)) + 1
    if length > _SPARSE * (len(rows) + _SPARSE):
        return None
    column = _Column(first, np.full(length, math.nan), np.full(length, -1))
    column.numbers[rows - first], column.groups[rows - first] = numbers, groups
    return column


class _Saved:
    """Calculates formulas from the values that are saved."""

    def __init__(self, book: Book, columns: Mapping[tuple[str, int], _Column]) -> None:
        self.book, self.columns = book, columns

    def uses(self, group: _Group) -> _Uses | None:
        """What a group asks for, if it comes to what is saved in each of its cells; else None."""
        first, places = group.places[0], group.places
        try:
            tree = None if group.formula.array else self.book.tree(first)
            if tree is None or work(tree, first) * len(places) > _MOST_WORK:
                return None
        except FormulaError:
            return None
        beyond = first if len(places) == 1 else first._replace(row=first.row + 1)
        rows = np.array([at.row for at in places])
        values: dict[Address, Value] = {}
        beside: set[int] = set()
        above: set[int] = set()
        nexts = dict(zip(references(tree, first), references(tree, beyond), strict=True))
        for asked, next_asked in nexts.items():
            moves = asked != next_asked
            there = rows + (asked.row - first.row) if moves else np.array([asked.row])
            values[asked], used = self._saved(asked, there)
            if not moves:
                cell = self.book.cells.get(asked)
                values[asked] = cell.value if cell else None
                if cell and cell.formula and not used:
                    return None
            elif asked.row > first.row or not np.isfinite(values[asked]).all():
                return None
            (above if moves and asked.row < first.row else beside).update(used)
        with np.errstate(all="ignore"):
            value = tree.value(first, values.__getitem__)
        if not self._is_saved(value, first, rows):
            return None
        return _Uses(frozenset(beside | above), frozenset(beside))

    def _is_saved(self, value: Value, at: Address, rows: npt.NDArray[np.int_]) -> bool:
        if isinstance(value, str):
            cells = [self.book.cells.get(at._replace(row=row)) for row in rows.tolist()]
            return all(cell is not None and cell.value == value for cell in cells)
        saved, _ = self._saved(at, rows)
        if not isinstance(value, float | np.ndarray):
            return False
        return bool((np.abs(value - saved) <= _NEAR * np.abs(saved)).all())

    def _saved(
        self, at: Address, rows: npt.NDArray[np.int_]
    ) -> tuple[npt.NDArray[np.float64], list[int]]:
        """The numbers in these rows of a cell's column, NaN where there is none, and the groups."""
        column = self.columns.get((at.sheet, at.column))
        if column is None:
            return np.full(len(rows), math.nan), []
        places = rows - column.first
        inside = (places >= 0) & (places < len(column.numbers))
        numbers = np.where(inside, column.numbers[np.where(inside, places, 0)], math.nan)
        return numbers, [k for k in np.unique(column.groups[places[inside]]).tolist() if k >= 0]
