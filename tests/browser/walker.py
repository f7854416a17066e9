"""A person without a plan: seeded random steps through all pages, and what goes wrong on the way.

    python -m tests.browser.walker --seed 7 --steps 2000

A step is plain data: what is done, to what, with what, and how long the person waits after it. So a
walk that failed is a list that can be walked again, whole or in parts, and the shortest part that
still fails is what is printed. The seed alone does not repeat a walk to the letter: what can be
clicked depends on how far the page has come. The printed trail (`--replay FILE`) does, as nearly as
a browser and a server can.

`Person` carries out steps, `Watch` looks for what should not be, `next_step` has the ideas, `walk`
brings them together, `shrink.py` shortens what failed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, BrowserContext, ElementHandle, Page
from playwright.sync_api import Error as BrowserError

from core.mnist import run_folder, runs
from core.ui.backprop.settings import settings as backprop
from core.ui.mnist.settings import settings as mnist
from core.ui.sketch.settings import settings as sketch
from core.ui.workbook.settings import settings as workbook
from tests.browser.files import FILES
from tests.browser.shrink import shortest
from tests.harness import LAPTOP, PHONE, ROOT, chromium, open_context, server, settle

JS = (Path(__file__).parent / "walker.js").read_text(encoding="utf-8")
PAGES = {"": None, "backprop": backprop, "workbook": workbook, "mnist": mnist, "sketch": sketch}
SETTINGS = {page: frozenset(own.defaults()) if own else frozenset() for page, own in PAGES.items()}

PATIENCE = 20.0  # seconds in which a page must have a heading, and an address must be right
FEW = 2  # epochs of a training that a walk may start
TABS = 3  # of the browser


@dataclass(frozen=True)
class Step:
    """One thing a person does.

    act: a key of ACTS. what: the label of what it is done to, where there is such a thing; which:
    0 for the first that is called so. value: the text, the key, the places as shares of width and
    height. pause: milliseconds until the next step; None: until all is drawn.
    """

    act: str
    what: str = ""
    which: int = 0
    value: Any = None
    pause: int | None = None

    def __str__(self) -> str:
        what = f" “{self.what}”" if self.what else ""
        number = f" (no. {self.which + 1})" if self.which else ""
        value = "" if self.value is None else f": {json.dumps(self.value, ensure_ascii=False)}"
        pause = "wait until all is drawn" if self.pause is None else f"{self.pause} ms"
        return f"{self.act}{what}{number}{value}; {pause}"


Trail = list[Step]


@dataclass(frozen=True)
class Finding:
    """Something that should not be. kind and gist tell whether two findings are the same."""

    kind: str
    gist: str
    detail: str

    def is_like(self, other: Finding | None) -> bool:
        return other is not None and (self.kind, self.gist) == (other.kind, other.gist)


class Thing(NamedTuple):
    """Something on the screen that can be used."""

    kind: str
    label: str
    which: int


# ---------------------------------------------------------------- what a person does


class Person:
    """A browser of one's own, and what one does with it."""

    def __init__(self, browser: Browser, address: str, *, phone: bool = False) -> None:
        self.address = address
        size = PHONE if phone else LAPTOP
        self.context: BrowserContext = open_context(browser, size, has_touch=phone)
        self.errors: list[Finding] = []
        self.typed: set[str] = set()
        self.context.on("page", self._meet)
        self.page = self.context.new_page()
        self.page.goto(address)

    def close(self) -> None:
        self.context.close()

    def _meet(self, page: Page) -> None:
        page.set_default_timeout(1500)
        page.set_default_navigation_timeout(30_000)
        page.on("pageerror", lambda error: self._error("error in the browser", str(error)))
        page.on("console", self._console)
        page.on("dialog", lambda dialog: dialog.dismiss())
        page.on("filechooser", lambda _: None)  # a person closes it again

    def _console(self, message: Any) -> None:
        if message.type == "error" and not HARMLESS.search(message.text):
            self._error("error in the console", message.text)

    def _error(self, kind: str, text: str) -> None:
        self.errors.append(Finding(kind, gist(text.splitlines()[0] if text else ""), text))

    def things(self) -> list[Thing]:
        """All that can be used now."""
        return [Thing(*found) for found in self.page.evaluate(f"({JS})('list')")]

    def find(self, kind: str, label: str, which: int, patience: float) -> ElementHandle | None:
        """The thing of this kind and label, waited for."""
        deadline = time.monotonic() + patience
        while True:
            found = self.page.evaluate_handle(f"({JS})('find', ...{[kind, label, which]!r})")
            if element := found.as_element():
                return element
            if time.monotonic() > deadline:
                return None
            self.page.wait_for_timeout(50)

    def do(self, step: Step, patience: float = 0.5) -> bool:
        """Carry a step out and pause; False where it could not be done. patience: in seconds."""
        try:
            return ACTS[step.act](self, step, patience)
        except BrowserError as error:  # what was there a moment ago has gone, or lies under another
            if "Target crashed" in str(error):
                self._error("the browser's page has crashed", "Target crashed")
            return False
        finally:
            self.wait(step.pause)

    def wait(self, pause: int | None) -> None:
        """Wait; None: until nothing is being drawn, if that comes (something may be playing)."""
        try:
            if pause is not None:
                self.page.wait_for_timeout(pause)
            else:
                settle(self.page, timeout=4000)
        except BrowserError:
            return

    def may_press(self, label: str) -> bool:
        """Whether pressing this begins nothing that takes long."""
        if label not in ("Start", "Resume"):
            return True
        if label == "Resume":
            return True  # nothing long was ever started
        form = self.page.evaluate(f"({JS})('form')")
        return "UCI" in form["Digits"] and form["Epochs"] in map(str, range(1, FEW + 1))


