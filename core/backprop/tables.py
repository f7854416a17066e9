"""Where the table of this exercise stands in a book, whatever its headers are called.

This module knows names and places, not arithmetic: it finds rows (or columns) of headers, says
which quantity of network.py each is, which rows below are epochs, and where η and the initial
values are labelled.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from core.backprop.cells import Book, Calculator, Cell
from core.backprop.formula import Address, Call, FormulaError, Value
from core.backprop.headers import counted_from_one, kind, numbers_in, quantity, rate_in, symbol
from core.backprop.network import COLUMNS, WEIGHTS

EXAMPLE = ("t1", "t2", "i1", "i2")
COMPUTED = tuple(name for name in COLUMNS if name not in (*EXAMPLE, *WEIGHTS))
_LISTED = (*WEIGHTS, *COMPUTED)
FORWARD = tuple(name for name in COMPUTED if not name.startswith("∂"))
_QUANTITIES = (*COLUMNS, "epoch", "η")
MOST_EPOCHS = 1000


@dataclass(frozen=True, eq=False)
class Table:
    """Columns that list epochs.

    columns: quantity -> its column, or its row if the epochs run across. hints: column -> what its
    header seems to mean, for those that are not in `COLUMNS` or that another column already is.
    lines: the rows of the epochs, or
    their columns, in the order of descent: upwards if the newest is on top. head: the row (column)
    of the headers. rate: η, where the header itself says it. across: whether epochs run across.
    shifts: quantity -> how many lines after its epoch's it stands. last_step: whether the weights
    stand there that the last epoch leads to, which have no epoch of their own. stride: how many
    epochs there are from line to line. drops: quantity -> how far below its line it stands, where
    each epoch is a block of its own, in which every number has its label on the left, or above it
    if labels_above.
    """

    sheet: str
    head: int
    columns: Mapping[str, int]
    lines: tuple[int, ...]
    across: bool = False
    rate: float | None = None
    hints: Mapping[int, str] = field(default_factory=dict)
    shifts: Mapping[str, int] = field(default_factory=dict)
    last_step: bool = False
    stride: int = 1
    drops: Mapping[str, int] = field(default_factory=dict)
    labels_above: bool = False

    def at(self, name: str, k: int) -> Address:
        """The cell of a quantity at the k-th epoch, counted from 0; from -1 to `epochs`.

        It may lie beyond the table's lines: one with a shift, or the weights after the last epoch.
        """
        if name not in self._places:
            shift, drop = self.shifts.get(name, 0), self.drops.get(name, 0)
            self._places[name] = [
                self.cell(self._line(n + shift) + drop, self.columns[name])
                for n in range(-1, self.epochs + 1)
            ]
        return self._places[name][k + 1]

    @cached_property
    def _places(self) -> dict[str, list[Address]]:
        return {}

    def _line(self, k: int) -> int:
        last = len(self.lines) - 1
        if 0 <= k <= last:
            return self.lines[k]
        step = self.lines[1] - self.lines[0] if last else 1
        return self.lines[0] + k * step if k < 0 else self.lines[last] + (k - last) * step

    def has(self, name: str, k: int) -> bool:
        """Whether the k-th cell of a quantity is in one of the table's lines."""
        return 0 <= k + self.shifts.get(name, 0) < len(self.lines)

    def heading(self, name: str) -> Address:
        """The cell of its header."""
        if self.drops:
            at, above = self.at(name, 0), self.labels_above
            return at._replace(row=at.row - above, column=at.column - (not above))
        return self.cell(self.head, self.columns[name])

    def cell(self, line: int, column: int) -> Address:
        """The cell in a line of the table, in the sheet's own terms."""
        return Address(self.sheet, *((column, line) if self.across else (line, column)))

    @property
    def epochs(self) -> int:
        return len(self.lines)

    @property
    def weights(self) -> list[str]:
        """The weights that have a column."""
        return [name for name in WEIGHTS if name in self.columns]

    @property
    def steps(self) -> int:
        """How often the weights are listed: once for each epoch, and perhaps after the last."""
        return self.epochs + self.last_step

    @property
    def where(self) -> str:
        """The range it takes, from its headers on: B31:AF81."""
        columns = sorted(self.columns.values())
        first = self.cell(self.head, columns[0] - (bool(self.drops) and not self.labels_above))
        last = self.cell(max(self.lines) + max(self.drops.values(), default=0), columns[-1])
        return f"{first.cell}:{last.cell}"


