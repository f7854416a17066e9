"""How quick the pages are under the hand: `python -m benchmarks.latency [backprop|sketch]`.

Real servers, a real Chromium, and beside ours a three-line Streamlit app, `BARE`, measured in turns
in the same run with the same server options, so that the ratios hold on any machine. Five things:

- repaints: how often in a second, while the mouse drags η for three seconds, a new reading, curve,
  diagram and, in each tab that follows the hand, what it shows have all reached the screen;
- frames: the same while the epochs are played, one every tenth of a second;
- keys: from an arrow key on the slider to the new number on the screen;
- first paint: from the address to the first number, and to the last picture in view, on a server
  just started;
- strokes: from the pen's lift on the sketch page to the ten new bars, and the network's own share.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from playwright.sync_api import Browser, Page

from benchmarks.command import pages
from core.mnist import checkpoint
from core.mnist.answer import use_one_thread
from core.mnist.evaluation import as_input
from core.mnist.pen import drawn_digits
from tests.harness import (
    LAPTOP,
    ROOT,
    BackpropPage,
    SketchPage,
    chromium,
    open_context,
    server,
)
from tests.strokes import FORMS

BARE = """import streamlit as st
x = st.slider("x", 0, 100, 50)
st.write(f"number {x}")
"""
OPTIONS = ("--server.fileWatcherType", "none", "--runner.postScriptGC", "false")
DRAGS, DRAG_SECONDS = 4, 3.0
ROUNDS, KEYS = 3, 25
COLD_STARTS = 3
FORWARDS = 203
APP = ROOT / "streamlit_app.py"

# Counts the frames by which every part has changed since the last one counted.
WATCH_REPAINTS = """(parts) => {
  const deep = (key, css) => [...document.querySelectorAll(`.st-key-${key} *`)]
    .find((e) => e.shadowRoot).shadowRoot.querySelector(css);
  const charts = [...document.querySelectorAll('[data-testid=stVegaLiteChart]')];
  const reads = parts.map((part) => new Function('deep', 'charts', 'return ' + part));
  const read = () => reads.map((part) => part(deep, charts));
  const watch = { repaints: 0, on: true };
  let shown = read();
  const look = () => {
    const now = read();
    if (now.every((text, i) => text !== shown[i])) {
      watch.repaints += 1;
      shown = now;
    }
    if (watch.on) requestAnimationFrame(look);
  };
  window.watch = watch;
  look();
}"""

# What follows a drag of η, and an epoch that is played: reading, curve or its points, diagram.
DRAGGED, PLAYED = (
    [
        f"deep('backprop-sliders', '.control:has(#{name}) output').textContent",
        f"charts[1].querySelector('{marks}').outerHTML",
        "charts[0].querySelector('svg').textContent",
    ]
    for name, marks in (("eta", ".mark-line path"), ("epoch", ".mark-symbol path"))
)

# What is read in each tab besides; nothing in those that wait until the hand rests.
VIEWS = {
    "Table": ["deep('epoch_table', 'tr[aria-current=true]').textContent"],
    "Derivation": ["document.querySelector('.st-key-derivation').textContent"],
    "Learning rates": [],
    "Landscape": [
        "[...charts[2].querySelectorAll('.mark-line path, .mark-rule line')]"
        ".map((mark) => mark.outerHTML).join()"
    ],
    "Check": [],
}

# Resolves with the milliseconds from the next event to the first frame that shows another text.
TIME_AN_EVENT = """([event, read]) => {
  const number = new Function('return ' + read);
  const before = number();
  window.taken = new Promise((resolve) => {
    addEventListener(event, () => {
      const start = performance.now();
      const look = () => (number() === before
        ? requestAnimationFrame(look)
        : requestAnimationFrame(() => resolve(performance.now() - start)));
      look();
    }, { once: true, capture: true });
  });
}"""
OUR_NUMBER = (
    "[...document.querySelectorAll('.st-key-backprop-sliders *')].find((e) => e.shadowRoot)"
    ".shadowRoot.querySelector('output').textContent"
)
BARE_NUMBER = (
    "[...document.querySelectorAll('p')]"
    ".find((p) => p.textContent.startsWith('number')).textContent"
)
BARS = (
    "[...[...document.querySelectorAll('[data-testid=stVegaLiteChart]')]"
    ".find((chart) => chart.textContent.includes('What the network answers'))"
    ".querySelectorAll('.mark-rect path')].map((bar) => bar.getAttribute('d')).join()"
)


@contextmanager
def new_page(browser: Browser) -> Iterator[Page]:
    context = open_context(browser, LAPTOP)
    try:
        yield context.new_page()
    finally:
        context.close()


def repaints_per_second(page: BackpropPage, view: Sequence[str]) -> float:
    """Drag η over most of its range for `DRAG_SECONDS`; view: what to read in the open tab."""
    left, width, y = page.press("eta", 0.15)
    page.page.wait_for_timeout(400)
    page.page.evaluate(WATCH_REPAINTS, [*DRAGGED, *view])
    start = time.perf_counter()
    while (passed := time.perf_counter() - start) < DRAG_SECONDS:
        page.page.mouse.move(left + (0.15 + 0.8 * passed / DRAG_SECONDS) * width, y)
        page.page.wait_for_timeout(16)
    repaints: int = page.page.evaluate("() => { watch.on = false; return watch.repaints; }")
    seconds = time.perf_counter() - start
    page.page.mouse.up()
    page.page.wait_for_timeout(800)
    return repaints / seconds


def frames_per_second(page: BackpropPage, view: Sequence[str]) -> float:
    """Play the epochs from the first for `DRAG_SECONDS`; view: what to read in the open tab."""
    page.field("epoch").fill("1")
    page.field("epoch").press("Enter")
    page.settle()
    play = page.page.get_by_role("button", name="Play, epoch")
    play.click()
    page.page.wait_for_timeout(400)
    page.page.evaluate(WATCH_REPAINTS, [*PLAYED, *view])
    start = time.perf_counter()
    page.page.wait_for_timeout(1000 * DRAG_SECONDS)
    frames: int = page.page.evaluate("() => { watch.on = false; return watch.repaints; }")
    seconds = time.perf_counter() - start
    page.page.get_by_role("button", name="Pause, epoch").click()
    page.settle()
    return frames / seconds


def key_times(page: Page, read: str) -> list[float]:
    """Milliseconds of `KEYS` presses on the focused slider; the first ones warm up."""
    taken = []
    for _ in range(KEYS + 3):
        page.evaluate(TIME_AN_EVENT, ["keydown", read])
        page.keyboard.press("ArrowRight")
        taken.append(float(page.evaluate("window.taken")))
        page.wait_for_timeout(250)
    return taken[3:]


def stroke_times(page: SketchPage) -> list[float]:
    """Milliseconds from the end of each form's first stroke on an empty canvas to its bars.

    A second stroke may leave the bars as they are, and could not be seen to have been answered.
    """
    taken = []
    for form in FORMS.values():
        page.press([(0.2 + 0.6 * x, 0.15 + 0.7 * y) for x, y in form.strokes[0]])
        page.page.wait_for_timeout(200)
        page.page.evaluate(TIME_AN_EVENT, ["mouseup", BARS])
        page.page.mouse.up()
        taken.append(float(page.page.evaluate("window.taken")))
        page.settle()
        page.tool("Clear").click()
        page.page.get_by_text("No digit yet").wait_for()
        page.settle()
    return taken


def forward_times() -> list[float]:
    """Milliseconds of the published network's forward pass for one image, on one thread."""
    use_one_thread()
    model, _ = checkpoint.load_checkpoint("published")
    image = as_input(drawn_digits(1, 0)[0])
    taken = []
    with torch.inference_mode():
        for _ in range(FORWARDS):
            start = time.perf_counter()
            model(image)
            taken.append(1000 * (time.perf_counter() - start))
    return taken[3:]


