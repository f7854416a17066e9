"""What the columns of a table are, and in which lines their numbers stand, told by the numbers.

This module knows that headers mislead: it gives a table the names and lines under which most of its
numbers follow from each other. What then still disagrees is for judge/.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from core.backprop.network import COLUMNS, GRADIENTS, WEIGHTS, Array
from core.backprop.rules import TABLE_RULES, names_in
from core.workbook.file.book import Book
from core.workbook.file.calculate import Calculator
from core.workbook.file.digits import doubt
from core.workbook.find.layout import EXAMPLE, Layout, Table
from core.workbook.find.reading import Reading, State, expanded, read_table, worked_out
from core.workbook.formula.tree import FormulaError


def settle(book: Book, layout: Layout, actual: Calculator) -> Layout:
    """The layout with every quantity's name and line as its numbers show them."""
    layout = _with_next_weights(book, layout)
    return _settle_lines(book, _settle_names(book, layout, actual), actual)


def _with_next_weights(book: Book, layout: Layout) -> Layout:
    """The layout in which new weights, that another table's weights refer to or that are calculated
    from another's, are a step on the way and no second set of weights.
    """
    whole = [t for t in layout.tables if len(t.weights) == len(WEIGHTS) and not t.shifts]
    tables = []
    for table in layout.tables:
        led_to = len(table.weights) == len(WEIGHTS) and set(table.shifts.values()) == {-1}
        if led_to and any(_linked(book, table, other) for other in whole):
            steps = {w: f"{w} − η·∂E/∂{w}" for w in WEIGHTS}
            columns = {steps.get(name, name): c for name, c in table.columns.items()}
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


def _settle_names(book: Book, layout: Layout, actual: Calculator) -> Layout:
    """The layout with every column called what its numbers are.

    Students who have no column for net inputs call the activations just h1 or H1; others have two
    columns called Output 1, or names that nobody else has. What a column holds is what most of its
    numbers are, calculated from those beside them.
    """
    tables = []
    for table in layout.tables:
        columns = dict(table.columns)
        for node, sources in _SOURCES.items():
            if node in columns and f"out_{node}" not in columns:
                now = replace(table, columns=columns)
                if _holds_activations(read_table(book, layout, now, actual), node, sources):
                    columns = {f"out_{node}" if n == node else n: c for n, c in columns.items()}
        if table.drops:
            tables.append(table)
            continue
        for k in "12":  # y1 may be the target or the output: a target stays
            if f"t{k}" in columns and f"out_o{k}" not in columns:
                numbers = [actual.value(table.at(f"t{k}", e)) for e in range(table.epochs)]
                if 2 * len(set(numbers)) > len(numbers) > 2:
                    columns[f"out_o{k}"] = columns.pop(f"t{k}")
        named = _named_by_numbers(book, layout, replace(table, columns=columns), actual)
        upright = _upright(book, layout, named, actual)
        tables.append(_steps_for_gradients(book, layout, upright, actual))
    return replace(layout, tables=tables)


def _named_by_numbers(book: Book, layout: Layout, table: Table, actual: Calculator) -> Table:
    """The table with names for its nameless columns, and the right one of several of a name."""
    unnamed = {c for c, name in table.hints.items() if name in TABLE_RULES}
    named = {*table.columns.values(), *table.hints}
    for column in range(min(named), max(named) + 1):
        head = book.cells.get(table.cell(table.head, column))
        if column not in named and head is not None and isinstance(head.value, str):
            unnamed.add(column)
    if not unnamed or table.drops or table.epochs < 3 or len(table.weights) < len(WEIGHTS):
        return table
    reading = read_table(book, layout, table, actual)
    columns, numbers = dict(table.columns), _Numbers(reading)
    rivals = {c: n for c, n in table.hints.items() if n in TABLE_RULES and n in columns}
    for column, name in rivals.items():
        now, then = (numbers.share(name, c, columns) for c in (columns[name], column))
        if now < 0.5 < then:
            unnamed = (unnamed - {column}) | {columns[name]}
            columns[name] = column
    for _ in range(3):  # what has found its name may help others
        for name in TABLE_RULES:
            for column in sorted(unnamed) if name not in columns else ():
                if numbers.share(name, column, columns) > 0.8:
                    columns[name] = column
                    unnamed.discard(column)
                    break
    hints = {c: n for c, n in table.hints.items() if c not in columns.values()}
    return replace(table, columns=columns, hints=hints)


_TURNED = {"w2": "w3", "w3": "w2", "w6": "w7", "w7": "w6"}