def gist(text: str) -> str:
    """A line without the numbers and addresses that differ each time."""
    return re.sub(r"https?://\S+|[0-9a-f]{8,}|\d+", "#", text)[:160]


def _click(person: Person, step: Step, patience: float) -> bool:
    thing = person.find(step.act.removeprefix("twice "), step.what, step.which, patience)
    if thing is None or not person.may_press(step.what):
        return False
    (thing.dblclick if step.act.startswith("twice") else thing.click)()
    return True


def _key(person: Person, step: Step, _: float) -> bool:
    focused = person.page.evaluate(f"({JS})('focused')")
    if not person.may_press(focused):
        return False
    person.page.keyboard.press(step.value)
    return True


def _type(person: Person, step: Step, patience: float) -> bool:
    """Type over what is there; value: the text, and the key that follows, if any."""
    field_ = person.find("field", step.what, step.which, patience)
    if field_ is None:
        return False
    text, then = step.value
    field_.click()
    person.typed.add(text)
    person.page.keyboard.press("Control+A")
    if text:
        person.page.keyboard.type(text, delay=5)
    else:
        person.page.keyboard.press("Delete")
    if then:
        person.page.keyboard.press(then)
    return True


def _at(thing: ElementHandle, x: float, y: float) -> tuple[float, float]:
    box = thing.bounding_box()
    if box is None:
        raise BrowserError("it has no place on the screen")
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def _drag(person: Person, step: Step, patience: float) -> bool:
    """Drag through places of a thing; value: (x, y) as shares of its width and height."""
    thing = person.find(step.act.split()[-1], step.what, step.which, patience)
    if thing is None:
        return False
    thing.scroll_into_view_if_needed()
    first, *others = [_at(thing, x, y) for x, y in step.value]
    person.page.mouse.move(*first)
    person.page.mouse.down()
    try:
        for place in others:
            person.page.mouse.move(*place, steps=4)
    finally:
        person.page.mouse.up()
    return True


def _point(person: Person, step: Step, patience: float) -> bool:
    """Click a place within a picture or a native table."""
    thing = person.find("picture", step.what, step.which, patience)
    if thing is None:
        return False
    thing.scroll_into_view_if_needed()
    place = _at(thing, *step.value)
    person.page.mouse.move(*place)
    person.page.mouse.click(*place)
    return True


