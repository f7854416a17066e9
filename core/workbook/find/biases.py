"""Whether the network of a table has biases: then it is another exercise than the one judged here.

This module knows what people call a bias, and where in a network it is added.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator

from core.workbook.exercise.quantities import OUT
from core.workbook.file.book import Book
from core.workbook.file.calculate import Calculator
from core.workbook.find.reading import Reading
from core.workbook.find.worlds import finite
from core.workbook.formula import numerals
from core.workbook.formula.numerals import NUMERAL
from core.workbook.formula.tree import Address

# Every repetition is possessive (`*+`): a cell of a thousand dashes takes no longer than another.
_WORD = (
    "b|bias(?:es)?|θ|theta|biais|sesgo|viés|soglia|schwellwerte?|schwellenwerte?|смещение|порог|"
    "偏置|偏差|バイアス|편향|sapma|próg"
)
_LAYER = r"[\s_\-]*+(?:hidden|output|out)?[\s_\-]*+(?:layer|neuron)?[\s_\-]*+[ho]?_?[1-4]?"
_NAME = rf"(?:{_WORD})(?:{_LAYER})"
_LABEL = re.compile(rf"\W*+{_NAME}\W*+|[ho][12][\s_]*+bias\W*+|(?:hidden|output)[\s_]*+bias\W*+")
_TOLD = re.compile(rf"(?<![\w.])({_NAME})\s*+[=:]\s*+({NUMERAL})")

_ROOM = 1e-3  # by how much a sum may differ from what its shown numbers come to

# Each weighted sum: its two weights and what they weigh.
_SUMS = {
    "h1": ("w1", "i1", "w2", "i2"),
    "h2": ("w3", "i1", "w4", "i2"),
    "o1": ("w5", "out_h1", "w6", "out_h2"),
    "o2": ("w7", "out_h1", "w8", "out_h2"),
}


def bias_in(reading: Reading) -> tuple[str, float, Address] | None:
    """A bias that the table's first epoch adds to a weighted sum: its name, value and cell.

    A number counts if it is called a bias, or a threshold, and is the difference between the sum
    and its two products.
    """
    extra = [abs(_beyond_products(reading, node)) for node in _SUMS]
    if not any(amount > _ROOM for amount in extra):
        return None
    for name, value, at in _called_biases(reading.book, reading.actual):
        room = _ROOM * max(1.0, abs(value))
        if abs(value) > 2 * room and any(abs(amount - abs(value)) <= room for amount in extra):
            return name, value, at
    return None


def _beyond_products(reading: Reading, node: str) -> float:
    """A node's weighted sum at the first epoch, less its products; NaN if that is not shown."""
    total = _number(reading, node)
    out = _number(reading, OUT[node]) if math.isnan(total) else math.nan
    if 0 < out < 1:
        total = math.log(out / (1 - out))
    one, its, other, others = (_number(reading, name) for name in _SUMS[node])
    return total - one * its - other * others


def _number(reading: Reading, name: str) -> float:
    """What the first epoch has of a quantity, its start where the table has no column of it; NaN
    if there is none.
    """
    value = reading.value(name, 0)
    return finite(value if isinstance(value, float) else reading.setup.numbers.get(name))


def _called_biases(book: Book, values: Calculator) -> Iterator[tuple[str, float, Address]]:
    """The numbers right of such a label, below it, or in the same text."""
    for at, content in book.cells.items():
        if not isinstance(content.value, str) or content.formula is not None:
            continue
        text = " ".join(unicodedata.normalize("NFKC", content.value[:200]).casefold().split())
        if _LABEL.fullmatch(text):
            right, below = at._replace(column=at.column + 1), at._replace(row=at.row + 1)
            for place in (right, below):
                if isinstance(value := values.value(place), float):
                    yield content.value.strip(" :="), value, place
        for name, number in _TOLD.findall(text):
            yield name, numerals.value(number), at
