"""One table of a book as a run of gradient descent: its start, its η, and where each number is.

This module knows what the table says. Whether that is right it leaves to judge/.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.backprop.network import (
    COLUMNS,
    GRADIENTS,
    SEED,
    WEIGHTS,
    Array,
    Setup,
)
from core.backprop.rules import TABLE_STEPS, in_cells, names_in
from core.workbook.exercise.quantities import EXAMPLE, GRADIENT, HELPERS, RULES, expanded
from core.workbook.file.book import Book
from core.workbook.file.calculate import Calculator
from core.workbook.find.layout import Layout, Table
from core.workbook.find.words import quantity, rate_in
from core.workbook.formula.functions import Value, number
from core.workbook.formula.tokens import quoted
from core.workbook.formula.tree import Address, FormulaError, Node, letters, references


@dataclass(frozen=True, eq=False)
class Rate:
    """η of a table: its value (one number, or one an epoch), where it stands (None: nowhere), and
    in words where it was found. text: the cell of the text that says it.
    """

    value: float | Array
    at: Address | None
    said: str
    text: Address | None = None


@dataclass(eq=False)
class Reading:
    """A table with all that can be read from it.

    elsewhere: quantity -> another table that holds it, which this one refers to. siblings: the
    other tables below the same headers. others: the tables elsewhere. fixed: quantity -> its
    labelled cell, for inputs, targets and η that have no column. told: what lines of text say.
    setup: the start. missing: what was taken from the published start because the file does not say
    it.
    """

    book: Book
    table: Table
    actual: Calculator
    elsewhere: dict[str, Table]
    siblings: list[Table]
    others: list[Table]
    fixed: dict[str, Address]
    labelled: dict[Address, str]
    told: dict[str, float]
    setup: Setup
    rate: Rate | None
    missing: list[str]

    @cached_property
    def _columns(self) -> dict[str, list[Address | None]]:
        return {}

    def column(self, name: str) -> list[Address | None]:
        """The cell of a quantity at each epoch, and of a weight after the last if it is listed."""
        if name not in self._columns:
            table, steps = self.table, self.table.steps
            if name in table.columns and name not in table.shifts:
                places: list[Address | None] = [*table.places(name)]
                places += [self.at(name, k) for k in range(table.epochs, steps)]
            elif (there := self._there(name)) is not None:
                places = [*there.places(name)[:steps]]
                places += [self.at(name, k) for k in range(len(places), steps)]
            elif name in table.columns:
                places = [self.at(name, k) for k in range(steps)]
            else:
                places = [self.at(name, 0)] * steps  # one cell for all epochs, or none
            self._columns[name] = places
        return self._columns[name]

    @cached_property
    def known(self) -> dict[Address, tuple[str, int]]:
        """Every cell of the table, and of those it refers to: its quantity and epoch, from 0.

        Of a cell that stands for several, the first.
        """
        found: dict[Address, tuple[str, int]] = {
            at: (name, 0)
            for at, name in self.labelled.items()
            if name in EXAMPLE and self.actual.value(at) == getattr(self.setup, name)
        }
        for name in reversed((*COLUMNS, *HELPERS, "η")):
            places = self.column(name)
            if places[0] is None and not any(places):
                continue
            if (there := self._there(name)) is not None:
                places = [*places, *there.places(name)[len(places) :]]
            cells = [(at, (name, k)) for k, at in enumerate(places) if at is not None]
            found.update(reversed(cells))
        return found

    def _there(self, name: str) -> Table | None:
        """The other table that holds a quantity, where this one does not."""
        return None if name in (*self.table.columns, "η") else self.elsewhere.get(name)

    def at(self, name: str, k: int) -> Address | None:
        """The cell of a quantity at epoch k, from 0; None if it has none."""
        if name in self.table.columns:
            if k < self.table.epochs and name not in self.table.shifts:
                return self.table.at(name, k)
            if k > self.table.epochs:
                return None
            at = self.table.at(name, k)
            beyond = k < (self.table.steps if name in WEIGHTS else self.table.epochs)
            return at if self.table.has(name, k) or (beyond and at in self.book.cells) else None
        if name == "η":
            return self.rate.at if self.rate else None
        if name in self.elsewhere and k < self.elsewhere[name].epochs:
            return self.elsewhere[name].at(name, k)
        return self.fixed.get(name)

    def lacks(self, name: str) -> str:
        """A weight, input or target that the file does not give and `name` follows from; or ""."""
        rule = expanded(TABLE_STEPS.get(name) or RULES.get(name, ""), frozenset(self.table.columns))
        absent = (n for n in names_in(rule) if n in self.missing or n in WEIGHTS)
        return next((n for n in absent if self.at(n, min(1, self.table.epochs - 1)) is None), "")

    def unnamed(self) -> list[str]:
        """The headers between the table's, and its helpers', of columns that nothing judges."""
        table = self.table
        if table.drops:
            return []
        known = {*table.columns.values()}
        own = [column for name, column in table.columns.items() if name not in ("epoch", "η")]
        steps = (*HELPERS, *GRADIENTS)  # some call η·∂E/∂w as others the gradient
        ends = [*own, *(column for column, hint in table.hints.items() if hint in steps)]
        between = range(min(ends), max(ends) + 1)
        others = [c for c in between if c not in known]
        filled = [c for c in others if table.cell(table.lines[-1], c) in self.book.cells]
        cells = [self.book.cells.get(table.cell(table.head, c)) for c in filled]
        texts = [cell.value for cell in cells if cell and isinstance(cell.value, str)]
        texts = [text for text in texts if rate_in(text) is None and quantity(text) != "epoch"]
        return [" ".join(text.split())[:30] for text in texts]

    def heading(self, name: str) -> str:
        """What the file calls it, or its usual name."""
        if name in self.table.columns:
            written = self.book.cells.get(self.table.heading(name))
            if written and isinstance(written.value, str) and len(written.value) <= 14:
                return " ".join(written.value.split())
        return name

    def rule(self, name: str, k: int) -> str:
        """The right formula of a computed cell, in the cells of this file."""
        step = name in WEIGHTS
        names = (*COLUMNS, *HELPERS, "η")
        known = frozenset(n for n in names if n != name and self.at(n, k) is not None)
        text = expanded(TABLE_STEPS[name] if step else RULES[name], known)
        row = k - 1 if step else k
        return in_cells(text, {n: self.reference(n, row, k) for n in names_in(text)})

    def reference(self, name: str, row: int, k: int) -> str:
        """How a formula of epoch k names a quantity of epoch `row`."""
        at = self.at(name, row)
        if at is None:
            value = self.rate.value if name == "η" and self.rate else getattr(self.setup, name, 0.0)
            return f"{float(np.ravel(value)[0])!r}".removesuffix(".0")
        if name not in (*self.table.columns, *self.elsewhere, *HELPERS):
            return self.fixed_reference(at)
        return at.cell if at.sheet == self.table.sheet else f"{quoted(at.sheet)}!{at.cell}"

    def labelled_cell(self, name: str) -> Address | None:
        """The labelled cell of an initial value: the last of this sheet, else of another."""
        places = [at for at, label in self.labelled.items() if label == name]
        own = [at for at in places if at.sheet == self.table.sheet]
        return max(own, default=None) or min(places, default=None)

    def start_elsewhere(self, name: str) -> str:
        """The right formula, or number, of an initial weight: its labelled cell, or what another
        run below the same headers begins with; empty if there is neither.
        """
        home = self.labelled_cell(name)
        if home is not None:
            return f"={self.fixed_reference(home)}"
        tables = [other for other in self.siblings if name in other.columns]
        inside = {t.at(w, k) for t in tables for w in t.weights for k in (0, t.epochs - 1)}
        for other in tables:
            at = other.at(name, 0)
            cell = self.book.cells.get(at)
            if cell is None:
                continue
            try:
                asked = self.book.asked(at)
            except FormulaError:
                continue
            if cell.formula is None and isinstance(cell.value, float) and cell.written:
                return cell.written
            if cell.formula is not None and asked and inside.isdisjoint(asked):
                return f"={self.book.formula_text(at)}"
        return ""

    def fixed_reference(self, at: Address) -> str:
        """How a formula of this table names a cell outside it."""
        cell = f"${letters(at.column)}${at.row}"
        return cell if at.sheet == self.table.sheet else f"{quoted(at.sheet)}!{cell}"

    def value(self, name: str, k: int) -> Value:
        """What the cell comes to as the file stands; None if there is none."""
        at = self.at(name, k)
        return None if at is None else self.actual.value(at)


def read_table(layout: Layout, table: Table, actual: Calculator) -> Reading:
    """Where a table starts, and with which η."""
    book = actual.book
    elsewhere = _elsewhere(book, layout, table)
    labelled = {at: name for name, at in layout.labels}
    told = _told(layout, table)
    fixed = {
        name: at
        for name in EXAMPLE
        if name not in table.columns
        and name not in elsewhere
        and (at := _nearest(name, layout, table)) is not None
    }
    siblings = [
        other
        for other in layout.tables
        if (other.sheet, other.head) == (table.sheet, table.head) and other.lines != table.lines
    ]
    others = [other for other in layout.tables if other is not table and other not in siblings]
    reading = Reading(
        book, table, actual, elsewhere, siblings, others, fixed, labelled, told, SEED, None, []
    )
    reading.setup = _start(reading)
    reading.rate = _rate(reading, layout)
    return reading


def _elsewhere(book: Book, layout: Layout, table: Table) -> dict[str, Table]:
    """The quantities that this table's formulas take from another table, epoch by epoch."""
    asked: Counter[Table] = Counter()
    homes = {
        other.at(name, k): other
        for other in layout.tables
        if other is not table
        for name in other.columns
        for k in range(min(2, other.epochs))
    }
    columns = (*table.columns.values(), *table.hints)
    for line in table.lines[:2]:
        for column in range(min(columns), max(columns) + 1):
            try:
                found = book.asked(table.cell(line, column))
            except FormulaError:
                continue
            asked.update(homes[at] for at in found if at in homes)
    if not any(book.formula_text(table.cell(line, c)) for line in table.lines[:2] for c in columns):
        # Numbers that were written to several sheets, each with all epochs.
        lists = [t for t in layout.tables if t.sheet != table.sheet and t.lines == table.lines]
        asked.update(lists if "epoch" in table.columns else [])
    places: dict[str, Table] = {}
    for other, _ in asked.most_common():
        for name in other.columns:
            if name not in table.columns:
                places.setdefault(name, other)
    return places


