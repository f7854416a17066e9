"""A real server and a real Chromium, for the benchmarks and the browser tests alike."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

from playwright.sync_api import (
    Browser,
    BrowserContext,
    FilePayload,
    Locator,
    Page,
    ViewportSize,
    sync_playwright,
)

ROOT = Path(__file__).parent.parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
BASE = "--server.baseUrlPath"
LAPTOP, PHONE = (1366, 768), (390, 844)

# Notes in each page whether the server owes it a word: what the script's state does not tell from
# the moment at which the browser asks to the one at which the script starts.
LISTEN = """(() => {
  const talk = (window.talk = { owed: true, at: 0 });
  window.WebSocket = class extends WebSocket {
    constructor(...places) {
      super(...places);
      const hear = () => Object.assign(talk, { owed: false, at: performance.now() });
      this.addEventListener("message", hear);
    }
    send(data) {
      Object.assign(talk, { owed: true, at: performance.now() });
      super.send(data);
    }
  };
})()"""

# Whether the server has answered, its script has ended, and for `quiet` ms nobody has said anything
# and nothing has changed on the screen: one answer may lead to the next question.
RESTS = """(quiet) => {
  const app = document.querySelector("[data-testid=stApp]");
  const talk = window.talk;
  if (!app || !talk) return false;
  if (!talk.eye) {
    talk.changed = performance.now();
    talk.eye = new MutationObserver(() => { talk.changed = performance.now(); });
    const all = { subtree: true, childList: true, attributes: true, characterData: true };
    talk.eye.observe(document, all);
  }
  const { testScriptState: script, testConnectionState: connection } = app.dataset;
  // What is asked of a part of a page that has been left is never answered.
  const isOwed = talk.owed && performance.now() - talk.at < 3000;
  const rests = script === "notRunning" && connection === "CONNECTED" && !isOwed
    && !document.querySelector("[data-stale=true], [data-testid=stSkeleton]")
    && performance.now() - Math.max(talk.at, talk.changed) >= quiet;
  if (rests) {
    talk.eye.disconnect();
    talk.eye = null;
  }
  return rests;
}"""


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def server(
    script: Path,
    *options: str,
    env: Mapping[str, str] | None = None,
    stderr: IO[bytes] | None = None,
) -> Iterator[str]:
    """Run `streamlit run script` on a free port; yield its address once it answers.

    env: variables of its environment besides this process's own. stderr: where its complaints go;
    None: where this process's own go.
    """
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    command += ["--server.address", "127.0.0.1", "--server.headless", "true", *options]
    process = subprocess.Popen(
        command,
        cwd=script.parent,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        env=os.environ | dict(env or {}),
    )
    address = f"http://127.0.0.1:{port}"
    try:
        base = options[options.index(BASE) + 1] + "/" if BASE in options else ""
        _wait_for(f"{address}/{base}_stcore/health", process)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=120)  # seconds; on a busy machine it takes its time


def process(*words: str) -> int:
    """The process whose command line has all these words. Raises LookupError. Linux only."""
    for folder in Path("/proc").iterdir():
        try:
            found = (folder / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if set(words) <= set(found):
            return int(folder.name)
    raise LookupError(f"no process has {' '.join(words)}")


def _wait_for(url: str, process: subprocess.Popen[bytes], patience: float = 60) -> None:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with exit status {process.returncode}")
        try:
            urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 (our own address)
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"no answer from {url} within {patience:g} s")


@contextmanager
def chromium(*options: str) -> Iterator[Browser]:
    """Start the system's Chromium, headless; options: of its command line."""
    if CHROMIUM is None:
        raise RuntimeError("no Chromium found; install the package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", *options],
        )
        try:
            yield browser
        finally:
            browser.close()


def open_context(browser: Browser, size: tuple[int, int], **options: Any) -> BrowserContext:
    """A browser with its own cache, whose pages can tell when they rest. size: in CSS pixels."""
    viewport: ViewportSize = {"width": size[0], "height": size[1]}
    context = browser.new_context(viewport=viewport, **options)
    context.add_init_script(LISTEN)
    return context


def settle(page: Page, quiet: float = 100, timeout: float = 60_000) -> None:
    """Wait until the server has answered the last edit, and all is drawn. In milliseconds."""
    page.wait_for_function(RESTS, arg=quiet, timeout=timeout)


