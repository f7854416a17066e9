"""What cells are to hold, as text, read."""

from __future__ import annotations

import math
from collections.abc import Mapping

from core.workbook.file.book import Book
from core.workbook.formula import numerals
from core.workbook.formula.parse import parse
from core.workbook.formula.tree import Address, Constant, Node


def trees(book: Book, contents: Mapping[Address, str]) -> dict[Address, Node | float]:
    """The contents of cells as a Calculator takes them."""
    return {
        at: parse(content[1:], at, book.names_for(at))
        if content.startswith("=")
        else _number_or_text(content)
        for at, content in contents.items()
    }


def _number_or_text(content: str) -> Node | float:
    number = numerals.value(content)
    return Constant(content) if math.isnan(number) else number