@dataclass
class Layout:
    """Everything found in a book.

    tables: with headers of several quantities. curves: single columns of E_total under a header
    that names their η. labels: (quantity, cell) of numbers with a label beside or above them.
    said: quantities told in lines of text, each with the cell in which its line begins. unread:
    sentences about rows that look like epochs and belong to no table.
    """

    tables: list[Table]
    curves: list[Table]
    labels: list[tuple[str, Address]]
    said: list[tuple[str, float, Address]]
    unread: list[str]


def find(book: Book) -> Layout:
    """The tables, curves and labels of a book."""
    values = Calculator(book)
    unread: list[str] = []
    tables = [table for sheet in book.sheets for table in _tables(book, values, sheet, unread)]
    inside = {at for table in tables for at in _cells_of(table)}
    labels = [(name, at) for name, at in _labels(book, values) if at not in inside]
    taken = inside | {at for _, at in labels}
    with_table = {table.sheet for table in tables}
    curves = [
        curve
        for sheet in book.sheets
        for curve in _curves(book, values, sheet, alone=sheet not in with_table)
        if taken.isdisjoint(curve.at("E_total", k) for k in range(min(4, curve.epochs)))
    ]
    return Layout(tables, curves, labels, list(_said(book, inside)), unread)


def _cells_of(table: Table) -> Iterator[Address]:
    for name in table.columns:
        yield table.heading(name)
        for k in range(table.epochs):
            yield table.at(name, k)


Ask = Callable[[int, int], Address]


class _Header(NamedTuple):
    """What stands at the head of a column. sure: by its words, not only by a symbol in them."""

    column: int
    name: str
    sure: bool = True


def _tables(book: Book, values: Calculator, sheet: str, unread: list[str]) -> Iterator[Table]:
    blocks = list(_blocks(book, values, sheet))
    if blocks:
        yield from blocks
        return
    for across in (False, True):
        found = _tables_along(book, values, sheet, unread, across=across)
        yield from found
        if found:
            return


def _blocks(book: Book, values: Calculator, sheet: str) -> Iterator[Table]:
    """A table whose epochs are blocks, one below the other: labels, each with its number."""
    for above in (False, True):
        places = _labelled_again(book, values, sheet, above=above)
        steps = Counter(b - a for rows in places.values() for a, b in pairwise(rows))
        if not steps:
            continue
        (step, _), *_ = steps.most_common(1)
        again = {
            key: rows
            for key, rows in places.items()
            if len(rows) > 1 and {b - a for a, b in pairwise(rows)} == {step}
        }
        if step < 3 or not any(name in FORWARD for name, _ in again) or len(again) < 10:
            continue
        top = min(rows[0] for rows in again.values())
        if len({rows[0] for rows in again.values()}) < 3:
            continue  # one line of headers, again for each of several tables
        epochs = Counter(len(rows) for rows in again.values()).most_common(1)[0][0]
        columns = {name: column + (not above) for name, column in again}
        drops = {name: rows[0] - top + above for (name, _), rows in again.items()}
        lines = tuple(range(top, top + step * epochs, step))
        yield Table(sheet, top, columns, lines, drops=drops, labels_above=above)
        return


def _labelled_again(
    book: Book, values: Calculator, sheet: str, *, above: bool
) -> dict[tuple[str, int], list[int]]:
    """Quantity and column -> the rows of labels for it, with a number on the right, or below."""
    places: dict[tuple[str, int], list[int]] = {}
    for at, content in sorted(book.cells.items()):
        text = _text(values, at, content) if at.sheet == sheet else None
        if text is None or rate_in(text) is not None:
            continue
        name, there = (
            quantity(text),
            at._replace(row=at.row + above, column=at.column + (not above)),
        )
        if name in _LISTED and isinstance(_shown(values, there), float):
            places.setdefault((name, at.column), []).append(at.row)
    return places


