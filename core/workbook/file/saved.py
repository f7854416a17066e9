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
    groups: npt.NDArray[np.int32]


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
    lists: dict[tuple[str, int], tuple[list[int], list[float], list[int]]] = {}
    for at, cell in book.cells.items():
        group = -1
        if (formula := cell.formula) is not None:
            group = numbers.setdefault((id(formula), at.sheet, at.column), len(groups))
            if group == len(groups):
                groups.append(_Group(formula, []))
            groups[group].places.append(at)
        column = lists.get((at.sheet, at.column))
        if column is None:
            column = lists[at.sheet, at.column] = [], [], []
        column[0].append(at.row)
        column[1].append(cell.value if isinstance(cell.value, float) else math.nan)
        column[2].append(group)
    return groups, {key: _column(*column) for key, column in lists.items() if _is_list(column[0])}


def _is_list(rows: list[int]) -> bool:
    return max(rows) - min(rows) < _SPARSE * (len(rows) + _SPARSE)


def _column(rows: list[int], values: list[float], groups: list[int]) -> _Column:
    first, length = min(rows), max(rows) - min(rows) + 1
    column = _Column(first, np.full(length, math.nan), np.full(length, -1, dtype=np.int32))
    places = np.array(rows) - first
    column.numbers[places], column.groups[places] = values, groups
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
        moves = dict(zip(references(tree, first), references(tree, beyond), strict=True))
        for asked, next_asked in moves.items():
            if asked == next_asked:
                cell = self.book.cells.get(asked)
                values[asked] = cell.value if cell else None
                there = np.array([asked.row])
                if cell and cell.formula and (asked.sheet, asked.column) not in self.columns:
                    return None
            else:
                there = rows + (asked.row - first.row)
                numbers = self._numbers(asked, there)
                if numbers is None or asked.row > first.row:
                    return None
                values[asked] = numbers
            is_above = asked != next_asked and asked.row < first.row
            (above if is_above else beside).update(self._groups(asked, there))
        with np.errstate(all="ignore"):
            value = tree.value(first, values.__getitem__)
        if not self._is_saved(value, first, rows):
            return None
        return _Uses(frozenset(beside | above), frozenset(beside))

    def _is_saved(self, value: Value, at: Address, rows: npt.NDArray[np.int_]) -> bool:
        if isinstance(value, str):
            cells = [self.book.cells.get(at._replace(row=row)) for row in rows.tolist()]
            return all(cell is not None and cell.value == value for cell in cells)
        saved = self._numbers(at, rows)
        if saved is None or not isinstance(value, float | np.ndarray):
            return False
        return bool((np.abs(value - saved) <= _NEAR * np.abs(saved)).all())

    def _numbers(self, at: Address, rows: npt.NDArray[np.int_]) -> npt.NDArray[np.float64] | None:
        """The saved numbers in these rows of a cell's column; None if some have none."""
        column = self.columns.get((at.sheet, at.column))
        if column is None:
            return None
        places = rows - column.first
        if places.min() < 0 or places.max() >= len(column.numbers):
            return None
        numbers = column.numbers[places]
        return numbers if bool(np.isfinite(numbers).all()) else None

    def _groups(self, at: Address, rows: npt.NDArray[np.int_]) -> list[int]:
        """The groups of the cells in these rows of a cell's column."""
        column = self.columns.get((at.sheet, at.column))
        if column is None:
            return []
        places = rows - column.first
        inside = column.groups[places[(places >= 0) & (places < len(column.groups))]]
        return [k for k in np.unique(inside).tolist() if k >= 0]
