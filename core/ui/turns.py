"""Turns: under load, what follows an answer is drawn in the order in which it was asked for.

Python runs one thread at a time. Where fifty people's threads all want to, each gets a fiftieth,
the one that answers a key as well. Where the pictures of one wait for those of another, the numbers
come at once, and the last picture no later.
"""

from __future__ import annotations

import functools
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

import streamlit as st

P = ParamSpec("P")
R = TypeVar("R")


class Turns:
    """A lock that is fair: one of threading's lets whoever comes overtake whoever waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queue: deque[threading.Event] = deque()  # whose turn it is, then who waits
        self._owner: int | None = None  # the thread whose turn it is

    @contextmanager
    def turn(self, waits: Callable[[int], None] | None = None) -> Iterator[None]:
        """Wait until all who came before have had their turn, or have given it up.

        waits: called while there are so many before, a few times a second; what it raises gives up.
        Whoever has the turn may take it again.
        """
        if self._owner == threading.get_ident():
            yield
            return
        mine = threading.Event()
        with self._lock:
            self._queue.append(mine)
            self._queue[0].set()
        try:
            while not mine.wait(_LOOK if waits else None):
                if waits and (before := self._before(mine)):
                    waits(before)
            self._owner = threading.get_ident()
            yield
        finally:
            with self._lock:
                if self._owner == threading.get_ident():
                    self._owner = None
                self._queue.remove(mine)
                if self._queue:
                    self._queue[0].set()

    def _before(self, mine: threading.Event) -> int:
        with self._lock:
            return self._queue.index(mine)


_LOOK = 0.25  # seconds
_pictures = Turns()


def in_turn(draw: Callable[P, R]) -> Callable[P, R]:
    """Decorate what draws that which can wait."""

    def ask_whether_still_wanted(before: int) -> None:
        st.session_state.get("turn")  # raises where the page has been left

    @functools.wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> R:
        with _pictures.turn(ask_whether_still_wanted):
            return draw(*args, **kwargs)

    return drawn
