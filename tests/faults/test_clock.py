"""The clock of the machine is set back by an hour, under those who wait and those who train."""

import os
import time

import pytest

from core.mnist import run_folder, runs
from core.mnist.run_folder import State
from tests.core.mnist.prepared import QUICK, state, stopped, wait
from tests.faults.shown import SLOW

HOUR = 3600
# Every process that Python starts runs this first.
SITE = """
import os, time
def late(now, unit):
    return lambda: now() - (HOUR * unit if os.path.exists(PLACE) else 0)
time.time, time.time_ns = late(time.time, 1), late(time.time_ns, 10**9)
"""


@pytest.fixture
def set_back(tmp_path, monkeypatch):
    """Set the clock back, of this process and of those that it has started or starts."""
    place, site = tmp_path / "late", tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(f"HOUR, PLACE = {HOUR}, {str(place)!r}\n{SITE}")
    monkeypatch.setenv("PYTHONPATH", str(site), prepend=os.pathsep)
    now, now_ns = time.time, time.time_ns

    def set_back():
        place.touch()
        monkeypatch.setattr(time, "time", lambda: now() - HOUR)
        monkeypatch.setattr(time, "time_ns", lambda: now_ns() - HOUR * 10**9)

    return set_back


def test_who_came_first_stays_first(root, set_back):
    first = runs.enter(QUICK, "own")
    set_back()
    second = runs.enter(QUICK, "own")
    third = stopped(root / "20260101-000000-compact-1")
    with run_folder.door():
        run_folder.take_ticket(third)
    assert run_folder.queue() == [first, second, third]
    assert [runs.read(f).ahead for f in (first, second, third)] == [0, 1, 2]
    assert {state(f) for f in (first, second, third)} == {State.WAITING}
    for folder in (first, second, third):
        run_folder.append(folder, State.STOPPED)


def test_a_run_that_trains_goes_on_and_who_comes_later_waits(root, set_back):
    first = runs.start(SLOW, "own")
    wait(lambda: state(first) is State.RUNNING)
    set_back()
    second = runs.start(QUICK, "own")
    wait(lambda: run_folder.has_worker(second))
    done = runs.read(first).done
    wait(lambda: runs.read(first).done > done)
    assert (state(first), state(second)) == (State.RUNNING, State.WAITING)
    assert "started" not in [event["event"] for event in run_folder.events(second)]
    events = run_folder.events(first)
    assert events[-1]["time"] < events[0]["time"]  # it was set back for the worker too
    for folder in (second, first):
        runs.stop(folder)
        wait(lambda folder=folder: state(folder) is State.STOPPED)
    run = runs.read(first)
    assert [epoch.epoch for epoch in run.epochs] == list(range(1, run.done + 1))
