"""What is tried, and what is said where it cannot be."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def tried(act: Callable[[], T], refusal: type[Exception]) -> tuple[T | None, str]:
    """What it gives; or None, and the sentence."""
    try:
        return act(), ""
    except refusal as sentence:
        return None, str(sentence)
