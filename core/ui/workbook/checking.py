"""A file is checked and its mended copy made, while a bar shows how far that is."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

from streamlit.delta_generator import DeltaGenerator

from core.ui.turns import Turns
from core.ui.workbook.apart import TooMuchError, apart
from core.workbook.checker import check
from core.workbook.file.book import FileError
from core.workbook.file.progress import Tell, part
from core.workbook.file.read import refuse_lock
from core.workbook.mended import mended
from core.workbook.report.report import Report

T = TypeVar("T")
_STEP = 0.02  # of the bar: each costs a message to the browser
_turns = Turns()
# A class hands in the same file thirty times: what was last said of small ones, by work and file.
_said: OrderedDict[tuple[object, ...], Any] = OrderedDict()
_MOST, _SMALL = 16, 300_000  # outcomes; bytes of a file
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


def queued(place: DeltaGenerator, work: Callable[..., T], name: str, file: bytes, tell: Tell) -> T:
    """`work(name, file, tell)` in a process of its own, when those of others are done: side by side
    they would take as long, and all processors. Raises FileError as `work` does, and where it takes
    too much.
    """

    def waits(before: int) -> None:
        first = "Somebody else's file comes" if before == 1 else f"{before} other files come"
        place.progress(0.0, f"{first} first …")

    key = (work, name, file)
    with _turns.turn(waits):
        if key in _said:
            _said.move_to_end(key)
            return _said[key]  # type: ignore[no-any-return]
        try:
            said = apart(work, name, file, tell=tell)
        except TooMuchError as error:
            raise FileError(f"Judging it was given up: {error}.") from error
        if len(file) <= _SMALL:
            _said[key] = said
            if len(_said) > _MOST:
                _said.popitem(last=False)
        return said


def bar(place: DeltaGenerator, text: str, shown: float = 0.0) -> Tell:
    """A bar in `place`, `shown` of it full, that follows what it is told."""
    place.progress(shown, text)

    def tell(share: float) -> None:
        nonlocal shown
        if share >= shown + _STEP:
            shown = share
            place.progress(min(share, 1.0), text)

    return tell
