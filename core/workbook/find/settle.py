"""What the columns of a table are, and in which lines their numbers stand, told by the numbers.

This module knows that headers mislead: it gives a table the names and lines under which most of its
numbers follow from each other. What then still disagrees is for judge/.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace

import numpy as np

from core.backprop.network import COLUMNS, GRADIENTS, WEIGHTS, Array
from core.backprop.rules import TABLE_RULES
from core.workbook.exercise.quantities import (
    EXAMPLE,
    GRADIENT,
    NODES,
    OUT,
    STEPPED,
    WEIGHT,
)
from core.workbook.file.book import Book
from core.workbook.file.calculate import Calculator
from core.workbook.file.digits import doubt
from core.workbook.find.layout import Layout, Table
from core.workbook.find.numbers import Numbers, as_numbers
from core.workbook.find.reading import Reading, read_table
from core.workbook.formula.tree import FormulaError

_TURNED = {"w2": "w3", "w3": "w2", "w6": "w7", "w7": "w6"}
_TURNED |= {GRADIENT[w]: GRADIENT[other] for w, other in _TURNED.items()}


def settle(layout: Layout, actual: Calculator) -> Layout:
    """The layout with every quantity's name and line as its numbers show them."""
    layout = _with_next_weights(layout, actual.book)
    named = replace(layout, tables=[_named(layout, t, actual) for t in layout.tables])
    inside = {t.at(w, k): t.lines for t in named.tables for w in t.weights for k in range(t.epochs)}
    tables = []
    for table in named.tables:
        moved = _with_shifts(named, table, actual)
        single = table.drops and table.epochs == 1  # below a weight is another
        after = [] if single else [moved.at(name, moved.epochs) for name in moved.weights]
        free = [at for at in after if inside.get(at) in (None, table.lines)]
        filled = [at for at in free if isinstance(actual.value(at), float)]
        tables.append(replace(moved, last_step=2 * len(filled) > len(after)))
    return replace(named, tables=tables)


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


class _Columns:
    """The numbers of a table's columns, whatever they are called."""

    def __init__(self, reading: Reading) -> None:
        self.reading, self.table = reading, reading.table
        self.taken: dict[int, tuple[Array, Array]] = {}

    def column(self, column: int) -> tuple[Array, Array]:
        """The numbers, NaN where there is none, and how far their digits leave them open."""
        if column not in self.taken:
            book, places = self.reading.book, [self.table.cell(n, column) for n in self.table.lines]
            numbers = as_numbers(map(self.reading.actual.value, places))
            self.taken[column] = numbers, doubt([book.cells.get(at) for at in places])
        return self.taken[column]

    def called(self, names: Mapping[str, int]) -> Numbers:
        """The numbers, if the columns are called so."""
        example = {n: np.full(self.table.epochs, getattr(self.reading.setup, n)) for n in EXAMPLE}
        columns = {n: self.column(c) for n, c in names.items() if n in COLUMNS and n not in EXAMPLE}
        certain = {n: np.zeros(self.table.epochs) for n in EXAMPLE}
        return Numbers(
            {**{n: values for n, (values, _) in columns.items()}, **example},
            {**{n: open_by for n, (_, open_by) in columns.items()}, **certain},
        )

    def share(self, names: Mapping[str, int], of: Iterable[str]) -> float:
        """How many numbers of these quantities follow, if the columns are called so."""
        return self.called(names).share(of)


def _named(layout: Layout, table: Table, actual: Calculator) -> Table:
    """The table with every column called what its numbers are.

    Students who have no column for net inputs call the activations just h1 or H1; others have two
    columns called Output 1, or names that nobody else has. What a column holds is what most of its
    numbers are, calculated from those beside them.
    """
    for node in NODES:
        if node in table.columns and OUT[node] not in table.columns:
            table = _activation_for_net(layout, table, actual, node)
    if table.drops:
        return table
    columns = dict(table.columns)
    for k in "12":  # y1 may be the target or the output: a target stays
        if f"t{k}" in columns and f"out_o{k}" not in columns:
            numbers = [actual.value(at) for at in table.places(f"t{k}")]
            if 2 * len(set(numbers)) > len(numbers) > 2:
                columns[f"out_o{k}"] = columns.pop(f"t{k}")
    table = replace(table, columns=columns)
    if len(table.weights) < len(WEIGHTS):
        return table
    table = _named_by_numbers(layout, table, actual)
    table = _upright(layout, table, actual)
    return _steps_for_gradients(layout, table, actual)