def _give(person: Person, step: Step, patience: float) -> bool:
    door = person.find("file", step.what, step.which, patience)
    if door is None:
        return False
    make, kind = FILES[step.value]
    door.set_input_files({"name": step.value, "mimeType": kind, "buffer": make()})
    return True


def _scroll(person: Person, step: Step, _: float) -> bool:
    person.page.mouse.move(600, 400)
    person.page.mouse.wheel(0, step.value)
    return True


def _history(person: Person, step: Step, _: float) -> bool:
    going = {"Back": person.page.go_back, "Forward": person.page.go_forward}
    going.get(step.value, person.page.reload)(wait_until="commit")
    if person.page.url.startswith("about:"):  # of the empty tab that the walk began in
        person.page.go_forward(wait_until="commit")
    return True


def _open(person: Person, step: Step, _: float) -> bool:
    person.page.goto(f"{person.address}/{step.value}", wait_until="commit")
    return True


def _tab(person: Person, step: Step, _: float) -> bool:
    """Another tab of the browser: a new one at the same address, the next one, or one less."""
    tabs = person.context.pages
    if step.value == "new":
        if len(tabs) == TABS:
            return False
        here = person.page.url
        person.page = person.context.new_page()
        person.page.goto(here, wait_until="commit")
    elif len(tabs) == 1:
        return False
    else:
        number = (tabs.index(person.page) + 1) % len(tabs)
        if step.value == "close":
            person.page.close()
        person.page = tabs[number]
        person.page.bring_to_front()
    return True


PRESSED = ("link", "button", "map", "tool", "radio", "tab", "list", "option")
PRESSED += ("expander", "row")
ACTS: dict[str, Callable[[Person, Step, float], bool]] = {
    **dict.fromkeys(PRESSED, _click),
    "twice button": _click,
    "twice radio": _click,
    "key": _key,
    "type": _type,
    "drag slider": _drag,
    "draw on canvas": _drag,
    "point": _point,
    "give file": _give,
    "scroll": _scroll,
    "history": _history,
    "open": _open,
    "browser tab": _tab,
    "wait": lambda *_: True,
}

# ---------------------------------------------------------------- what should not be

# What a browser says of its own accord when a page is left while something is under way.
# The last: Streamlit forgets a file that was asked for while the page was drawn anew, and the next
# click gets it.
HARMLESS = re.compile(
    "net::ERR_|WebSocket|favicon|Failed to load resource|was preloaded"
    "|Download Button source error - 404"
)


