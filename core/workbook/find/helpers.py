"""What the columns hold that stand on the way to a table's own: δ, σ′, Δw, whatever their headers.

This module tells it by the numbers of a world, in which each quantity has its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

import numpy as np

from core.backprop.network import GRADIENTS, WEIGHTS, Array
from core.workbook.exercise.quantities import (
    DELTA,
    HELPERS,
    NEXT,
    STEP,
    STEPPED,
    opposite,
)
from core.workbook.find.reading import Reading
from core.workbook.find.worlds import World, Worlds, drawn_world, filled_down, finite
from core.workbook.formula.tree import FormulaError

_STEPS = (*STEP.values(), *map(opposite, STEP.values()))
_NEXT = {NEXT[w]: STEPPED[w] for w in WEIGHTS}


def with_helpers(reading: Reading) -> Reading:
    """The reading with what most rows of each such column agree on."""
    helpers = _Helpers(reading).named()
    return replace(reading, helpers=helpers) if helpers else reading


class _Helpers:
    def __init__(self, reading: Reading) -> None:
        self.reading, self.table = reading, reading.table
        self.world = _first_world(reading)
        self.worlds = Worlds(reading, [self.world])

    def named(self) -> dict[int, str]:
        """Column -> what it holds."""
        table = self.table
        named: dict[int, str] = {}
        for column in self._columns_on_the_way():
            values = self._values(column)
            name = next((name for name in HELPERS if self._holds(values, name)), None)
            if name is not None:
                named[column] = name
        named |= self._with_one_sign(named)
        named |= _with_most_signs(named)
        hints = {c: _NEXT.get(hint, hint) for c, hint in table.hints.items()}
        next_weights = [c for c, hint in table.hints.items() if hint in _NEXT]
        agree = sum(self._holds(self._values(c), hints[c]) for c in next_weights)
        named |= {c: hints[c] for c in next_weights if 2 * agree > len(next_weights)}
        for column, name in hints.items():
            # A header that has no sign may mean either; one that has a minus means it.
            meant = {name} if name.startswith("−") else {name, opposite(name)}
            other = named.get(column) not in meant
            if name in HELPERS and other and self._is_needed(column):
                named[column] = name
        return named

    def _values(self, column: int) -> Array:
        """What the cells of a column come to in the world."""
        places = [self.table.cell(line, column) for line in self.table.lines]
        values = self.world.filled_down(filled_down(self.reading.book, places), len(places))
        for k in np.flatnonzero(np.isnan(values)).tolist():
            values[k] = finite(self.world.cells.value(places[k]))
        return values

    def _holds(self, values: Array, name: str) -> bool:
        """Whether most of a column's values are the quantity's in the world."""
        right = np.atleast_1d(self.world.state[name])[: len(values)]
        agree = np.abs(values - right) <= 1e-9 * np.maximum(np.abs(right), 1e-3)
        return bool(2 * agree.sum() > len(values) or (len(values) < 3 and agree.any()))

    def _columns_on_the_way(self) -> list[int]:
        """The columns that the table's formulas go through, besides its own."""
        found: dict[int, None] = {}
        if self.table.drops:
            return []
        for k in range(min(2, self.table.epochs)):
            for name in self.table.columns:
                behind = self.worlds.behind(self.table.at(name, k))
                found |= dict.fromkeys(at.row if self.table.across else at.column for at in behind)
        return sorted(found)

    def _with_one_sign(self, named: Mapping[int, str]) -> dict[int, str]:
        """Columns of δ, which some take with the opposite sign, with one sign for all.

        Where some have this and some that, it is the one with which more of what follows is right.
        """
        deltas = {c: name for c, name in self.table.hints.items() if name in DELTA.values()}
        turned = {c: opposite(name) for c, name in deltas.items()}
        against = {c for c, name in turned.items() if named.get(c) == name}
        outer = {c for c, name in deltas.items() if name in (DELTA["o1"], DELTA["o2"])}
        if not against or outer <= against:
            return {}
        others = {**named, **{c: n for c, n in self.table.hints.items() if n in HELPERS}}
        as_named = self._count_right({**others, **deltas})
        return turned if self._count_right({**others, **turned}) > as_named else deltas

    def _count_right(self, named: dict[int, str]) -> int:
        """How many formulas of the first row are right if the columns hold what they are named."""
        reading = replace(self.reading, helpers=named)
        world, right = _first_world(reading), 0
        for name in (*GRADIENTS, *dict.fromkeys(named.values())):
            at = reading.at(name, 0)
            tree = self.worlds.tree(at) if at else None
            if at and tree is not None:
                right += world.agrees(tree, at, name, 0)
        return right

    def _is_needed(self, column: int) -> bool:
        """Whether what follows from the column, a gradient or a weight, is wrong as it stands."""
        table = self.table
        for name in (*GRADIENTS, *WEIGHTS):
            k = 1 if name in WEIGHTS else 0
            at = self.reading.at(name, k) if k < table.epochs else None
            if at is None or name not in table.columns:
                continue
            tree = self.worlds.tree(at)
            way = {*self.worlds.asked(at), *self.worlds.behind(at)}
            if tree is not None and table.cell(table.lines[0], column) in way:
                with suppress(FormulaError):
                    if not self.worlds.is_right(tree, at, name, k):
                        return True
        return False


def _first_world(reading: Reading) -> World:
    return drawn_world(reading, np.random.default_rng(0))


def _with_most_signs(named: Mapping[int, str]) -> dict[int, str]:
    """η·∂E/∂w columns of the sign that fewer have, with that of the most."""
    steps = {c: name for c, name in named.items() if name in _STEPS}
    plus = [c for c, name in steps.items() if name in STEP.values()]
    minus = [c for c in steps if c not in plus]
    fewer = min(plus, minus, key=len) if len(plus) != len(minus) else []
    return {c: opposite(steps[c]) for c in fewer}
