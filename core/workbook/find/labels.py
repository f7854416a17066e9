"""Numbers outside tables: labelled ones, those that lines of text tell, and columns of E_total."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from core.backprop.network import WEIGHTS
from core.workbook.exercise.quantities import EXAMPLE
from core.workbook.file.book import Book
from core.workbook.find.layout import MOST_EPOCHS, Shown, Table, skipping
from core.workbook.find.words import numbers_in, quantity, rate_in, symbol
from core.workbook.formula import numerals
from core.workbook.formula.functions import Value
from core.workbook.formula.tree import Address


def labels_in(shown: Shown) -> Iterator[tuple[str, Address]]:
    """The numbers that stand right of a label, or below it."""
    for at, content in shown.book.cells.items():
        if not isinstance(content.value, str) or rate_in(content.value) is not None:
            continue
        name = quantity(content.value) or symbol(content.value)
        if name not in ("η", *EXAMPLE, *WEIGHTS):
            name = "η" if name == "epoch" and len(content.value.strip(" :=")) == 1 else None
        if name is None:
            continue
        right = Address(at.sheet, at.row, at.column + 1)
        below = [Address(at.sheet, at.row + k, at.column) for k in (1, 2, 3)]
        if _is_number(shown, right):
            yield name, right
        elif _is_number(shown, below[0]) and not all(_is_number(shown, b) for b in below):
            yield name, below[0]


def _is_number(shown: Shown, at: Address) -> bool:
    """Whether a number stands there, or text that formulas take for one."""
    content = shown.value(at)
    return isinstance(content, float) or (
        isinstance(content, str) and numerals.digits(content) is not None
    )


def said_in(book: Book, inside: set[Address]) -> Iterator[tuple[str, float, Address]]:
    """What lines of text tell: "x = (0.05, 0.10), lr = 0.5", in one cell or in several."""
    rows: dict[tuple[str, int], list[Address]] = {}
    for at in sorted(book.cells):
        if at not in inside and book.cells[at].formula is None:
            rows.setdefault((at.sheet, at.row), []).append(at)
    for places in rows.values():
        cells = [book.cells[at] for at in places[:40]]
        texts = [cell.value if isinstance(cell.value, str) else cell.written for cell in cells]
        if any(isinstance(cell.value, str) for cell in cells):
            for name, value in numbers_in(", ".join(texts)).items():
                yield name, value, places[0]


def curves_in(shown: Shown, sheet: str, *, alone: bool, first: int) -> Iterator[Table]:
    """Columns of E_total; where they stand `alone`, their headers need not name an η.

    first: the number of the first epoch, where the column does not list it.
    """
    for at, rate in sorted(_heads(shown, sheet, alone=alone).items()):
        lines: list[int] = []
        line = at.row + 1
        while shown.is_number(Address(sheet, line, at.column)) and len(lines) < MOST_EPOCHS:
            lines.append(line)
            line += 1
        linked = any(shown.book.formula_text(Address(sheet, n, at.column)) for n in lines[:3])
        if len(lines) > 2 and not (rate is None and linked):
            for part, own in _parts(shown, at, lines):
                yield Table(
                    *(sheet, at.row, {"E_total": at.column}, tuple(part)),
                    rate=rate if own is None else own,
                    listed=_listed(shown, at, part, first),
                )


def _heads(shown: Shown, sheet: str, *, alone: bool) -> dict[Address, float | None]:
    """The cells that may head a curve, each with the η that it says."""
    book, found = shown.book, dict[Address, float | None]()
    for at, text in shown.texts(sheet):
        name, rate = quantity(text), rate_in(text)
        listed = alone or any(c in (at.column - 1, at.column + 1) for c in _beside(book, at, "η"))
        if rate is not None or (listed and name == "E_total"):
            row = (at._replace(column=column) for column in range(1, 60))
            if ninth_weight(book, row) is None:
                found[at] = rate
        if name in ("epoch", "η"):  # it may begin a row of rates
            there = at._replace(column=at.column + 1)
            while (number := _typed(book, there)) is not None and there.column < at.column + 30:
                found.setdefault(there, number)
                there = there._replace(column=there.column + 1)
    for at, cell in book.cells.items():
        value = cell.value if cell.formula is None and at.sheet == sheet else None
        if isinstance(value, float) and _heads_runs(book, at):
            found.setdefault(at, value)
    return found


def ninth_weight(book: Book, headers: Iterable[Address]) -> str | None:
    """The header of a ninth weight among these, if there is one: then it is another network."""
    texts = (cell.value for at in headers if (cell := book.cells.get(at)))
    return next((t for t in texts if isinstance(t, str) and _NINTH.fullmatch(t.strip())), None)


_NINTH = re.compile(r"[wW]_?9")


def _parts(shown: Shown, head: Address, lines: list[int]) -> list[tuple[list[int], float | None]]:
    """The runs that a column lists one below the other, each with its η; if none, all as one.

    Another begins where a column beside it, of η or of epochs, says so. Where η changes from line
    to line it is one run, at a rate that changes.
    """

    def beside(name: str) -> list[Value]:
        for column in _beside(shown.book, head, name):
            return [shown.value(Address(head.sheet, line, column)) for line in lines]
        return [None] * len(lines)

    rates, epochs = beside("η"), beside("epoch")
    parts = [[0]]
    for k in range(1, len(lines)):
        a, b = epochs[k - 1], epochs[k]
        is_restart = isinstance(a, float) and isinstance(b, float) and b < a
        if is_restart or rates[k] != rates[k - 1]:
            parts.append([])
        parts[-1].append(k)
    if min(map(len, parts)) < 3:
        return [(lines, None)]
    found = []
    for part in parts:
        rate = rates[part[0]]
        found.append(([lines[k] for k in part], rate if isinstance(rate, float) else None))
    return found


def _beside(book: Book, head: Address, name: str) -> Iterator[int]:
    """The columns under a header of this quantity in the same row, the nearest first."""
    for away in range(1, 30):
        for column in (head.column - away, head.column + away):
            text = getattr(book.cells.get(head._replace(column=column)), "value", None)
            # “η = 0.5” is the head of a run, and no column of rates.
            if isinstance(text, str) and quantity(text) == name and rate_in(text) is None:
                yield column


def _listed(shown: Shown, head: Address, lines: list[int], first: int) -> tuple[int, ...]:
    """The epochs of a column's lines, from 0, if a column of epochs says that some are left out."""
    for column in _beside(shown.book, head, "epoch"):
        numbers = [shown.value(Address(head.sheet, line, column)) for line in lines]
        listed = skipping(numbers)
        return tuple(epoch - min(first, listed[0]) for epoch in listed)
    return ()


def _heads_runs(book: Book, at: Address) -> bool:
    """Whether bare numbers side by side head columns that all begin with one number: then they are
    rates, and each column is the run of one from a start that they share.
    """
    if at._replace(row=at.row - 1) in book.cells:
        return False
    rows: list[list[float]] = []
    first = at.column
    while _typed(book, at._replace(column=first - 1)) is not None:
        first -= 1
    for row in (at.row, at.row + 1, at.row + 2):
        found: list[float] = []
        while (number := _typed(book, Address(at.sheet, row, first + len(found)))) is not None:
            found.append(number)
        rows.append(found)
    heads, starts, seconds = rows
    many = len(heads) == len(starts) == len(seconds) > 1
    return (
        many
        and len({*heads}) == len(heads)
        and min(heads) > 0
        and len({*starts}) == 1 < len({*seconds})
    )


def _typed(book: Book, at: Address) -> float | None:
    """The number of a cell without a formula."""
    cell = book.cells.get(at)
    return cell.value if cell and cell.formula is None and isinstance(cell.value, float) else None