class Watch:
    """Looks at page and server after each step.

    late: seconds that a busy server may take to answer the last step.
    """

    def __init__(self, errors: Path, ignore: str = "", late: float = 3.0) -> None:
        self.late = late
        self.errors, self.read = errors, errors.stat().st_size
        self.ignore = re.compile(ignore) if ignore else None
        self.since: dict[tuple[str, str], float] = {}

    def look(self, person: Person) -> Finding | None:
        """The first thing that is wrong now; what may pass is only wrong when it stays."""
        wrong = [*self._server(person), *person.errors]
        person.errors.clear()
        for finding in self._page(person):
            since = self.since.setdefault((finding.kind, finding.gist), time.monotonic())
            wrong += [finding] * (time.monotonic() - since >= STAYS.get(finding.kind, 0))
        seen = {(finding.kind, finding.gist) for finding in self.last}
        self.since = {key: since for key, since in self.since.items() if key in seen}
        return next((f for f in wrong if not self._is_known(f)), None)

    def look_until_sure(self, person: Person) -> Finding | None:
        """Look until what may pass has passed or has stayed, and what is late has come."""
        least = time.monotonic() + self.late
        while True:
            finding = self.look(person)
            if finding or (not self.last and time.monotonic() > least):
                return finding
            person.wait(200)

    def _is_known(self, finding: Finding) -> bool:
        return self.ignore is not None and bool(self.ignore.search(f"{finding.detail}"))

    def _server(self, person: Person) -> Iterator[Finding]:
        text = self.errors.read_bytes()[self.read :].decode(errors="replace")
        if "Traceback (most recent call last)" in text:
            person.wait(300)  # the rest of it
            text = self.errors.read_bytes()[self.read :].decode(errors="replace")
            self.read = self.errors.stat().st_size
            last = [line for line in text.splitlines() if re.match(r"\w[\w.]*(:|$)", line)]
            yield Finding("traceback", gist(last[-1] if last else ""), text)
        try:
            urllib.request.urlopen(f"{person.address}/_stcore/health", timeout=30).close()  # noqa: S310
        except (urllib.error.URLError, OSError) as error:
            yield Finding("the server is dead", "", str(error))

    def _page(self, person: Person) -> list[Finding]:
        self.last: list[Finding] = []
        try:
            seen = person.page.evaluate(f"({JS})('look')")
        except BrowserError:  # the page is being changed for another
            self.last = [Finding("blank page", "", "no page")]
            return self.last
        add = self.last.append
        for text in seen["exceptions"]:
            add(Finding("traceback", gist(text.splitlines()[0]), text))
        if not seen["heading"]:
            add(Finding("blank page", "", f"no heading on {person.page.url}: {seen['text']}"))
        if seen["stale"]:
            add(Finding("never done", "", f"still drawing {person.page.url}"))
        for place, text in seen["odd"]:
            if not any(typed and typed in text for typed in person.typed):
                add(Finding("a word that is no value", place, f"{place}: {text}"))
        add_all = self.last.extend
        add_all(wrong_address(person.page.url))
        return self.last


STAYS = {  # seconds
    "blank page": PATIENCE,
    "a word that is no value": 3,
    "setting of another page": 5,
    "address": 3,
    "never done": 120,
}


def wrong_address(url: str) -> Iterator[Finding]:
    """What no address of the app may say."""
    parts = urlsplit(url)
    page = parts.path.strip("/")
    if page not in SETTINGS:
        yield Finding("address", "no page", url)
        return
    others = frozenset().union(*SETTINGS.values()) - SETTINGS[page]
    for name, values in parse_qs(parts.query, keep_blank_values=True).items():
        if name in others:
            yield Finding("setting of another page", f"{name} on {page or 'home'}", url)
        if {"None", "nan", "undefined", "null", "NaN"} & set(values):
            yield Finding("address", f"{name} is no value", url)


# ---------------------------------------------------------------- what a person thinks of

GOOD = ["0", "1", "0.5", "0,5", "-0.5", "−0.5", "1/2", ".25", "2", "3", "10", "1e-3", "٣", "½"]
BAD = [
    *("", " ", "abc", "nan", "None", "1e308", "-1e308", "1e999", "1,000.5", "0x10", "--1", "1/0"),
    *("0.5;", "<b>", "9" * 30),
]
LISTS = ["0.1 1 10", "1; 2, 3", "0,1 0,5", "5", "1 1 1", "1 x", "0 1000", " ".join("0123456789abc")]
KEYS = [
    *("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Tab", "Shift+Tab", "Enter", "Space"),
    *("Home", "End", "PageUp", "PageDown", "Escape", "Backspace", "Delete"),
]
THEN = ("Enter", "Tab", "Escape", "ArrowUp", "ArrowDown", "")
LINKS = (
    "",
    "backprop",
    "backprop?eta=10&epochs=3",
    "backprop?w1=abc&w2=0.7",
    "backprop?epochs=1000&epoch=777",
    "backprop?eta=1000&scale=log&digits=all&edges=gradients",
    "backprop?w5=100&w6=-100&i1=100&t1=-5",
    "backprop?biases=learn&hidden=tanh&output=ReLU&kept=w5+b2&tab=Derivation&weight=b1",
    "backprop?epochs=10000&epoch=9000&pin=eta%3D0.5%26biases%3Dstay",
    "workbook",
    "workbook?task=export",
    "workbook?task=burn",
    "mnist",
    "mnist?view=Train&data=uci&epochs=1",
    "mnist?view=Compare&compared=compact",
    "mnist?view=Compare&compared=gone+compact",
    "mnist?network=gone&cells=shares",
    "mnist?run=20200101-000000-gone-1&view=Train",
    "sketch",
    "sketch?source=test&index=9999",
    "sketch?source=test&index=18&method=occlusion&about=3",
    "sketch?source=upload",
    "sketch?network=compact&width=48",
    "sketch?method=integrated-gradients&about=runner-up",
)
# How often a thing of this kind is used, where there is one.
LIKES = {
    "link": 7,
    "button": 8,
    "map": 1,
    "tool": 1,
    "radio": 6,
    "tab": 3,
    "list": 5,
    "option": 30,  # the list that is open now
    "expander": 2,
    "row": 3,
    "slider": 6,
    "field": 7,
    "file": 3,
    "canvas": 7,
    "picture": 2,
}
FREELY = {"key": 6, "history": 3, "scroll": 1, "open": 1, "browser tab": 1, "plan": 4}


