"""Take the pictures for the home page and the README: `python -m benchmarks.pictures`."""

from __future__ import annotations

from playwright.sync_api import Page

from benchmarks.harness import (
    LAPTOP,
    ROOT,
    BackpropPage,
    MnistPage,
    SketchPage,
    chromium,
    server,
)
from benchmarks.strokes import FORMS

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


PAGES = {"backprop": _backprop, "mnist": _mnist, "sketch": _sketch}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    width, height = LAPTOP
    with server(ROOT / "streamlit_app.py") as address, chromium() as browser:
        for scheme in ("light", "dark"):
            for name, visit in PAGES.items():
                page = browser.new_page(
                    viewport={"width": width, "height": height + 60},
                    color_scheme=scheme,
                )
                visit(page, address)
                path = FOLDER / f"{name}-{scheme}.png"
                page.screenshot(path=path)
                page.close()
                print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
