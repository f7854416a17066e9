"""A cell that is wrong, as the judges see it. What a person did there is for explain/."""

from __future__ import annotations

from typing import NamedTuple

from core.workbook.formula.tree import Address


class Wrong(NamedTuple):
    """A cell that is wrong given its neighbours.

    name, k: what it should hold, and in which epoch, from 0. kind: "formula" (it does not give what
    it should), "typed" (a number among formulas), "empty", "text", "deleted" (a reference to a cell
    that is gone), "rounded", "start" (an initial weight), "data" (an input, target or initial
    weight that differs from the others), "label" (one that repeats another's), "labelled" (one
    that differs from its labelled cell) or "number" (it does not follow from the numbers beside
    it). said: why, as a part of a sentence, where that is known. right: what should stand there,
    where it is known already; else "".
    """

    at: Address
    name: str
    k: int
    kind: str
    said: str = ""
    right: str = ""