class BackpropPage:
    """The backpropagation page in a browser, read the way a person reads it."""

    def __init__(self, page: Page, address: str, query: str = "") -> None:
        self.page = page
        page.goto(f"{address}/backprop{query and '?' + query}")
        self.settle()

    def settle(self) -> None:
        """Wait until everything is drawn and the server has answered the last edit."""
        self.page.locator("[data-testid=stVegaLiteChart] svg").nth(1).wait_for(timeout=30_000)
        view = "[role=tabpanel] :is(.epoch-table tbody td, .katex, svg)"
        self.page.locator(view).first.wait_for(timeout=30_000)
        settle(self.page, 300)  # the table fills its unseen columns when its numbers rest

    def open(self, tab: str) -> None:
        """Open one of the tabs below the pictures."""
        self.page.get_by_role("tab", name=tab, exact=True).click()
        self.settle()

    def slider(self, name: str) -> Locator:
        """The range of the control called `name`."""
        return self.page.locator(f".control:has(#{name}) [type=range]")

    def field(self, name: str) -> Locator:
        """The number field of the control called `name`."""
        return self.page.locator(f"#{name}")

    def problem(self, name: str) -> str:
        """The sentence below the control called `name`; empty if there is none."""
        return self.page.locator(f"#{name}-problem").inner_text()

    def reading(self, name: str) -> str:
        """The line below the slider called `name`."""
        return self.page.locator(f".control:has(#{name}) output").inner_text()

    def press(self, name: str, at: float) -> tuple[float, float, float]:
        """Press the mouse on the slider at a share of its width; returns its left, width, y."""
        box = self.slider(name).bounding_box()
        assert box is not None
        left, width, y = box["x"], box["width"], box["y"] + box["height"] / 2
        self.page.mouse.move(left + at * width, y)
        self.page.mouse.down()
        return left, width, y

    def chart(self, key: str) -> Locator:
        """The picture with this title, as SVG."""
        return self.page.locator(f"[data-testid=stVegaLiteChart]:has-text('{key}') svg")

    def curve(self) -> str:
        """The path of the loss curve's first line."""
        lines = self.chart("Error of each epoch").first.locator(".mark-line path").first
        return lines.get_attribute("d") or ""

    def diagram(self) -> str:
        """All words and numbers of the diagram."""
        return self.chart("The network").first.text_content() or ""

    def cell(self, epoch: int, column: int) -> Locator:
        """The table's cell at an epoch in view and a 1-based column of the 31."""
        row = self.page.locator(f".epoch-table tbody tr[aria-rowindex='{epoch + 2}']")
        return row.locator("td").nth(column - 1)


class MnistPage:
    """The MNIST page in a browser, read the way a person reads it; no address: it is open."""

    def __init__(self, page: Page, address: str | None = None, query: str = "") -> None:
        self.page = page
        if address is not None:
            page.goto(f"{address}/mnist{query and '?' + query}")
        page.get_by_role("tab", name="Results").wait_for(timeout=60_000)
        self.settle()

    def settle(self) -> None:
        """Wait until the server has answered the last edit."""
        settle(self.page)

    def open(self, view: str) -> None:
        """Open one of the page's views."""
        self.page.get_by_role("tab", name=view, exact=True).click()
        self.settle()

    def chart(self, title: str) -> Locator:
        """The picture with this title, as SVG."""
        return self.page.locator(f"[data-testid=stVegaLiteChart]:has-text('{title}') svg").first

    def choose(self, label: str, option: str) -> None:
        """Choose in a drop-down list."""
        field = self.page.get_by_role("combobox", name=label, exact=True)
        field.scroll_into_view_if_needed()
        field.element_handle().wait_for_element_state("stable")  # scrolling closes an open list
        field.click()
        self.page.get_by_role("option", name=option).first.click()
        self.settle()

    def say(self, text: str) -> Locator:
        """What the page says that contains `text`."""
        return self.page.get_by_text(text).first