def pause_of(rng: random.Random) -> int | None:
    """Quick succession, some hesitation, or a look at what happened."""
    kind = rng.random()
    if kind < 0.4:
        return rng.randrange(0, 60)
    if kind < 0.75:
        return rng.randrange(60, 500)
    return None


def next_step(rng: random.Random, things: Sequence[Thing]) -> list[Step]:
    """What comes to mind at the sight of `things`: mostly one step, now and then a small plan."""
    kinds = Counter(thing.kind for thing in things)
    wishes = {**{kind: LIKES[kind] for kind in kinds}, **FREELY}
    kind = rng.choices(list(wishes), list(wishes.values()))[0]
    pause = pause_of(rng)

    def share() -> float:
        return round(rng.uniform(0.02, 0.98), 2)

    match kind:
        case "key":
            keys = rng.choices(KEYS, k=rng.choice((1, 1, 2, 5)))
            return [Step("key", value=key, pause=pause_of(rng)) for key in keys]
        case "history":
            return [
                Step(kind, value=rng.choice(("Back", "Back", "Forward", "Reload")), pause=pause)
            ]
        case "scroll":
            return [Step(kind, value=rng.choice((-2000, -300, 300, 2000)), pause=pause)]
        case "open":
            return [Step(kind, value=rng.choice(LINKS), pause=pause)]
        case "browser tab":
            return [Step(kind, value=rng.choice(("new", "next", "next", "close")), pause=pause)]
        case "plan":
            return rng.choice(PLANS)(rng)
    labels = sorted({thing.label for thing in things if thing.kind == kind})
    label = rng.choice(labels)
    which = rng.randrange(sum((t.kind, t.label) == (kind, label) for t in things))
    match kind:
        case "field":
            texts = rng.choices((GOOD, BAD, LISTS), (6, 4, 1))[0]
            value: Any = [rng.choice(texts), rng.choice(THEN)]
            return [Step("type", label, which, value, pause)]
        case "slider":
            places = [[share(), 0.5] for _ in range(rng.choice((2, 3, 5)))]
            return [Step("drag slider", label, which, places, pause)]
        case "canvas":
            places = [[share(), share()] for _ in range(rng.choice((2, 3, 4)))]
            return [Step("draw on canvas", label, which, places, pause)]
        case "picture":
            return [Step("point", label, which, [share(), share()], pause)]
        case "file":
            return [Step("give file", label, which, rng.choice(list(FILES)), pause)]
        case "button" | "radio" if rng.random() < 0.1:
            return [Step(f"twice {kind}", label, which, pause=pause)]
    return [Step(kind, label, which, pause=pause)]


def _train(rng: random.Random) -> list[Step]:
    return [
        Step("link", "MNIST"),
        Step("tab", "Train"),
        Step("list", "Digits"),
        Step("option", "UCI"),
        Step("type", "Epochs", value=[str(rng.randint(1, FEW)), "Enter"]),
        Step("button", "Start", pause=pause_of(rng)),
    ]


