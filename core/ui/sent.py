"""What a browser sends: what our pages expect, or whatever somebody else's program makes up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_MALFORMED = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)


def sent(read: Callable[[], T]) -> T | None:
    """What `read` finds in a message of the browser; None where no page of ours sends such.

    read: takes the message apart and checks it, and does nothing else, so that an error in it is
    the message's.
    """
    try:
        return read()
    except _MALFORMED:
        return None
