"""A file is checked and its mended copy made, while a bar shows how far that is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from streamlit.delta_generator import DeltaGenerator

from core.ui.workbook.apart import TooMuchError, apart
from core.workbook.checker import check
from core.workbook.file.book import FileError
from core.workbook.file.progress import Tell, part
from core.workbook.file.read import refuse_lock
from core.workbook.mended import mended
from core.workbook.report.report import Report

T = TypeVar("T")
_STEP = 0.02  # of the bar: each costs a message to the browser
_TURN = threading.Lock()
_LOOK = 0.25  # seconds until one who waits shows that, and may leave
_COPY = 0.5  # where the copy begins, which is judged as the file was


def checked(name: str, file: bytes, tell: Tell) -> tuple[Report, bytes | str]:
    """What is said of a file; and its mended copy, or a sentence on why there is none, or "" where
    there is nothing to mend, or nothing in a .csv that can be.

    The copy is made before it is offered: a download cannot say that it was refused. Raises
    FileError.
    """
    refuse_lock(name)
    report = check(file, part(tell, 0, _COPY))
    if not report.findings or report.book.kind != "xlsx":
        return report, ""
    try:
        return report, mended(report, part(tell, _COPY, 1))
    except FileError as refused:
        return report, str(refused)


def in_turn(place: DeltaGenerator, work: Callable[..., T], *given: Any, tell: Tell) -> T:
    """`work(*given, tell)` in a process of its own, when those of others are done: side by side
    they would take as long, and all processors. Raises FileError as `work` does, and where it takes
    too much.
    """
    while not _TURN.acquire(timeout=_LOOK):
        place.progress(0.0, "Somebody else's file comes first …")
    try:
        return apart(work, *given, tell=tell)
    except TooMuchError as error:
        raise FileError(f"Judging it was given up: {error}.") from error
    finally:
        _TURN.release()


def bar(place: DeltaGenerator, text: str, shown: float = 0.0) -> Tell:
    """A bar in `place`, `shown` of it full, that follows what it is told."""
    place.progress(shown, text)

    def tell(share: float) -> None:
        nonlocal shown
        if share >= shown + _STEP:
            shown = share
            place.progress(min(share, 1.0), text)

    return tell