def _activation_for_net(layout: Layout, table: Table, actual: Calculator, node: str) -> Table:
    """The table with a column called h1 as out_h1, if that is what its numbers are."""
    columns = {OUT[node] if n == node else n: c for n, c in table.columns.items()}
    other = replace(table, columns=columns)
    as_net, as_out = (_numbers(read_table(layout, t, actual)) for t in (table, other))
    return other if as_out.share([OUT[node]]) > max(as_net.share([node]), 0.5) else table


def _named_by_numbers(layout: Layout, table: Table, actual: Calculator) -> Table:
    """The table with names for its nameless columns, and the right one of several of a name."""
    unnamed = {c for c, name in table.hints.items() if name in TABLE_RULES}
    named = {*table.columns.values(), *table.hints}
    for column in range(min(named), max(named) + 1):
        head = actual.book.cells.get(table.cell(table.head, column))
        if column not in named and head is not None and isinstance(head.value, str):
            unnamed.add(column)
    if not unnamed:
        return table
    names, numbers = dict(table.columns), _Columns(read_table(layout, table, actual))

    def share(name: str, column: int) -> float:
        return numbers.share({**names, name: column}, [name])

    rivals = {c: n for c, n in table.hints.items() if n in TABLE_RULES and n in names}
    for column, name in rivals.items():
        if share(name, names[name]) < 0.5 < share(name, column):
            unnamed = (unnamed - {column}) | {names[name]}
            names[name] = column
    for _ in range(3):  # what has found its name may help others
        for name in (name for name in TABLE_RULES if name not in names):
            found = [c for c in sorted(unnamed) if share(name, c) > 0.8]
            if found:
                names[name] = found[0]
                unnamed.discard(found[0])
    hints = {c: n for c, n in table.hints.items() if c not in names.values()}
    return replace(table, columns=names, hints=hints)


def _upright(layout: Layout, table: Table, actual: Calculator) -> Table:
    """The table with w2 and w3, w6 and w7, in their places: programs that calculate x·W list the
    weights of an input side by side, not those of a node.
    """
    nodes = [n for n in NODES if n in table.columns]
    nodes = nodes or [OUT[n] for n in NODES if OUT[n] in table.columns]
    if len(nodes) < 4 or table.shifts:
        return table
    columns = {_TURNED.get(name, name): column for name, column in table.columns.items()}
    numbers = _Columns(read_table(layout, table, actual))
    now, turned = numbers.called(table.columns), numbers.called(columns)
    is_turned = max(now.share([n]) for n in nodes) < 0.5 and turned.share(nodes) > 0.8
    return replace(table, columns=columns) if is_turned else table


def _steps_for_gradients(layout: Layout, table: Table, actual: Calculator) -> Table:
    """The table with Δw for what it is: some call the gradient so, some the step that is added."""
    gradients = [name for name in GRADIENTS if name in table.columns]
    if len(gradients) < len(GRADIENTS):
        return table
    numbers = _Columns(read_table(layout, table, actual)).called(table.columns)
    factors = [f for name in gradients if (f := _factor(numbers, name)) is not None]
    told = _factor_of_steps(numbers)
    plain = [f for f in factors if math.isclose(f, 1, rel_tol=1e-4)]
    turned, scaled = [f for f in factors if f < 0], [f for f in factors if f > 0 and f not in plain]
    fits = {"−η·": len(turned), "−": len(turned) - len(scaled), "η·": len(scaled), "": 0}[told]
    if fits < 2 or len(plain) >= fits:
        return table
    columns = {n: c for n, c in table.columns.items() if n not in gradients}
    hints = {table.columns[n]: f"{told}{n}" for n in gradients}
    return replace(table, columns=columns, hints={**table.hints, **hints})


