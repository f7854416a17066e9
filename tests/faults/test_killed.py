"""Processes that are killed in the middle of a run: the one that trains, the one that shows it."""

import os
import signal
from dataclasses import replace

from playwright.sync_api import expect

from core.mnist import run_folder, runs
from core.mnist.run_folder import State
from tests.core.mnist.prepared import QUICK, state, wait
from tests.faults.shown import PATIENCE, assert_no_traceback, begin_and_wait, press, trained_slowly
from tests.faults.wire import Wire
from tests.harness import ROOT, MnistPage, SketchPage, process, server
from tests.strokes import FORMS

FOUR = replace(QUICK, epochs=4, batch_size=64)


def kill_worker(folder):
    os.kill(process("--worker", str(folder)), signal.SIGKILL)


def kill_server(address):
    os.kill(process("--server.port", address.rsplit(":", 1)[1]), signal.SIGKILL)


def test_a_killed_worker_is_noticed_and_its_run_goes_on_from_the_last_epoch(root):
    folder = runs.start(FOUR, "own")
    wait(lambda: runs.read(folder).epochs)
    assert state(folder) is State.RUNNING
    kill_worker(folder)
    wait(lambda: state(folder) is State.DIED)
    run = runs.read(folder)
    assert run.is_resumable
    done = len(run.epochs)
    log = folder / run_folder.LOG
    log.write_bytes(log.read_bytes()[:-9])  # as if it had been killed while it wrote a line
    assert [one.id for one in runs.every()] == [run.id]
    runs.resume(folder)
    wait(lambda: state(folder) is State.FINISHED)
    assert runs.read(folder).epochs[-1].epoch == 4
    started = [e for e in run_folder.events(folder) if e["event"] == "started"]
    assert len(started) == 2
    assert done < 4


def test_a_page_says_that_the_worker_was_killed_and_resumes(new_page, address):
    page = MnistPage(new_page(), address, trained_slowly())
    folder = begin_and_wait(page)
    kill_worker(folder)
    expect(page.say("ended unexpectedly")).to_be_visible()
    expect(page.say("Resume goes on after epoch")).to_be_visible()
    expect(page.say("Test set: Epoch:1 ")).to_be_visible()
    done = runs.read(folder).done
    press(page, "Resume")
    expect(page.say(f"Test set: Epoch:{done + 1} ")).to_be_visible(timeout=PATIENCE)
    press(page, "Stop")
    expect(page.say("Stopped. Resume goes on after epoch")).to_be_visible(timeout=PATIENCE)
    assert_no_traceback(page)


def test_a_run_goes_on_while_its_server_is_killed_and_the_next_one_shows_it(new_page):
    with Wire() as wire:
        with server(ROOT / "streamlit_app.py") as first:
            wire.to = first
            sketch = SketchPage(new_page(), wire.address)
            sketch.draw(FORMS["7 plain"].strokes)
            answered = sketch.verdict()
            page = MnistPage(new_page(), wire.address, trained_slowly())
            folder = begin_and_wait(page)
            kill_server(first)
            done = runs.read(folder).done
            wait(lambda: runs.read(folder).done > done)
        with server(ROOT / "streamlit_app.py") as second:
            wire.to = second
            done = runs.read(folder).done
            expect(page.say(f"Test set: Epoch:{done} ")).to_be_visible(timeout=PATIENCE)
            press(page, "Stop")
            expect(page.say("Stopped. Resume goes on after epoch")).to_be_visible(timeout=PATIENCE)
            sketch.page.bring_to_front()
            sketch.settle()
            assert sketch.verdict() == answered
            assert_no_traceback(page, sketch)
