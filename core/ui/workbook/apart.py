"""Work that takes long is done in a process of its own: meanwhile the pages of all others answer,
it costs no more time than is said here, and what it took of memory is given back.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from core.workbook.file.progress import Tell

T = TypeVar("T")
LONGEST = 300.0  # seconds
_NICENESS = 10  # pages come first, then this, then what trains

if sys.platform == "win32":  # where nothing is forked, and each process imports for itself
    _CONTEXT = multiprocessing.get_context("spawn")

    def get_ready() -> None:
        """Nothing can be done ahead."""

else:
    from multiprocessing import forkserver

    # A server has threads, so it cannot be forked: a process without any is, that has imported what
    # the work needs. The last is what every server of Streamlit has for its main program.
    _IMPORTED = ["core.ui.workbook.several", "pandas", "pyarrow", "streamlit.web.cli"]
    _CONTEXT = multiprocessing.get_context("forkserver")
    _CONTEXT.set_forkserver_preload(_IMPORTED)

    def get_ready() -> None:
        """Start the process that others are forked from, so that the first is there at once."""
        forkserver.ensure_running()


class TooMuchError(Exception):
    """The work took more time or memory than it may; the message is half a sentence."""


def apart(work: Callable[..., T], *given: Any, tell: Tell) -> T:
    """`work(*given, tell)`, done in another process; an error of it is raised here.

    work: a function of a module; what it is given and returns is copied from process to process.
    Raises TooMuchError too. Where `tell` raises, the work is ended.
    """
    ours, theirs = _CONTEXT.Pipe(duplex=False)
    process = _CONTEXT.Process(target=_do, args=(theirs, work, given), daemon=True)
    process.start()
    theirs.close()
    end = time.monotonic() + LONGEST
    try:
        while (left := end - time.monotonic()) > 0 and ours.poll(left):
            is_done, said = ours.recv()
            if not is_done:
                tell(said)
            elif isinstance(said, Exception):
                raise said
            else:
                return said  # type: ignore[no-any-return]
        raise TooMuchError(f"it takes longer than {LONGEST / 60:g} minutes")
    except EOFError:
        raise TooMuchError("its process was ended, most likely for lack of memory") from None
    finally:
        process.kill()
        process.join()
        ours.close()


def _do(theirs: Connection, work: Callable[..., object], given: tuple[Any, ...]) -> None:
    if sys.platform != "win32":  # which has no such number
        os.nice(_NICENESS)
    try:
        said = work(*given, lambda share: theirs.send((False, share)))
    except Exception as error:
        said = error
    theirs.send((True, said))
