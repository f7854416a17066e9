"""How far the work on a file is, for whoever waits for it."""

from __future__ import annotations

from collections.abc import Callable

Tell = Callable[[float], None]
"""Is called with the share of the work that is done, 0 to 1, never less than before."""


def silent(share: float) -> None:
    """Nobody waits."""


def part(tell: Tell, first: float, last: float) -> Tell:
    """For a part of the work, which takes the whole from `first` to `last`."""
    return lambda share: tell(first + share * (last - first))