def first_paint(browser: Browser, script: Path, path: str, *selectors: str) -> list[float]:
    """Seconds from opening a fresh server's page until each selector is visible."""
    with server(script, *OPTIONS) as address, new_page(browser) as page:
        start = time.perf_counter()
        page.goto(f"{address}/{path}", wait_until="commit")
        taken = []
        for selector in selectors:
            page.locator(selector).first.wait_for(timeout=60_000)
            taken.append(time.perf_counter() - start)
        return taken


def tell(what: str, ours: Sequence[float], bare: Sequence[float], unit: str, aim: str) -> None:
    a, b = statistics.median(ours), statistics.median(bare)
    print(
        f"{what}: ours {a:.3g} {unit} ({min(ours):.3g} to {max(ours):.3g}), "
        f"bare {b:.3g} {unit} ({min(bare):.3g} to {max(bare):.3g}), "
        f"ratio {a / b:.2f} ({len(ours)} each{aim})"
    )


def sketch(browser: Browser) -> None:
    """Strokes on the sketch page."""
    with server(APP, *OPTIONS) as address, new_page(browser) as page:
        shown = SketchPage(page, address)
        times = stroke_times(shown)[3:]
    p95 = statistics.quantiles(times, n=20)[-1]
    print(
        f"end of stroke to bars: median {statistics.median(times):.0f} ms, p95 {p95:.0f} ms "
        f"({min(times):.0f} to {max(times):.0f}; {len(times)} strokes; aim 250)"
    )
    times = forward_times()
    print(
        f"forward pass, one thread: median {statistics.median(times):.2f} ms "
        f"({min(times):.2f} to {max(times):.2f}; {len(times)} passes; aim 5)"
    )