class SketchPage:
    """The sketch page in a browser, used with real mouse events."""

    def __init__(self, page: Page, address: str, query: str = "") -> None:
        self.page = page
        page.goto(f"{address}/sketch{query and '?' + query}")
        page.locator(".verdict").wait_for(timeout=60_000)
        self.settle()

    @property
    def canvas(self) -> Locator:
        """Where a person draws."""
        return self.page.locator("canvas.upper-canvas")

    def settle(self) -> None:
        """Wait until the server has answered the last edit."""
        settle(self.page)

    def stroke(self, points: Sequence[tuple[float, float]]) -> None:
        """Draw through points with the mouse; x, y: 0 to 1 from the canvas's top left corner."""
        self.press(points)
        self.page.mouse.up()

    def press(self, points: Sequence[tuple[float, float]]) -> None:
        """The same, with the button still down at the end."""
        places = self.places(points)
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        between = 2 if len(places) < 20 else 1  # each move waits for a frame
        for place in places[1:]:
            self.page.mouse.move(*place, steps=between)

    def places(self, points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        """Where on the screen these points of the canvas are, once it is in view."""
        self.canvas.wait_for()
        self.canvas.scroll_into_view_if_needed()
        box = self.canvas.bounding_box()
        assert box is not None
        return [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]

    def touch(self, points: Sequence[tuple[float, float]]) -> None:
        """Draw through points with a finger; for a page with `has_touch`."""
        session = self.page.context.new_cdp_session(self.page)
        ends = self.places(points)
        places = [
            {"x": x + i / 5 * (to_x - x), "y": y + i / 5 * (to_y - y)}
            for (x, y), (to_x, to_y) in pairwise(ends)
            for i in range(1, 6)
        ]
        places.insert(0, {"x": ends[0][0], "y": ends[0][1]})
        for kind, at in [("touchStart", places[:1]), *(("touchMove", [at]) for at in places[1:])]:
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        session.detach()

    def draw(self, strokes: Sequence[Sequence[tuple[float, float]]]) -> None:
        """Draw a digit given in a box of about 1 × 1, in the middle, and wait for the answer."""
        for points in strokes:
            self.stroke([(0.2 + 0.6 * x, 0.15 + 0.7 * y) for x, y in points])
        self.settle()

    def tool(self, name: str) -> Locator:
        """The button below the canvas called `name`."""
        return self.page.locator(".st-key-tools").get_by_role("button", name=name)

    def verdict(self) -> str:
        """The answer in words, in one line."""
        return self.page.locator(".verdict").inner_text().replace("\n", " ")

    def chart(self, title: str) -> Locator:
        """The picture with this title, as SVG."""
        return self.page.locator(f"[data-testid=stVegaLiteChart]:has-text('{title}') svg").first

    def probabilities(self) -> list[float]:
        """The percentages that the ten bars speak, as a screen reader reads them."""
        bars = self.chart("What the network answers").locator(".mark-rect path")
        spoken = [bar.get_attribute("aria-label") or "" for bar in bars.all()]
        return [float(text.split(":")[1].removesuffix(" %")) for text in spoken]


class WorkbookPage:
    """The workbook page in a browser."""

    def __init__(self, page: Page, address: str, query: str = "") -> None:
        self.page = page
        page.goto(f"{address}/workbook{query and '?' + query}")
        page.get_by_role("radio", name="Check one").wait_for(timeout=60_000)
        self.settle()

    def settle(self) -> None:
        """Wait until the server has answered the last edit."""
        settle(self.page)

    def give(self, name: str, file: bytes) -> None:
        """Choose a file, and wait for what is said about it."""
        chosen: FilePayload = {"name": name, "mimeType": "application/octet-stream", "buffer": file}
        self.page.locator("input[type=file]").set_input_files(chosen)
        self.page.get_by_test_id("stAlert").get_by_text(name).wait_for(timeout=60_000)
        self.settle()

    def give_all(self, files: Mapping[str, bytes]) -> None:
        """Choose several files at once, and wait for what is said about them."""
        chosen: list[FilePayload] = [
            {"name": name, "mimeType": "application/octet-stream", "buffer": file}
            for name, file in files.items()
        ]
        self.page.locator("input[type=file]").set_input_files(chosen)
        self.page.get_by_text(f"{len(files)} files").first.wait_for(timeout=120_000)
        self.settle()

    def verdict(self) -> Locator:
        """The line about the file as a whole."""
        return self.page.get_by_test_id("stAlert").first

    def go(self, title: str) -> None:
        """Open another page by the menu."""
        self.page.get_by_role("link", name=title, exact=True).click()
        self.page.get_by_role("heading", level=1).wait_for(timeout=60_000)
        self.settle()

    def chart(self, title: str) -> Locator:
        """The picture with this title, as SVG."""
        return self.page.locator(f"[data-testid=stVegaLiteChart]:has-text('{title}') svg").first
