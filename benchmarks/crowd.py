"""Many sessions at once: what a real browser has sent, sent again over as many websockets."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import time
import urllib.error
import urllib.request
import zipfile
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from playwright.sync_api import Page, WebSocket
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from core.workbook.example import faulty_workbook
from tests.harness import BackpropPage, MnistPage, SketchPage, WorkbookPage
from tests.session import is_end, upload

PATIENCE = 60.0  # seconds that an answer may take
SMALL = 500  # bytes; the message that ends a run is smaller: once a chart came, no other is read
STROKES = ([(0.35, 0.2), (0.5, 0.8)], [(0.6, 0.2), (0.55, 0.8)])
FILE = "faulty.xlsx"

Frames = list[BackMsg]
Vary = Callable[[BackMsg, int], BackMsg]


@dataclass
class Crowd:
    """Sessions on one server.

    recorded: what a browser sent, by what was done; times: ms until each answer, by what was asked;
    errors: what went wrong, in words; asked, ill: how often the server was asked whether it is
    well, and was not.
    """

    address: str
    recorded: dict[str, Frames]
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)
    asked: int = 0
    ill: int = 0

    @classmethod
    def of(cls, page: Page, address: str) -> Crowd:
        """Use each page once in a browser, and keep what it sends."""
        frames: dict[str, Frames] = defaultdict(list)
        doing = ["backprop"]

        def keep(payload: bytes | str) -> None:
            message = BackMsg()
            message.ParseFromString(payload if isinstance(payload, bytes) else payload.encode())
            if message.WhichOneof("type") == "rerun_script":
                frames[doing[0]].append(message)

        def listen(socket: WebSocket) -> None:
            socket.on("framesent", keep)

        page.on("websocket", listen)
        backprop = BackpropPage(page, address)
        doing[0] = "key"
        backprop.slider("eta").focus()
        page.keyboard.press("ArrowRight")
        backprop.settle()
        page.wait_for_timeout(1000)
        doing[0] = "mnist"
        mnist = MnistPage(page, address)
        doing[0] = "view"
        mnist.open("Compare")
        mnist.open("Results")
        doing[0] = "sketch"
        sketch = SketchPage(page, address)
        doing[0] = "stroke"
        for points in STROKES:
            sketch.stroke(points)
            sketch.settle()
            page.wait_for_timeout(500)
        doing[0] = "workbook"
        workbook = WorkbookPage(page, address)
        doing[0] = "file"
        workbook.give(FILE, faulty_workbook())
        return cls(address, dict(frames))

    def move_eta(self, count: int, seconds: float) -> None:
        """Everybody on the backpropagation page, a key a second."""
        asyncio.run(self._all([self._keys(k / count, seconds) for k in range(count)]))

    def go_through_all(self, count: int, seconds: float) -> None:
        """Everybody on MNIST, sketch and workbook page in turn, a third beginning with each."""
        asyncio.run(self._all([self._tour(k, count, seconds) for k in range(count)]))

    async def _all(self, people: Sequence[Coroutine[Any, Any, None]]) -> None:
        health = asyncio.create_task(self._ask_health())
        ended = await asyncio.gather(*people, return_exceptions=True)
        self.errors += [f"{type(one).__name__}: {one}" for one in ended if one is not None]
        health.cancel()

    async def _ask_health(self) -> None:
        while True:
            self.asked += 1
            try:
                await asyncio.to_thread(_get, f"{self.address}/_stcore/health")
            except (urllib.error.URLError, OSError):
                self.ill += 1
            await asyncio.sleep(1)

    async def _keys(self, late: float, seconds: float) -> None:
        await asyncio.sleep(late)
        async with await self._open("backprop") as socket:
            await self._each_second(socket, "key", seconds, _other_rate)

    async def _tour(self, number: int, count: int, seconds: float) -> None:
        await asyncio.sleep(number / count)
        pages = itertools.islice(itertools.cycle(("mnist", "sketch", "workbook")), number % 3, None)
        for page in itertools.islice(pages, 3):
            async with await self._open(page) as socket:
                if page == "mnist":
                    await self._each_second(socket, "view", seconds / 3, _as_recorded)
                elif page == "sketch":
                    await self._each_second(socket, "stroke", seconds / 3, _as_recorded)
                else:
                    await self._check(socket, number)

    async def _open(self, page: str) -> ClientConnection:
        """A new session that has drawn a page."""
        place = self.address.replace("http", "ws", 1)
        begun = time.perf_counter()
        socket = await connect(
            f"{place}/_stcore/stream",
            subprotocols=[Subprotocol("streamlit")],
            max_size=None,
            compression=None,
        )
        await _ask(socket, self.recorded[page][0])
        self._note(f"{page} page opened", begun)
        return socket

    async def _each_second(
        self, socket: ClientConnection, what: str, seconds: float, vary: Vary
    ) -> None:
        """Do a thing once a second, or as often as it is answered."""
        frames, begun = self.recorded[what], time.perf_counter()
        for number in itertools.count(1):
            wait = begun + number - time.perf_counter()
            if number > seconds:
                return
            await asyncio.sleep(max(wait, 0))
            asked = time.perf_counter()
            steps = frames if what == "key" else [frames[number % len(frames)]]
            seen = [await _ask(socket, vary(step, number)) for step in steps]
            first = {"key": seen[0].ended, "stroke": seen[0].drawn}  # its number; its bars
            self.times[what].append(1000 * (first.get(what, seen[0].ended) - asked))
            if what in first:
                self._note(f"{what}, all that follows", asked)

    async def _check(self, socket: ClientConnection, number: int) -> None:
        begun = time.perf_counter()
        request = BackMsg()
        request.file_urls_request.request_id = "1"
        request.file_urls_request.file_names.append(FILE)
        await socket.send(request.SerializeToString())
        while True:
            message = ForwardMsg()
            message.ParseFromString(await asyncio.wait_for(socket.recv(), PATIENCE))
            if message.WhichOneof("type") == "file_urls_response":
                break
        (place,) = message.file_urls_response.file_urls
        await asyncio.to_thread(upload, self.address, place.upload_url, FILE, _own_file(number))
        given = _copy(self.recorded["file"][0])
        for widget in given.rerun_script.widget_states.widgets:
            for file in widget.file_uploader_state_value.uploaded_file_info:
                file.file_id = place.file_id
                file.file_urls.CopyFrom(place)
        await _ask(socket, given)
        self._note("workbook given and judged", begun)

    def _note(self, what: str, begun: float) -> None:
        self.times[what].append(1000 * (time.perf_counter() - begun))


class _Seen(NamedTuple):
    """When a run's first chart came, 0 where none did, and when it ended."""

    drawn: float
    ended: float


