"""Places of cells, and the elements of XML that stand for them."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import TypeAlias

from lxml import etree
from openpyxl.utils.cell import get_column_letter

from core.workbook.file.package import Element, local

Place: TypeAlias = tuple[int, int]
"""Row and column of a cell, both from 1."""


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


def child_of(tag: str, text: str | None = None, **attributes: str) -> Element:
    """A new element."""
    element = etree.Element(tag, attributes)
    element.text = text
    return element


def insert_after(parent: Element, child: Element, before: Sequence[str]) -> None:
    """Adds `child` behind the last of the children that a schema wants `before` it."""
    places = [k for k, element in enumerate(parent) if local(element) in before]
    parent.insert(places[-1] + 1 if places else 0, child)
