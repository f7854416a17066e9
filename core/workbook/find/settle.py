"""What the columns of a table are, and in which lines their numbers stand, told by the numbers.

This module knows that headers mislead: it gives a table the names and lines under which most of its
numbers follow from each other. What then still disagrees is for judge/.
"""

from __future__ import annotations

from contextlib import suppress
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
    {n: f"{sign}{n}" for n in names}
    for names, sign in (
        ((*DELTA.values(), *GRADIENTS), "−"),
        (DELTA.values(), "−"),
        *((GRADIENTS, sign) for sign in ("−", "−η·", "η·")),
    )
]
"""δ and gradients as those have them who add the step, or who mean the step by Δw."""


def settle(layout: Layout, actual: Calculator) -> Layout:
    """The layout with every quantity's name and line as its numbers show them."""
    layout = _with_next_weights(layout, actual.book)
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


def _settled(layout: Layout, first: Table, actual: Calculator) -> Table:
    """The table with the names and lines of its columns, one guess after the other.

    Students who have no column for net inputs call the activations just h1 or H1; others have two
    columns called Output 1, names that nobody else has, or matrices the other way round.
    """

    def trial(table: Table) -> Trial:
        tables = [table if other is first else other for other in layout.tables]
        return Trial(read_table(replace(layout, tables=tables), table, actual))

    naming = Naming(first, trial)
    for name, other in _ALIKE.items():
        if other not in first.columns:
            naming.call({name: other})
    if len(first.weights) == len(WEIGHTS):
        if not first.drops:
            _name_the_nameless(naming, actual.book)
        for names in (*_TURNED, *_SIGNED):
            naming.call(names)
    _shift(naming, {name for name, _, _ in layout.said}, actual)
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
    for column in range(min(named), max(named) + 1):
        head = book.cells.get(table.cell(table.head, column))
        text = head.value if head is not None else None
        if column not in named and isinstance(text, str) and rate_in(text) is None:
            unnamed.add(column)
    lacking = [name for name in TABLE_RULES if name not in table.columns]
    for column in sorted(unnamed) if lacking else ():
        if found := naming.now.name_of(column, lacking):
            lacking.remove(found)
            columns = {**naming.table.columns, found: column}
            naming.put(replace(naming.table, columns=columns))


def _shift(naming: Naming, told: set[str], actual: Calculator) -> None:
    """Find the lines in which columns stand; `told`: what lines of text say.

    A row of a student's may hold the weights that its own epoch leads to: then those of an epoch
    stand a line before it, the initial ones above the first. Or the gradients stand a line after.
    """
    for group, shift in ((WEIGHTS, -1), (GRADIENTS, 1), (GRADIENTS, 2)):
        names = [name for name in group if name in naming.table.columns]
        shifts = {**naming.table.shifts, **dict.fromkeys(names, shift)}
        moved = replace(naming.table, shifts=shifts)
        if names and _may_move(moved, names, shift, actual, told):
            naming.take({*names}, moved)


def _may_move(
    moved: Table, names: list[str], shift: int, actual: Calculator, told: set[str]
) -> bool:
    """Whether there are numbers above the first line, or told in words, or none in it."""
    cells = [moved.at(n, 0) if shift < 0 else moved.at(n, -1) for n in names]
    numbers = [at for at in cells if at.row > 0 and isinstance(actual.value(at), float)]
    if shift < 0 and not numbers and set(names) <= told:
        return True
    return len(numbers) == len(names) if shift < 0 else 2 * len(numbers) < len(names)