def _upload(rng: random.Random) -> list[Step]:
    page, door = rng.choice((("Sketch", "Upload"), ("Workbooks", "Check one")))
    return [
        Step("link", page),
        Step("radio", door),
        Step("give file", "file", value=rng.choice(list(FILES)), pause=pause_of(rng)),
    ]


def _play(rng: random.Random) -> list[Step]:
    page = rng.choice(("Home", "Workbooks", "MNIST", "Sketch"))
    return [
        Step("link", "Backpropagation"),
        Step(
            "button", rng.choice(("Play, epoch", "Play, step by step")), pause=rng.randrange(0, 900)
        ),
        Step("link", page, pause=pause_of(rng)),
    ]


def _draw(rng: random.Random) -> list[Step]:
    def stroke(pause: int | None) -> Step:
        places = [[round(rng.uniform(0.2, 0.8), 2), y] for y in (0.2, 0.5, 0.8)]
        return Step("draw on canvas", "canvas", value=places, pause=pause)

    after = rng.choice(("Undo", "Clear", "Undo"))
    return [
        Step("link", "Sketch"),
        Step("radio", "Draw"),
        stroke(rng.randrange(0, 300)),
        stroke(pause_of(rng)),
        Step("button", after, pause=pause_of(rng)),
    ]


def _there_and_back(rng: random.Random) -> list[Step]:
    pages = ["Home", "Backpropagation", "Workbooks", "MNIST", "Sketch"]
    return [Step("link", rng.choice(pages), pause=rng.randrange(0, 400)) for _ in range(4)]


PLANS = (_train, _upload, _play, _draw, _there_and_back)

# ---------------------------------------------------------------- the walk


@dataclass
class Walk:
    """A walk as far as it came. addresses: where each step began."""

    seed: int
    steps: Trail = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    finding: Finding | None = None
    could_not: int = 0


class Place:
    """A server of one's own, whose complaints are kept, with an empty folder of runs."""

    def __init__(self, folder: Path, script: Path = ROOT / "streamlit_app.py") -> None:
        self.script = script
        self.runs, self.errors = folder / "runs", folder / "stderr.txt"
        self.runs.mkdir()
        self.errors.touch()
        data = ROOT.parent / "shared" / "data"
        # Rich would print tracebacks to stdout, where nobody reads them.
        self.env = {"RUNS_ROOT": str(self.runs), "STREAMLIT_LOGGER_ENABLE_RICH": "false"}
        self.env["MNIST_ROOT"] = os.environ.get("MNIST_ROOT") or str(
            data if data.is_dir() else folder / "no-data"
        )

    @contextmanager
    def open(self) -> Iterator[str]:
        """The address of the server; the trainings that it began end with it."""
        with self.errors.open("ab") as errors:
            try:
                with server(self.script, env=self.env, stderr=errors) as address:
                    yield address
            finally:
                self._stop_runs()

    def _stop_runs(self) -> None:
        deadline = time.monotonic() + 60
        folders = [folder for folder in self.runs.iterdir() if folder.is_dir()]
        for folder in folders:
            runs.stop(folder)
        while time.monotonic() < deadline:
            if not any(run_folder.state(folder).is_active for folder in folders):
                return
            time.sleep(0.2)


def walk(
    meet: Callable[[], Person],
    watch: Watch,
    seed: int,
    steps: int,
    tell: Callable[[str], object] = lambda _: None,
) -> Walk:
    """Walk until something is wrong, or for so many steps.

    meet: brings a new person, here and below. tell: is told of each step.
    """
    rng = random.Random(seed)  # noqa: S311 (no secret)
    done = Walk(seed)
    plan: deque[Step] = deque()
    person = meet()
    try:
        person.wait(None)
        while len(done.steps) < steps and done.finding is None:
            if not plan:
                plan.extend(next_step(rng, _seen(person)))
            step = plan.popleft()
            done.addresses.append(person.page.url.removeprefix(person.address).lstrip("/"))
            done.steps.append(step)
            could = person.do(step)
            done.could_not += not could
            if not could:
                plan.clear()
            tell(f"{len(done.steps)}. {'' if could else '(could not) '}{step}\n")
            done.finding = watch.look(person)
        done.finding = done.finding or watch.look_until_sure(person)
    finally:
        person.close()
    return done


