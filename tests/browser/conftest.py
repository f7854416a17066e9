from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.harness import BackpropPage


@pytest.fixture
def backprop(new_page: Callable[..., Page], address: str) -> Callable[..., BackpropPage]:
    """Open the backpropagation page with a query, as a new person."""

    def open_backprop(query: str = "", **options: object) -> BackpropPage:
        return BackpropPage(new_page(**options), address, query)

    return open_backprop
