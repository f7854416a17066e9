"""A table whose columns are taken for this or that, and how many of its numbers follow then.

Every guess at what columns hold is ranked here, by the one share of `Numbers`. Where there are
formulas, the numbers are those of a drawn world, in which each quantity has its own: by those that
a file shows at η = 1, a step is a gradient.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property

import numpy as np

from core.backprop.network import COLUMNS, WEIGHTS, Array
from core.workbook.exercise.quantities import EXAMPLE, HELPERS
from core.workbook.file.digits import doubt
from core.workbook.find.layout import Table
from core.workbook.find.numbers import Numbers, as_numbers
from core.workbook.find.reading import Reading
from core.workbook.find.worlds import Worlds, filled_down, finite, unrounded
from core.workbook.formula.tree import Address, FormulaError

_LINES = 24
"""Lines of a table that tell what its columns are."""
_CLEARLY = 0.1
"""By how much more of the numbers must follow than with what the headers say."""


class Trial:
    """A table read one way, by its first lines."""

    def __init__(self, reading: Reading) -> None:
        table = replace(reading.table, lines=reading.table.lines[:_LINES])
        self.reading = replace(reading, table=table)
        self.worlds = Worlds(self.reading)
        self.length = table.steps

    def called(self, table: Table) -> Trial:
        """The same with other names for columns."""
        return Trial(replace(self.reading, table=replace(table, lines=self.reading.table.lines)))

    @cached_property
    def numbers(self) -> Numbers:
        """Its quantities, first as they are in the drawn world, then as they are shown."""
        reading, state = self.reading, self.worlds.told.state
        values = {n: self._twice(state[n], getattr(reading.setup, n)) for n in EXAMPLE}
        rate = np.ravel(reading.rate.value if reading.rate else math.nan)[: self.length]
        values["η"] = self._twice(state["η"], np.pad(rate, (0, self.length - len(rate)), "edge"))
        open_by = {name: np.zeros(2 * self.length) for name in values}
        found = dict(values)
        for name in (*COLUMNS, *HELPERS):
            places = reading.column(name)
            if name not in values and any(places[:2]):
                found[name], shown, open_by[name] = self.column(places)
                values[name] = self._twice(state[name], shown)
                if name in WEIGHTS:
                    found[name][self.length] = math.nan  # no line above it
        return Numbers(values, open_by, found)

    def _twice(self, drawn: object, shown: object) -> Array:
        lines = (np.ravel(np.asarray(one, dtype=float))[: self.length] for one in (drawn, shown))
        return np.concatenate([np.broadcast_to(one, self.length) for one in lines])

    def column(self, places: Sequence[Address | None]) -> tuple[Array, Array, Array]:
        """What cells come to: in the world, or as they are shown where a formula does not tell;
        what they show; and how far their digits leave all that open.
        """
        book, world = self.reading.book, self.worlds.told
        drawn = world.filled_down(filled_down(book, places), len(places), unrounded)
        for k in np.flatnonzero(np.isnan(drawn)).tolist():
            at = places[k]
            tree = self.worlds.tree(at) if at else None
            if at and tree is not None:
                with suppress(FormulaError):
                    drawn[k] = finite(unrounded(tree).value(at, world.cells.value))
        shown = as_numbers(self.reading.actual.value(at) if at else None for at in places)
        open_by = doubt([book.cells.get(at) if at else None for at in places])
        told = np.where(np.isnan(drawn), shown, math.nan)
        return np.concatenate([drawn, told]), shown, self._twice(0.0, open_by)

    def name_of(self, column: int, names: Iterable[str]) -> str | None:
        """Which of these quantities most numbers of a column are; None if it is none of them."""
        table = self.reading.table
        places = [table.cell(line, column) for line in table.lines]
        found, _, open_by = self.column([*places, *[None] * (self.length - len(places))])
        fits = {name: self.numbers.fit(name, found, open_by) for name in names}
        best = max(fits, key=fits.__getitem__, default=None)
        return best if best and fits[best] > 0.5 else None

    def affected(self, names: set[str]) -> set[str]:
        """Those of the quantities, and what follows from them."""
        rules = self.numbers.rules
        return {n for n in rules if n in names or not names.isdisjoint(self.numbers.inputs(n))}


def better(now: Trial, names: set[str], then: Callable[[], Trial]) -> Trial:
    """Another trial, in which these names stand elsewhere, if clearly more numbers follow there: of
    those that this concerns, and no less than half of them.
    """
    mine, concerned = now.numbers, now.affected(names)
    if mine.share(concerned) > 1 - _CLEARLY:
        return now
    other = then()
    theirs = other.numbers
    concerned |= other.affected(names)
    for name in mine.found.keys() & theirs.found.keys():
        if not np.array_equal(mine.found[name], theirs.found[name], equal_nan=True):
            concerned.add(name)  # its formulas ask for a cell that has another name
    least = max(mine.share(concerned) + _CLEARLY, 0.5)
    return other if theirs.share(concerned) >= least else now