def _nearest(name: str, layout: Layout, table: Table) -> Address | None:
    """The labelled cell of a quantity that is nearest above the table, else nearest at all."""

    def distance(at: Address) -> tuple[bool, bool, int]:
        first = table.cell(table.head, min(table.columns.values()))
        away = first.row - at.row
        return at.sheet != table.sheet, away < 0, abs(away) * 4 + abs(first.column - at.column)

    cells = [at for label, at in layout.labels if label == name]
    if table.rate is not None:
        cells = [at for at in cells if at.sheet != table.sheet]
    return min(cells, key=distance, default=None)


def _told(layout: Layout, table: Table) -> dict[str, float]:
    """What lines of text say: of several on the table's sheet the last above it, else any."""

    def rank(at: Address) -> tuple[bool, bool, int]:
        line = at.column if table.across else at.row
        return at.sheet != table.sheet, line > min(table.lines), -line

    told: dict[str, float] = {}
    for name, value, _ in sorted(layout.said, key=lambda one: rank(one[2])):
        told.setdefault(name, value)
    return told


def _start(reading: Reading) -> Setup:
    """Inputs, targets and weights of the first epoch."""
    numbers = {}
    for name in (*EXAMPLE, *WEIGHTS):
        value = reading.value(name, 0)
        if name in EXAMPLE and name in reading.table.columns and not carried(reading, name, 1):
            value = usual([reading.value(name, k) for k in range(reading.table.epochs)])
        if isinstance(value, str):
            value = float(number(value))  # text that formulas take for a number
        if not isinstance(value, float) or not math.isfinite(value):
            value = _from_formulas(reading, name) if name in EXAMPLE else None
        if value is None:
            value = reading.told.get(name)
        if value is None:
            value = getattr(SEED, name)
            reading.missing.append(name)
        numbers[name] = value
    return Setup(**numbers)


