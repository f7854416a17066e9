"""Whether a formula is right: calculated in worlds, where every cell holds what it should.

A world is a table with weights, inputs, targets and η drawn at random, in which every cell holds
what the right network (network.py) has there. A formula is right if it gives its own cell's number
in each. So one cell's slip cannot touch another's verdict, numbers that happen to agree cannot hide
it, and any correct algebra passes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.backprop.network import COLUMNS, GRADIENTS, WEIGHTS, Array, Setup
from core.workbook.file.calculate import Calculator
from core.workbook.find.layout import EXAMPLE
from core.workbook.find.reading import HELPERS, Reading, State, state_of
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
    references,
)

_DELTAS = ("∂E/∂o1", "∂E/∂o2", "∂E/∂h1", "∂E/∂h2")
_MOST_BEHIND = 200
"""Cells between a formula and the table that are looked at."""


@dataclass
class World:
    """Numbers that the right network puts into the cells.

    given: the cells of the table. cells: calculates all others from them. listed: the epochs of a
    column's lines, where it shows some of another table's.
    """

    given: dict[Address, Value]
    cells: Calculator
    state: State
    listed: tuple[int, ...] = ()

    def expected(self, name: str, k: int) -> float:
        """What the cell should come to; a weight from the row above."""
        if name in WEIGHTS:
            step = self.state["η"] * self.of(f"∂E/∂{name}", k - 1)
            return float(self.of(name, k - 1) - step)
        return self.of(name, self.listed[k] if self.listed else k)

    def of(self, name: str, k: int) -> float:
        """A quantity of epoch k."""
        values = np.asarray(self.state[name])
        return float(values[k]) if values.ndim else float(values)


class Worlds:
    """The worlds of a table.

    drawn: those in which all is drawn at random; own: with the file's inputs, targets and η.
    Making them finds out what the columns without a header of the table's hold, and says so in
    `reading.helpers`.
    """

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.book, self.table = reading.book, reading.table
        self.epochs, self.steps = reading.table.epochs, reading.table.steps
        self._known: dict[Address, tuple[str, int]] = {}
        self.drawn = [self._world(np.random.default_rng(0), drawn=True)]
        self._name_helpers()
        rng = np.random.default_rng(7)
        self.drawn = [self._world(rng, drawn=True) for _ in range(2)]

    @cached_property
    def own(self) -> list[World]:
        """Worlds with the file's own inputs, targets and η."""
        rng = np.random.default_rng(8)
        return [self._world(rng, drawn=False) for _ in range(2)]

    def is_right(self, tree: Node, at: Address, name: str, k: int) -> bool:
        """Whether a formula gives the right number in every world.

        If it holds numbers of its own (a target typed into it, say), in those with the file's.
        """
        tree = unrounded(tree)
        if all(self.agrees(world, tree, at, name, k) for world in self.drawn):
            return True
        if not references(tree, at):
            return self._is_own_number(tree, at, name, k)
        if not self._holds_numbers(tree, at, name):
            return False
        return all(self.agrees(world, tree, at, name, k) for world in self.own)

    def right_together(self, name: str) -> set[int]:
        """The epochs whose formula is right, found for all at once that are filled down.

        Such formulas have one tree, whose cells are those of other epochs just as far away. Which
        epochs are missing here is not said: `is_right` tells it one by one.
        """
        groups: dict[int, list[int]] = {}
        trees: dict[int, Node] = {}
        for k in range(1, self.steps):
            at = self.reading.at(name, k)
            tree = self.tree(at) if at else None
            if tree is not None:
                groups.setdefault(id(tree), []).append(k)
                trees[id(tree)] = tree
        found: set[int] = set()
        for key, rows in groups.items():
            if len(rows) > 4:
                found |= self._right_of(trees[key], name, rows)
        return found

    def _right_of(self, tree: Node, name: str, rows: list[int]) -> set[int]:
        places = [self.reading.at(name, k) for k in rows[:2]]
        first, second = places
        if first is None or second is None:
            return set()
        asked = dict(zip(references(tree, first), references(tree, second), strict=True))
        known, moved, still = self.cells(), dict[Address, tuple[str, int]](), set[Address]()
        for here, there in asked.items():
            if here == there:
                still.add(here)
            elif here in known and there in known:
                (quantity, k), (other, n) = known[here], known[there]
                if (other, n - k) != (quantity, rows[1] - rows[0]):
                    return set()
                moved[here] = (quantity, k - rows[0])
            else:
                return set()
        if len(asked) < len(set(references(tree, first))) or still & moved.keys():
            return set()
        last = self.steps - 1
        kept = [k for k in rows if all(0 <= k + away <= last for _, away in moved.values())]
        ks, inner = np.array(kept, dtype=int), unrounded(tree)
        right = np.ones(len(kept), dtype=bool)
        for world in self.drawn:
            state = {q: np.asarray(world.state[q]) for q, _ in moved.values()}
            columns: dict[Address, Value] = {
                at: state[q][ks + away] if state[q].ndim else float(state[q])
                for at, (q, away) in moved.items()
            }
            columns |= {at: world.cells.value(at) for at in still}
            try:
                values = np.asarray(inner.value(first, columns.__getitem__), dtype=float)
            except (ArithmeticError, FormulaError, TypeError, ValueError):
                return set()
            goals = np.array([world.expected(name, k) for k in kept])
            if values.shape != goals.shape:
                return set()
            right &= np.abs(values - goals) <= 1e-9 * np.maximum(np.abs(goals), 1e-4)
        return set(ks[right].tolist())

    def _is_own_number(self, tree: Node, at: Address, name: str, k: int) -> bool:
        """Whether a formula of numbers alone gives what the row it stands in gives."""
        right = self.parse(self.reading.rule(name, k), at)
        value, gives = (finite(t.value(at, self.reading.actual.value)) for t in (tree, right))
        return abs(value - gives) <= 1e-9 * max(abs(gives), 1e-4)

    def agrees(self, world: World, tree: Node, at: Address, name: str, k: int) -> bool:
        value = finite(tree.value(at, world.cells.value))
        right = world.expected(name, k)
        return abs(value - right) <= 1e-9 * max(abs(right), 1e-4)

    def _holds_numbers(self, tree: Node, at: Address, name: str) -> bool:
        reading = self.reading
        step = name in WEIGHTS or "η" in name
        if step and (reading.rate is None or reading.rate.at is None):
            return True
        if any(reading.at(n, 0) is None for n in EXAMPLE):
            return True
        if any(number not in (0.0, 0.5, 1.0, 2.0) for number in _numbers(tree)):
            return True
        given, seen, todo = self.drawn[0].cells, set[Address](), list(references(tree, at))
        while todo:
            asked = todo.pop()
            if asked in seen or self.settled(asked):
                continue
            if len(seen) > _MOST_BEHIND:
                return True
            seen.add(asked)
            inner = given.instead.get(asked) or self.tree(asked)
            if inner is None or isinstance(inner, float):
                return True
            todo += references(inner, asked)
        return False

    def cells(self) -> dict[Address, tuple[str, int]]:
        """Every cell of the table, and of those it refers to: its quantity and epoch."""
        if not self._known:
            reading = self.reading
            for name in (*COLUMNS, *HELPERS, "η"):
                for k in range(self.steps):
                    at = reading.at(name, k)
                    if at is not None:
                        self._known.setdefault(at, (name, k))
            for at, name in reading.labelled.items():
                if name in EXAMPLE and reading.actual.value(at) == getattr(reading.setup, name):
                    self._known.setdefault(at, (name, 0))
        return self._known

    def settled(self, at: Address) -> bool:
        """Whether a world says what the cell holds, rather than the file."""
        return at in self.cells()

    def tree(self, at: Address) -> Node | None:
        try:
            return self.book.tree(at)
        except FormulaError:
            return None

    def parse(self, text: str, at: Address) -> Node:
        return parse(text, at, self.book.names_for(at))

    def behind(self, at: Address) -> list[Address]:
        """The cells with formulas, here or a row above, that lead a formula to the table's."""
        found: list[Address] = []
        todo = list(self._asked(at))
        while todo and len(found) <= _MOST_BEHIND:
            asked = todo.pop(0)
            away = at.column - asked.column if self.table.across else at.row - asked.row
            other = asked.sheet != at.sheet or abs(away) > 1
            if asked in found or self.settled(asked) or other:
                continue
            if self.tree(asked) is not None:
                found.append(asked)
                todo += self._asked(asked)
        return found

    def _asked(self, at: Address) -> list[Address]:
        try:
            return self.book.asked(at)
        except FormulaError:
            return []

    def unreadable(self, tree: Node, at: Address) -> str | None:
        """What could not be read in the cells behind a formula that are no cells of the table."""
        unread = self.drawn[0].cells.unread
        todo, seen = list(references(tree, at)), set[Address]()
        while todo and unread and len(seen) <= _MOST_BEHIND:
            asked = todo.pop()
            if asked in unread:
                return f"{unread[asked]} in {asked.cell}"
            if asked in seen or self.settled(asked):
                continue
            seen.add(asked)
            inner = self.tree(asked)
            todo += references(inner, asked) if inner is not None else []
        return None

    def _world(self, rng: np.random.Generator, *, drawn: bool) -> World:
        """drawn: inputs, targets and η by chance, else the file's; weights always by chance."""
        reading, setup, rate = self.reading, self.reading.setup, self.reading.rate
        epochs = max([self.steps, *(t.epochs for t in reading.elsewhere.values())])
        example = {name: getattr(setup, name) for name in EXAMPLE}
        eta = 1.0 if rate is None else float(np.ravel(rate.value)[0])
        if drawn:
            example = dict(zip(EXAMPLE, rng.uniform(0.2, 0.9, 4).tolist(), strict=True))
            eta = float(rng.uniform(0.3, 1.7))
        weights = dict(zip(WEIGHTS, rng.uniform(-1.5, 1.5, (8, epochs)), strict=True))
        state = state_of(Setup(**example, **weights), eta)
        given: dict[Address, Value] = {}
        listed = self.table.listed if self.table.columns.keys() == {"E_total"} else ()
        epochs_there = max((t.epochs for t in reading.elsewhere.values()), default=0)
        if listed and listed[-1] >= epochs_there:
            listed = ()
        world = World(given, Calculator(self.book), state, listed)
        for name in (*COLUMNS, *HELPERS, "η"):
            for k in range(epochs if name in self._moving() else 1):
                at = reading.at(name, k) if k < self.steps or name in reading.elsewhere else None
                if at is not None:
                    given[at] = world.of(name, k)
        for at, name in reading.labelled.items():
            if name in EXAMPLE and reading.actual.value(at) == getattr(setup, name):
                given.setdefault(at, world.of(name, 0))
        world.cells.known.update(given)
        return world

    def _moving(self) -> set[str]:
        places = {*self.table.columns, *self.reading.elsewhere, *self.reading.helpers.values()}
        return places - {"epoch"}

    def _name_helpers(self) -> None:
        """What the columns hold that have no header of the table's, where most rows agree on it."""
        table = self.table
        named: dict[int, str] = {}
        for column in self._columns_on_the_way():
            values = self._values(column)
            for name in HELPERS:
                if self._holds(values, name):
                    named[column] = name
                    break
        named |= self._with_one_sign(named)
        named |= self._with_most_signs(named)
        hints = {
            c: f"{w} − η·∂E/∂{w}" if (w := hint.removesuffix("′")) != hint else hint
            for c, hint in table.hints.items()
        }
        next_weights = [c for c, hint in table.hints.items() if hint.endswith("′")]
        agree = sum(self._holds(self._values(c), hints[c]) for c in next_weights)
        named |= {c: hints[c] for c in next_weights if 2 * agree > len(next_weights)}
        for column, name in hints.items():
            other = named.get(column) != name and named.get(column) != f"−{name}"
            if name in HELPERS and other and self._needed(column):
                named[column] = name
        self.reading.helpers = named
        self._known.clear()
        self.__dict__.pop("own", None)  # drawn before the helpers had names

    def _values(self, column: int) -> Array:
        """What the cells of a column come to in the first world."""
        cells = [self.table.cell(line, column) for line in self.table.lines]
        return np.array([finite(self.drawn[0].cells.value(at)) for at in cells])

    def _holds(self, values: Array, name: str) -> bool:
        """Whether most of a column's values are the quantity's in the first world."""
        right = np.atleast_1d(self.drawn[0].state[name])[: len(values)]
        agree = np.abs(values - right) <= 1e-9 * np.maximum(np.abs(right), 1e-3)
        return bool(2 * agree.sum() > len(values) or (len(values) < 3 and agree.any()))

    def _with_most_signs(self, named: Mapping[int, str]) -> dict[int, str]:
        """η·∂E/∂w columns of the sign that fewer have, with that of the most."""
        steps = {c: name for c, name in named.items() if "η·∂E/∂" in name and len(name) < 10}
        minus = [c for c, name in steps.items() if name.startswith("−")]
        plus = [c for c in steps if c not in minus]
        if len(minus) > len(plus):
            return {c: f"−{steps[c]}" for c in plus}
        return {c: steps[c][1:] for c in minus} if len(plus) > len(minus) else {}

    def _columns_on_the_way(self) -> list[int]:
        """The columns that the table's formulas go through, besides its own."""
        found: dict[int, None] = {}
        if self.table.drops:
            return []
        for k in range(min(2, self.epochs)):
            for name in self.table.columns:
                behind = self.behind(self.table.at(name, k))
                found |= dict.fromkeys(at.row if self.table.across else at.column for at in behind)
        return sorted(found)

    def _with_one_sign(self, named: Mapping[int, str]) -> dict[int, str]:
        """Columns of δ, which some take with the opposite sign, with one sign for all.

        Where some have this and some that, it is the one with which more of what follows is right.
        """
        deltas = {c: name for c, name in self.table.hints.items() if name in _DELTAS}
        turned = {c: f"−{name}" for c, name in deltas.items()}
        opposite = {c for c, name in turned.items() if named.get(c) == name}
        outer = {c for c, name in deltas.items() if name in _DELTAS[:2]}
        if not opposite or outer <= opposite:
            return {}
        others = {**named, **{c: n for c, n in self.table.hints.items() if n in HELPERS}}
        as_named = self._count_right({**others, **deltas})
        return turned if self._count_right({**others, **turned}) > as_named else deltas

    def _count_right(self, named: dict[int, str]) -> int:
        """How many formulas of the first row are right if the columns hold what they are named."""
        self.reading.helpers = named
        self._known.clear()
        world, right = self._world(np.random.default_rng(0), drawn=True), 0
        for name in (*GRADIENTS, *dict.fromkeys(named.values())):
            at = self.reading.at(name, 0)
            tree = self.tree(at) if at else None
            if at and tree is not None:
                right += self.agrees(world, tree, at, name, 0)
        return right

    def _needed(self, column: int) -> bool:
        """Whether what follows from the column, a gradient or a weight, is wrong as it stands."""
        table = self.table
        for name in (*GRADIENTS, *WEIGHTS):
            k = 1 if name in WEIGHTS else 0
            at = self.reading.at(name, k) if k < self.epochs else None
            if at is None or name not in table.columns:
                continue
            tree = self.tree(at)
            way = {*self._asked(at), *self.behind(at)}
            if tree is not None and table.cell(table.lines[0], column) in way:
                with suppress(FormulaError):
                    if not self.is_right(tree, at, name, k):
                        return True
        return False


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
