"""What a page shows of a run that trains long enough to be hurt."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.sync_api import expect

from core.mnist import run_folder
from tests.core.mnist.prepared import LONG
from tests.harness import MnistPage

PATIENCE = 90_000  # milliseconds


def trained_slowly(**query: object) -> str:
    """The query of a form whose Start begins a run of many small batches."""
    form = {name: getattr(LONG, name) for name in ("data", "architecture", "batch_size", "epochs")}
    return urlencode({"view": "Train", **form, **query})


def chosen(page: MnistPage) -> Path:
    """The folder of the run that the page shows."""
    (name,) = parse_qs(urlsplit(page.page.url).query)["run"]
    return run_folder.root() / name


def assert_no_traceback(*pages: Any) -> None:
    for page in pages:
        expect(page.page.get_by_test_id("stException")).to_have_count(0)
        expect(page.page.get_by_text("Traceback")).to_have_count(0)
