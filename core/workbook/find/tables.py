"""Where the table of this exercise stands in a book, whatever its headers are called.

This module knows names and places, not arithmetic: it finds rows (or columns) of headers, says
which quantity of network.py each is, which rows below are epochs, and where η and the initial
values are labelled.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from typing import NamedTuple

from core.backprop.network import COLUMNS, WEIGHTS
from core.workbook.exercise.quantities import COMPUTED, EXAMPLE, FORWARD, NEXT
from core.workbook.file.book import Book, Cell
from core.workbook.file.calculate import Calculator
from core.workbook.find.blocks import blocks_in, one_block
from core.workbook.find.labels import curves_in, labels_in, ninth_weight, said_in
from core.workbook.find.layout import (
    HEADERS,
    MOST_EPOCHS,
    Layout,
    Shown,
    Table,
    is_less,
    runs_of,
    skipping,
)
from core.workbook.find.matrices import matrices_in
from core.workbook.find.words import counted_from_one, kind, quantity, rate_in, symbol
from core.workbook.formula.functions import Value
from core.workbook.formula.tree import Address, Call

_QUANTITIES = (*COLUMNS, "epoch", "η")


def find(actual: Calculator) -> Layout:
    """The tables, curves and labels of a book."""
    book = actual.book
    shown = Shown(Calculator(book, given=actual.given))  # its loops are none of the tables'
    unread: list[str] = []
    labels: list[tuple[str, Address]] = []
    tables = [t for sheet in book.sheets for t in _tables(shown, sheet, labels, unread)]
    inside = {at for table in tables for at in _cells_of(table)}
    labels += [(name, at) for name, at in labels_in(shown) if at not in inside]
    taken = inside | {at for _, at in labels}
    with_table = {table.sheet for table in tables}
    firsts = [shown.value(t.at("epoch", 0)) for t in tables if "epoch" in t.columns]
    curves = [
        curve
        for sheet in book.sheets
        for curve in curves_in(
            shown, sheet, alone=sheet not in with_table, first=min(0.0 not in firsts, 1)
        )
        if taken.isdisjoint(curve.at("E_total", k) for k in range(min(4, curve.epochs)))
    ]
    return Layout(tables, curves, labels, list(said_in(book, inside)), unread)


def _cells_of(table: Table) -> Iterator[Address]:
    for name in table.columns:
        yield table.heading(name)
        yield from table.places(name)


@dataclass(frozen=True)
class _Grid:
    """A sheet as lines and columns: its rows are the columns where its epochs run `across`."""

    shown: Shown
    sheet: str
    across: bool

    @property
    def book(self) -> Book:
        return self.shown.book

    def at(self, line: int, column: int) -> Address:
        return Address(self.sheet, *((column, line) if self.across else (line, column)))

    def cell(self, line: int, column: int) -> Cell | None:
        return self.book.cells.get(self.at(line, column))

    def value(self, line: int, column: int) -> Value:
        return self.shown.value(self.at(line, column))

    def is_number(self, line: int, column: int) -> bool:
        return self.shown.is_number(self.at(line, column))

    def meant(self, line: int, column: int) -> str | None:
        """The quantity that a text in a cell means."""
        return quantity(self.book.text(self.at(line, column)))

    def values(self, lines: Sequence[int], column: int) -> list[Value]:
        return [self.value(line, column) for line in lines]


class _Header(NamedTuple):
    """What stands at the head of a column. sure: by its words, not only by a symbol in them."""

    column: int
    name: str
    sure: bool = True


def _tables(
    shown: Shown, sheet: str, labels: list[tuple[str, Address]], unread: list[str]
) -> list[Table]:
    if blocks := blocks_in(shown, sheet):
        return [blocks]
    matrices, found_labels = matrices_in(shown, sheet)
    if matrices:
        labels += found_labels
        return [matrices]
    down, across = _Grid(shown, sheet, across=False), _Grid(shown, sheet, across=True)
    if alone := one_block(shown, sheet):
        inside = set(_cells_of(alone))
        below = _tables_along(down, unread)
        return [alone, *(t for t in below if t.epochs > 2 and inside.isdisjoint(_cells_of(t)))]
    return _tables_along(down, unread) or _tables_along(across, unread)


def _tables_along(grid: _Grid, unread: list[str]) -> list[Table]:
    """The tables of a sheet whose headers stand in one of its lines."""
    rows = _headers(grid)
    used: set[tuple[int, int]] = set()
    found: list[Table] = []
    # Lines that group headers, or tell what the columns' formulas are, name fewer quantities.
    for head, headers in sorted(rows.items(), key=lambda row: -len({h.name for h in row[1]})):
        for segment in _segments(headers):
            free = [h for h in segment if used.isdisjoint((head + k, h.column) for k in range(4))]
            columns, rivals = _claimed(grid, head, free)
            lower = _lower(grid, head, rows.get(head + 1, ()), {*columns.values()})
            if len(columns) > len(lower):
                columns = lower | columns
            lines = _numbered(grid, head, columns, unread)
            if not lines:
                continue
            above = _above(grid, rows, head, lines[0], {*columns.values(), *rivals})
            columns, shifts = _led_to(_with_numbers(grid, lines, above | columns))
            claimed = {*columns.values(), *rivals}
            used.update((line, c) for line in range(head, lines[-1] + 1) for c in claimed)
            hints = {c: name for name, c in columns.items() if name not in _QUANTITIES} | rivals
            columns = {name: c for name, c in columns.items() if name in _QUANTITIES}
            upwards = _runs_upwards(grid, lines, columns)
            if upwards:
                lines.reverse()
            found += [
                Table(
                    *(grid.sheet, head, columns, tuple(run), grid.across, None, hints, shifts),
                    listed=_listed(grid, run, columns),
                    upwards=upwards,
                )
                for run in _runs(grid, lines, columns, rivals)
            ]
    return sorted(found, key=lambda table: (table.lines[0], min(table.columns.values())))


def _numbered(grid: _Grid, head: int, columns: dict[str, int], unread: list[str]) -> list[int]:
    """The lines of numbers below headers; none if these, or so few lines, make no table."""
    computed, known = _telling(columns), columns.keys() - {"epoch", "η"}
    if len(known) < 5 or not computed:
        return []
    where = grid.sheet or "The file"
    if further := ninth_weight(grid.book, (grid.at(head, k) for k in range(1, 60))):
        unread.append(
            f"{where}: {further} stands beside w1 to w8. A network of more "
            "than eight weights is not this exercise, and was not judged."
        )
        return []
    lines, rest = _lines(grid, head, columns, computed)
    weights_alone = columns.keys().isdisjoint(COMPUTED)
    least = 1 if len(known) >= 10 and not weights_alone else 2 + (weights_alone or grid.across)
    if len(lines) < least:
        return []
    if rest:
        unread.append(f"{where}: {rest} from {('row', 'column')[grid.across]} {lines[-1] + 1} on.")
    return lines


def _with_numbers(grid: _Grid, lines: list[int], columns: dict[str, int]) -> dict[str, int]:
    """Without the columns of inputs that hold labels, each with its number, and of a rate that is
    not in every line.
    """
    return {
        name: column
        for name, column in columns.items()
        if not (name in EXAMPLE and any(grid.meant(line, column) for line in lines))
        and (name != "η" or all(grid.cell(line, column) for line in lines))
    }


def _led_to(columns: dict[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """Where only the weights after a line's step are listed, they are the weights, a line before
    their epoch's: the columns, and their shifts.
    """
    if not all(NEXT[w] in columns and w not in columns for w in WEIGHTS):
        return columns, {}
    weights = {name: weight for weight, name in NEXT.items()}
    renamed = {weights.get(name, name): column for name, column in columns.items()}
    return renamed, dict.fromkeys(WEIGHTS, -1)


def _listed(grid: _Grid, lines: Sequence[int], columns: Mapping[str, int]) -> tuple[int, ...]:
    """The epoch of each line, from 0, if their numbers say that some are left out; else nothing.

    In a table of formulas only where as many are left out everywhere: one number may be mistyped.
    """
    if "epoch" not in columns:
        return ()
    listed = skipping(grid.values(lines, columns["epoch"]))
    formulas = any(grid.book.formula_text(grid.at(lines[-1], c)) for c in columns.values())
    if formulas and len({b - a for a, b in pairwise(listed)}) != 1:
        return ()
    return tuple(epoch - listed[0] for epoch in listed)


def _headers(grid: _Grid) -> dict[int, list[_Header]]:
    """Line -> the headers in it. A label beside its number, one below the other, is none."""
    rows: dict[int, list[tuple[int, str]]] = {}
    for at, text in grid.shown.texts(grid.sheet):
        line, column = (at.column, at.row) if grid.across else (at.row, at.column)
        rows.setdefault(line, []).append((column, text))
    found: dict[int, list[_Header]] = {}
    for line, texts in rows.items():
        texts.sort()
        beside = sum(grid.is_number(line, column + 1) for column, _ in texts)
        if beside > 2 and 2 * beside > len(texts):
            continue  # labels, each with its number
        for column, text in _told_apart(texts, rows.get(line - 1, [])):
            name = quantity(text) if rate_in(text) is None else None
            sure, name = name is not None, name or symbol(text)
            label = grid.is_number(line, column + 1) and grid.meant(line + 1, column)
            if name is not None and not label:
                found.setdefault(line, []).append(_Header(column, name, sure))
    return found


def _told_apart(
    texts: Sequence[tuple[int, str]], groups: Sequence[tuple[int, str]]
) -> Iterator[tuple[int, str]]:
    """Headers that say too little, or come several times, with what their groups are called."""
    plain = counted_from_one([text for _, text in texts])
    counts = Counter(map(quantity, plain))
    for (column, _), text in zip(texts, plain, strict=True):
        group = kind(max(((c, word) for c, word in groups if c <= column), default=(0, ""))[1])
        better = f"{group} {text}" if group else text
        name = quantity(text)
        alone = name is not None and counts[name] == 1
        yield column, better if not alone and quantity(better) else text


def _segments(headers: Sequence[_Header]) -> list[list[_Header]]:
    """Several tables may stand side by side: a quantity that comes again begins the next.

    Only where most come again. A second set of gradients or weights alone (Δw, the new w) is no
    table but a helper's columns, and of two columns called h1 one holds the activations.
    """
    headers = _without_listings(headers)
    counts = Counter(header.name for header in headers)
    if 2 * sum(count > 1 for count in counts.values()) <= len(counts):
        return [headers]
    segments: list[list[_Header]] = [[]]
    for header in headers:
        names = [h.name for h in segments[-1]]
        if header.name in names and any(n in COMPUTED for n in names):
            segments.append([])
        segments[-1].append(header)
    whole = [s for s in segments if any(h.name in FORWARD for h in s)]
    return whole or segments[:1]


_LISTED = {"epoch", "η", "E1", "E2", "E_total"}


def _without_listings(headers: Sequence[_Header]) -> list[_Header]:
    """Without those of errors that are listed in columns apart, where a table has its own."""
    groups: list[list[_Header]] = []
    for before, header in zip([None, *headers], headers, strict=False):
        if before is None or header.column > before.column + 1:
            groups.append([])
        groups[-1].append(header)
    listings = [g for g in groups if {"E_total"} <= {h.name for h in g} <= _LISTED]
    others = [header for group in groups if group not in listings for header in group]
    return others if any(header.name == "E_total" for header in others) else list(headers)


def _claimed(
    grid: _Grid, head: int, headers: Sequence[_Header]
) -> tuple[dict[str, int], dict[int, str]]:
    """Quantity -> its column; and column -> what else its header may mean.

    Where several claim a quantity, the one whose words say it has it; with cells below before one
    without; of weights that with typed ones, the initial; from the left.
    """
    columns: dict[str, int] = {}
    rivals: dict[int, str] = {}

    def rank(header: _Header) -> tuple[bool, bool, bool, int]:
        below = (grid.cell(head + k, header.column) for k in (1, 2, 3))
        first = next(filter(None, below), None)
        calculated = header.name in WEIGHTS and first is not None and first.formula is not None
        return (not header.sure, first is None, calculated, header.column)

    for header in sorted(headers, key=rank):
        if columns.setdefault(header.name, header.column) != header.column:
            rivals[header.column] = header.name
    return columns, rivals


def _lower(grid: _Grid, head: int, headers: Iterable[_Header], taken: set[int]) -> dict[str, int]:
    """Headers a line lower, under a heading that says what they are."""
    found: dict[str, int] = {}
    for header in headers:
        if header.column not in taken:
            texts = (grid.book.text(grid.at(head, c)) for c in range(header.column, 0, -1))
            heading = kind(next(filter(None, texts), ""))
            found[quantity(f"{heading} {header.name}") or header.name] = header.column
    return found


def _above(
    grid: _Grid, rows: Mapping[int, list[_Header]], head: int, first: int, taken: set[int]
) -> dict[str, int]:
    """Headers that stand one or two lines higher, over columns of numbers without one."""
    headers = [*rows.get(head - 2, ()), *rows.get(head - 1, ())]  # the nearer has the last word
    return {
        header.name: header.column
        for header in headers
        if header.column not in taken and not grid.cell(head, header.column)
        if grid.is_number(first, header.column)
    }


def _runs(
    grid: _Grid, lines: Sequence[int], columns: Mapping[str, int], rivals: Mapping[int, str]
) -> list[list[int]]:
    """The lines in parts: a new run begins where epochs are counted anew or η changes."""
    counters = [columns["epoch"]] if "epoch" in columns else []
    counters += [column for column, name in rivals.items() if name == "epoch"]
    rates = grid.values(lines, columns["η"]) if "η" in columns and not counters else []
    few = 3 * len(set(rates)) <= len(lines)
    parts = runs_of([grid.values(lines, c) for c in counters], rates if few else [], len(lines))
    return [[lines[k] for k in part] for part in parts]


def _telling(columns: Mapping[str, int]) -> list[int]:
    """The columns that tell which lines are epochs.

    Gradients only where there is little else: they may stand a line below their epoch.
    """
    computed = {name: column for name, column in columns.items() if name in COMPUTED}
    forward = [column for name, column in computed.items() if name in FORWARD]
    if len(forward) > 2:
        return forward
    for names in (WEIGHTS, NEXT.values()):
        if not computed and columns.keys() >= set(names):
            return [columns[name] for name in names]
    return list(computed.values())


def _runs_upwards(grid: _Grid, lines: list[int], columns: Mapping[str, int]) -> bool:
    """Whether the newest epoch is on top: weights follow from those below, or epochs count down."""
    above = below = 0
    middle = lines[len(lines) // 2 :][:2]
    for line in (lines[0] - 1, *middle, lines[-1] + 1):  # outside, the weights it leads to
        for column in (columns[name] for name in WEIGHTS if name in columns):
            asked = grid.book.precedents(grid.at(line, column))
            above += grid.at(line - 1, column) in asked
            below += grid.at(line + 1, column) in asked
    if above or below or "epoch" not in columns or len(lines) < 2:
        return below > above
    return all(is_less(b, a) for a, b in pairwise(grid.values(lines, columns["epoch"])))


def _lines(
    grid: _Grid, head: int, named: Mapping[str, int], computed: list[int]
) -> tuple[list[int], str]:
    """The epochs below `head`, and what more looks like epochs and was left out."""

    def filled(line: int) -> bool:
        count = 0
        for column in computed:
            if (content := grid.cell(line, column)) is not None:
                label = content.formula is None and grid.meant(line, column)
                count += -1 if label else 1
        return (
            2 * count >= len(computed)
            and any(grid.is_number(line, column) for column in computed)
            and not _sums_up(grid, line, named, computed)
        )

    first = next((line for line in range(head + 1, head + 1 + HEADERS) if filled(line)), None)
    if first is None:
        return [], ""
    lines: list[int] = []
    after, weights_alone = first, named.keys().isdisjoint(COMPUTED)
    while len(lines) < MOST_EPOCHS:
        lines += takewhile(filled, range(after, after + MOST_EPOCHS - len(lines)))
        end = lines[-1] + 1
        gap = next((gap for gap in range(4) if filled(end + gap)), None)
        if not gap:
            break
        after = end + gap
        between = [grid.meant(line, c) for line in range(end, after) for c in named.values()]
        asked = {a for c in named.values() for a in grid.book.precedents(grid.at(after, c))}
        follows = not asked.isdisjoint(grid.at(lines[-1], c) for c in named.values())
        if sum(map(bool, between)) > 4 and (weights_alone or not follows):
            return lines, ""  # headers of another table
        if asked and not follows:
            return lines, "after a gap there is more that was not judged,"
    more = filled(lines[-1] + 1)
    return lines, f"only the first {MOST_EPOCHS:,} epochs were judged, not those" if more else ""


_SUMMARIES = {"AVERAGE", "MIN", "MAX", "MEDIAN", "COUNT", "STDEV"}


def _sums_up(grid: _Grid, line: int, named: Mapping[str, int], computed: Iterable[int]) -> bool:
    """Whether a line is no epoch but its averages, or has a word where epochs are counted."""
    word = grid.value(line, named["epoch"]) if "epoch" in named else None
    if isinstance(word, str):
        return not re.search(r"\d", word)
    trees = [grid.book.readable(grid.at(line, column)) for column in computed]
    formulas = [tree for tree in trees if tree is not None]
    calls = sum(isinstance(tree, Call) and tree.name in _SUMMARIES for tree in formulas)
    return 2 * calls > len(formulas)
