"""Numbers outside tables: labelled ones, those that lines of text tell, and columns of E_total."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import takewhile

from core.backprop.network import WEIGHTS
from core.workbook.exercise.quantities import EXAMPLE
from core.workbook.file.book import Book
from core.workbook.find.layout import MOST_EPOCHS, Shown, Table, runs_of, skipping
from core.workbook.find.words import numbers_in, quantity, rate_in, symbol
from core.workbook.formula import numerals
from core.workbook.formula.functions import Value
from core.workbook.formula.tree import Address


def labels_in(shown: Shown) -> Iterator[tuple[str, Address]]:
    """The numbers that stand right of a label, or below it."""
    for at in shown.book.cells:
        text = shown.book.text(at)
        name = text and (quantity(text) or symbol(text))
        if name == "epoch" and len(text.strip(" :=")) == 1:
            name = "η"
        if name not in ("η", *EXAMPLE, *WEIGHTS) or rate_in(text) is not None:
            continue
        below = [at._replace(row=at.row + k) for k in (1, 2, 3)]
        if _is_number(shown, right := at._replace(column=at.column + 1)):
            yield name, right
        elif _is_number(shown, below[0]) and not all(_is_number(shown, b) for b in below):
            yield name, below[0]


def _is_number(shown: Shown, at: Address) -> bool:
    """Whether a number stands there, or text that formulas take for one."""
    return shown.is_number(at) or numerals.digits(shown.book.text(at)) is not None


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
        below = (at._replace(row=at.row + k) for k in range(1, MOST_EPOCHS + 1))
        lines = [there.row for there in takewhile(shown.is_number, below)]
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
            for k, number in enumerate(_typed_from(book, at._replace(column=at.column + 1))):
                found.setdefault(at._replace(column=at.column + 1 + k), number)
    for at, cell in book.cells.items():
        value = cell.value if cell.formula is None and at.sheet == sheet else None
        if isinstance(value, float) and _heads_runs(book, at):
            found.setdefault(at, value)
    return found


def ninth_weight(book: Book, headers: Iterable[Address]) -> str | None:
    """The header of a ninth weight among these, if there is one: then it is another network."""
    return next((text for text in map(book.text, headers) if _NINTH.fullmatch(text.strip())), None)


_NINTH = re.compile(r"[wW]_?9")


def _parts(shown: Shown, head: Address, lines: list[int]) -> list[tuple[list[int], float | None]]:
    """The runs that a column lists one below the other, each with its η; if none, all as one.

    Another begins where a column beside it, of η or of epochs, says so. Where η changes from line
    to line it is one run, at a rate that changes.
    """
    rates = _under(shown, head, "η", lines)
    parts = runs_of([_under(shown, head, "epoch", lines)], rates, len(lines))
    if min(map(len, parts)) < 3:
        return [(lines, None)]
    found = []
    for part in parts:
        rate = rates[part[0]]
        found.append(([lines[k] for k in part], rate if isinstance(rate, float) else None))
    return found


def _under(shown: Shown, head: Address, name: str, lines: list[int]) -> list[Value]:
    """What stands in these lines under the nearest header of a quantity; None if there is none."""
    column = next(_beside(shown.book, head, name), None)
    return [column and shown.value(Address(head.sheet, line, column)) for line in lines]


def _beside(book: Book, head: Address, name: str) -> Iterator[int]:
    """The columns under a header of this quantity in the same row, the nearest first."""
    for away in range(1, 30):
        for column in (head.column - away, head.column + away):
            text = book.text(head._replace(column=column))
            # “η = 0.5” is the head of a run, and no column of rates.
            if quantity(text) == name and rate_in(text) is None:
                yield column


def _listed(shown: Shown, head: Address, lines: list[int], first: int) -> tuple[int, ...]:
    """The epochs of a column's lines, from 0, if a column of epochs says that some are left out."""
    listed = skipping(_under(shown, head, "epoch", lines))
    return tuple(epoch - min(first, listed[0]) for epoch in listed)


def _heads_runs(book: Book, at: Address) -> bool:
    """Whether bare numbers side by side head columns that all begin with one number: then they are
    rates, and each column is the run of one from a start that they share.
    """
    if at._replace(row=at.row - 1) in book.cells:
        return False
    first = at
    while _typed(book, left := first._replace(column=first.column - 1)) is not None:
        first = left
    heads, starts, seconds = (
        list(_typed_from(book, first._replace(row=at.row + k))) for k in range(3)
    )
    return (
        len(heads) == len(starts) == len(seconds) == len({*heads}) > 1
        and min(heads) > 0
        and len({*starts}) == 1 < len({*seconds})
    )


def _typed_from(book: Book, at: Address) -> Iterator[float]:
    """The typed numbers side by side from a cell on."""
    while (number := _typed(book, at)) is not None:
        yield number
        at = at._replace(column=at.column + 1)


def _typed(book: Book, at: Address) -> float | None:
    """The number of a cell without a formula."""
    cell = book.cells.get(at)
    return cell.value if cell and cell.formula is None and isinstance(cell.value, float) else None
