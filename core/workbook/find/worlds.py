"""Whether a formula is right: calculated in worlds, where every cell holds what it should.

A world is a table with weights, inputs, targets and η drawn at random, in which every cell holds
what the right network (network.py) has there. A formula is right if it gives its own cell's number
in each. So one cell's slip cannot touch another's verdict, numbers that happen to agree cannot hide
it, and any correct algebra passes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.backprop.network import SEED, WEIGHTS, Array
from core.workbook.exercise.quantities import EXAMPLE, GRADIENT, State, state_of
from core.workbook.file.book import Book
from core.workbook.file.calculate import Calculator
from core.workbook.file.formulas import Formula
from core.workbook.find.reading import Reading
from core.workbook.formula.functions import Value
from core.workbook.formula.parse import parse
from core.workbook.formula.tree import (
    Address,
    Call,
    Constant,
    FormulaError,
    Minus,
    Node,
    Operation,
    is_of_places,
    references,
    work,
)

_MOST_BEHIND = 200
"""Cells between a formula and the table that are looked at."""
_MOST_WORK = 2_000_000
"""Values that all cells of one formula read and calculate."""
_FILLED = 5
"""Cells from which on a formula counts as filled down."""
_NEAR = 1e-9
"""How near, relatively, a right formula comes to the number of a world: rounding leaves 1e-13."""


class Filled(NamedTuple):
    """Cells of a column into which one formula was filled, and their lines, from 0.

    They have one tree, whose cells are those of other lines just as far away.
    """

    places: list[Address]
    lines: npt.NDArray[np.int_]


def filled_down(book: Book, places: Sequence[Address | None]) -> list[Filled]:
    """The formulas that fill a good part of a column."""
    groups: dict[Formula, list[int]] = {}
    for k, at in enumerate(places):
        cell = book.cells.get(at) if at else None
        if cell is not None and cell.formula is not None and not cell.formula.array:
            groups.setdefault(cell.formula, []).append(k)
    return [
        Filled([at for k in lines if (at := places[k])], np.array(lines))
        for lines in groups.values()
        if len(lines) >= _FILLED
    ]


class World:
    """Numbers that the right network puts into the cells of a table, and into those that it refers
    to; all others follow from them by the file's formulas.

    state: every quantity, over the epochs or alone. listed: the epochs of a column's lines, where
    it shows some of another table's. instead: cells that hold something else, whatever they are.
    """

    def __init__(
        self, reading: Reading, state: State, instead: Mapping[Address, float] | None = None
    ) -> None:
        self.reading, self.state, self.instead = reading, state, instead or {}
        self.listed = _listed(reading)
        self.cells = Calculator(reading.book, given=self._given)
        self._columns: dict[tuple[Address, int], Array] = {}

    def _given(self, at: Address) -> Value | None:
        if at in self.instead:
            return self.instead[at]
        place = self.reading.known.get(at)
        return None if place is None else self.of(*place)

    def of(self, name: str, k: int) -> float:
        """A quantity of epoch k."""
        values = np.asarray(self.state[name])
        return float(values[k]) if values.ndim else float(values)

    def column(self, name: str, ks: npt.NDArray[np.int_]) -> Value:
        """A quantity of several epochs, NaN in those that there are not; or the one number that it
        has in all.
        """
        values = np.asarray(self.state[name])
        if not values.ndim:
            return float(values)
        inside = (ks >= 0) & (ks < len(values))
        return np.where(inside, values[np.where(inside, ks, 0)], math.nan)

    def expected(self, name: str, ks: npt.NDArray[np.int_]) -> Value:
        """What the cells should come to; a weight from the row above."""
        if name in WEIGHTS:
            above = ks - 1
            step = self.state["η"] * self.column(GRADIENT[name], above)
            return self.column(name, above) - step
        return self.column(name, np.asarray(self.listed)[ks] if self.listed else ks)

    def filled_down(
        self, groups: Sequence[Filled], length: int, as_judged: Callable[[Node], Node] = lambda t: t
    ) -> Array:
        """What the cells of a column of so many lines come to, where formulas were filled down; NaN
        in all others.
        """
        found = np.full(length, math.nan)
        for places, lines in groups:
            found[lines] = self._together(places, lines - lines[0], as_judged)
        return found

    def _together(
        self,
        places: Sequence[Address],
        away: npt.NDArray[np.int_],
        as_judged: Callable[[Node], Node],
    ) -> Value:
        """What a formula comes to in cells so many epochs apart; NaN where that is not known."""
        first, book = places[0], self.reading.book
        try:
            tree = book.tree(first)
            if tree is None or is_of_places(tree) or work(tree, first) * len(places) > _MOST_WORK:
                return math.nan
            asked, after = references(tree, first), references(tree, places[1])
            columns: dict[Address, Value] = {}
            for here, there in zip(asked, after, strict=True):
                known = self.reading.known.get(here)
                if here == there:
                    columns[here] = self.cells.value(here)
                elif known is None:
                    columns[here] = self._beside(places, here)
                elif self.reading.known.get(there) == (known[0], known[1] + int(away[1])):
                    columns[here] = self.column(known[0], known[1] + away)
                else:
                    return math.nan
            with np.errstate(all="ignore"):
                return np.asarray(as_judged(tree).value(first, columns.__getitem__), dtype=float)
        except (KeyError, ArithmeticError, FormulaError, TypeError, ValueError):
            return math.nan

    def _beside(self, places: Sequence[Address], here: Address) -> Array:
        """What another column comes to in the lines of cells; `here`: its cell in the first's.

        A column that leads back to itself is NaN.
        """
        key = here, len(places)
        if key not in self._columns:
            self._columns[key] = np.full(len(places), math.nan)
            down, across = here.row - places[0].row, here.column - places[0].column
            there = [Address(here.sheet, at.row + down, at.column + across) for at in places]
            groups = filled_down(self.reading.book, there)
            self._columns[key] = self.filled_down(groups, len(there))
        return self._columns[key]

    def agrees(self, tree: Node, at: Address, name: str, k: int) -> bool:
        """Whether a formula in the cell of a quantity gives the quantity's number."""
        value = finite(tree.value(at, self.cells.value))
        return is_near(value, float(np.ravel(self.expected(name, np.array([k])))[0]))


