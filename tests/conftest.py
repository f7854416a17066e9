"""What all tests share: runs of their own, and a browser where a test asks for one."""

import os
from collections.abc import Callable, Hashable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect

from tests.harness import CHROMIUM, LAPTOP, ROOT, chromium, open_context, server

expect.set_options(timeout=20_000)  # milliseconds; what comes at once on a machine at rest

# Two processes run side by side (pyproject.toml): more threads in each only wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# A training takes a thread a core all the same. Where the cores are busy, threads that spin while
# they wait for another take several times the work of the training itself.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@pytest.fixture(scope="session", autouse=True)
def _own_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Neither what a person has trained here nor another process's runs are met."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUNS_ROOT", str(tmp_path_factory.mktemp("runs")))
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: begun last, it would keep the other process waiting for minutes."""
    items.sort(key=lambda item: "random" not in item.nodeid)
    reason = "no Chromium on this machine: install the package chromium to run these"
    for item in items:
        if CHROMIUM is None and "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    with server(ROOT / "streamlit_app.py") as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    # More memory for young objects, so that they are collected less often: a twentieth of its work.
    with chromium("--js-flags=--min-semi-space-size=64") as browser:
        yield browser


Tabs = dict[Hashable, list[Page]]
# What a page shows to a person who has chosen nothing; each of it changes in an open tab too.
MEDIA = {"color_scheme": "light", "forced_colors": "none", "reduced_motion": "no-preference"}


@pytest.fixture(scope="session")
def context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """One browser of each kind. What its pages share is a cache, so only the first loads all."""
    contexts: dict[Hashable, BrowserContext] = {}

    def find(**options: Hashable) -> BrowserContext:
        kind = frozenset(options.items())
        if kind not in contexts:
            contexts[kind] = open_context(browser, LAPTOP, **options)
        return contexts[kind]

    yield find
    for one in contexts.values():
        one.close()


@pytest.fixture(scope="session")
def free_tabs() -> Tabs:
    """Tabs that tests have left, by the kind of their browser. A tab that has shown the app shows
    it again in half the time: its process has the scripts already.
    """
    return {}


@pytest.fixture
def new_page(
    context: Callable[..., BrowserContext], free_tabs: Tabs, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Page]]:
    """Open pages as different people would: a page is a session of its own, for the server as for
    the browser's storage. Nothing may go wrong in their consoles.
    """
    contexts: set[BrowserContext] = set()
    kinds: dict[Page, Hashable] = {}
    errors: list[str] = []
    failed_before = request.session.testsfailed

    def note(error: Error) -> None:
        errors.append(str(error))

    def open_page(size: tuple[int, int] = LAPTOP, is_alone=False, **options: Hashable) -> Page:
        """is_alone: in a tab that no other test had or gets. options: of a browser's context."""
        media = {name: options.pop(name, usual) for name, usual in MEDIA.items()}
        kind = frozenset(options.items())
        contexts.add(context(**options))
        tabs = [] if is_alone else free_tabs.setdefault(kind, [])
        page = tabs.pop() if tabs else context(**options).new_page()
        if not is_alone:
            kinds[page] = kind
        page.on("pageerror", note)
        # A tab behind another draws and hears the mouse once a second at most, and at times never.
        page.bring_to_front()
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.emulate_media(media="null", **media)
        return page

    yield open_page
    is_right = request.session.testsfailed == failed_before and not errors
    free = {page for tabs in free_tabs.values() for page in tabs}
    for page in {page for one in contexts for page in one.pages} - free:
        if is_right and page in kinds:
            page.evaluate("sessionStorage.clear()")
            page.goto("about:blank")
            page.mouse.move(0, 0)
            page.remove_listener("pageerror", note)
            free_tabs[kinds[page]].append(page)
        else:
            page.close()
    assert errors == []