async def _ask(socket: ClientConnection, message: BackMsg) -> _Seen:
    """Send, and wait until the run that it asks for has ended."""
    await socket.send(message.SerializeToString())
    drawn = 0.0
    while True:
        content = await asyncio.wait_for(socket.recv(), PATIENCE)
        if drawn and len(content) > SMALL:
            continue
        answer = ForwardMsg()
        answer.ParseFromString(content if isinstance(content, bytes) else content.encode())
        if answer.delta.new_element.HasField("vega_lite_chart"):
            drawn = drawn or time.perf_counter()
        if is_end(answer):
            return _Seen(drawn, time.perf_counter())


def _other_rate(message: BackMsg, number: int) -> BackMsg:
    """The recorded edit of η with another value, as the browser would number it."""
    other = _copy(message)
    for widget in other.rerun_script.widget_states.widgets:
        value = json.loads(widget.json_value or "{}")
        if isinstance(value, dict) and "edit" in value:
            value["edit"] |= {"value": f"{0.5 + 0.01 * (number % 100):g}", "number": number}
            widget.json_value = json.dumps(value)
        if widget.json_trigger_value:
            events = [one | {"value": number} for one in json.loads(widget.json_trigger_value)]
            widget.json_trigger_value = json.dumps(events)
    return other


def _own_file(number: int) -> bytes:
    """The faulty workbook, of other bytes for each person: what is the same is judged once."""
    file = io.BytesIO(faulty_workbook())
    with zipfile.ZipFile(file, "a") as archive:
        archive.comment = str(number).encode()
    return file.getvalue()


def _as_recorded(message: BackMsg, number: int) -> BackMsg:
    return message


def _copy(message: BackMsg) -> BackMsg:
    copied = BackMsg()
    copied.CopyFrom(message)
    return copied


def _get(address: str) -> None:
    urllib.request.urlopen(address, timeout=10).close()  # noqa: S310 (our own server)