def is_near(value: float, right: float) -> bool:
    """Whether two formulas come to the same number."""
    return abs(value - right) <= _NEAR * max(abs(right), 1e-4)


def _listed(reading: Reading) -> tuple[int, ...]:
    listed = reading.table.listed if reading.table.columns.keys() == {"E_total"} else ()
    there = max((t.epochs for t in reading.elsewhere.values()), default=0)
    return () if listed and listed[-1] >= there else listed


class Worlds:
    """The worlds of a table.

    drawn: those in which all is drawn at random; own: with the file's inputs, targets and η.
    """

    def __init__(self, reading: Reading) -> None:
        self.reading, self.book, self.table = reading, reading.book, reading.table
        self.steps = reading.table.steps
        self._plain: dict[int, tuple[Node, Node]] = {}

    @cached_property
    def drawn(self) -> Sequence[World]:
        rng = np.random.default_rng(7)
        return [_world(self.reading, rng, {}) for _ in range(2)]

    @cached_property
    def own(self) -> Sequence[World]:
        rng, reading = np.random.default_rng(8), self.reading
        known = {name: getattr(reading.setup, name) for name in EXAMPLE}
        known["η"] = reading.rate.first if reading.rate else 1.0
        return [_world(reading, rng, known) for _ in range(2)]

    @cached_property
    def told(self) -> World:
        """The one in which all is drawn that cells tell; what they do not is in the formulas."""
        reading = self.reading
        known = {n: getattr(reading.setup, n) for n in EXAMPLE if reading.at(n, 0) is None}
        if reading.rate is not None and reading.rate.at is None:
            known["η"] = reading.rate.first
        return _world(reading, np.random.default_rng(0), known)

    def with_helper(self, helper: Address, tree: Node) -> Worlds:
        """The worlds in which a cell outside the table has another formula."""

        def changed(world: World) -> World:
            value = finite(tree.value(helper, world.cells.value))
            return World(world.reading, world.state, {**world.instead, helper: value})

        worlds = Worlds(self.reading)
        worlds.drawn, worlds.own = [*map(changed, self.drawn)], [*map(changed, self.own)]
        return worlds

    def is_right(self, tree: Node, at: Address, name: str, k: int) -> bool:
        """Whether a formula gives the right number in every world.

        If it holds numbers of its own (a target typed into it, say), in those with the file's.
        """
        tree = self._unrounded(tree)
        if all(world.agrees(tree, at, name, k) for world in self.drawn):
            return True
        if not references(tree, at):
            return self._is_own_number(tree, at, name, k)
        if not self._holds_numbers(tree, at, name):
            return False
        return all(world.agrees(tree, at, name, k) for world in self.own)

    def _unrounded(self, tree: Node) -> Node:
        if id(tree) not in self._plain:
            self._plain[id(tree)] = tree, unrounded(tree)  # holding it keeps its id its own
        return self._plain[id(tree)][1]

    def right_together(self, name: str) -> set[int]:
        """The epochs whose formula is right, found for all at once that are filled down.

        Which epochs are missing here is not said: `is_right` tells it one by one.
        """
        first = int(name in WEIGHTS)
        groups = filled_down(self.book, self.reading.column(name)[first:])
        ks = np.arange(first, self.steps)
        right = np.ones(len(ks), dtype=bool)
        for world in self.drawn:
            values = world.filled_down(groups, len(ks), self._unrounded)
            goals = np.broadcast_to(world.expected(name, ks), ks.shape)
            right &= np.abs(values - goals) <= _NEAR * np.maximum(np.abs(goals), 1e-4)
        return set(ks[right].tolist())

    def _is_own_number(self, tree: Node, at: Address, name: str, k: int) -> bool:
        """Whether a formula of numbers alone gives what the row it stands in gives."""
        right = self.parse(self.reading.rule(name, k), at)
        value, gives = (finite(t.value(at, self.reading.actual.value)) for t in (tree, right))
        return is_near(value, gives)

    def _holds_numbers(self, tree: Node, at: Address, name: str) -> bool:
        reading = self.reading
        step = name in WEIGHTS or "η" in name
        if step and (reading.rate is None or reading.rate.at is None):
            return True
        if any(reading.at(n, 0) is None for n in EXAMPLE):
            return True
        if any(number not in (0.0, 0.5, 1.0, 2.0) for number in _numbers(tree)):
            return True
        instead = self.drawn[0].instead
        return any(
            asked in instead or self.book.readable(asked) is None
            for asked in self._behind(references(tree, at))
            if asked not in self.reading.known
        )

    def parse(self, text: str, at: Address) -> Node:
        return parse(text, at, self.book.names_for(at))

    def behind(self, at: Address) -> list[Address]:
        """The cells with formulas, here or a row above, that lead a formula to the table's."""

        def leads_on(asked: Address) -> bool:
            away = at.column - asked.column if self.table.across else at.row - asked.row
            near = asked.sheet == at.sheet and abs(away) <= 1
            known = asked in self.reading.known
            return near and not known and self.book.readable(asked) is not None

        behind = islice(self.book.trail(self.book.precedents(at), leads_on), _MOST_BEHIND)
        return [asked for asked in behind if leads_on(asked)]

    def unreadable(self, tree: Node, at: Address) -> str | None:
        """What could not be read in the cells behind a formula that are no cells of the table."""
        unread = self.drawn[0].cells.unread
        behind = self._behind(references(tree, at)) if unread else ()
        return next(
            (f"{unread[asked]} in {asked.cell}" for asked in behind if asked in unread), None
        )

    def _behind(self, cells: Iterable[Address]) -> Iterator[Address]:
        """The cells, and those behind them that are no cells of the table."""
        known = self.reading.known
        return islice(self.book.trail(cells, lambda at: at not in known), _MOST_BEHIND)


