"""A table whose columns are taken for this or that, and how many of its numbers follow then.

Every guess at what columns hold is ranked here, by the one share of `Numbers`. Where there are
formulas, the numbers are those of a drawn world, in which each quantity has its own: by those that
a file shows at η = 1, a step is a gradient.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property

import numpy as np

from core.backprop.network import COLUMNS, WEIGHTS, Array
from core.workbook.exercise.quantities import COMPUTED, EXAMPLE, HELPERS
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

    @cached_property
    def drawn(self) -> bool:
        """Whether formulas tell what the columns are: most of what they hold are formulas."""
        table, cells = self.reading.table, self.reading.book.cells
        names = [name for name in (*WEIGHTS, *COMPUTED, *HELPERS) if name in table.columns]
        places = [at for name in names for at in self.reading.column(name)[name in WEIGHTS :]]
        there = [cell for at in places if at and (cell := cells.get(at))]
        return 2 * sum(cell.formula is not None for cell in there) > len(there)

    @cached_property
    def numbers(self) -> Numbers:
        """Its quantities as the drawn world has them, or as they are shown."""
        reading, rate = self.reading, self.reading.rate
        values = {n: self._lines(getattr(reading.setup, n)) for n in EXAMPLE}
        values["η"] = self._lines(rate.value if rate else math.nan)
        open_by = {name: np.zeros(self.length) for name in values}
        for name in (*COLUMNS, *HELPERS):
            places = reading.column(name)
            if name not in values and any(places[:2]):
                values[name], open_by[name] = self.column(places)
        if not self.drawn:
            return Numbers(values, open_by)
        state = self.worlds.told.state
        return Numbers({name: self._lines(state[name]) for name in values}, open_by, values)

    def _lines(self, value: object) -> Array:
        """A quantity's numbers in every line; the last goes on."""
        numbers = np.ravel(np.asarray(value, dtype=float))[: self.length]
        return np.pad(numbers, (0, self.length - len(numbers)), "edge")

    def column(self, places: Sequence[Address | None]) -> tuple[Array, Array]:
        """What cells come to in the world by their formulas, NaN without; or their numbers as they
        are shown, and how far the digits leave them open.
        """
        book, world = self.reading.book, self.worlds.told
        if not self.drawn:
            numbers = as_numbers(self.reading.actual.value(at) if at else None for at in places)
            return numbers, doubt([book.cells.get(at) if at else None for at in places])
        found = world.filled_down(filled_down(book, places), len(places), unrounded)
        for k in np.flatnonzero(np.isnan(found)).tolist():
            at = places[k]
            tree = self.worlds.book.readable(at)
            if at and tree is not None:
                with suppress(FormulaError):
                    found[k] = finite(unrounded(tree).value(at, world.cells.value))
        return found, np.zeros(len(places))

    def name_of(self, column: int, names: Iterable[str]) -> str | None:
        """The first of these quantities that most numbers of a column are."""
        table = self.reading.table
        places = [table.cell(line, column) for line in table.lines]
        found, open_by = self.column([*places, *[None] * (self.length - len(places))])
        for name in names:
            agree, there = self.numbers.following(name, found, open_by)
            if 2 * agree > there:
                return name
        return None

    def share(self, names: Iterable[str]) -> float:
        """How many of these quantities' numbers follow from the others; 0 if none are there."""
        agree, there = np.sum([self._told[n] for n in names if n in self._told] or [(0, 0)], axis=0)
        return float(agree / there) if there else 0.0

    @cached_property
    def _told(self) -> dict[str, tuple[int, int]]:
        numbers = self.numbers
        return {n: numbers.following(n, numbers.found[n], numbers.doubt[n]) for n in numbers.rules}

    def affected(self, names: set[str]) -> set[str]:
        """Those of the quantities, and what follows from them."""
        rules = self.numbers.rules
        return {n for n in rules if n in names or not names.isdisjoint(self.numbers.inputs(n))}


class Naming:
    """A table with the names and lines of its columns that are best so far, and its trial."""

    def __init__(self, table: Table, trial: Callable[[Table], Trial]) -> None:
        self._trial = trial
        self.put(table)

    def put(self, table: Table) -> None:
        self.table, self.now = table, self._trial(table)

    def call(self, names: Mapping[str, str]) -> None:
        """Call columns what `names` says instead, if clearly more follows then."""
        here = {name: other for name, other in names.items() if name in self.table.columns}
        if here:
            self.take({*here, *here.values()}, self.table.called(here))

    def take(self, names: set[str], other: Table) -> None:
        """Take another table, in which these names stand elsewhere, if clearly more follows there
        of all that this concerns, and no less of the named.
        """
        now = self.now
        concerned = now.affected(names)
        if now.share(concerned) > 1 - _CLEARLY:
            return
        then = self._trial(other)
        concerned |= then.affected(names)
        mine, theirs = now.numbers.found, then.numbers.found
        for name in mine.keys() & theirs.keys():
            if not np.array_equal(mine[name], theirs[name], equal_nan=True):
                concerned.add(name)  # its formulas ask for a cell that has another name
        clear = then.share(concerned) >= now.share(concerned) + _CLEARLY
        if clear and then.share(names) >= now.share(names):
            self.table, self.now = other, then