def carried(reading: Reading, name: str, k: int) -> bool:
    """Whether an input or target of epoch k is that of the row above, or the first, by formula."""
    if k == 0 or k >= reading.table.epochs:
        return False
    try:
        asked = reading.book.asked(reading.table.at(name, k))
    except FormulaError:
        return False
    return len(asked) == 1 and asked[0] in (
        reading.table.at(name, k - 1),
        reading.table.at(name, 0),
    )


def usual(values: list[Value]) -> float | None:
    """The number that most of the values are; of several the first."""
    numbers = [v for v in values if isinstance(v, float) and math.isfinite(v)]
    return Counter(numbers).most_common(1)[0][0] if numbers else None


def _from_formulas(reading: Reading, name: str) -> float | None:
    """An input or target that stands only inside formulas.

    h = w·i1 + w'·i2 is i1 at w = 1, w' = 0; and ½t² − ½(t − 1)² = t − ½.
    """
    k = name[1]
    target, cells = (f"E{k}", (f"out_o{k}",)) if name[0] == "t" else ("h1", ("w1", "w2"))
    at = reading.at(target, 0)
    known = [reading.at(cell, 0) for cell in cells]
    try:
        tree = reading.book.tree(at) if at else None
    except FormulaError:
        return None
    if at is None or tree is None or None in known:
        return None

    def result(*values: float) -> Value:
        given = dict(zip(known, values, strict=True))
        return tree.value(at, Calculator(reading.book, given.get).value)

    if name[0] == "t":
        at_0, at_1 = result(0.0), result(1.0)
        if not isinstance(at_0, float) or not isinstance(at_1, float):
            return None
        found = at_0 - at_1 + 0.5
    else:
        found = result(*_unit(k))
    return round(found, 12) if isinstance(found, float) and math.isfinite(found) else None


