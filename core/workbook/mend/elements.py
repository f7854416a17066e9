"""Places of cells, and the elements of XML that stand for them."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Sequence
from typing import Any, TypeAlias

from lxml import etree
from openpyxl.utils.cell import coordinate_to_tuple, get_column_letter

from core.workbook.formula.tree import LAST_COLUMN, LAST_ROW

Element: TypeAlias = Any  # lxml has no types of its own
Place: TypeAlias = tuple[int, int]
"""Row and column of a cell, both from 1."""

_CELL = re.compile(r"[A-Z]{1,3}[1-9][0-9]{0,6}")


def place_of(cell: str) -> Place:
    """The place of “AA32”; ValueError for what is no cell's name."""
    if _CELL.fullmatch(cell):
        row, column = coordinate_to_tuple(cell)
        if row <= LAST_ROW and column <= LAST_COLUMN:
            return row, column
    raise ValueError(f"“{cell}” is not the name of a cell.")


def name_of(place: Place) -> str:
    """“AA32” of a place."""
    row, column = place
    return f"{get_column_letter(column)}{row}"


def shown(value: float | str) -> tuple[str | None, str]:
    """Type and text of a cell's value: a spreadsheet knows no ∞, and none nearer 0 than 2e-308."""
    if isinstance(value, str):
        return "str", value
    if not math.isfinite(value):
        return "e", "#NUM!"
    return None, repr(float(value)) if abs(value) >= sys.float_info.min else "0"


def local(element: Element) -> str:
    """The tag without its namespace; empty for a comment."""
    # A comment or processing instruction has a function for a tag.
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def child_of(tag: str, text: str | None = None, **attributes: str) -> Element:
    """A new element."""
    element = etree.Element(tag, attributes)
    element.text = text
    return element


def insert_after(parent: Element, child: Element, before: Sequence[str]) -> None:
    """Adds `child` behind the last of the children that a schema wants `before` it."""
    places = [k for k, element in enumerate(parent) if local(element) in before]
    parent.insert(places[-1] + 1 if places else 0, child)