def _tables_along(
    book: Book, values: Calculator, sheet: str, unread: list[str], *, across: bool
) -> list[Table]:
    """The tables of a sheet whose headers stand side by side; `across`: one below the other."""

    def cell(line: int, column: int) -> Address:
        return Address(sheet, *((column, line) if across else (line, column)))

    rows = _headers(book, values, sheet, cell, across=across)
    used: set[tuple[int, int]] = set()
    found: list[Table] = []
    # Lines that group headers, or tell what the columns' formulas are, name fewer quantities.
    for head, headers in sorted(rows.items(), key=lambda row: -len({h.name for h in row[1]})):
        for segment in _segments(headers):
            free = [h for h in segment if used.isdisjoint((head + k, h.column) for k in range(4))]
            columns, rivals = _claimed(book, cell, head, free)
            lower = _lower(book, cell, head, rows.get(head + 1, ()), {*columns.values()})
            if len(columns) > len(lower):
                columns |= {n: column for n, column in lower.items() if n not in columns}
            computed, known = _telling(columns), [n for n in columns if n not in ("epoch", "η")]
            if len(known) < 5 or not computed:
                continue
            lines, rest = _lines(book, values, cell, head, columns, computed)
            weights_alone = not any(name in COMPUTED for name in columns)
            least = 3 if weights_alone else 1 if len(known) >= 10 else 2
            if len(lines) < least:
                continue
            if rest:
                word = "column" if across else "row"
                unread.append(f"{sheet or 'The file'}: {rest} from {word} {lines[-1] + 1} on.")
            above = _above(book, values, cell, rows, head, lines, {*columns.values(), *rivals})
            columns |= {name: column for name, column in above.items() if name not in columns}
            columns = {
                name: column
                for name, column in columns.items()
                if name != "η" or all(cell(line, column) in book.cells for line in lines)
            }
            columns, shifts = _led_to(columns)
            claimed = {*columns.values(), *rivals}
            used.update((line, c) for line in range(head, lines[-1] + 1) for c in claimed)
            hints = {c: name for name, c in columns.items() if name not in _QUANTITIES} | rivals
            columns = {name: c for name, c in columns.items() if name in _QUANTITIES}
            counters = [c for c, name in rivals.items() if name == "epoch"]
            if _runs_upwards(book, values, cell, lines, columns):
                lines.reverse()
            found += [
                Table(
                    *(sheet, head, columns, tuple(run), across),
                    hints=hints,
                    shifts=shifts,
                    stride=_stride(values, cell, run, columns),
                )
                for run in _runs(values, cell, lines, columns, counters)
            ]
    return sorted(found, key=lambda table: (table.lines[0], min(table.columns.values())))


