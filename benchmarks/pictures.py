"""Take the pictures for the home page and the README: `python -m benchmarks.pictures`."""

from __future__ import annotations

from benchmarks.harness import LAPTOP, ROOT, BackpropPage, chromium, server

FOLDER = ROOT / "core" / "ui" / "pictures"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    width, height = LAPTOP
    with server(ROOT / "streamlit_app.py") as address, chromium() as browser:
        for scheme in ("light", "dark"):
            page = browser.new_page(
                viewport={"width": width, "height": height + 60},
                color_scheme=scheme,
            )
            BackpropPage(page, address, "epoch=25")
            path = FOLDER / f"backprop-{scheme}.png"
            page.screenshot(path=path)
            print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
