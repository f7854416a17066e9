"""What a page shows of a run that trains long enough to be hurt."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import expect

from core.mnist import run_folder, runs
from tests.core.mnist.prepared import LONG, wait
from tests.harness import MnistPage

PATIENCE = 90_000  # milliseconds
SLOW = replace(LONG, batch_size=16)  # of which each next epoch is soon there


def trained_slowly(**query: object) -> str:
    """The query of a form whose Start begins a run of many small batches."""
    form = {name: getattr(SLOW, name) for name in ("data", "architecture", "batch_size", "epochs")}
    return urlencode({"view": "Train", **form, **query})


def press(page: MnistPage, name: str) -> None:
    page.page.get_by_role("button", name=name).click()


def begin(page: MnistPage) -> Path:
    """Press Start; the folder of the new run, which the page shows then."""
    before = set(run_folder.folders())
    press(page, "Start")
    wait(lambda: set(run_folder.folders()) - before)
    (folder,) = set(run_folder.folders()) - before
    expect(page.page).to_have_url(re.compile(folder.name))
    return folder


def begin_and_wait(page: MnistPage) -> Path:
    """The same, once the page shows the first epoch."""
    folder = begin(page)
    wait(lambda: runs.read(folder).epochs)
    expect(page.say("Test set: Epoch:1 ")).to_be_visible(timeout=PATIENCE)
    return folder


def assert_no_traceback(*pages: Any) -> None:
    for page in pages:
        expect(page.page.get_by_test_id("stException")).to_have_count(0)
        expect(page.page.get_by_text("Traceback")).to_have_count(0)
