"""Tables whose epochs are small matrices: W1 and W2 of 2 × 2 numbers, h, a_h, δ of two each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from core.workbook.find.layout import Shown, Table
from core.workbook.find.words import matrix
from core.workbook.formula.tree import Address

_ELEMENTS = {
    "x": ("i1", "i2"),
    "t": ("t1", "t2"),
    "W1": ("w1", "w2", "w3", "w4"),
    "W2": ("w5", "w6", "w7", "w8"),
    "h": ("h1", "h2"),
    "out_h": ("out_h1", "out_h2"),
    "o": ("o1", "o2"),
    "out_o": ("out_o1", "out_o2"),
    "E": ("E1", "E2"),
    "E_total": ("E_total",),
    "δo": ("∂E/∂o1", "∂E/∂o2"),
    "δh": ("∂E/∂h1", "∂E/∂h2"),
    "dW1": ("∂E/∂w1", "∂E/∂w2", "∂E/∂w3", "∂E/∂w4"),
    "dW2": ("∂E/∂w5", "∂E/∂w6", "∂E/∂w7", "∂E/∂w8"),
}
"""Matrix -> its quantities, row by row; a row of weights is that of one node."""
_LEAST = 5
"""Matrices that an epoch has."""


class _Matrix(NamedTuple):
    """A matrix of the sheet: its name, and the cells of its elements, row by row."""

    name: str
    cells: tuple[Address, ...]

    def elements(self) -> dict[str, Address]:
        return dict(zip(_ELEMENTS[self.name], self.cells, strict=True))


def matrices_in(shown: Shown, sheet: str) -> tuple[Table | None, list[tuple[str, Address]]]:
    """The table of a sheet whose epochs are matrices, and its labelled inputs and targets."""
    everything = list(_all(shown, sheet))
    return _table(everything, across=False) or _table(everything, across=True) or (None, [])


def _table(
    everything: list[_Matrix], *, across: bool
) -> tuple[Table, list[tuple[str, Address]]] | None:
    """The table; `across`: if its epochs are side by side."""

    def line(at: Address) -> int:
        return at.column if across else at.row

    def column(at: Address) -> int:
        return at.row if across else at.column

    found: dict[tuple[str, int], list[_Matrix]] = {}
    for one in everything:
        found.setdefault((one.name, column(one.cells[0])), []).append(one)
    epochs = max((len(ones) for (name, _), ones in found.items() if name == "W1"), default=0)
    again = {name: ones for (name, _), ones in found.items() if len(ones) == epochs}
    steps = {
        line(b.cells[0]) - line(a.cells[0]) for ones in again.values() for a, b in pairwise(ones)
    }
    if len(again) < _LEAST or not {"W1", "W2", "out_o"} <= again.keys() or len(steps) > 1:
        return None
    alone = {name: ones[0] for (name, _), ones in found.items() if name in ("x", "t")}
    labels = [one for each in alone.values() for one in each.elements().items() if epochs > 1]
    cells = {n: at for ones in again.values() for n, at in ones[0].elements().items()}
    if len(set(cells.values())) < len(cells):
        return None  # they overlap: these are headers of a table
    top, step = min(map(line, cells.values())), max(steps, default=1)
    table = Table(
        *(again["W1"][0].cells[0].sheet, top, {n: column(at) for n, at in cells.items()}),
        tuple(range(top, top + epochs * step, step)),
        across,
        drops={quantity: line(at) - top for quantity, at in cells.items()},
    )
    return table, labels


def _all(shown: Shown, sheet: str) -> Iterator[_Matrix]:
    """Every matrix with its name above its first number, or left of it."""
    is_number = shown.is_number
    for at, text in shown.texts(sheet):
        name = matrix(text)
        if name is None:
            continue
        for first in (at._replace(row=at.row + 1), at._replace(column=at.column + 1)):
            right, below = (
                first._replace(column=first.column + 1),
                first._replace(row=first.row + 1),
            )
            shapes = {
                4: (first, right, below, below._replace(column=right.column)),
                2: (first, below if is_number(below) else right),
                1: (first,),
            }
            names = [name, "E_total"] if name == "E" else [name]  # one error, or the sum alone
            fits = [n for n in names if all(map(is_number, shapes[len(_ELEMENTS[n])]))]
            goes_on = is_number(below._replace(row=below.row + 1))  # then it heads a column
            if fits and not (goes_on and len(_ELEMENTS[name]) == 4):
                yield _Matrix(fits[0], shapes[len(_ELEMENTS[fits[0]])])
                break
