"""The process that trains is killed in the middle of a run."""

import os
import signal

from playwright.sync_api import expect

from core.mnist import run_folder, runs
from core.mnist.run_folder import State
from tests.core.mnist.prepared import state, wait
from tests.faults.shown import (
    PATIENCE,
    assert_no_traceback,
    begin_and_wait,
    press,
    trained_slowly,
)
from tests.harness import MnistPage, process


def test_the_page_says_so_and_the_run_goes_on_from_its_last_whole_epoch(new_page, address):
    page = MnistPage(new_page(), address, trained_slowly())
    folder = begin_and_wait(page)
    os.kill(process("--worker", str(folder)), signal.SIGKILL)
    wait(lambda: state(folder) is State.DIED)
    expect(page.say("ended unexpectedly")).to_be_visible()
    before = runs.read(folder)
    assert before.is_resumable
    assert [epoch.epoch for epoch in before.epochs] == list(range(1, before.done + 1))
    expect(page.say(f"Resume goes on after epoch {before.done} of 19.")).to_be_visible()
    expect(page.say(f"Test set: Epoch:{before.done} ")).to_be_visible()
    log = folder / run_folder.LOG
    log.write_bytes(log.read_bytes() + b'{"event": "bat')  # as if it had been writing a line
    press(page, "Resume")
    wait(lambda: runs.read(folder).done > before.done)
    expect(page.say(f"Test set: Epoch:{before.done + 1} ")).to_be_visible(timeout=PATIENCE)
    press(page, "Stop")
    expect(page.say("Stopped. Resume goes on after epoch")).to_be_visible(timeout=PATIENCE)
    after = runs.read(folder)
    assert after.epochs[: before.done] == before.epochs
    assert [epoch.epoch for epoch in after.epochs] == list(range(1, after.done + 1))
    told = [event["event"] for event in run_folder.events(folder)]
    assert told.count("started") == 2
    assert_no_traceback(page)