def _unit(k: str) -> tuple[float, float]:
    return (1.0, 0.0) if k == "1" else (0.0, 1.0)


def _rate(reading: Reading, layout: Layout) -> Rate | None:
    """η: a column of the table, the cell its updates use, a label, or a number in a text."""
    table, sheet = reading.table, reading.table.sheet
    if table.rate is not None:
        head = getattr(reading.book.cells.get(table.heading("E_total")), "value", None)
        is_head = table.rate in (head, rate_in(head) if isinstance(head, str) else None)
        where = "the header of its column" if is_head else "the column beside it"
        return Rate(table.rate, None, where)
    if "η" in table.columns:
        cells = [reading.value("η", k) for k in range(table.epochs)]
        numbers = [v if isinstance(v, float) and math.isfinite(v) else None for v in cells]
        if None not in numbers:
            values = np.array(numbers, dtype=float)
            same = float(values[0]) if (values == values[0]).all() else values
            return Rate(same, table.at("η", 0), "its column")
    used = _used_rate(reading, layout)
    if used is not None:
        return used
    at = _nearest("η", layout, table)
    if at is not None and at.sheet == sheet:
        return Rate(reading.actual.value(at), at, at.cell)
    told = rate_in_texts(reading)
    homes = {at for label, at in layout.labels if label == "η"}
    if told is None and len(homes) == 1 and table.epochs > 1:
        (home,) = homes
        value = reading.actual.value(home)
        if isinstance(value, float) and math.isfinite(value):
            return Rate(value, home, f"{home.sheet}!{home.cell}")
    return told


