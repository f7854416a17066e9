"""Places of cells, and the elements of XML that stand for them."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import TypeAlias

from lxml import etree

from core.workbook.file.package import Element, local
from core.workbook.formula.tree import Address

Place: TypeAlias = tuple[int, int]
"""Row and column of a cell, both from 1."""


def name_of(place: Place) -> str:
    """“AA32” of a place."""
    return Address("", *place).cell


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


def insert_before(parent: Element, child: Element, following: Sequence[str]) -> None:
    """Adds `child` before the first of the children that a schema wants behind it."""
    places = (k for k, element in enumerate(parent) if local(element) in following)
    parent.insert(next(places, len(parent)), child)
