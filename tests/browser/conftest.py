from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.harness import CHROMIUM, LAPTOP, ROOT, BackpropPage, chromium, server


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


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open pages as different people would; nothing may go wrong in their consoles."""
    contexts, errors = [], []

    def open_page(size: tuple[int, int] = LAPTOP, **options: object) -> Page:
        width, height = size
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def backprop(new_page: Callable[..., Page], address: str) -> Callable[..., BackpropPage]:
    """Open the backpropagation page with a query, as a new person."""

    def open_backprop(query: str = "", **options: object) -> BackpropPage:
        return BackpropPage(new_page(**options), address, query)

    return open_backprop
