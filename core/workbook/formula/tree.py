"""A formula as a tree: its value, the cells it asks for, and the work it takes.

This module knows the nodes of a tree and what they come to in a cell, asking its caller what other
cells hold. formula.py makes trees of text; functions.py knows the arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial, reduce
from itertools import repeat
from typing import NamedTuple

import numpy as np

from core.workbook.formula.functions import (
    GIVES_AREA,
    MOST_CELLS,
    OF_AREAS,
    Area,
    Value,
    area,
    called,
    negative,
    number,
    operated,
)

LAST_ROW, LAST_COLUMN = 1_048_576, 16_384
"""Of a sheet."""


class FormulaError(ValueError):
    """The formula cannot be read; the message says which part."""


class Address(NamedTuple):
    """A cell: the sheet's name, and row and column counted from 1."""

    sheet: str
    row: int
    column: int

    @property
    def cell(self) -> str:
        """As a spreadsheet writes it: AA32."""
        return f"{letters(self.column)}{self.row}"


@cache
def letters(column: int) -> str:
    """Column 1 is A, 27 is AA."""
    name = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


@cache
def column_number(name: str) -> int:
    """A is 1, AA is 27."""
    return reduce(lambda number, letter: 26 * number + ord(letter) - 64, name.upper(), 0)


Cells = Callable[[Address], Value]
"""What a cell holds."""
Corners = tuple[Address, Address]
"""The first and the last cell of a range."""


def _size(corners: Corners) -> tuple[int, int]:
    """How many rows and columns."""
    a, b = corners
    return b.row - a.row + 1, b.column - a.column + 1


def _addresses(corners: Corners) -> list[Address]:
    """Row by row. Raises FormulaError if there are too many."""
    a, b = corners
    if math.prod(_size(corners)) > MOST_CELLS:
        raise FormulaError(f"a range of more than {MOST_CELLS} cells")
    rows, columns = range(a.row, b.row + 1), range(a.column, b.column + 1)
    return [Address(a.sheet, row, column) for row in rows for column in columns]


def _content(corners: Corners, cells: Cells) -> Value:
    values = [cells(address) for address in _addresses(corners)]
    return area(values, _size(corners)[1])


# The nodes. `value` calculates one for the cell `here`, asking `cells` what other cells hold; an
# error is NaN. `parts` are the nodes below it. The places (Ref, Range, Indexed) know their
# `corners`, None where they are no cells of the sheet.


