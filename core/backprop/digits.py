"""How far the digits of a written number reach.

This module knows numbers as they are typed or pasted, rounded to decimals or to significant digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

import numpy as np

from core.backprop.cells import Cell
from core.backprop.network import Array

_EPS = np.finfo(float).eps


def doubt(cells: Sequence[Cell | None], decimals_elsewhere: int = 0) -> Array:
    """Half a unit of the last digit that each number of a column has.

    A column is rounded to a number of decimals, or to a number of significant digits; digits that
    one number lacks, a final 0, its neighbours show. What a formula comes to has all digits. Where
    a column repeats one number, which may be a round one, `decimals_elsewhere` tells more.
    """
    most_decimals, most_digits = _most(cells)
    most_decimals = max(most_decimals, decimals_elsewhere)
    halves: list[float] = []
    for cell in cells:
        value = cell.value if cell and isinstance(cell.value, float) else 0.0
        own, exact = digits_of(cell), abs(value) * _EPS
        if own is None:
            halves.append(exact)
            continue
        decimals, _, size = own
        reach = min(most_decimals, most_digits - size) if value else most_decimals
        reach = max(reach, decimals_elsewhere)
        halves.append(float(max(0.5 * 10.0 ** -max(decimals, reach), exact)))
    return np.array(halves)


def _most(cells: Sequence[Cell | None]) -> tuple[int, int]:
    """The most decimals, and the most significant digits, that a number of a column is given."""
    known = [own for cell in cells if (own := digits_of(cell)) is not None]
    decimals = max((decimals for decimals, _, _ in known), default=0)
    return decimals, max((digits for _, digits, _ in known), default=0)


def rounded_like(value: float, cells: Sequence[Cell | None]) -> float:
    """The number with the digits that a column gives its own."""
    most_decimals, most_digits = _most(cells)
    size = Decimal(value).adjusted() + 1 if value else 0
    decimals = min(most_decimals, most_digits - size)
    return value if most_digits > 14 else round(value, decimals)


def digits_of(cell: Cell | None) -> tuple[int, int, int] | None:
    """Of a typed number its decimals, its significant digits, and the digits before the point."""
    if cell is None or cell.text is not None or not cell.written:
        return None
    try:
        number = Decimal(cell.written)
    except InvalidOperation:
        return None
    if len(number.as_tuple().digits) > 15:  # a rounded number as a float: 0.7648430000000001
        number = Decimal(f"{number:.15g}")
        if len(number.normalize().as_tuple().digits) <= 12:
            number = number.normalize()
    sign_digits_exponent = number.as_tuple()
    exponent = sign_digits_exponent.exponent
    if not isinstance(exponent, int):
        return None
    return -exponent, len(sign_digits_exponent.digits), number.adjusted() + 1
