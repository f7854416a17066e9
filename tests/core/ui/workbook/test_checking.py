"""Files are judged one after another, and what is the same once."""

import os
from types import SimpleNamespace

import pytest

from core.ui.workbook import checking
from core.ui.workbook.checking import queued
from core.workbook.file.book import FileError


def who(name, file, tell):
    """The process that judged it."""
    return os.getpid()


def refuse(name, file, tell):
    raise FileError(f"{name} is refused by {os.getpid()}.")


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch):
    monkeypatch.setattr(checking, "_said", type(checking._said)())


def judge(name="a.xlsx", file=b"a", work=who):
    return queued(SimpleNamespace(progress=None), work, name, file, lambda share: None)


def test_the_same_file_of_the_same_name_is_judged_once():
    first = judge()
    assert first != os.getpid()
    assert judge() == first
    others = {judge("b.xlsx"), judge(file=b"b")}
    assert len(others | {first}) == 3


def test_a_large_file_is_judged_each_time():
    large = bytes(checking._SMALL + 1)
    assert judge(file=large) != judge(file=large)


def test_of_many_outcomes_the_last_are_kept():
    first, second = judge(file=b"0"), judge(file=b"1")
    for number in range(2, checking._MOST + 1):
        judge(file=str(number).encode())
        assert judge(file=b"0") == first  # asked for again and again
    assert judge(file=b"1") != second
    assert len(checking._said) == checking._MOST


def test_a_file_that_is_refused_is_looked_at_again():
    said = []
    for _ in range(2):
        with pytest.raises(FileError, match=r"a\.xlsx is refused") as refused:
            judge(work=refuse)
        said.append(str(refused.value))
    assert said[0] != said[1]