def _upright(book: Book, layout: Layout, table: Table, actual: Calculator) -> Table:
    """The table with w2 and w3, w6 and w7, in their places: programs that calculate x·W list the
    weights of an input side by side, not those of a node.
    """
    nodes = [n for n in ("h1", "h2", "o1", "o2") if n in table.columns]
    nodes = nodes or [n for n in ("out_h1", "out_h2", "out_o1", "out_o2") if n in table.columns]
    if len(nodes) < 4 or len(table.weights) < 8 or table.epochs < 3 or table.drops or table.shifts:
        return table
    turned = {**_TURNED, **{f"∂E/∂{w}": f"∂E/∂{other}" for w, other in _TURNED.items()}}
    columns = {turned.get(name, name): column for name, column in table.columns.items()}
    numbers = _Numbers(read_table(book, layout, table, actual))

    def fits(names: Mapping[str, int]) -> list[float]:
        return [numbers.share(n, names[n], names) for n in nodes]

    is_turned = max(fits(table.columns)) < 0.5 and min(fits(columns)) > 0.8
    return replace(table, columns=columns) if is_turned else table


def _steps_for_gradients(book: Book, layout: Layout, table: Table, actual: Calculator) -> Table:
    """The table with Δw for what it is: some call the gradient so, some the step that is added."""
    gradients = [name for name in GRADIENTS if name in table.columns]
    if len({*gradients, *table.weights}) < 16 or table.epochs < 3 or table.drops:
        return table
    numbers = _Numbers(read_table(book, layout, table, actual))
    factors = [f for name in gradients if (f := numbers.factor(name)) is not None]
    told = numbers.factor_of_steps()
    plain = [f for f in factors if math.isclose(f, 1, rel_tol=1e-4)]
    turned, scaled = [f for f in factors if f < 0], [f for f in factors if f > 0 and f not in plain]
    fits = {"−η·": len(turned), "−": len(turned) - len(scaled), "η·": len(scaled), "": 0}[told]
    if fits < 2 or len(plain) >= fits:
        return table
    columns = {n: c for n, c in table.columns.items() if n not in gradients}
    hints = {table.columns[n]: f"{told}{n}" for n in gradients}
    return replace(table, columns=columns, hints={**table.hints, **hints})


class _Numbers:
    """The numbers of a table, column by column."""

    def __init__(self, reading: Reading) -> None:
        self.reading, self.table = reading, reading.table
        self.example = {name: getattr(reading.setup, name) for name in EXAMPLE}
        self.taken: dict[int, tuple[Array, Array]] = {}

    def column(self, column: int) -> tuple[Array, Array]:
        """The numbers, NaN where there is none, and how far their digits leave them open."""
        if column not in self.taken:
            book, places = self.reading.book, [self.table.cell(n, column) for n in self.table.lines]
            values = [self.reading.actual.value(at) for at in places]
            numbers = np.array([v if isinstance(v, float) else math.nan for v in values])
            self.taken[column] = numbers, doubt([book.cells.get(at) for at in places])
        return self.taken[column]

    def factor(self, name: str) -> float | None:
        """What a column is that many times of its quantity in most lines, if it is; else None."""
        values, _ = self.column(self.table.columns[name])
        right = self.right(name, self.table.columns)
        if right is None:
            return None
        with np.errstate(all="ignore"):
            ratios = values / right
        ratios = ratios[np.isfinite(ratios)]
        usual = float(np.median(ratios)) if ratios.size > 2 else 0.0
        agree = np.abs(ratios - usual) <= 1e-3 * abs(usual)
        return usual if usual and 5 * agree.sum() > 4 * ratios.size else None

    def factor_of_steps(self) -> str:
        """What the table's gradients were multiplied by, told by how the weights move by them.

        From w to the next w is −η·∂E/∂w: a column may be this very step, or its opposite, or have
        the sign of the step.
        """
        found = []
        for name in GRADIENTS:
            weight, _ = self.column(self.table.columns[name.removeprefix("∂E/∂")])
            with np.errstate(all="ignore"):
                moves = np.diff(weight) / self.column(self.table.columns[name])[0][:-1]
            moves = moves[np.isfinite(moves)]
            usual = float(np.median(moves)) if moves.size else 0.0
            once = math.isclose(abs(usual), 1, rel_tol=1e-3)
            found.append(("−" if usual > 0 else "") + ("η·" if once else ""))
        factor, count = Counter(found).most_common(1)[0]
        return factor if 2 * count > len(GRADIENTS) else ""

    def right(self, name: str, columns: Mapping[str, int]) -> Array | None:
        """What the quantity comes to, given the other columns; None if they are not all there."""
        state = self.state(name, columns)
        rule = expanded(TABLE_RULES[name], frozenset(state))
        if not state.keys() >= set(names_in(rule)):
            return None
        with np.errstate(all="ignore"):
            return np.asarray(worked_out(rule, state), dtype=float)

    def state(self, name: str, columns: Mapping[str, int]) -> State:
        """All but the quantity itself."""
        others = {n: self.column(c)[0] for n, c in columns.items() if n in COLUMNS and n != name}
        return {**others, **self.example}

    def share(self, name: str, column: int, columns: Mapping[str, int]) -> float:
        """How many numbers of the column are what `name` should be, given the other columns."""
        right, state = self.right(name, columns), self.state(name, columns)
        if right is None:
            return 0.0
        rule = expanded(TABLE_RULES[name], frozenset(state))
        values, open_by = self.column(column)
        with np.errstate(all="ignore"):
            for other in names_in(rule):
                if other in columns and other not in self.example:
                    moved = {**state, other: state[other] + self.column(columns[other])[1]}
                    open_by = open_by + np.abs(np.asarray(worked_out(rule, moved)) - right)
            agree = np.abs(values - right) <= 1e-6 * np.abs(right) + 1.1 * open_by
            told = open_by < 0.2 * np.nanmax(np.abs(right), initial=1e-300)
        filled = np.isfinite(values)
        return float((agree & told).sum() / filled.sum()) if filled.sum() > 2 else 0.0