def _seen(person: Person) -> list[Thing]:
    try:
        return person.things()
    except BrowserError:  # the page is being changed for another
        return []


def replay(meet: Callable[[], Person], watch: Watch, steps: Sequence[Step]) -> Finding | None:
    """Walk a trail as another person; what went wrong."""
    watch.since.clear()
    person = meet()
    try:
        person.wait(None)
        for step in steps:
            person.do(step, patience=3.0)
            if finding := watch.look(person):
                return finding
        return watch.look_until_sure(person)
    finally:
        person.close()


def shortened(
    meet: Callable[[], Person], watch: Watch, done: Walk, seconds: float
) -> tuple[Trail, bool]:
    """The shortest trail found in the time given, and whether it fails when it is walked again."""
    finding, deadline = done.finding, time.monotonic() + seconds
    assert finding is not None

    def fails(steps: Sequence[Step]) -> bool:
        return finding.is_like(replay(meet, watch, steps))

    # What happened long before has mostly no part in it, and the address is the state: begin late.
    count = 1
    while count < len(done.steps) and time.monotonic() < deadline:
        begin = done.addresses[-count]
        late = [Step("open", value=begin), *done.steps[-count:]]
        # An address that is wrong itself is what was to be found, not how it came about.
        if not any(wrong_address(f"http://host/{begin}")) and fails(late):
            return shortest(late, fails, deadline), True
        count *= 2
    if time.monotonic() < deadline and fails(done.steps):
        return shortest(done.steps, fails, deadline), True
    return done.steps[-30:], False


def told(done: Walk, trail: Trail, again: bool) -> str:
    """A failure as a person reads it, and the trail as `--replay` reads it."""
    assert done.finding is not None
    found = done.finding
    lines = [
        f"{found.kind} in step {len(done.steps)} of the walk with seed {done.seed}",
        found.detail,
        "",
        "The shortest trail that fails:"
        if again
        else "It did not happen again when the walk was repeated. The last steps before it:",
        *(f"{number:3}. {step}" for number, step in enumerate(trail, start=1)),
        "",
        "The same for --replay:",
        json.dumps([asdict(step) for step in trail], ensure_ascii=False),
    ]
    return "\n".join(lines)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--shrink", type=float, default=180, help="seconds for shortening a trail")
    parser.add_argument("--replay", type=Path, help="walk the trail in this file, as it is printed")
    parser.add_argument("--phone", action="store_true", help="on the screen of a phone")
    parser.add_argument("--tell", action="store_true", help="print each step")
    parser.add_argument("--ignore", default="", help="findings whose text has this pattern")
    asked = parser.parse_args()
    say = sys.stdout.write
    with (
        tempfile.TemporaryDirectory() as folder,
        (place := Place(Path(folder))).open() as address,
        chromium() as browser,
    ):
        watch = Watch(place.errors, asked.ignore)
        meet = partial(Person, browser, address, phone=asked.phone)
        if asked.replay:
            trail = [Step(**step) for step in json.loads(asked.replay.read_text("utf-8"))]
            finding = replay(meet, watch, trail)
            say(f"{finding.kind}\n{finding.detail}\n" if finding else "Nothing went wrong.\n")
            return int(finding is not None)
        begun = time.monotonic()
        tell = say if asked.tell else lambda _: None
        done = walk(meet, watch, asked.seed, asked.steps, tell)
        say(
            f"seed {done.seed}: {len(done.steps)} steps in {time.monotonic() - begun:.0f} s, "
            f"{done.could_not} of them could not be done\n"
        )
        if done.finding:
            say(f"{done.finding.kind}: {done.finding.detail}\n(shortening)\n")
            say(told(done, *shortened(meet, watch, done, asked.shrink)) + "\n")
        return int(done.finding is not None)


if __name__ == "__main__":
    sys.exit(main())
