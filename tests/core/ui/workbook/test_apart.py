"""Work in real processes of its own."""

import multiprocessing
import os
import signal
import time

import pytest

from core.ui.workbook import apart as module
from core.ui.workbook.apart import TooMuchError, apart
from core.workbook.file.book import FileError


def halves(number, tell):
    tell(0.5)
    tell(1.0)
    return number / 2, os.getpid()


def refuses(tell):
    raise FileError("This is no file.")


def dies(tell):
    tell(0.5)
    os.kill(os.getpid(), signal.SIGKILL)


def never_ends(tell):
    while True:
        tell(0.5)
        time.sleep(0.01)


def test_what_comes_back_is_from_another_process():
    told = []
    half, process = apart(halves, 3, tell=told.append)
    assert half == 1.5
    assert told == [0.5, 1.0]
    assert process != os.getpid()


def test_an_error_of_the_work_is_raised_here():
    with pytest.raises(FileError, match=r"^This is no file\.$"):
        apart(refuses, tell=print)


def test_a_process_that_ends_without_a_word_is_told_of():
    with pytest.raises(TooMuchError, match="for lack of memory"):
        apart(dies, tell=[].append)


def test_work_that_takes_too_long_is_ended(monkeypatch):
    monkeypatch.setattr(module, "LONGEST", 0.3)
    with pytest.raises(TooMuchError, match="longer than"):
        apart(never_ends, tell=[].append)
    assert multiprocessing.active_children() == []


def test_work_is_ended_when_nobody_waits_any_more():
    def leave(share):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apart(never_ends, tell=leave)
    assert multiprocessing.active_children() == []