def _factor(numbers: Numbers, name: str) -> float | None:
    """What a column is that many times of its quantity in most lines, if it is; else None."""
    if name not in numbers.rules:
        return None
    right, _ = numbers.expected(name, slice(0, numbers.length))
    with np.errstate(all="ignore"):
        ratios = numbers.values[name] / right
    ratios = ratios[np.isfinite(ratios)]
    usual = float(np.median(ratios)) if ratios.size > 2 else 0.0
    agree = np.abs(ratios - usual) <= 1e-3 * abs(usual)
    return usual if usual and 5 * agree.sum() > 4 * ratios.size else None


def _factor_of_steps(numbers: Numbers) -> str:
    """What the table's gradients were multiplied by, told by how the weights move by them.

    From w to the next w is −η·∂E/∂w: a column may be this very step, or its opposite, or have
    the sign of the step.
    """
    found = []
    for name in GRADIENTS:
        with np.errstate(all="ignore"):
            moves = np.diff(numbers.values[WEIGHT[name]]) / numbers.values[name][:-1]
        moves = moves[np.isfinite(moves)]
        usual = float(np.median(moves)) if moves.size else 0.0
        once = math.isclose(abs(usual), 1, rel_tol=1e-3)
        found.append(("−" if usual > 0 else "") + ("η·" if once else ""))
    factor, count = Counter(found).most_common(1)[0]
    return factor if 2 * count > len(GRADIENTS) else ""


def _with_shifts(layout: Layout, table: Table, actual: Calculator) -> Table:
    """The table with the shifts of its columns.

    A row of a student's may hold the weights that its own epoch leads to: then those of an epoch
    stand a line before it, the initial ones above the first. Or the gradients stand a line after.
    """
    told = {name for name, _, _ in layout.said}
    for group, shift in ((WEIGHTS, -1), (GRADIENTS, 1), (GRADIENTS, 2)):
        names = [name for name in group if name in table.columns]
        shifts = {**table.shifts, **dict.fromkeys(names, shift)}
        moved = replace(table, shifts=shifts)
        if names and _may_move(moved, names, shift, actual, told):
            now, then = (_agreeing(read_table(layout, t, actual), group) for t in (table, moved))
            table = moved if then > max(now + 0.1, 0.5) else table
    return table


def _may_move(
    moved: Table, names: list[str], shift: int, actual: Calculator, told: set[str]
) -> bool:
    """Whether there are numbers above the first line, or told in words, or none in it."""
    cells = [moved.at(n, 0) if shift < 0 else moved.at(n, -1) for n in names]
    numbers = [at for at in cells if at.row > 0 and isinstance(actual.value(at), float)]
    if shift < 0 and not numbers and set(names) <= told:
        return True
    return len(numbers) == len(names) if shift < 0 else 2 * len(numbers) < len(names)


def _numbers(reading: Reading) -> Numbers:
    """The numbers of a table, each where its epoch's stands."""
    table = reading.table
    values = {n: np.full(table.epochs, getattr(reading.setup, n)) for n in EXAMPLE}
    open_by = {n: np.zeros(table.epochs) for n in EXAMPLE}
    for name in (n for n in COLUMNS if n in table.columns and n not in EXAMPLE):
        places = [reading.at(name, k) for k in range(table.epochs)]
        values[name] = as_numbers(reading.actual.value(at) if at else None for at in places)
        open_by[name] = doubt([reading.book.cells.get(at) if at else None for at in places])
    return Numbers(values, open_by)


def _agreeing(reading: Reading, group: tuple[str, ...]) -> float:
    """How many numbers follow of those that are of the group, or follow from it."""
    numbers = _numbers(reading)
    return numbers.share(
        name
        for name in numbers.rules
        if name in group or not set(group).isdisjoint(numbers.inputs(name))
    )
