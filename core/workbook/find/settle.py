"""What the columns of a table are, and in which lines their numbers stand, told by the numbers.

This module knows that headers mislead: it gives a table the names and lines under which most of its
numbers follow from each other. What then still disagrees is for judge/.
"""

from __future__ import annotations

from dataclasses import replace

from core.backprop.network import GRADIENTS, WEIGHTS
from core.backprop.rules import TABLE_RULES
from core.workbook.exercise.quantities import DELTA, GRADIENT, OUT, STEPPED
from core.workbook.file.book import Book
from core.workbook.file.calculate import Calculator
from core.workbook.find.layout import Layout, Table
from core.workbook.find.reading import read_table
from core.workbook.find.trial import Naming, Trial
from core.workbook.find.words import rate_in

_ALIKE = {**OUT, "t1": "out_o1", "t2": "out_o2"}
"""What a header means to most -> what it means to some: y1 may be the target or the output."""
_TURNED = [
    {a: b, b: a, GRADIENT[a]: GRADIENT[b], GRADIENT[b]: GRADIENT[a]}
    for a, b in (("w6", "w7"), ("w2", "w3"))
]
"""What changes places in each layer for those who calculate x·W, and list the weights of an input
side by side, not those of a node."""

_SIGNED = [
    {n: f"{sign}{n}" for n in names}
    for names, sign in (
        *((GRADIENTS, sign) for sign in ("−η·", "η·")),
        ((*DELTA.values(), *GRADIENTS), "−"),
        (DELTA.values(), "−"),
        (GRADIENTS, "−"),
    )
]
"""δ and gradients as those have them who add the step, or who mean the step by Δw."""


def settle(layout: Layout, actual: Calculator) -> Layout:
    """The layout with every quantity's name and line as its numbers show them."""
    settled = [_settled(layout, table, actual) for table in layout.tables]
    inside = {t.at(w, k): t.lines for t in settled for w in t.weights for k in range(t.epochs)}
    tables = []
    for table in settled:
        single = table.drops and table.epochs == 1  # below a weight is another
        after = [] if single else [table.at(name, table.epochs) for name in table.weights]
        free = [at for at in after if inside.get(at) in (None, table.lines)]
        filled = [at for at in free if isinstance(actual.value(at), float)]
        tables.append(replace(table, last_step=2 * len(filled) > len(after)))
    return replace(layout, tables=tables)


def _settled(layout: Layout, first: Table, actual: Calculator) -> Table:
    """The table with the names and lines of its columns, one guess after the other.

    Students who have no column for net inputs call the activations just h1 or H1; others have two
    columns called Output 1, names that nobody else has, or matrices the other way round.
    """

    def trial(table: Table) -> Trial:
        tables = [table if other is first else other for other in layout.tables]
        return Trial(read_table(replace(layout, tables=tables), table, actual))

    naming = Naming(first, trial)
    if {*first.shifts.values()} == {-1}:  # new weights: of other columns, or of another table
        naming.take({*STEPPED, *STEPPED.values()}, replace(first.called(STEPPED), shifts={}))
    for name, other in _ALIKE.items():
        if other not in first.columns:
            naming.call({name: other})
    if len(naming.table.weights) == len(WEIGHTS):
        if not first.drops:
            _name_the_nameless(naming, actual.book)
        for names in (*_TURNED, *_SIGNED):
            naming.call(names)
    _shift(naming)
    return naming.table


def _name_the_nameless(naming: Naming, book: Book) -> None:
    """Name columns that have no name, and find the right one of several of a name."""
    for column, name in naming.table.hints.items():
        table = naming.table
        if (other := table.columns.get(name)) is not None:
            hints = {c: n for c, n in table.hints.items() if c != column} | {other: name}
            columns = {**table.columns, name: column}
            naming.take({name}, replace(table, columns=columns, hints=hints))
    table = naming.table
    named = {*table.columns.values(), *table.hints}
    unnamed = {c for c, name in table.hints.items() if name in TABLE_RULES}
    for column in {*range(min(named), max(named) + 1)} - named:
        text = book.text(table.cell(table.head, column))
        if text and rate_in(text) is None:
            unnamed.add(column)
    lacking = [name for name in TABLE_RULES if name not in table.columns]
    for column in sorted(unnamed) if lacking else ():
        if found := naming.now.name_of(column, lacking):
            lacking.remove(found)
            columns = {**naming.table.columns, found: column}
            naming.put(replace(naming.table, columns=columns))


def _shift(naming: Naming) -> None:
    """Find the lines in which columns stand.

    A row of a student's may hold the weights that its own epoch leads to: then those of an epoch
    stand a line before it, the initial ones above the first. Or the gradients stand a line after.
    """
    for group, shift in ((GRADIENTS, 1), (GRADIENTS, 2), (WEIGHTS, -1)):
        names = [name for name in group if name in naming.table.columns]
        if names:
            shifts = {**naming.table.shifts, **dict.fromkeys(names, shift)}
            naming.take({*names}, replace(naming.table, shifts=shifts))
