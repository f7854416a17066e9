"""Files that people give to a page: good, blank, broken, and meant for another page."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache

import numpy as np
from openpyxl import Workbook
from PIL import Image, ImageDraw

from core.backprop.network import SEED, descend
from core.workbook.example import faulty_workbook
from core.workbook.export import workbook

PNG, BYTES = "image/png", "application/octet-stream"


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@cache
def _photograph() -> bytes:
    """A dark 7 on light paper."""
    paper = Image.new("L", (300, 400), 230)
    ImageDraw.Draw(paper).line([(90, 80), (210, 80), (135, 320)], fill=40, width=21)
    return _png(paper)


@cache
def _blank_workbook() -> bytes:
    file = io.BytesIO()
    Workbook().save(file)
    return file.getvalue()


@cache
def _right_workbook() -> bytes:
    return workbook(SEED, 1.0, 5)


def _table() -> bytes:
    return descend(SEED, 0.5, 8).table().to_csv(index=False).encode()


FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "seven.png": (_photograph, PNG),
    "paper.png": (lambda: _png(Image.new("L", (200, 200), 240)), PNG),
    "dot.png": (lambda: _png(Image.fromarray(np.zeros((1, 1), np.uint8))), PNG),
    "half.png": (lambda: _photograph()[:200], PNG),
    "text.png": (lambda: b"I am a text, not a picture.", PNG),
    "empty.png": (lambda: b"", PNG),
    "faulty.xlsx": (faulty_workbook, BYTES),
    "right.xlsx": (_right_workbook, BYTES),
    "blank.xlsx": (_blank_workbook, BYTES),
    "half.xlsx": (lambda: _right_workbook()[:3000], BYTES),
    "~$right.xlsx": (lambda: b"\x04somebody" + bytes(150), BYTES),
    "right.csv": (_table, "text/csv"),
    "empty.csv": (lambda: b"", "text/csv"),
    "words.csv": (lambda: b"epoch;w1\none;two\n\n,,,\n", "text/csv"),
    "a [link](x) *and* <b>.csv": (_table, "text/csv"),
}
