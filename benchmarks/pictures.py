"""Take the pictures for the home page and the README: python -m benchmarks.pictures [PAGE …]"""

from __future__ import annotations

from playwright.sync_api import Page

from benchmarks.command import pages
from tests.harness import (
    LAPTOP,
    ROOT,
    BackpropPage,
    MnistPage,
    SketchPage,
    WorkbookPage,
    chromium,
    open_context,
    server,
)
from tests.strokes import FORMS

FOLDER = ROOT / "core" / "ui" / "pictures"


def _backprop(page: Page, address: str) -> None:
    BackpropPage(page, address, "epoch=25")


def _mnist(page: Page, address: str) -> None:
    MnistPage(page, address).chart("Loss of each epoch").wait_for()
    page.wait_for_timeout(1000)


def _sketch(page: Page, address: str) -> None:
    SketchPage(page, address).draw(FORMS["3 round"].strokes)
    page.mouse.move(0, 0)
    page.wait_for_timeout(1000)


def _workbook(page: Page, address: str) -> None:
    workbook = WorkbookPage(page, address)
    page.get_by_role("button", name="Check a faulty one").click()
    workbook.chart("The table, cell by cell").wait_for(timeout=60_000)
    page.mouse.move(0, 0)
    page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 290)")
    page.wait_for_timeout(1500)


PAGES = {"backprop": _backprop, "mnist": _mnist, "sketch": _sketch, "workbook": _workbook}


def main() -> None:
    names = pages("pictures", __doc__, PAGES)
    FOLDER.mkdir(exist_ok=True)
    width, height = LAPTOP
    with server(ROOT / "streamlit_app.py") as address, chromium() as browser:
        for scheme in ("light", "dark"):
            for name in names:
                context = open_context(browser, (width, height + 60), color_scheme=scheme)
                page = context.new_page()
                PAGES[name](page, address)
                path = FOLDER / f"{name}-{scheme}.png"
                page.screenshot(path=path)
                context.close()
                print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