class _Leaf:
    """A node with none below it."""

    __slots__ = ()

    def parts(self) -> tuple[Node, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class Constant(_Leaf):
    """A number, or text in quotes."""

    content: float | str

    def value(self, here: Address, cells: Cells) -> Value:
        return self.content


@dataclass(frozen=True, slots=True)
class Ref(_Leaf):
    """A reference to one cell; a row or column that is not fixed is an offset from `here`."""

    sheet: str | None
    row: int
    column: int
    fixed_row: bool
    fixed_column: bool

    def at(self, here: Address) -> Address:
        """The cell it means in a formula of the cell `here`; behind the sheet's end is its start.

        So it is with names and shared formulas, whose offsets are those of their first cell.
        """
        row = self.row if self.fixed_row else (self.row + here.row - 1) % LAST_ROW + 1
        column = self.column
        if not self.fixed_column:
            column = (column + here.column - 1) % LAST_COLUMN + 1
        return Address(self.sheet or here.sheet, row, column)

    def corners(self, here: Address) -> Corners:
        return self.at(here), self.at(here)

    def value(self, here: Address, cells: Cells) -> Value:
        return cells(self.at(here))


@dataclass(frozen=True, slots=True)
class Range(_Leaf):
    """All cells between two corners, row by row."""

    first: Ref
    last: Ref

    def corners(self, here: Address) -> Corners:
        a, b = self.first.at(here), self.last.at(here)
        return (
            Address(a.sheet, min(a.row, b.row), min(a.column, b.column)),
            Address(a.sheet, max(a.row, b.row), max(a.column, b.column)),
        )

    def value(self, here: Address, cells: Cells) -> Value:
        return _content(self.corners(here), cells)


@dataclass(frozen=True, slots=True)
class Indexed(_Leaf):
    """INDEX of a place, by numbers that follow from `here` alone."""

    place: Place
    by: tuple[Node, ...]

    def corners(self, here: Address) -> Corners | None:
        whole, by = self.place.corners(here), [_whole_number(node, here) for node in self.by]
        if whole is None or None in by:
            return None
        return _indexed(whole, [n for n in by if n is not None])

    def value(self, here: Address, cells: Cells) -> Value:
        corners = self.corners(here)
        if corners is None:
            return math.nan
        return cells(corners[0]) if corners[0] == corners[1] else _content(corners, cells)


def _whole_number(node: Node, here: Address) -> int | None:
    """What a node comes to that asks for no cell."""
    value = number(node.value(here, lambda _: math.nan))
    return int(value) if isinstance(value, float) and math.isfinite(value) else None


def _indexed(whole: Corners, by: list[int]) -> Corners | None:
    """Row and column from 1 in a range; 0 is all of them. Of a single row, the column alone."""
    a, b = whole
    height, width = _size(whole)
    row, column = by if len(by) == 2 else (1, *by) if height == 1 else (*by, 1)
    if not (0 <= row <= height and 0 <= column <= width) or (len(by) == 1 < min(height, width)):
        return None
    top, bottom = (a.row + row - 1,) * 2 if row else (a.row, b.row)
    left, right = (a.column + column - 1,) * 2 if column else (a.column, b.column)
    return Address(a.sheet, top, left), Address(a.sheet, bottom, right)


@dataclass(frozen=True, slots=True)
class Intersection(_Leaf):
    """The cell of a range that is in the row, or the column, of `here` (implicit intersection).

    That is what a formula takes that is no array formula, where it needs one value.
    """

    place: Place

    def at(self, here: Address) -> Address | None:
        """The cell it means in a formula of the cell `here`; None if it has none, #VALUE!."""
        corners = self.place.corners(here)
        if corners is None:
            return None
        a, b = corners
        row = a.row if a.row == b.row else here.row
        column = a.column if a.column == b.column else here.column
        one_way = a.row == b.row or a.column == b.column
        inside = a.row <= row <= b.row and a.column <= column <= b.column
        return Address(a.sheet, row, column) if one_way and inside else None

    def value(self, here: Address, cells: Cells) -> Value:
        at = self.at(here)
        return math.nan if at is None else cells(at)


@dataclass(frozen=True, slots=True)
class Measure(_Leaf):
    """ROW or COLUMN of a cell, `here` without one, or ROWS or COLUMNS of a place.

    It asks for none.
    """

    name: str
    place: Place | None

    def value(self, here: Address, cells: Cells) -> Value:
        corners = self.place.corners(here) if self.place else (here, here)
        if corners is None:
            return math.nan
        rows, columns = _size(corners)
        at = {"ROW": corners[0].row, "COLUMN": corners[0].column, "ROWS": rows, "COLUMNS": columns}
        return float(at[self.name])


@dataclass(frozen=True, slots=True)
class Operation:
    """Two operands and what joins them."""

    sign: str
    left: Node
    right: Node

    def value(self, here: Address, cells: Cells) -> Value:
        left, right = self.left.value(here, cells), self.right.value(here, cells)
        try:
            return operated(self.sign, left, right)
        except (ArithmeticError, TypeError, ValueError):
            return math.nan

    def parts(self) -> tuple[Node, ...]:
        return (self.left, self.right)


@dataclass(frozen=True, slots=True)
class Minus:
    """The operand with its sign turned."""

    operand: Node

    def value(self, here: Address, cells: Cells) -> Value:
        return negative(self.operand.value(here, cells))

    def parts(self) -> tuple[Node, ...]:
        return (self.operand,)


@dataclass(frozen=True, slots=True)
class Call:
    """One of `FUNCTIONS`."""

    name: str
    arguments: tuple[Node, ...]

    def value(self, here: Address, cells: Cells) -> Value:
        # Loops, because a generator would take another frame of the stack at each level.
        values: list[Value] = []
        try:
            for argument in self.arguments:
                value = argument.value(here, cells)
                if self.name == "IF" and not values and not isinstance(value, Area):
                    return self._branch(number(value), here, cells)
                if self.name in OF_AREAS and isinstance(argument, _ONE_CELL):
                    # Text in a cell is left out of sums, unlike text as an argument.
                    value = value if isinstance(value, Area) else Area(((value,),))
                values.append(value)
            return called(self.name, values)
        except (ArithmeticError, TypeError, ValueError):
            return math.nan

    def _branch(self, condition: Value, here: Address, cells: Cells) -> Value:
        if isinstance(condition, float) and math.isnan(condition):
            return math.nan
        if isinstance(condition, np.ndarray):
            branches = [number(branch.value(here, cells)) for branch in self.arguments[1:]]
            yes, no = (*branches, 0.0)[:2]
            return np.where(np.isnan(condition), math.nan, np.where(condition, yes, no))
        chosen = self.arguments[1 if condition else 2 :]
        return chosen[0].value(here, cells) if chosen else 0.0

    def parts(self) -> tuple[Node, ...]:
        return self.arguments


@dataclass(frozen=True, slots=True)
class Element:
    """One value of what a node comes to, counted from 0: what one cell shows of an area.

    home: row and column of the cell that the node was written for; None where that is `here`.
    """

    node: Node
    row: int = 0
    column: int = 0
    home: tuple[int, int] | None = None

    def origin(self, here: Address) -> Address:
        """The cell for which the node is calculated."""
        return Address(here.sheet, *self.home) if self.home else here

    def value(self, here: Address, cells: Cells) -> Value:
        value = self.node.value(self.origin(here), cells)
        value = value.cell(self.row, self.column) if isinstance(value, Area) else value
        return 0.0 if value is None else value

    def parts(self) -> tuple[Node, ...]:
        return (self.node,)


Place = Ref | Range | Indexed
_ONE_CELL = (Ref, Indexed, Intersection)
Node = (
    Constant | Ref | Range | Indexed | Intersection | Measure | Operation | Minus | Call | Element
)


def references(node: Node, here: Address) -> list[Address]:
    """Every cell that the formula of `here` asks for, in order, with repetitions."""
    found: list[Address] = []
    todo = [(node, here)]
    while todo:
        node, home = todo.pop()
        match node:
            case Ref() | Intersection():
                at = node.at(home)
                found += [at] if at else []
            case Range() | Indexed():
                corners = node.corners(home)
                found += _addresses(corners) if corners else []
            case Element():
                todo.append((node.node, node.origin(home)))
            case _:
                todo += [(part, home) for part in reversed(node.parts())]
    return found


def single(node: Node) -> Node:
    """The node where one value is wanted: a range gives its cell of the own row or column."""
    match node:
        case Range() | Indexed():
            return Intersection(node)
        case Call("IF", (condition, *branches)):
            return Call("IF", (condition, *map(single, branches)))
    return node


def one(node: Node) -> Node:
    """The node as a formula's: an area that it may come to shows its first value."""
    return Element(node) if _may_be_area(node) else node


def _may_be_area(node: Node) -> bool:
    match node:
        case Range() | Indexed():
            return True
        case Element():
            return False
        case Call(name, _) if name in OF_AREAS:
            return name in GIVES_AREA
    return any(map(_may_be_area, node.parts()))


def element(node: Node, home: Address, row: int, column: int) -> Node:
    """What the cell `row` and `column` from the first one shows of an array formula.

    node: the formula, of the cell `home`. The result holds for this one cell: where the formula is
    arithmetic on areas, it is that on its own cells of the areas.
    """
    there = partial(element, home=home, row=row, column=column)
    match node:
        case Constant():
            return node
        case Element(inner, 0, 0, None):
            return there(inner)
        case Ref() | Range():
            a, b = node.corners(home)
            down, across = row if a.row < b.row else 0, column if a.column < b.column else 0
            if a.row + down > b.row or a.column + across > b.column:
                return Constant(math.nan)
            return Ref(a.sheet, a.row + down, a.column + across, True, True)
        case Minus(operand):
            return Minus(there(operand))
        case Operation(sign, left, right):
            return Operation(sign, there(left), there(right))
        case Call("TRANSPOSE", (inner,)):
            return element(inner, home, column, row)
        case Call(name, arguments) if name not in OF_AREAS:
            return Call(name, tuple(map(there, arguments)))
    return Element(node, row, column, (home.row, home.column))


def is_known(node: Node) -> bool:
    """Whether its value follows from the cell it stands in, without any other."""
    return not any(isinstance(n, Ref | Range | Indexed | Intersection) for n in _all(node))


def is_of_own_place(node: Node) -> bool:
    """Whether ROW() or COLUMN() of the own cell is in it."""
    return any(isinstance(n, Measure) and n.place is None for n in _all(node))


def is_of_places(node: Node) -> bool:
    """Whether it counts rows or columns: then it is another calculation in each of its cells."""
    return any(isinstance(n, Measure) for n in _all(node))


def _all(node: Node) -> Iterator[Node]:
    """The node and all below it, those by which a place is moved too."""
    todo: list[Node] = [node]
    while todo:
        part = todo.pop()
        yield part
        match part:
            case Indexed(place, by):
                todo += [place, *by]
            case Intersection(place):
                todo.append(place)
            case _:
                todo += part.parts()


class Extent(NamedTuple):
    """Of a tree: its nodes."""

    nodes: int


def extent(node: Node) -> Extent:
    """How large a tree is."""
    return Extent(sum(1 for _ in _all(node)))


def work(node: Node, here: Address) -> int:
    """How many values are read and calculated for the value of a node.

    Raises FormulaError where there would be an area of too many.
    """
    total = 0

    def shape(node: Node, here: Address) -> tuple[int, int]:
        nonlocal total
        home = node.origin(here) if isinstance(node, Element) else here
        shapes = list(map(shape, node.parts(), repeat(home)))
        height, width = map(max, zip((1, 1), *shapes, strict=True))
        match node:
            case Range() | Indexed():
                height, width = _size(node.corners(here) or (here, here))
            case Call("TRANSPOSE", (_,)):
                width, height = shapes[0]
            case Call("MMULT", (_, _)):
                height, width = shapes[0][0], shapes[1][1]
                total += height * width * shapes[1][0]
            case Element():
                height = width = 1
            case Call(name, _) if name in OF_AREAS:
                height = width = 1
        if height * width > MOST_CELLS:
            raise FormulaError(f"a range of more than {MOST_CELLS} cells")
        total += height * width
        return height, width

    shape(node, here)
    return total
