"""What each page takes on a server that has just started: python -m benchmarks.start [PAGE …]

Seconds from opening the address until what the page is for is on the screen, and the most memory
that the server has held by then; beside it a three-line app, in turns in the same run.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser

from benchmarks.command import pages
from benchmarks.latency import APP, BARE, OPTIONS, new_page
from benchmarks.load import megabytes
from tests.harness import chromium, process, server

ROUNDS = 3
BARE_APP = "bare"
# What each page is for; the last to appear of all that a person waits for.
SHOWN = {
    "home": "[data-testid=stPageLink], [data-testid=stImage]",
    "backprop": ".epoch-table tbody td",
    "workbook": "[data-testid=stFileUploader]",
    "mnist": "[data-testid=stMetric]",
    "sketch": ".verdict",
}


class Start(NamedTuple):
    """Seconds to the page, MB of the server."""

    seconds: float
    memory: float


def start(browser: Browser, script: Path, path: str, shown: str) -> Start:
    """Of a fresh server's page; shown: what must be visible."""
    with server(script, *OPTIONS) as address, new_page(browser) as page:
        begin = time.perf_counter()
        page.goto(f"{address}/{path}", wait_until="commit")
        page.locator(shown).first.wait_for(timeout=60_000)
        seconds = time.perf_counter() - begin
        page.wait_for_timeout(2000)  # what is still drawn below counts as memory
        return Start(
            seconds, megabytes(process(str(script), "--server.port", address.split(":")[-1]))
        )


def main() -> None:
    names = pages("start", __doc__, SHOWN)
    found: dict[str, list[Start]] = {name: [] for name in (BARE_APP, *names)}
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE, encoding="utf-8")
        for _ in range(ROUNDS):
            found[BARE_APP].append(start(browser, bare, "", "[data-testid=stSlider]"))
            for name in names:
                path = "" if name == "home" else name
                found[name].append(start(browser, APP, path, SHOWN[name]))
    first = statistics.median(one.seconds for one in found[BARE_APP])
    for name, starts in found.items():
        seconds = sorted(one.seconds for one in starts)
        memory = max(one.memory for one in starts)
        print(
            f"{name}: {statistics.median(seconds):.1f} s ({seconds[0]:.1f} to {seconds[-1]:.1f}, "
            f"{ROUNDS} starts), {statistics.median(seconds) / first:.2f} × bare, {memory:.0f} MB"
        )


if __name__ == "__main__":
    main()
