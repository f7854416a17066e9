"""A way between a browser and a server that can be cut, as a network is, and mended."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit


class Wire:
    """Passes on whatever comes at its address to the server at `to`, and back.

    address: what the browser opens. to: the server's address; it may be changed.
    """

    def __init__(self, to: str = "") -> None:
        self.to = to
        self._lock = threading.Lock()
        self._ends: set[socket.socket] = set()
        self._is_cut = False
        self._left: int | None = None
        self._door = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address = f"http://127.0.0.1:{self._door.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._let_in, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self._door.close()

    def cut(self) -> None:
        """Break every connection, and let none come about."""
        with self._lock:
            self._is_cut = True
            ends, self._ends = self._ends, set()
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def cut_after(self, count: int) -> None:
        """Cut it in the middle of what the browser sends next, after so many bytes."""
        self._left = count

    def mend(self) -> None:
        """Let connections come about again."""
        with self._lock:
            self._is_cut, self._left = False, None

    def _let_in(self) -> None:
        while True:
            try:
                browser, _ = self._door.accept()
            except OSError:  # the door is closed
                return
            place = urlsplit(self.to)
            try:
                server = socket.create_connection((place.hostname, place.port), timeout=5)
            except OSError:  # no server is there
                browser.close()
                continue
            server.settimeout(None)
            with self._lock:
                if self._is_cut:
                    browser.close()
                    server.close()
                    continue
                self._ends |= {browser, server}
            for ends, seen in (((browser, server), self._count), ((server, browser), len)):
                threading.Thread(target=self._pass_on, args=(*ends, seen), daemon=True).start()

    def _count(self, content: bytes) -> None:
        if self._left is not None:
            self._left -= len(content)
            if self._left < 0:
                self.cut()

    def _pass_on(
        self, one: socket.socket, other: socket.socket, seen: Callable[[bytes], object]
    ) -> None:
        """Until either end is closed; then the other one is too."""
        with suppress(OSError):
            while content := one.recv(2**16):
                seen(content)
                other.sendall(content)
        with self._lock:
            self._ends -= {one, other}
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
