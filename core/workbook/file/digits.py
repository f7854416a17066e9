"""How far the digits of a written number reach.

This module knows numbers as they are typed or pasted, rounded to decimals or to significant digits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from core.workbook.file.book import Book, Cell
from core.workbook.formula import numerals
from core.workbook.formula.tree import Address

Array = npt.NDArray[np.float64]

_EPS = np.finfo(float).eps


def doubt(cells: Sequence[Cell | None], decimals_elsewhere: int = 0) -> Array:
    """Half a unit of the last digit that each number of a column has.

    A column is rounded to a number of decimals, or to a number of significant digits; digits that
    one number lacks, a final 0, its neighbours show. What a formula comes to has all digits. Where
    a column repeats one number, which may be a round one, `decimals_elsewhere` tells more. Numbers
    in single precision (IEEE 754's binary32) are open by what its arithmetic rounds.
    """
    single = _SINGLE if is_single(cells) else 0.0
    most_decimals, most_digits = _most(cells)
    most_decimals = max(most_decimals, decimals_elsewhere)
    halves: list[float] = []
    for cell in cells:
        value = cell.value if cell and isinstance(cell.value, float) else 0.0
        own, exact = digits_of(cell), abs(value) * _EPS
        if own is None:
            halves.append(exact)
            continue
        reach = min(most_decimals, most_digits - own[2]) if value else most_decimals
        half = 0.5 * 10.0 ** -max(own[0], reach, decimals_elsewhere)
        halves.append(max(half, exact, single * abs(value)))
    return np.array(halves)


_SINGLE = 4 * 2.0**-24
"""Relative: four roundings to 24 bits."""


def is_single(cells: Sequence[Cell | None]) -> bool:
    """Whether a program calculated the column in single precision, as PyTorch does.

    Then each number is one of those, or the shortest decimal that stands for one; of numbers with
    eight digits and more that another program rounded, few are.
    """
    long = [
        cell.value
        for cell in cells
        if (own := digits_of(cell)) and own[1] > 7 and cell and isinstance(cell.value, float)
    ]
    with np.errstate(over="ignore"):
        fits = [
            abs(float(s) - v) <= 2e-15 * abs(v) or float(str(s)) == v
            for v in long
            for s in [np.float32(v)]
        ]
    return len(fits) > 4 and sum(fits) > 0.95 * len(fits)


def _most(cells: Sequence[Cell | None]) -> tuple[int, int]:
    """The most decimals, and the most significant digits, that a number of a column is given."""
    known = [own for cell in cells if (own := digits_of(cell)) is not None]
    decimals = max((decimals for decimals, _, _ in known), default=0)
    return decimals, max((digits for _, digits, _ in known), default=0)


def rounded_like(value: float, cells: Sequence[Cell | None], decimals_elsewhere: int = 0) -> float:
    """The number with the digits that a column gives its own."""
    most_decimals, most_digits = _most(cells)
    if not most_digits and not decimals_elsewhere:
        return value  # it gives none: its cells are formulas
    size = Decimal(value).adjusted() + 1 if value else 0
    decimals = max(min(most_decimals, most_digits - size), decimals_elsewhere)
    try:
        return value if max(most_digits, decimals) > 14 else round(value, decimals)
    except OverflowError:  # the next round number is beyond a float's range
        return value


def decimals_of(cells: Iterable[Cell | None]) -> int:
    """The most decimals that a number among them is given."""
    return max((own[0] for cell in cells if (own := digits_of(cell))), default=0)


def digits_of(cell: Cell | None) -> tuple[int, int, int] | None:
    """Of a typed number its decimals, its significant digits, and the digits before the point."""
    if cell is None or cell.formula is not None or not cell.written:
        return None
    number = Decimal(cell.written)
    if len(number.as_tuple().digits) > 15:  # a rounded number as a float: 0.7648430000000001
        number = Decimal(f"{number:.15g}")
        if len(number.normalize().as_tuple().digits) <= 12:
            number = number.normalize()
    _, digits, exponent = number.as_tuple()
    return -int(exponent), len(digits), number.adjusted() + 1


def distinct(a: float, b: float, digits: int = 8) -> tuple[str, str]:
    """Two numbers with as many digits, from `digits` on, as it takes to see that they differ."""
    enough = (n for n in range(digits, 18) if f"{a:.{n}g}" != f"{b:.{n}g}")
    digits = next(enough, digits)
    return f"{a:.{digits}g}", f"{b:.{digits}g}"


def take_text_for_numbers(book: Book) -> None:
    """Make numbers of a sheet's texts, where most of its numbers are stored as text."""
    for sheet in book.sheets:
        texts: dict[Address, str] = {}
        numbers = 0
        for at, cell in book.cells.items():
            if at.sheet == sheet and cell.formula is None:
                numbers += isinstance(cell.value, float)
                if isinstance(cell.value, str) and (digits := numerals.digits(cell.value)):
                    texts[at] = digits
        if len(texts) > 50 and len(texts) > numbers:
            book.cells |= {at: Cell(float(text), text) for at, text in texts.items()}
            name = f"The sheet {sheet}" if sheet else "The file"
            book.remarks.append(f"{name} holds its numbers as text. They were taken for numbers.")
