"""The guard itself: what it lets pass and what it does not; and how many cases there are."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress

import pytest

from tests.harness import ROOT
from tests.hostile import (
    guard as guards,
)
from tests.hostile import (
    test_addresses,
    test_messages,
    test_uploaded_files,
    test_uploaded_networks,
    test_uploaded_pictures,
    test_uploaded_workbooks,
    test_websocket,
)
from tests.hostile.guard import guard


def test_there_are_ten_thousand_cases():
    cases = [
        *test_addresses.READ.values(),
        *test_addresses.OPENED.values(),
        *test_messages.CASES.values(),
        *test_uploaded_files.CASES.values(),
        *test_uploaded_networks.CASES.values(),
        *test_uploaded_pictures.CASES.values(),
        *test_uploaded_workbooks.CASES.values(),
        test_uploaded_workbooks.XML,
        test_uploaded_workbooks.NAMES,
        test_websocket.MESSAGES * len(test_websocket.PAGES),
    ]
    assert sum(cases) >= 10_000


def test_what_is_the_app_s_own_passes(tmp_path):
    with guard() as case, case("own"):
        (tmp_path / "file").write_text("x", encoding="utf-8")
        (tmp_path / "file").rename(tmp_path / "other")
        assert (ROOT / "README.md").read_text(encoding="utf-8")
        assert os.listdir(ROOT)


@pytest.mark.parametrize(
    "reach",
    [
        lambda: open("/etc/passwd", "rb").close(),
        lambda: open(ROOT / "core/../../../etc/passwd", "rb").close(),
        lambda: os.close(os.open(ROOT / "left-by-a-test", os.O_CREAT | os.O_WRONLY)),
        lambda: os.listdir("/etc"),
        lambda: os.rename(ROOT / "no-such-file", ROOT / "nor-this"),
        lambda: os.remove("/nowhere/at/all"),
        lambda: subprocess.run(["true"], check=True),
        lambda: socket.create_connection(("127.0.0.1", 9)),
        lambda: urllib.request.urlopen("http://127.0.0.1:9/x"),
    ],
)
def test_what_is_opened_or_started_outside_is_told(reach):
    def held():
        with guard() as case, case("reach"), suppress(OSError):
            reach()  # which is told, whether it was possible or not

    try:
        with pytest.raises(AssertionError, match="outside"):
            held()
    finally:
        (ROOT / "left-by-a-test").unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("limit", "endless"),
    [("WAIT", lambda: time.sleep(60)), ("SECONDS", lambda: re.match("(a*)*b", "a" * 60))],
    ids=["waits", "computes"],
)
def test_a_case_that_hangs_is_ended_even_where_every_error_is_answered(monkeypatch, limit, endless):
    monkeypatch.setattr(guards, limit, 0.2)

    def held():
        with guard() as case, case("endless"), suppress(Exception):
            endless()

    with pytest.raises(AssertionError, match="case 'endless' hangs"):
        held()


def test_memory_that_is_taken_is_told():
    def held():
        with guard(megabytes=50) as case, case("much"):
            assert len(b"\1" * 100_000_000)

    with pytest.raises(AssertionError, match="MB were taken"):
        held()


def test_a_server_is_watched_from_its_start(tmp_path):
    """As test_websocket.py watches one."""
    told = tmp_path / "told"
    script = "open('/etc/passwd').close(); print('done')"
    env = os.environ | guards.watched(told, tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout == "done\n"
    assert told.read_text(encoding="utf-8") == "opened, to be read: /etc/passwd\n"