def _used_rate(reading: Reading, layout: Layout) -> Rate | None:
    """The cell, or the number, that the first update of most weights multiplies by."""
    table = reading.table
    first = next((k for k in range(1, table.steps) if _has_steps(reading, k)), None)
    if first is None:
        return None
    inside = {
        other.at(name, k)
        for other in layout.tables
        for name in other.columns
        for k in {0, 1, first - 1, first}
        if k < other.epochs
    }
    labels = reading.labelled
    cells: Counter[Address] = Counter()
    numbers: Counter[float] = Counter()
    for weight in WEIGHTS:
        at, above = reading.at(weight, first), reading.at(weight, first - 1)
        gradient = reading.at(GRADIENT[weight], first - 1)
        try:
            tree = reading.book.tree(at) if at else None
            if at is None or tree is None:
                continue
            for asked in _leading_to(reading.book, at, inside):
                if asked not in inside and _is_number(reading.actual.value(asked)):
                    content = reading.book.cells.get(asked)
                    label = reading.labelled.get(asked, "η" if content else "")
                    if content and label == "η" and (content.formula is None or asked in labels):
                        cells[asked] += 1
            if above and gradient and not references_outside(tree, at, inside):
                given = {above: 0.0, gradient: -1.0}
                typed = tree.value(at, Calculator(reading.book, given.get).value)
                if isinstance(typed, float) and math.isfinite(typed) and typed:
                    numbers[abs(typed)] += 1
        except FormulaError:
            continue
    ranked = sorted(
        cells.items(), key=lambda item: (reading.labelled.get(item[0]) != "η", -item[1])
    )
    if ranked:
        at = _own_rate(ranked[0][0], layout, table)
        where = at.cell if at.sheet == table.sheet else f"{at.sheet}!{at.cell}"
        return Rate(float(number(reading.actual.value(at))), at, where)
    if numbers:
        return Rate(numbers.most_common(1)[0][0], None, "its formulas")
    return None


def _leading_to(book: Book, at: Address, inside: set[Address]) -> list[Address]:
    """The cells a formula asks for, and those behind columns on the way to it: Δw, the new w."""
    found: dict[Address, None] = {}
    todo = list(book.asked(at))
    while todo and len(found) < 50:
        asked = todo.pop(0)
        if asked in found:
            continue
        found[asked] = None
        near = abs(asked.row - at.row) <= 1 or abs(asked.column - at.column) <= 1
        if asked not in inside and near and asked.sheet == at.sheet:
            todo += book.asked(asked)
    return list(found)


def _is_number(value: Value) -> bool:
    """Whether arithmetic makes a number of it: text such as "0.5" is one, an empty cell is not."""
    return value is not None and bool(np.isfinite(number(value)))


def _has_steps(reading: Reading, k: int) -> bool:
    """Whether most weights of epoch k have formulas."""
    cells = [reading.book.cells.get(at) for w in WEIGHTS if (at := reading.at(w, k))]
    return 2 * sum(bool(cell and cell.formula) for cell in cells) > len(cells)


def _own_rate(used: Address, layout: Layout, table: Table) -> Address:
    """The cell of η that is the table's own, where the one it uses is that of another table."""
    own = _nearest("η", layout, table)
    if own is None or own == used or own.sheet != table.sheet:
        return used
    others = {_nearest("η", layout, other) for other in layout.tables if other is not table}
    return own if used in others and own not in others else used


def references_outside(tree: Node, at: Address, inside: set[Address]) -> list[Address]:
    """The cells a formula asks for that are not among `inside`."""
    return [asked for asked in references(tree, at) if asked not in inside]


def rate_in_texts(reading: Reading) -> Rate | None:
    """A text such as "lr = 0.5" in a cell above the table, or as the name of the sheet."""
    book, table = reading.book, reading.table
    texts = [
        (table.head - at.row, at, rate)
        for at, cell in book.cells.items()
        if at.sheet == table.sheet
        and at.row < table.head
        and isinstance(cell.value, str)
        and (rate := rate_in(cell.value)) is not None
    ]
    if texts:
        _, at, rate = min(texts)
        return Rate(rate, None, at.cell, at)
    if "η" in reading.told:
        return Rate(reading.told["η"], None, "a line of text")
    rate_of_sheet = rate_in(table.sheet)
    if rate_of_sheet is not None:
        return Rate(rate_of_sheet, None, "the name of the sheet")
    return None
