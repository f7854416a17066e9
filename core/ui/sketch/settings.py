"""Every setting of the sketch page: its name in the address, its range and its default."""

from __future__ import annotations

from core.mnist.explain import METHODS
from core.ui.settings import Choice, Name, Number, Settings

SOURCES = ("draw", "upload", "camera", "test")
DIGITS = tuple("0123456789")
ABOUT = ("answer", "runner-up", *DIGITS)
PEN = Number("width", 20, 4, 48, whole=True)  # px on a canvas of 320, so 1 to 4 pixels of MNIST
INDEX = Number("index", 0, 0, 9_999, whole=True)

settings = Settings(
    "sketch",
    [
        Choice("source", SOURCES[0], SOURCES),
        Name("network", "published"),
        PEN,
        INDEX,
        Choice("method", next(iter(METHODS)), tuple(METHODS)),
        Choice("about", ABOUT[0], ABOUT),
    ],
)