def _settle_lines(book: Book, layout: Layout, actual: Calculator) -> Layout:
    """The layout with the shifts of its tables.

    A row of a student's may hold the weights that its own epoch leads to: then those of an epoch
    stand a line before it, the initial ones above the first. Or the gradients stand a line after.
    """
    tables = []
    inside = {
        t.at(w, k): t.lines for t in layout.tables for w in t.weights for k in range(t.epochs)
    }
    for table in layout.tables:
        for group, shift in ((WEIGHTS, -1), (GRADIENTS, 1), (GRADIENTS, 2)):
            names = [name for name in group if name in table.columns]
            shifts = {**table.shifts, **dict.fromkeys(names, shift)}
            moved = replace(table, shifts=shifts)
            if names and _may_move(moved, names, shift, actual, {n for n, _, _ in layout.said}):
                now, then = (
                    _agreeing(read_table(book, layout, t, actual), group) for t in (table, moved)
                )
                table = moved if then > max(now + 0.1, 0.5) else table
        single = table.drops and table.epochs == 1  # below a weight is another
        after = [] if single else [table.at(name, table.epochs) for name in table.weights]
        free = [at for at in after if inside.get(at) in (None, table.lines)]
        filled = [at for at in free if isinstance(actual.value(at), float)]
        tables.append(replace(table, last_step=2 * len(filled) > len(after)))
    return replace(layout, tables=tables)


def _may_move(
    moved: Table, names: list[str], shift: int, actual: Calculator, told: set[str]
) -> bool:
    """Whether there are numbers above the first line, or told in words, or none in it."""
    if moved.epochs < 2:
        return False
    cells = [moved.at(n, 0) if shift < 0 else moved.at(n, -1) for n in names]
    numbers = [at for at in cells if at.row > 0 and isinstance(actual.value(at), float)]
    if shift < 0 and not numbers and set(names) <= told:
        return True
    return len(numbers) == len(names) if shift < 0 else 2 * len(numbers) < len(names)


def _agreeing(reading: Reading, group: tuple[str, ...]) -> float:
    """The share of numbers that follow from those of the group, or are in it, and agree."""
    table, state, room = reading.table, dict[str, Any](), dict[str, Array]()
    for name in COLUMNS:
        if name in table.columns and name not in EXAMPLE:
            values = [reading.value(name, k) for k in range(table.epochs)]
            state[name] = np.array([v if isinstance(v, float) else math.nan for v in values])
            cells = [reading.at(name, k) for k in range(table.epochs)]
            room[name] = 4 * doubt([reading.book.cells.get(at) if at else None for at in cells])
    state |= {name: getattr(reading.setup, name) for name in EXAMPLE}
    agree = counted = 0
    for name, margin in room.items():
        values, rule = state[name], expanded(TABLE_RULES.get(name, ""), frozenset(state))
        if not rule or not state.keys() >= set(names_in(rule)):
            continue
        if name in group or not set(group).isdisjoint(names_in(rule)):
            right = np.asarray(worked_out(rule, state), dtype=float)
            with np.errstate(invalid="ignore"):
                agree += int((np.abs(values - right) <= 1e-6 * np.abs(right) + margin).sum())
            counted += int(np.isfinite(values + right).sum())
    return agree / counted if counted else 0.0


_SOURCES = {
    "h1": (("w1", "i1"), ("w2", "i2")),
    "h2": (("w3", "i1"), ("w4", "i2")),
    "o1": (("w5", "out_h1"), ("w6", "out_h2")),
    "o2": (("w7", "out_h1"), ("w8", "out_h2")),
}
"""Node -> what its net input adds up: weight times signal."""


def _holds_activations(reading: Reading, node: str, sources: tuple[tuple[str, str], ...]) -> bool:
    """Whether most numbers of the column are σ of the net input rather than the net input."""
    closer = counted = 0
    for k in range(min(reading.table.epochs, 30)):
        numbers = [
            getattr(reading.setup, n) if n in EXAMPLE else reading.value(n, k)
            for pair in sources
            for n in pair
        ]
        value = reading.value(node, k)
        if any(not isinstance(x, float) or not math.isfinite(x) for x in (value, *numbers)):
            continue
        net = numbers[0] * numbers[1] + numbers[2] * numbers[3]
        counted += 1
        closer += abs(value - 1 / (1 + math.exp(-max(net, -700)))) < abs(value - net)
    return 2 * closer > counted
