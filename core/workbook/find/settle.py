"""What the columns of a table are, and in which lines their numbers stand, told by the numbers.

This module knows that headers mislead: it gives a table the names and lines under which most of its
numbers follow from each other. What then still disagrees is for judge/.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from core.backprop.network import GRADIENTS, WEIGHTS
from core.backprop.rules import TABLE_RULES
from core.workbook.exercise.quantities import DELTA, GRADIENT, OUT, STEPPED
from core.workbook.file.book import Book
from core.workbook.file.calculate import Calculator
from core.workbook.find.layout import Layout, Table
from core.workbook.find.reading import read_table
from core.workbook.find.trial import Trial, better
from core.workbook.find.words import rate_in
from core.workbook.formula.tree import FormulaError

_ALIKE = {**OUT, "t1": "out_o1", "t2": "out_o2"}
"""What a header means to most -> what it means to some: y1 may be the target or the output."""
_TURNED = [
    {a: b, b: a, GRADIENT[a]: GRADIENT[b], GRADIENT[b]: GRADIENT[a]}
    for a, b in (("w6", "w7"), ("w2", "w3"))
]
"""What changes places in each layer for those who calculate x·W, and list the weights of an input
side by side, not those of a node."""

_SIGNED = [
    {**dict.fromkeys(DELTA.values(), "−"), **dict.fromkeys(GRADIENTS, "−")},
    dict.fromkeys(DELTA.values(), "−"),
    *(dict.fromkeys(GRADIENTS, prefix) for prefix in ("−", "−η·", "η·")),
]
"""What stands before δ and gradients for those who add the step, or mean the step by Δw."""


def settle(layout: Layout, actual: Calculator) -> Layout:
    """The layout with every quantity's name and line as its numbers show them."""
    layout = _with_next_weights(layout, actual.book)
    settled = [_Naming(layout, table, actual).settled() for table in layout.tables]
    inside = {t.at(w, k): t.lines for t in settled for w in t.weights for k in range(t.epochs)}
    tables = []
    for table in settled:
        single = table.drops and table.epochs == 1  # below a weight is another
        after = [] if single else [table.at(name, table.epochs) for name in table.weights]
        free = [at for at in after if inside.get(at) in (None, table.lines)]
        filled = [at for at in free if isinstance(actual.value(at), float)]
        tables.append(replace(table, last_step=2 * len(filled) > len(after)))
    return replace(layout, tables=tables)


def _with_next_weights(layout: Layout, book: Book) -> Layout:
    """The layout in which new weights, that another table's weights refer to or that are calculated
    from another's, are a step on the way and no second set of weights.
    """
    whole = [t for t in layout.tables if len(t.weights) == len(WEIGHTS) and not t.shifts]
    tables = []
    for table in layout.tables:
        led_to = len(table.weights) == len(WEIGHTS) and set(table.shifts.values()) == {-1}
        if led_to and any(_linked(book, table, other) for other in whole):
            columns = {STEPPED.get(name, name): c for name, c in table.columns.items()}
            table = replace(table, columns=columns, shifts={})
        tables.append(table)
    return replace(layout, tables=tables)


def _linked(book: Book, table: Table, other: Table) -> bool:
    """Whether a table of new weights and a table of weights refer to each other."""
    if other.epochs < 2 or (other.sheet == table.sheet and other.head == table.head):
        return False
    theirs = {other.at(w, 0) for w in WEIGHTS}
    mine = {table.cell(line, table.columns[w]) for w in WEIGHTS for line in table.lines[:2]}
    with suppress(FormulaError):
        for weight in WEIGHTS:
            asked = book.asked(table.cell(table.lines[0], table.columns[weight]))
            if theirs & set(asked) or mine & set(book.asked(other.at(weight, 1))):
                return True
    return False


class _Naming:
    """The names and lines of a table's columns, one guess after the other.

    Students who have no column for net inputs call the activations just h1 or H1; others have two
    columns called Output 1, names that nobody else has, or matrices the other way round.
    """

    def __init__(self, layout: Layout, table: Table, actual: Calculator) -> None:
        self.layout, self.first, self.actual = layout, table, actual
        self.table, self.now = table, self._trial(table)

    def _trial(self, table: Table) -> Trial:
        tables = [table if other is self.first else other for other in self.layout.tables]
        return Trial(read_table(replace(self.layout, tables=tables), table, self.actual))

    def _take(self, names: set[str], other: Table) -> None:
        """Take the other table, which differs in these names, if clearly more follows in it."""
        trial = better(self.now, names, lambda: self._trial(other))
        if trial is not self.now:
            self.table, self.now = other, trial

    def _call(self, names: Mapping[str, str]) -> None:
        """Call columns what `names` says instead, if clearly more follows then."""
        if names:
            self._take({*names, *names.values()}, self.table.called(names))

    def settled(self) -> Table:
        columns = self.table.columns
        for name, other in _ALIKE.items():
            if name in columns and other not in columns:
                self._call({name: other})
        if len(self.table.weights) == len(WEIGHTS):
            if not self.table.drops:
                self._name_the_nameless()
            for pair in _TURNED:
                self._call({n: other for n, other in pair.items() if n in columns})
            for signs in _SIGNED:
                columns = self.table.columns
                self._call({n: f"{sign}{n}" for n, sign in signs.items() if n in columns})
        self._shift()
        return self.table

    def _name_the_nameless(self) -> None:
        """Name columns that have no name, and find the right one of several of a name."""
        for column, name in self.table.hints.items():
            if (other := self.table.columns.get(name)) is not None:
                columns = {**self.table.columns, name: column}
                hints = {c: n for c, n in self.table.hints.items() if c != column} | {other: name}
                self._take({name}, replace(self.table, columns=columns, hints=hints))
        table = self.table
        named = {*table.columns.values(), *table.hints}
        unnamed = {c for c, name in table.hints.items() if name in TABLE_RULES}
        for column in range(min(named), max(named) + 1):
            head = self.actual.book.cells.get(table.cell(table.head, column))
            text = head.value if head is not None else None
            if column not in named and isinstance(text, str) and rate_in(text) is None:
                unnamed.add(column)
        lacking = [name for name in TABLE_RULES if name not in table.columns]
        for column in sorted(unnamed) if lacking else ():
            if found := self.now.name_of(column, lacking):
                lacking.remove(found)
                columns = {**self.table.columns, found: column}
                self.table = replace(self.table, columns=columns)
                self.now = self._trial(self.table)

    def _shift(self) -> None:
        """Find the lines in which columns stand.

        A row of a student's may hold the weights that its own epoch leads to: then those of an
        epoch stand a line before it, the initial ones above the first. Or the gradients stand a
        line after.
        """
        told = {name for name, _, _ in self.layout.said}
        for group, shift in ((WEIGHTS, -1), (GRADIENTS, 1), (GRADIENTS, 2)):
            names = [name for name in group if name in self.table.columns]
            shifts = {**self.table.shifts, **dict.fromkeys(names, shift)}
            moved = replace(self.table, shifts=shifts)
            if names and _may_move(moved, names, shift, self.actual, told):
                self._take({*names}, moved)


def _may_move(
    moved: Table, names: list[str], shift: int, actual: Calculator, told: set[str]
) -> bool:
    """Whether there are numbers above the first line, or told in words, or none in it."""
    cells = [moved.at(n, 0) if shift < 0 else moved.at(n, -1) for n in names]
    numbers = [at for at in cells if at.row > 0 and isinstance(actual.value(at), float)]
    if shift < 0 and not numbers and set(names) <= told:
        return True
    return len(numbers) == len(names) if shift < 0 else 2 * len(numbers) < len(names)
