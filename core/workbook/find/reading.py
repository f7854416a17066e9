"""One table of a book as a run of gradient descent: its start, its η, and where each number is.

This module knows what the table says. Whether that is right it leaves to judge/.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np

from core.backprop.network import COLUMNS, GRADIENTS, SEED, WEIGHTS, Array, Setup
from core.backprop.rules import in_cells, names_in
from core.workbook.exercise.quantities import EXAMPLE, GRADIENT, HELPERS, rule_from
from core.workbook.file.book import Book, Cell
from core.workbook.file.calculate import Calculator
from core.workbook.find.layout import Layout, Table
from core.workbook.find.words import quantity, rate_in
from core.workbook.formula.functions import Value, number
from core.workbook.formula.tokens import quoted
from core.workbook.formula.tree import Address, letters, references

_MOST_BEHIND = 50
"""Cells behind an update in which η is looked for."""


@dataclass(frozen=True, eq=False)
class Rate:
    """η of a table: its value (one number, or one an epoch), where it stands (None: nowhere), and
    in words where it was found. text: the cell of the text that says it.
    """

    value: float | Array
    at: Address | None
    said: str
    text: Address | None = None

    @property
    def first(self) -> float:
        """As one number: that of the first step."""
        return float(np.ravel(self.value)[0])


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
            self._columns[name] = [self.at(name, k) for k in range(self.table.steps)]
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
            if name not in (*self.table.columns, "η") and name in self.elsewhere:
                places = [*places, *self.elsewhere[name].places(name)[len(places) :]]
            found |= {at: (name, k) for k, at in reversed([*enumerate(places)]) if at}
        return found

    def at(self, name: str, k: int) -> Address | None:
        """The cell of a quantity at epoch k, from 0; None if it has none."""
        if name in self.table.columns:
            at = self.table.at(name, k)
            listed = k < (self.table.steps if name in WEIGHTS else self.table.epochs)
            shown = self.table.has(name, k) or (listed and at in self.book.cells)
            return at if shown else None
        if name == "η":
            return self.rate.at if self.rate else None
        if name in self.elsewhere and k < self.elsewhere[name].epochs:
            return self.elsewhere[name].at(name, k)
        return self.fixed.get(name)

    def lacks(self, name: str) -> str:
        """A weight, input or target that the file does not give and `name` follows from; or ""."""
        names = names_in(rule_from(name, self.table.columns))
        absent = (n for n in names if n in self.missing or n in WEIGHTS)
        return next((n for n in absent if self.at(n, min(1, self.table.epochs - 1)) is None), "")

    def unnamed(self) -> list[str]:
        """The headers between the table's, and its helpers', of columns that nothing judges."""
        table = self.table
        if table.drops:
            return []
        own = [column for name, column in table.columns.items() if name not in ("epoch", "η")]
        steps = (*HELPERS, *GRADIENTS)  # some call η·∂E/∂w as others the gradient
        ends = [*own, *(column for column, hint in table.hints.items() if hint in steps)]
        others = {*range(min(ends), max(ends) + 1)} - {*table.columns.values()}
        filled = [c for c in sorted(others) if table.cell(table.lines[-1], c) in self.book.cells]
        texts = [self.book.text(table.cell(table.head, c)) for c in filled]
        texts = [text for text in texts if rate_in(text) is None and quantity(text) != "epoch"]
        return [" ".join(text.split())[:30] for text in texts if text]

    def heading(self, name: str) -> str:
        """What the file calls it, or its usual name."""
        if name in self.table.columns:
            written = self.book.text(self.table.heading(name))
            if 0 < len(written) <= 14:
                return " ".join(written.split())
        return name

    def rule(self, name: str, k: int) -> str:
        """The right formula of a computed cell, in the cells of this file."""
        known = {n for n in (*COLUMNS, *HELPERS, "η") if n != name and self.at(n, k) is not None}
        text, row = rule_from(name, known), k - (name in WEIGHTS)
        return in_cells(text, {n: self.reference(n, row, k) for n in names_in(text)})

    def reference(self, name: str, row: int, k: int) -> str:
        """How a formula of epoch k names a quantity of epoch `row`."""
        at = self.at(name, row)
        if at is None:
            value = self.rate.first if name == "η" and self.rate else getattr(self.setup, name, 0.0)
            return f"{value!r}".removesuffix(".0")
        if name not in (*self.table.columns, *self.elsewhere, *HELPERS):
            return self.fixed_reference(at)
        return at.cell if at.sheet == self.table.sheet else f"{quoted(at.sheet)}!{at.cell}"

    def labelled_cell(self, name: str) -> Address | None:
        """The labelled cell of an initial value: the last of this sheet, else of another."""
        places = [at for at, label in self.labelled.items() if label == name]
        own = [at for at in places if at.sheet == self.table.sheet]
        return max(own, default=None) or min(places, default=None)

    def start_elsewhere(self, name: str) -> str:
        """The right formula, or number, of an initial weight: its labelled cell, or the number that
        another run below the same headers begins with; empty if there is neither.
        """
        home = self.labelled_cell(name)
        if home is not None:
            return f"={self.fixed_reference(home)}"
        for other in self.siblings:
            cell = self.book.cells.get(other.at(name, 0)) if name in other.columns else None
            if cell and cell.formula is None and cell.written:
                return cell.written
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
        *(book, table, actual, elsewhere, siblings, others, fixed, labelled),
        *(_told(layout, table), SEED, None, []),
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
            found = book.precedents(table.cell(line, column))
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
        value = _number(reading.value(name, 0))
        if name in EXAMPLE and name in reading.table.columns and not carried(reading, name, 1):
            value = usual([reading.value(name, k) for k in range(reading.table.epochs)])
        if value is None and name in EXAMPLE:
            value = _from_formulas(reading, name)
        if value is None:
            value = reading.told.get(name)
        if value is None:
            reading.missing.append(name)
        else:
            numbers[name] = value
    return SEED.moved(numbers)


def _number(value: Value) -> float | None:
    """What arithmetic makes of a value: of text such as "0.5" too, and not of an empty cell."""
    found = math.nan if value is None else float(number(value))
    return found if math.isfinite(found) else None


def carried(reading: Reading, name: str, k: int) -> bool:
    """Whether an input or target of epoch k is that of the row above, or the first, by formula."""
    table = reading.table
    asked = reading.book.precedents(table.at(name, k)) if 0 < k < table.epochs else []
    return asked in ([table.at(name, k - 1)], [table.at(name, 0)])


def usual(values: list[Value]) -> float | None:
    """The number that most of the values are; of several the first."""
    numbers = [n for value in values if (n := _number(value)) is not None]
    return Counter(numbers).most_common(1)[0][0] if numbers else None


def _from_formulas(reading: Reading, name: str) -> float | None:
    """An input or target that stands only inside formulas.

    h = w·i1 + w'·i2 is i1 at w = 1, w' = 0; and ½t² − ½(t − 1)² = t − ½.
    """
    first = float(name[1] == "1")
    target, inputs, points = (
        (f"E{name[1]}", [f"out_o{name[1]}"], [(0.0,), (1.0,)])
        if name[0] == "t"
        else ("h1", ["w1", "w2"], [(first, 1.0 - first)])
    )
    at, known = reading.at(target, 0), [reading.at(cell, 0) for cell in inputs]
    tree = reading.book.readable(at)
    if at is None or tree is None or None in known:
        return None
    given = [dict(zip(known, point, strict=True)) for point in points]
    found = [_number(tree.value(at, Calculator(reading.book, one.get).value)) for one in given]
    match found:
        case [float(at_0), float(at_1)]:
            return round(at_0 - at_1 + 0.5, 12)
        case [float(at_unit)]:
            return round(at_unit, 12)
    return None


def _rate(reading: Reading, layout: Layout) -> Rate | None:
    """η: a column of the table, the cell its updates use, a label, or a number in a text."""
    table = reading.table
    if table.rate is not None:
        head = reading.book.cells.get(table.heading("E_total"), Cell(None)).value
        is_head = table.rate in (head, rate_in(head) if isinstance(head, str) else None)
        where = "the header of its column" if is_head else "the column beside it"
        return Rate(table.rate, None, where)
    if "η" in table.columns:
        cells = [_number(reading.value("η", k)) for k in range(table.epochs)]
        if None not in cells:
            values = np.array(cells, dtype=float)
            same = float(values[0]) if (values == values[0]).all() else values
            return Rate(same, table.at("η", 0), "its column")
    if used := _used_rate(reading, layout):
        return used
    at, homes = _nearest("η", layout, table), {at for label, at in layout.labels if label == "η"}
    if at is not None and at.sheet == table.sheet:
        return _rate_at(at, reading)
    if told := rate_in_texts(reading):
        return told
    return _rate_at(at, reading) if at and len(homes) == 1 and table.epochs > 1 else None


def _rate_at(at: Address, reading: Reading) -> Rate:
    """η as a cell has it; NaN if there is no number."""
    where = at.cell if at.sheet == reading.table.sheet else f"{at.sheet}!{at.cell}"
    return Rate(float(number(reading.actual.value(at))), at, where)


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
    cells: Counter[Address] = Counter()
    numbers: Counter[float] = Counter()
    for weight in WEIGHTS:
        at, above = reading.at(weight, first), reading.at(weight, first - 1)
        gradient, tree = reading.at(GRADIENT[weight], first - 1), reading.book.readable(at)
        if at is None or tree is None:
            continue
        behind = _leading_to(reading.book, at, inside)
        cells.update(a for a in behind if a not in inside and _may_hold_rate(reading, a))
        if above and gradient and inside.issuperset(references(tree, at)):
            given = {above: 0.0, gradient: -1.0}
            typed = _number(tree.value(at, Calculator(reading.book, given.get).value))
            numbers.update([abs(typed)] if typed else [])
    if cells:
        used = min(cells, key=lambda at: (reading.labelled.get(at) != "η", -cells[at]))
        return _rate_at(_own_rate(used, layout, table), reading)
    if numbers:
        return Rate(numbers.most_common(1)[0][0], None, "its formulas")
    return None


def _leading_to(book: Book, at: Address, inside: set[Address]) -> Iterator[Address]:
    """The cells a formula asks for, and those behind columns on the way to it: Δw, the new w."""

    def leads_on(asked: Address) -> bool:
        near = abs(asked.row - at.row) <= 1 or abs(asked.column - at.column) <= 1
        return near and asked not in inside and asked.sheet == at.sheet

    return islice(book.trail(book.precedents(at), leads_on), _MOST_BEHIND)


def _may_hold_rate(reading: Reading, at: Address) -> bool:
    """Whether a cell has a number that is called η, or one that was typed and is called nothing."""
    cell, label = reading.book.cells.get(at), reading.labelled.get(at)
    if cell is None or _number(reading.actual.value(at)) is None:
        return False
    return label == "η" or (label is None and cell.formula is None)


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


def rate_in_texts(reading: Reading) -> Rate | None:
    """A text such as "lr = 0.5" in a cell above the table, or as the name of the sheet."""
    book, table = reading.book, reading.table
    texts = [
        (table.head - at.row, at, rate)
        for at in book.cells
        if at.sheet == table.sheet and at.row < table.head
        if (rate := rate_in(book.text(at))) is not None
    ]
    if texts:
        _, at, rate = min(texts)
        return Rate(rate, None, at.cell, at)
    if "η" in reading.told:
        return Rate(reading.told["η"], None, "a line of text")
    rate = rate_in(table.sheet)
    return None if rate is None else Rate(rate, None, "the name of the sheet")