def _led_to(columns: dict[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """Where only the weights after a line's step are listed, they are the weights, a line before
    their epoch's: the columns, and their shifts.
    """
    if not all(f"{w}′" in columns and w not in columns for w in WEIGHTS):
        return columns, {}
    renamed = {name.removesuffix("′"): column for name, column in columns.items()}
    return renamed, dict.fromkeys(WEIGHTS, -1)


def _stride(values: Calculator, cell: Ask, lines: Sequence[int], columns: Mapping[str, int]) -> int:
    """How many epochs are between lines, if their numbers say so and are the same everywhere."""
    if "epoch" not in columns or len(lines) < 3:
        return 1
    numbers = [_shown(values, cell(line, columns["epoch"])) for line in lines]
    if not all(isinstance(number, float) for number in numbers):
        return 1
    steps = {abs(b - a) for a, b in pairwise(numbers)}
    first = steps.pop()
    return int(first) if not steps and first > 1 and first == int(first) else 1


def _headers(
    book: Book, values: Calculator, sheet: str, cell: Ask, *, across: bool
) -> dict[int, list[_Header]]:
    """Line -> the headers in it. A label beside its number, one below the other, is none."""
    rows: dict[int, list[tuple[int, str]]] = {}
    for at, content in book.cells.items():
        if at.sheet == sheet and (text := _text(values, at, content)) is not None:
            line, column = (at.column, at.row) if across else (at.row, at.column)
            rows.setdefault(line, []).append((column, text))
    found: dict[int, list[_Header]] = {}
    for line, texts in rows.items():
        texts.sort()
        beside = [isinstance(_shown(values, cell(line, column + 1)), float) for column, _ in texts]
        if sum(beside) > 2 and 2 * sum(beside) > len(beside):
            continue  # labels, each with its number
        plain = _told_apart(
            texts, rows.get(line - 1, []), counted_from_one([text for _, text in texts])
        )
        for (column, _), text in zip(texts, plain, strict=True):
            name = quantity(text) if rate_in(text) is None else None
            sure, name = name is not None, name or symbol(text)
            if name is None:
                continue
            under = book.cells.get(cell(line + 1, column))
            listed = under is not None and isinstance(under.value, str) and quantity(under.value)
            if listed and isinstance(_shown(values, cell(line, column + 1)), float):
                continue
            found.setdefault(line, []).append(_Header(column, name, sure))
    return found


def _told_apart(
    texts: Sequence[tuple[int, str]], groups: Sequence[tuple[int, str]], plain: list[str]
) -> list[str]:
    """Headers that say too little, or come several times, with what their groups are called."""
    counts = Counter(quantity(text) for text in plain)
    told = []
    for (column, _), text in zip(texts, plain, strict=True):
        group = max(((c, word) for c, word in groups if c <= column), default=(0, ""))[1]
        name = quantity(text)
        better = f"{kind(group)} {text}" if kind(group) else text
        alone = name is not None and counts[name] == 1
        told.append(better if not alone and quantity(better) else text)
    return told


def _segments(headers: Sequence[_Header]) -> list[list[_Header]]:
    """Several tables may stand side by side: a quantity that comes again begins the next.

    Only where most come again. A second set of gradients or weights alone (Δw, the new w) is no
    table but a helper's columns, and of two columns called h1 one holds the activations.
    """
    counts = Counter(header.name for header in headers)
    again = [name for name, count in counts.items() if count > 1]
    if 2 * len(again) <= len(counts):
        return [list(headers)]
    segments: list[list[_Header]] = [[]]
    for header in headers:
        names = [h.name for h in segments[-1]]
        if header.name in names and any(n in COMPUTED for n in names):
            segments.append([])
        segments[-1].append(header)
    whole = [s for s in segments if any(h.name in FORWARD for h in s)]
    return whole or segments[:1]


def _claimed(
    book: Book, cell: Ask, head: int, headers: Sequence[_Header]
) -> tuple[dict[str, int], dict[int, str]]:
    """Quantity -> its column; and column -> what else its header may mean.

    Where several claim a quantity, the one whose words say it has it; with cells below before one
    without; of weights that with typed ones, the initial; from the left.
    """
    columns: dict[str, int] = {}
    rivals: dict[int, str] = {}

    def rank(header: _Header) -> tuple[bool, bool, bool, int]:
        below = [book.cells.get(cell(head + k, header.column)) for k in (1, 2, 3)]
        first = next(filter(None, below), None)
        calculated = header.name in WEIGHTS and first is not None and first.text is not None
        return (not header.sure, first is None, calculated, header.column)

    for header in sorted(headers, key=rank):
        if header.name in columns:
            rivals[header.column] = header.name
        else:
            columns[header.name] = header.column
    return columns, rivals


def _lower(
    book: Book, cell: Ask, head: int, headers: Iterable[_Header], taken: set[int]
) -> dict[str, int]:
    """Headers a line lower, under a heading that says what they are."""
    found: dict[str, int] = {}
    for header in headers:
        if header.column in taken:
            continue
        places = (book.cells.get(cell(head, c)) for c in range(header.column, 0, -1))
        text = next((c.value for c in places if c and isinstance(c.value, str)), "")
        found[quantity(f"{kind(text)} {header.name}") or header.name] = header.column
    return found


def _above(
    book: Book,
    values: Calculator,
    cell: Ask,
    rows: Mapping[int, list[_Header]],
    head: int,
    lines: Sequence[int],
    taken: set[int],
) -> dict[str, int]:
    """Headers that stand one or two lines higher, over columns of numbers without one."""
    found: dict[str, int] = {}
    for line in (head - 1, head - 2):
        for header in rows.get(line, ()):
            free = header.column not in taken and cell(head, header.column) not in book.cells
            if free and isinstance(_shown(values, cell(lines[0], header.column)), float):
                found.setdefault(header.name, header.column)
    return found


def _runs(
    values: Calculator,
    cell: Ask,
    lines: Sequence[int],
    columns: Mapping[str, int],
    counters: Sequence[int],
) -> list[list[int]]:
    """The lines in parts: a new run begins where epochs are counted anew or η changes."""
    counters = [*([columns["epoch"]] if "epoch" in columns else []), *counters]
    rates = [_shown(values, cell(at, columns["η"])) if "η" in columns else None for at in lines]
    by_rate = not counters and 3 * len(set(rates)) <= len(lines)
    runs = [[lines[0]]]
    for k, (before, line) in enumerate(pairwise(lines), start=1):
        restart = by_rate and rates[k] != rates[k - 1]
        for column in counters if line > before else ():
            a, b = (_shown(values, cell(at, column)) for at in (before, line))
            restart |= isinstance(a, float) and isinstance(b, float) and b < a
        if restart:
            runs.append([])
        runs[-1].append(line)
    return runs


def _telling(columns: Mapping[str, int]) -> list[int]:
    """The columns that tell which lines are epochs.

    Gradients only where there is little else: they may stand a line below their epoch.
    """
    computed = {name: column for name, column in columns.items() if name in COMPUTED}
    forward = [column for name, column in computed.items() if name in FORWARD]
    weights = [columns[name] for name in WEIGHTS if name in columns]
    if len(forward) > 2:
        return forward
    return list(computed.values()) or (weights if len(weights) == len(WEIGHTS) else [])


def _runs_upwards(
    book: Book, values: Calculator, cell: Ask, lines: list[int], columns: Mapping[str, int]
) -> bool:
    """Whether the newest epoch is on top: weights follow from those below, or epochs count down."""
    weights = [columns[name] for name in WEIGHTS if name in columns]
    asked = {-1: 0, 1: 0}
    for line in lines[len(lines) // 2 :][:2]:
        for column in weights:
            at = cell(line, column)
            try:
                found = book.asked(at)
            except FormulaError:
                continue
            for away in asked:
                asked[away] += cell(line + away, column) in found
    if any(asked.values()):
        return asked[1] > asked[-1]
    if "epoch" not in columns or len(lines) < 2:
        return False
    numbers = [_shown(values, cell(line, columns["epoch"])) for line in lines]
    return all(
        isinstance(a, float) and isinstance(b, float) and b < a for a, b in pairwise(numbers)
    )


def _lines(
    book: Book,
    values: Calculator,
    cell: Ask,
    head: int,
    named: Mapping[str, int],
    computed: list[int],
) -> tuple[list[int], str]:
    """The epochs below `head`, and what more looks like epochs and was left out."""
    columns = list(named.values())
    weights_alone = not any(name in COMPUTED for name in named)

    def filled(line: int) -> bool:
        count = 0
        for column in computed:
            at = cell(line, column)
            content = book.cells.get(at)
            if content is not None:
                text = content.text is None and isinstance(content.value, str)
                count += 1 if not text or quantity(str(content.value)) is None else -1
        return (
            2 * count >= len(computed)
            and any(not isinstance(_shown(values, cell(line, c)), str) for c in computed)
            and not _sums_up(book, values, cell, line, named, computed)
        )

    first = next((line for line in range(head + 1, head + 4) if filled(line)), None)
    if first is None:
        return [], ""
    lines = []
    line = first
    while line:
        while filled(line):
            lines.append(line)
            line += 1
            if len(lines) == MOST_EPOCHS and filled(line):
                return lines, f"only the first {MOST_EPOCHS:,} epochs were judged, not those"
        after = next((line + gap for gap in (1, 2, 3) if filled(line + gap)), None)
        gap = range(lines[-1] + 1, after or line)
        if after is None or not _goes_on(book, cell, lines[-1], after, columns):
            break
        if weights_alone and _has_headers(book, cell, gap, columns):
            after = None  # these were initial values, and a table begins
            break
        line = after
    if after is not None and not _has_headers(book, cell, range(lines[-1] + 1, after), columns):
        return lines, "after a gap there is more that was not judged,"
    return lines, ""


_SUMMARIES = {"AVERAGE", "MIN", "MAX", "MEDIAN", "COUNT", "STDEV"}


def _sums_up(
    book: Book,
    values: Calculator,
    cell: Ask,
    line: int,
    named: Mapping[str, int],
    computed: Iterable[int],
) -> bool:
    """Whether a line is no epoch but its averages, or has a word where epochs are counted."""
    if "epoch" in named and isinstance(_shown(values, at := cell(line, named["epoch"])), str):
        word = str(_shown(values, at))
        return not re.search(r"\d", word)
    calls = filled = 0
    for column in computed:
        at = cell(line, column)
        if (content := book.cells.get(at)) and content.text is not None:
            filled += 1
            try:
                tree = book.tree(at)
            except FormulaError:
                continue
            calls += isinstance(tree, Call) and tree.name in _SUMMARIES
    return 2 * calls > filled > 0


def _goes_on(book: Book, cell: Ask, last: int, after: int, columns: list[int]) -> bool:
    """Whether an epoch that stands after a gap follows from the last one before it."""
    before = {cell(last, column) for column in columns}
    formulas = [at for column in columns if book.formula_text(at := cell(after, column))]
    for at in formulas:
        try:
            if not before.isdisjoint(book.asked(at)):
                return True
        except FormulaError:
            continue
    gap = range(last + 1, after)
    return not formulas and not _has_headers(book, cell, gap, columns)


def _has_headers(book: Book, cell: Ask, lines: range, columns: list[int]) -> bool:
    texts = [book.cells.get(cell(line, column)) for line in lines for column in columns]
    return sum(isinstance(c.value, str) and bool(quantity(c.value)) for c in texts if c) > 4


def _curves(book: Book, values: Calculator, sheet: str, *, alone: bool) -> Iterator[Table]:
    """Columns of E_total; where they stand `alone`, their headers need not name an η."""
    for at, content in book.cells.items():
        if at.sheet != sheet:
            continue
        rate = None
        if (text := _text(values, at, content)) is not None:
            rate = rate_in(text)
            if rate is None and not (alone and quantity(text) == "E_total"):
                continue
        elif isinstance(content.value, float) and _is_rate(book, at):
            rate = content.value
        else:
            continue
        lines = []
        line = at.row + 1
        while isinstance(_shown(values, Address(sheet, line, at.column)), float):
            lines.append(line)
            line += 1
            if len(lines) == MOST_EPOCHS:
                break
        linked = any(book.formula_text(Address(sheet, n, at.column)) for n in lines[:3])
        if len(lines) > 2 and not (rate is None and linked):
            yield Table(sheet, at.row, {"E_total": at.column}, tuple(lines), rate=rate)


def _shown(values: Calculator, at: Address) -> Value:
    """What the file shows in a cell; calculated only where it was saved without."""
    cell = values.book.cells.get(at)
    return cell.value if cell and cell.value is not None else values.value(at)


_HEADING = re.compile(r'.*".*|(?:.+!)?\$?[A-Z]{1,3}\$?\d+', re.DOTALL)
"""A formula that may give text: one with text in it, or that repeats a cell."""


def _text(values: Calculator, at: Address, cell: Cell) -> str | None:
    """The text in a cell, if it is one."""
    if cell.value is None and cell.text and _HEADING.fullmatch(cell.text.formula):
        calculated = values.value(at)
        return calculated if isinstance(calculated, str) else None
    return cell.value if isinstance(cell.value, str) else None


def _is_rate(book: Book, at: Address) -> bool:
    """A number heads a curve if its row begins with "epoch" or "η" and lists only numbers."""
    column = at.column
    while column > 1 and at.column - column < 30:
        column -= 1
        content = book.cells.get(Address(at.sheet, at.row, column))
        if content is None or content.text is not None:
            return False
        if isinstance(content.value, str):
            return quantity(content.value) in ("epoch", "η")
    return False


def _labels(book: Book, values: Calculator) -> Iterator[tuple[str, Address]]:
    """The numbers that stand right of a label, or below it."""
    for at, content in book.cells.items():
        if not isinstance(content.value, str) or rate_in(content.value) is not None:
            continue
        name = quantity(content.value) or symbol(content.value)
        if name not in ("η", *EXAMPLE, *WEIGHTS):
            name = "η" if name == "epoch" and len(content.value.strip(" :=")) == 1 else None
        if name is None:
            continue
        right = Address(at.sheet, at.row, at.column + 1)
        below = [Address(at.sheet, at.row + k, at.column) for k in (1, 2, 3)]
        if _is_number(values, right):
            yield name, right
        elif _is_number(values, below[0]) and not all(_is_number(values, b) for b in below):
            yield name, below[0]


def _is_number(values: Calculator, at: Address) -> bool:
    """Whether a number stands there, or text that formulas take for one."""
    shown = _shown(values, at)
    return isinstance(shown, float) or (
        isinstance(shown, str) and re.fullmatch(r"\s*[-+]?\d*[.,]?\d+\s*", shown) is not None
    )


def _said(book: Book, inside: set[Address]) -> Iterator[tuple[str, float, Address]]:
    """What lines of text tell: "x = (0.05, 0.10), lr = 0.5", in one cell or in several."""
    rows: dict[tuple[str, int], list[Address]] = {}
    for at in sorted(book.cells):
        if at not in inside and book.cells[at].text is None:
            rows.setdefault((at.sheet, at.row), []).append(at)
    for places in rows.values():
        cells = [book.cells[at] for at in places[:40]]
        texts = [cell.value if isinstance(cell.value, str) else cell.written for cell in cells]
        if any(isinstance(cell.value, str) for cell in cells):
            for name, value in numbers_in(", ".join(texts)).items():
                yield name, value, places[0]
