from collections.abc import Callable, Hashable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.harness import (
    CHROMIUM,
    LAPTOP,
    ROOT,
    BackpropPage,
    chromium,
    open_context,
    server,
)

expect.set_options(timeout=20_000)  # milliseconds; what comes at once on a machine at rest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if CHROMIUM is None and "/browser/" in item.path.as_posix():
            reason = "no Chromium on this machine: install the package chromium to run these"
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    with server(ROOT / "streamlit_app.py") as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """One browser of each kind. What its pages share is a cache, so only the first loads all."""
    contexts: dict[Hashable, BrowserContext] = {}

    def find(size: tuple[int, int], **options: Hashable) -> BrowserContext:
        kind = (size, *sorted(options.items()))
        if kind not in contexts:
            contexts[kind] = open_context(browser, size, **options)
        return contexts[kind]

    yield find
    for one in contexts.values():
        one.close()


@pytest.fixture
def new_page(context: Callable[..., BrowserContext]) -> Iterator[Callable[..., Page]]:
    """Open pages as different people would: a page is a session of its own, for the server as for
    the browser's storage. Nothing may go wrong in their consoles.
    """
    contexts, errors = [], []

    def open_page(size: tuple[int, int] = LAPTOP, **options: Hashable) -> Page:
        contexts.append(context(size, **options))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield open_page
    for page in [page for one in contexts for page in one.pages]:
        page.close()
    assert errors == []


@pytest.fixture
def backprop(new_page: Callable[..., Page], address: str) -> Callable[..., BackpropPage]:
    """Open the backpropagation page with a query, as a new person."""

    def open_backprop(query: str = "", **options: object) -> BackpropPage:
        return BackpropPage(new_page(**options), address, query)

    return open_backprop
