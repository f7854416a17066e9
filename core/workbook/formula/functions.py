"""The arithmetic of spreadsheets: what operators and functions make of values.

This module knows values alone, no formula and no cell. Semantics are those of Excel (ECMA-376 part
1, §18.17, and Microsoft's pages on each function); an error value of whatever kind is NaN.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Context, Decimal
from functools import partial, reduce
from statistics import median
from typing import Any

import numpy as np

from core.workbook.formula import numerals

MOST_CELLS = 1024
"""In one range, or one result: a column of 1,000 epochs has fewer."""
_LONGEST_TEXT = 32_767

Value = Any
"""A float, or a vector of floats; NaN is an error value. Or text, None (empty), or an Area.

A vector (1-D array) is what one cell comes to in many epochs, not several cells.
"""


@dataclass(frozen=True, slots=True)
class Area:
    """The values of several cells: rows of equal length, at least one of at least one."""

    rows: tuple[tuple[Value, ...], ...]

    @property
    def shape(self) -> tuple[int, int]:
        """How many rows and columns."""
        return len(self.rows), len(self.rows[0])

    def __iter__(self) -> Iterator[Value]:
        for row in self.rows:
            yield from row

    def cell(self, row: int, column: int) -> Value:
        """Counted from 0. One row stands for all rows, one column too; beyond is #N/A."""
        height, width = self.shape
        row, column = row if height > 1 else 0, column if width > 1 else 0
        return self.rows[row][column] if row < height and column < width else math.nan


def area(cells: Sequence[Value], width: int) -> Area:
    """Cells that come row by row."""
    rows = range(0, len(cells), width)
    return Area(tuple(tuple(cells[start : start + width]) for start in rows))


def number(value: Value) -> Value:
    """What arithmetic makes of a value: an empty cell is 0, text is read as a number or is NaN.

    So is an area, which has no one number.
    """
    if value is None:
        return 0.0
    if isinstance(value, Area):
        return math.nan
    if isinstance(value, str):
        return numerals.value(value)
    return value


def _as_area(value: Value) -> Area:
    return value if isinstance(value, Area) else Area(((value,),))


def elementwise(function: Callable[..., Value], values: Sequence[Value]) -> Value:
    """The function of single values; where some are areas, the area of its values.

    As in an array formula, one row or column stands for as many as the largest area has.
    """
    shapes = [value.shape for value in values if isinstance(value, Area)]
    if not shapes:
        return function(*values)
    height, width = max(h for h, _ in shapes), max(w for _, w in shapes)

    def at(row: int, column: int) -> Value:
        try:
            return function(*(v.cell(row, column) if isinstance(v, Area) else v for v in values))
        except (ArithmeticError, TypeError, ValueError):
            return math.nan

    return Area(tuple(tuple(at(row, column) for column in range(width)) for row in range(height)))


# Operators.


def _text(value: Value) -> str:
    return value if isinstance(value, str) else "" if value is None else f"{value:.15g}"


def _joined(left: Value, right: Value) -> Value:
    if _is_error(left) or _is_error(right):
        return math.nan
    text = _text(left) + _text(right)
    if len(text) > _LONGEST_TEXT:
        raise ValueError("longer than a cell's text may be")
    return text


def _is_error(value: Value) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _power(base: Value, exponent: Value) -> Value:
    power = base**exponent
    return math.nan if isinstance(power, complex) else power


def _compared(compare: Callable[[Any, Any], Any], left: Value, right: Value) -> Value:
    """1.0 or 0.0: sums and powers of True would be integers, of which some fill the memory.

    Any text is more than any number, capitals count as small letters, and an empty cell is what it
    is compared with: 0 or "".
    """
    if _is_error(left) or _is_error(right):
        return math.nan
    if isinstance(left, str) or isinstance(right, str):
        left, right = _rank(left), _rank(right)
    else:
        left, right = number(left), number(right)
    return compare(left, right) * 1.0


def _rank(value: Value) -> tuple[bool, Any]:
    if value is None or isinstance(value, str):
        return True, (value or "").casefold()
    return False, value


_ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    **{"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv},
    "^": _power,
}
_OTHERS: Mapping[str, Callable[[Any, Any], Any]] = {
    **{"&": _joined, "=": partial(_compared, operator.eq), "<>": partial(_compared, operator.ne)},
    **{"<": partial(_compared, operator.lt), ">": partial(_compared, operator.gt)},
    **{"<=": partial(_compared, operator.le), ">=": partial(_compared, operator.ge)},
}


def operated(sign: str, left: Value, right: Value) -> Value:
    """What an operator makes of its operands. Raises ArithmeticError, TypeError or ValueError."""
    if type(left) is float and type(right) is float and sign in _ARITHMETIC:
        return _ARITHMETIC[sign](left, right)  # nearly always, so it comes first
    if isinstance(left, Area) or isinstance(right, Area):
        return elementwise(partial(operated, sign), (left, right))
    if sign in _ARITHMETIC:
        return _ARITHMETIC[sign](number(left), number(right))
    return _OTHERS[sign](left, right)


def negative(value: Value) -> Value:
    """With its sign turned."""
    if isinstance(value, Area):
        return elementwise(negative, (value,))
    return -number(value)


# Functions.


def _exp(x: Value) -> Value:
    return math.exp(x) if isinstance(x, float) else np.exp(x)


def _one(function: Callable[..., Any]) -> Callable[..., Value]:
    """A function of numbers, whatever its arguments are read from."""
    return lambda *values: function(*map(number, values))


def _numbers(arguments: Iterable[Value]) -> Iterator[Any]:
    """Those in areas, and what the other arguments are as numbers."""
    for argument in arguments:
        if isinstance(argument, Area):
            yield from (x for x in argument if x is not None and not isinstance(x, str))
        else:
            yield number(argument)


def _of_all(function: Callable[[list[Any]], Any]) -> Callable[..., Value]:
    """A function of all numbers, which is an error if one of them is."""

    def called(*arguments: Value) -> Value:
        numbers = list(_numbers(arguments))
        return math.nan if any(map(_is_error, numbers)) else function(numbers)

    return called


def _sum_of_products(*arguments: Value) -> Value:
    """Text counts as 0."""
    areas = list(map(_as_area, arguments))
    if len({a.shape for a in areas}) > 1:
        raise ValueError("areas of different shapes")
    numbers = ([0.0 if isinstance(x, str) else number(x) for x in a] for a in areas)
    products = (reduce(operator.mul, factors) for factors in zip(*numbers, strict=True))
    return reduce(operator.add, products, 0.0)


def _sum_of_pairs(function: Callable[[Any, Any], Any]) -> Callable[[Value, Value], Value]:
    """Pairs with a text or an empty cell do not count."""

    def called(a: Value, b: Value) -> Value:
        pairs = zip(_as_area(a), _as_area(b), strict=True)
        whole = (p for p in pairs if not any(x is None or isinstance(x, str) for x in p))
        return reduce(operator.add, (function(x, y) for x, y in whole), 0.0)

    return called


def _matrix(value: Value) -> Any:
    if not all(isinstance(x, float) for x in _as_area(value)):
        raise ValueError("a cell without a number in a matrix")
    return np.array(_as_area(value).rows)


def _matrix_product(a: Value, b: Value) -> Value:
    return Area(tuple(map(tuple, (_matrix(a) @ _matrix(b)).tolist())))


def _transposed(value: Value) -> Value:
    return Area(tuple(zip(*_as_area(value).rows, strict=True)))


def _to_digits(rounding: str) -> Callable[..., Value]:
    """As Excel rounds: the decimals that a number is written with, not the binary ones."""

    def called(x: Value, digits: Value = 0.0) -> Value:
        value, unit = Decimal(repr(float(number(x)))), Decimal(1).scaleb(-int(number(digits)))
        return float(value.quantize(unit, context=Context(prec=400, rounding=rounding)))

    return called


def _modulo(x: float, divisor: float) -> float:
    """With the sign of the divisor."""
    return x - divisor * math.floor(x / divisor)