def backprop(browser: Browser) -> None:
    """First paint, keys and drags on the backpropagation page."""
    with tempfile.TemporaryDirectory() as folder:
        bare_app = Path(folder) / "bare.py"
        bare_app.write_text(BARE, encoding="utf-8")

        ours: list[list[float]] = []
        bare: list[list[float]] = []
        bare_slider = "[data-testid=stSlider] [role=slider], [data-testid=stSlider] input"
        for _ in range(COLD_STARTS):
            bare.append(first_paint(browser, bare_app, "", bare_slider))
            ours.append(
                first_paint(
                    browser, APP, "backprop", ".control output:not(:empty)", ".epoch-table tbody td"
                )
            )
        first = [times[0] for times in bare]
        tell("first paint, first number", [t[0] for t in ours], first, "s", ", aim ratio 1.6")
        tell("first paint, whole top", [t[1] for t in ours], first, "s", "")

        with server(APP, *OPTIONS) as our_url, server(bare_app, *OPTIONS) as bare_url:
            our_times: list[float] = []
            bare_times: list[float] = []
            for _ in range(ROUNDS):
                with new_page(browser) as page:
                    page.goto(bare_url)
                    slider = page.locator(bare_slider).first
                    slider.focus()
                    page.wait_for_timeout(1500)
                    bare_times += key_times(page, BARE_NUMBER)
                with new_page(browser) as page:
                    slider = BackpropPage(page, our_url).slider("eta")
                    slider.focus()
                    page.wait_for_timeout(1500)
                    our_times += key_times(page, OUR_NUMBER)
            tell("key to number", our_times, bare_times, "ms", ", aim ratio 1.3")
            for name, times in (("ours", our_times), ("bare", bare_times)):
                p95 = statistics.quantiles(times, n=20)[-1]
                print(f"  {name} 95th percentile: {p95:.0f} ms")

            for tab, view in VIEWS.items():
                with new_page(browser) as page:
                    shown = BackpropPage(page, our_url, f"epoch=25&tab={tab}")
                    drags = [repaints_per_second(shown, view) for _ in range(DRAGS)]
                    plays = [frames_per_second(shown, view) for _ in range(DRAGS)]
                for what, rates, aim in (("dragging", drags, 10), ("playing", plays, 8)):
                    print(
                        f"repaints while {what}, {tab}: "
                        f"median {statistics.median(rates):.1f} a second "
                        f"({min(rates):.1f} to {max(rates):.1f}; "
                        f"{DRAGS} times {DRAG_SECONDS:g} s; aim {aim})",
                        flush=True,
                    )


PAGES = {"backprop": backprop, "sketch": sketch}


def main() -> None:
    names = pages("latency", __doc__, PAGES)
    print(f"{os.cpu_count()} cores; three-line app beside ours, in turns, same server options")
    with chromium() as browser:
        for name in names:
            PAGES[name](browser)


if __name__ == "__main__":
    main()
