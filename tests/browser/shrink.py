"""The shortest part of a list that still fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def shortest(items: Sequence[T], fails: Callable[[Sequence[T]], bool], deadline: float) -> list[T]:
    """Leave out what the failure does not need, in ever smaller parts (delta debugging).

    items: known to fail. deadline: of `time.monotonic`; what was reached then is the answer. Of the
    result no single item can be left out, unless time was up.
    """
    kept, parts = list(items), 2
    while len(kept) > 1:
        size = -(-len(kept) // parts)
        for start in range(0, len(kept), size):
            if time.monotonic() > deadline:
                return kept
            fewer = kept[:start] + kept[start + size :]
            if fewer and fails(fewer):
                kept, parts = fewer, max(parts - 1, 2)
                break
        else:
            if size == 1:
                return kept
            parts = min(2 * parts, len(kept))
    return kept
