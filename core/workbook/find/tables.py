"""Where the table of this exercise stands in a book, whatever its headers are called.

This module knows names and places, not arithmetic: it finds rows (or columns) of headers, says
which quantity of network.py each is, which rows below are epochs, and where η and the initial
values are labelled.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from core.backprop.network import COLUMNS, WEIGHTS
from core.workbook.exercise.quantities import COMPUTED, EXAMPLE, FORWARD, NEXT
from core.workbook.file.book import Book
from core.workbook.file.calculate import Calculator
from core.workbook.find.blocks import blocks_in, one_block
from core.workbook.find.labels import curves_in, labels_in, ninth_weight, said_in
from core.workbook.find.layout import HEADERS, MOST_EPOCHS, Layout, Shown, Table, skipping
from core.workbook.find.matrices import matrices_in
from core.workbook.find.words import counted_from_one, kind, quantity, rate_in, symbol
from core.workbook.formula.tree import Address, Call, FormulaError

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
        for k in range(table.epochs):
            yield table.at(name, k)


Ask = Callable[[int, int], Address]


class _Header(NamedTuple):
    """What stands at the head of a column. sure: by its words, not only by a symbol in them."""

    column: int
    name: str
    sure: bool = True


def _tables(
    shown: Shown,
    sheet: str,
    labels: list[tuple[str, Address]],
    unread: list[str],
) -> Iterator[Table]:
    blocks = list(blocks_in(shown, sheet))
    if blocks:
        yield from blocks
        return
    matrices, found_labels = matrices_in(shown, sheet)
    if matrices:
        labels += found_labels
        yield matrices
        return
    alone = one_block(shown, sheet)
    if alone is not None:
        inside = set(_cells_of(alone))
        below = _tables_along(shown, sheet, unread, across=False)
        yield alone
        yield from (t for t in below if t.epochs > 2 and inside.isdisjoint(_cells_of(t)))
        return
    for across in (False, True):
        found = _tables_along(shown, sheet, unread, across=across)
        yield from found
        if found:
            return


def _tables_along(shown: Shown, sheet: str, unread: list[str], *, across: bool) -> list[Table]:
    """The tables of a sheet whose headers stand side by side; `across`: one below the other."""

    def cell(line: int, column: int) -> Address:
        return Address(sheet, *((column, line) if across else (line, column)))

    rows = _headers(shown, sheet, cell, across=across)
    used: set[tuple[int, int]] = set()
    found: list[Table] = []
    # Lines that group headers, or tell what the columns' formulas are, name fewer quantities.
    for head, headers in sorted(rows.items(), key=lambda row: -len({h.name for h in row[1]})):
        for segment in _segments(headers):
            free = [h for h in segment if used.isdisjoint((head + k, h.column) for k in range(4))]
            columns, rivals = _claimed(shown.book, cell, head, free)
            lower = _lower(shown.book, cell, head, rows.get(head + 1, ()), {*columns.values()})
            if len(columns) > len(lower):
                columns |= {n: column for n, column in lower.items() if n not in columns}
            lines = _numbered(shown, sheet, cell, head, columns, unread, across=across)
            if not lines:
                continue
            above = _above(shown, cell, rows, head, lines, {*columns.values(), *rivals})
            columns |= {name: column for name, column in above.items() if name not in columns}
            columns, shifts = _led_to(_with_numbers(shown, cell, lines, columns))
            claimed = {*columns.values(), *rivals}
            used.update((line, c) for line in range(head, lines[-1] + 1) for c in claimed)
            hints = {c: name for name, c in columns.items() if name not in _QUANTITIES} | rivals
            columns = {name: c for name, c in columns.items() if name in _QUANTITIES}
            counters = [c for c, name in rivals.items() if name == "epoch"]
            upwards = _runs_upwards(shown, cell, lines, columns)
            if upwards:
                lines.reverse()
            found += [
                Table(
                    *(sheet, head, columns, tuple(run), across),
                    hints=hints,
                    shifts=shifts,
                    listed=_listed(shown, cell, run, columns),
                    upwards=upwards,
                )
                for run in _runs(shown, cell, lines, columns, counters)
            ]
    return sorted(found, key=lambda table: (table.lines[0], min(table.columns.values())))


def _numbered(
    shown: Shown,
    sheet: str,
    cell: Ask,
    head: int,
    columns: dict[str, int],
    unread: list[str],
    *,
    across: bool,
) -> list[int]:
    """The lines of numbers below headers; none if these, or so few lines, make no table."""
    computed, known = _telling(columns), [n for n in columns if n not in ("epoch", "η")]
    if len(known) < 5 or not computed:
        return []
    if (further := ninth_weight(shown.book, (cell(head, k) for k in range(1, 60)))) is not None:
        unread.append(
            f"{sheet or 'The file'}: {further} stands beside w1 to w8. A network of more "
            "than eight weights is not this exercise, and was not judged."
        )
        return []
    lines, rest = _lines(shown, cell, head, columns, computed)
    weights_alone = not any(name in COMPUTED for name in columns)
    least = 3 if weights_alone or across else 2
    least = least if weights_alone or len(known) < 10 else 1
    if len(lines) < least:
        return []
    if rest:
        word = "column" if across else "row"
        unread.append(f"{sheet or 'The file'}: {rest} from {word} {lines[-1] + 1} on.")
    return lines


def _with_numbers(
    shown: Shown, cell: Ask, lines: list[int], columns: dict[str, int]
) -> dict[str, int]:
    """Without the columns of inputs that hold labels, and of a rate that is not in every line."""
    return {
        name: column
        for name, column in columns.items()
        if not (name in EXAMPLE and _has_labels(shown.book, cell, lines, column))
        and (name != "η" or all(cell(line, column) in shown.book.cells for line in lines))
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


def _listed(
    shown: Shown, cell: Ask, lines: Sequence[int], columns: Mapping[str, int]
) -> tuple[int, ...]:
    """The epoch of each line, from 0, if their numbers say that some are left out; else nothing.

    In a table of formulas only where as many are left out everywhere: one number may be mistyped.
    """
    if "epoch" not in columns:
        return ()
    numbers = [shown.value(cell(line, columns["epoch"])) for line in lines]
    listed = skipping(numbers)
    formulas = any(shown.book.formula_text(cell(lines[-1], c)) for c in columns.values())
    if formulas and len({b - a for a, b in pairwise(listed)}) != 1:
        return ()
    return tuple(epoch - listed[0] for epoch in listed)


def _headers(shown: Shown, sheet: str, cell: Ask, *, across: bool) -> dict[int, list[_Header]]:
    """Line -> the headers in it. A label beside its number, one below the other, is none."""
    rows: dict[int, list[tuple[int, str]]] = {}
    for at, text in shown.texts(sheet):
        line, column = (at.column, at.row) if across else (at.row, at.column)
        rows.setdefault(line, []).append((column, text))
    found: dict[int, list[_Header]] = {}
    for line, texts in rows.items():
        texts.sort()
        beside = [shown.is_number(cell(line, column + 1)) for column, _ in texts]
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
            under = shown.book.cells.get(cell(line + 1, column))
            listed = under is not None and isinstance(under.value, str) and quantity(under.value)
            if listed and shown.is_number(cell(line, column + 1)):
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
    headers = _without_listings(headers)
    counts = Counter(header.name for header in headers)
    again = [name for name, count in counts.items() if count > 1]
    if 2 * len(again) <= len(counts):
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
    listings = [
        g for g in groups if "E_total" in (names := {h.name for h in g}) and names <= _LISTED
    ]
    others = [header for group in groups if group not in listings for header in group]
    return others if any(header.name == "E_total" for header in others) else list(headers)


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
        calculated = header.name in WEIGHTS and first is not None and first.formula is not None
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
    shown: Shown,
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
            free = header.column not in taken and cell(head, header.column) not in shown.book.cells
            if free and shown.is_number(cell(lines[0], header.column)):
                found.setdefault(header.name, header.column)
    return found


def _runs(
    shown: Shown,
    cell: Ask,
    lines: Sequence[int],
    columns: Mapping[str, int],
    counters: Sequence[int],
) -> list[list[int]]:
    """The lines in parts: a new run begins where epochs are counted anew or η changes."""
    counters = [*([columns["epoch"]] if "epoch" in columns else []), *counters]
    rates = [shown.value(cell(at, columns["η"])) if "η" in columns else None for at in lines]
    by_rate = not counters and 3 * len(set(rates)) <= len(lines)
    runs = [[lines[0]]]
    for k, (before, line) in enumerate(pairwise(lines), start=1):
        restart = by_rate and rates[k] != rates[k - 1]
        for column in counters if line > before else ():
            a, b = (shown.value(cell(at, column)) for at in (before, line))
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
    if len(forward) > 2:
        return forward
    for names in (WEIGHTS, NEXT.values()):
        if not computed and columns.keys() >= set(names):
            return [columns[name] for name in names]
    return list(computed.values())


def _runs_upwards(shown: Shown, cell: Ask, lines: list[int], columns: Mapping[str, int]) -> bool:
    """Whether the newest epoch is on top: weights follow from those below, or epochs count down."""
    weights = [columns[name] for name in WEIGHTS if name in columns]
    asked = {-1: 0, 1: 0}
    middle = lines[len(lines) // 2 :][:2]
    for line in (lines[0] - 1, *middle, lines[-1] + 1):  # outside, the weights it leads to
        for column in weights:
            try:
                found = shown.book.asked(cell(line, column))
            except FormulaError:
                continue
            for away in asked:
                asked[away] += cell(line + away, column) in found
    if any(asked.values()):
        return asked[1] > asked[-1]
    if "epoch" not in columns or len(lines) < 2:
        return False
    numbers = [shown.value(cell(line, columns["epoch"])) for line in lines]
    return all(
        isinstance(a, float) and isinstance(b, float) and b < a for a, b in pairwise(numbers)
    )


def _lines(
    shown: Shown,
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
            content = shown.book.cells.get(at)
            if content is not None:
                text = content.formula is None and isinstance(content.value, str)
                count += 1 if not text or quantity(str(content.value)) is None else -1
        return (
            2 * count >= len(computed)
            and any(shown.is_number(cell(line, c)) for c in computed)
            and not _sums_up(shown, cell, line, named, computed)
        )

    first = next((line for line in range(head + 1, head + 1 + HEADERS) if filled(line)), None)
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
        if after is None or not _goes_on(shown.book, cell, lines[-1], after, columns):
            break
        if weights_alone and _has_headers(shown.book, cell, gap, columns):
            after = None  # these were initial values, and a table begins
            break
        line = after
    if after is not None and not _has_headers(
        shown.book, cell, range(lines[-1] + 1, after), columns
    ):
        return lines, "after a gap there is more that was not judged,"
    return lines, ""


_SUMMARIES = {"AVERAGE", "MIN", "MAX", "MEDIAN", "COUNT", "STDEV"}


def _sums_up(
    shown: Shown,
    cell: Ask,
    line: int,
    named: Mapping[str, int],
    computed: Iterable[int],
) -> bool:
    """Whether a line is no epoch but its averages, or has a word where epochs are counted."""
    if "epoch" in named and isinstance(shown.value(at := cell(line, named["epoch"])), str):
        word = str(shown.value(at))
        return not re.search(r"\d", word)
    calls = filled = 0
    for column in computed:
        at = cell(line, column)
        if (content := shown.book.cells.get(at)) and content.formula is not None:
            filled += 1
            try:
                tree = shown.book.tree(at)
            except FormulaError:
                continue
            calls += isinstance(tree, Call) and tree.name in _SUMMARIES
    return 2 * calls > filled > 0


def _has_labels(book: Book, cell: Ask, lines: Sequence[int], column: int) -> bool:
    """Whether a line is no quantity over the epochs but labels, each with its number."""
    cells = [book.cells.get(cell(line, column)) for line in lines]
    return any(isinstance(c.value, str) and quantity(c.value) is not None for c in cells if c)


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