def _chosen(condition: Value, yes: Value = 1.0, no: Value = 0.0) -> Value:
    holds = number(condition)
    return math.nan if _is_error(holds) else yes if holds else no


def _is_number(value: Value) -> float:
    return float(not (value is None or isinstance(value, str) or _is_error(value)))


_SPELLED = {"ADD": "+", "MINUS": "-", "MULTIPLY": "*", "DIVIDE": "/", "POWER": "^", "POW": "^"}
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "EXP": _one(_exp),
    "LN": _one(math.log),
    "LOG": _one(lambda x, base=10.0: math.log10(x) if base == 10 else math.log(x, base)),
    "LOG10": _one(math.log10),
    "SQRT": _one(math.sqrt),
    "ABS": _one(abs),
    "SIGN": _one(lambda x: math.nan if math.isnan(x) else float((x > 0) - (x < 0))),
    "TANH": _one(np.tanh),
    "SINH": _one(math.sinh),
    "COSH": _one(math.cosh),
    **{name: partial(operated, sign) for name, sign in _SPELLED.items()},
    "UMINUS": negative,
    "UPLUS": number,
    "PI": lambda: math.pi,
    "MOD": _one(_modulo),
    "INT": _one(lambda x: float(math.floor(x))),
    "ROUND": _to_digits(ROUND_HALF_UP),
    "ROUNDUP": _to_digits(ROUND_UP),
    "ROUNDDOWN": _to_digits(ROUND_DOWN),
    "TRUNC": _to_digits(ROUND_DOWN),
    "IF": _chosen,
    "IFERROR": lambda x, other: other if _is_error(x) else x,
    "NOT": _one(lambda x: math.nan if math.isnan(x) else float(not x)),
    "ISNUMBER": _is_number,
    "ISBLANK": lambda x: float(x is None),
    "N": lambda x: 0.0 if isinstance(x, str) else number(x),
    "VALUE": _one(float),
    "SUM": lambda *a: reduce(operator.add, _numbers(a), 0.0),
    "PRODUCT": lambda *a: reduce(operator.mul, _numbers(a), 1.0),
    "SUMSQ": lambda *a: reduce(operator.add, (x * x for x in _numbers(a)), 0.0),
    "AVERAGE": _of_all(lambda numbers: reduce(operator.add, numbers, 0.0) / len(numbers)),
    "MIN": _of_all(lambda numbers: min(numbers, default=0.0)),
    "MAX": _of_all(lambda numbers: max(numbers, default=0.0)),
    "MEDIAN": _of_all(median),
    "COUNT": lambda *a: float(sum(not _is_error(x) for x in _numbers(a))),
    "AND": _of_all(lambda numbers: float(all(numbers))),
    "OR": _of_all(lambda numbers: float(any(numbers))),
    "SUMPRODUCT": _sum_of_products,
    "SUMXMY2": _sum_of_pairs(lambda x, y: (x - y) ** 2),
    "SUMX2MY2": _sum_of_pairs(lambda x, y: x * x - y * y),
    "MMULT": _matrix_product,
    "TRANSPOSE": _transposed,
}
GIVES_AREA = frozenset(("MMULT", "TRANSPOSE"))
"""Functions of areas whose value may be one."""
OF_ARRAYS = GIVES_AREA | {"SUMPRODUCT", "SUMXMY2", "SUMX2MY2"}
"""Functions whose arguments are calculated as in an array formula, wherever they stand."""
OF_AREAS = OF_ARRAYS | {
    *("SUM", "PRODUCT", "SUMSQ", "AVERAGE", "MIN", "MAX", "MEDIAN", "COUNT", "AND", "OR")
}
"""Functions that take an area as a whole; the others are of single values."""


def called(name: str, values: Sequence[Value]) -> Value:
    """What a function makes of its arguments. Raises ArithmeticError, TypeError or ValueError."""
    function = FUNCTIONS[name]
    return function(*values) if name in OF_AREAS else elementwise(function, values)
