"""Two servers on one folder of runs, one of which is killed and started again."""

import os
import signal

from playwright.sync_api import expect

from core.mnist import run_folder, runs
from core.mnist.run_folder import State
from tests.core.mnist.prepared import state, wait
from tests.faults.shown import (
    PATIENCE,
    assert_no_traceback,
    begin,
    begin_and_wait,
    press,
    trained_slowly,
)
from tests.faults.wire import Wire
from tests.harness import ROOT, MnistPage, SketchPage, process, server
from tests.strokes import FORMS

APP = ROOT / "streamlit_app.py"
GOES_ON = "Stopped. Resume goes on after epoch"


def test_runs_are_those_of_both_servers_and_outlive_either(new_page, address):
    with Wire() as wire:
        with server(APP) as wire.to:
            one = MnistPage(new_page(), address, trained_slowly())
            first = begin_and_wait(one)
            two = MnistPage(new_page(), wire.address, trained_slowly(run=first.name, seed=1))
            expect(two.say("Test set: Epoch:1 ")).to_be_visible(timeout=PATIENCE)
            assert_one_at_a_time_trains(two, first)
            two = MnistPage(two.page, wire.address, f"view=Train&run={first.name}")
            assert_each_stops_what_the_other_resumes(one, two, first)
            sketch = SketchPage(new_page(), wire.address)
            sketch.draw(FORMS["7 plain"].strokes)
            read = sketch.verdict()
            os.kill(process("--server.port", wire.to.rsplit(":", 1)[1]), signal.SIGKILL)
        done = runs.read(first).done
        wait(lambda: runs.read(first).done > done)
        with server(APP) as wire.to:
            expect(two.say(f"Test set: Epoch:{done + 1} ")).to_be_visible(timeout=PATIENCE)
            press(two, "Stop")
            for page in (one, two):
                expect(page.say(GOES_ON)).to_be_visible(timeout=PATIENCE)
            sketch.page.bring_to_front()
            sketch.settle()
            assert sketch.verdict() == read
            assert_no_traceback(one, two, sketch)


def assert_one_at_a_time_trains(page, first):
    second = begin(page)
    expect(page.say("Waiting: 1 run is ahead in the queue.")).to_be_visible(timeout=PATIENCE)
    assert run_folder.queue() == [first, second]
    assert [state(folder) for folder in (first, second)] == [State.RUNNING, State.WAITING]
    press(page, "Stop")
    expect(page.say("Stopped.")).to_be_visible(timeout=PATIENCE)
    assert "started" not in [event["event"] for event in run_folder.events(second)]


def assert_each_stops_what_the_other_resumes(one, two, folder):
    press(two, "Stop")  # the run began on the server of `one`
    for page in (one, two):
        expect(page.say(GOES_ON)).to_be_visible(timeout=PATIENCE)
    press(two, "Resume")
    wait(lambda: state(folder) is State.RUNNING)
    one.page.reload()
    expect(one.page.get_by_role("button", name="Stop")).to_be_visible(timeout=PATIENCE)
    waiting = [e for e in run_folder.events(folder) if e["event"] == State.WAITING]
    assert len(waiting) == 2
