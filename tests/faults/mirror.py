"""A server of files that answers as bad networks and the doors of hotels do."""

from __future__ import annotations

import http.server
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

Handler = http.server.BaseHTTPRequestHandler
Answer = Callable[[Handler, bytes], None]


def _head(request: Handler, **fields: object) -> None:
    request.send_response(200)
    for name, value in fields.items():
        request.send_header(name.replace("_", "-"), str(value))
    request.end_headers()
    request.close_connection = True


def whole(request: Handler, content: bytes) -> None:
    _head(request, Content_Length=len(content))
    request.wfile.write(content)


def half(request: Handler, content: bytes) -> None:
    _head(request, Content_Length=len(content))
    request.wfile.write(content[: len(content) // 2])


def half_of_a_chunk(request: Handler, content: bytes) -> None:
    _head(request, Transfer_Encoding="chunked")
    request.wfile.write(f"{len(content):x}\r\n".encode() + content[: len(content) // 2])


def half_and_a_break(request: Handler, content: bytes) -> None:
    half(request, content)
    at_once = struct.pack("ii", 1, 0)  # what is under way is dropped, and the other end told
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    os.close(request.connection.detach())


def half_and_silence(request: Handler, content: bytes) -> None:
    """The connection stays; it ends when the other end has had enough."""
    _head(request, Content_Length=len(content))
    request.wfile.write(content[: len(content) // 2])
    request.wfile.flush()
    with suppress(OSError):
        request.connection.recv(1)


def page(request: Handler, content: bytes) -> None:
    """What a proxy shows to who has not logged in."""
    said = b"<!doctype html><title>Welcome</title><h1>Accept our terms to use this network</h1>"
    _head(request, Content_Type="text/html", Content_Length=len(said))
    request.wfile.write(said)


def noise(request: Handler, content: bytes) -> None:
    request.close_connection = True
    request.wfile.write(b"220 mail.example ready\r\n")


def nothing(request: Handler, content: bytes) -> None:
    request.send_error(404)


BAD = (half, half_of_a_chunk, half_and_a_break, half_and_silence, page, noise, nothing)


class Mirror:
    """files: what it has, by name. answer: how it gives it. address: with a slash at its end."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = files
        self.answer: Answer = whole
        self.address = ""

    @contextmanager
    def open(self) -> Iterator[None]:
        mirror = self

        class Giving(Handler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                mirror.answer(self, mirror.files[self.path.removeprefix("/")])

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Giving) as server:
            self.address = f"http://127.0.0.1:{server.server_port}/"
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            yield
            server.shutdown()