def _world(reading: Reading, rng: np.random.Generator, known: Mapping[str, float]) -> World:
    """A world of numbers by chance, but for the inputs, targets and η that are known."""
    epochs = max([reading.table.steps, *(t.epochs for t in reading.elsewhere.values())])
    weights = {weight: rng.uniform(-1.5, 1.5, epochs) for weight in WEIGHTS}
    example = {name: known.get(name, float(rng.uniform(0.2, 0.9))) for name in EXAMPLE}
    eta = known.get("η", float(rng.uniform(0.3, 1.7)))
    return World(reading, state_of(SEED.moved({**example, **weights}), eta))


def unrounded(tree: Node) -> Node:
    """The tree without ROUND: what it rounds is right or wrong before."""
    match tree:
        case Call("ROUND", (inner, _)):
            return unrounded(inner)
        case Call(name, arguments):
            return Call(name, tuple(map(unrounded, arguments)))
        case Operation(sign, left, right):
            return Operation(sign, unrounded(left), unrounded(right))
        case Minus(operand):
            return Minus(unrounded(operand))
    return tree


def rounding(tree: Node) -> list[int]:
    """The decimals of each ROUND in a tree."""
    found = [n for part in tree.parts() for n in rounding(part)]
    match tree:
        case Call("ROUND", (_, Constant(float(decimals)))):
            found.append(int(decimals))
    return found


def _numbers(tree: Node) -> Iterator[float]:
    if isinstance(tree, Constant) and isinstance(tree.content, float):
        yield tree.content
    for part in tree.parts():
        yield from _numbers(part)


def finite(value: Value) -> float:
    """The value as a float; NaN for text, nothing and errors."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else math.nan
