"""A slip: a wrong cell, and what a person did there."""

from __future__ import annotations

from dataclasses import dataclass

from core.backprop.network import GRADIENTS, WEIGHTS
from core.workbook.exercise.quantities import HELPERS
from core.workbook.formula.tree import Address


@dataclass(frozen=True)
class Slip:
    """A cell that is wrong given its neighbours.

    name: the quantity it should hold. kind: what sort of slip. cause: in words, with addresses.
    theirs: its formula ("=…") or number. right: the formula it should have, "=…", or a number where
    none belongs. key: equal for cells that are wrong in the same way. pasted: whether the cell is
    one of many numbers without a formula.
    """

    at: Address
    name: str
    kind: str
    cause: str
    theirs: str
    right: str
    key: tuple[object, ...]
    pasted: bool = False


def law(name: str) -> str:
    """What a quantity is calculated by, in words."""
    if name in WEIGHTS:
        return "gradient descent"
    if name.startswith("E"):
        return "the error"
    return "the chain rule" if name in (*GRADIENTS, *HELPERS) else "the forward pass"


def short(value: float) -> str:
    """With six digits."""
    return f"{value:.6g}"
