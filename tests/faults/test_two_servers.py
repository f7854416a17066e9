"""Two servers on one folder of runs."""

from playwright.sync_api import expect

from core.mnist import run_folder
from core.mnist.run_folder import State
from tests.core.mnist.prepared import state
from tests.faults.shown import (
    PATIENCE,
    assert_no_traceback,
    begin,
    begin_and_wait,
    press,
    trained_slowly,
)
from tests.harness import ROOT, MnistPage, server

GOES_ON = "Stopped. Resume goes on after epoch"


def test_a_run_of_one_server_is_followed_stopped_and_resumed_by_the_other(new_page, address):
    with server(ROOT / "streamlit_app.py") as other:
        one = MnistPage(new_page(), address, trained_slowly())
        first = begin_and_wait(one)
        two = MnistPage(new_page(), other, trained_slowly(run=first.name, seed=1))
        expect(two.say("Test set: Epoch:1 ")).to_be_visible(timeout=PATIENCE)

        second = begin(two)  # one at a time trains, whichever server it is of
        expect(two.say("Waiting: 1 run is ahead in the queue.")).to_be_visible(timeout=PATIENCE)
        assert run_folder.queue() == [first, second]
        assert [state(folder) for folder in (first, second)] == [State.RUNNING, State.WAITING]
        press(two, "Stop")
        expect(two.say("Stopped.")).to_be_visible(timeout=PATIENCE)
        assert "started" not in [event["event"] for event in run_folder.events(second)]

        two = MnistPage(two.page, other, f"view=Train&run={first.name}")
        press(two, "Stop")
        for page in (one, two):
            expect(page.say(GOES_ON)).to_be_visible(timeout=PATIENCE)
        press(two, "Resume")
        stop = two.page.get_by_role("button", name="Stop")
        expect(stop).to_be_visible(timeout=PATIENCE)
        one.page.reload()
        stop = one.page.get_by_role("button", name="Stop")
        expect(stop).to_be_visible(timeout=PATIENCE)
        stop.click()
        for page in (one, two):
            expect(page.say(GOES_ON)).to_be_visible(timeout=PATIENCE)
        started = [e for e in run_folder.events(first) if e["event"] == State.WAITING]
        assert len(started) == 2
        assert_no_traceback(one, two)
