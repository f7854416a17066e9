"""The folder of a run is deleted, by somebody with a file manager, under the pages that show it."""

import shutil

from playwright.sync_api import expect

from core.mnist import checkpoint, portable, records, run_folder, runs
from tests.core.mnist.prepared import wait
from tests.faults.shown import PATIENCE, SLOW, assert_no_traceback
from tests.harness import MnistPage, process


def delete(folder):
    while folder.exists():  # a worker may write into it meanwhile
        shutil.rmtree(folder, ignore_errors=True)


def has_process(folder):
    try:
        return process("--worker", str(folder))
    except LookupError:
        return None


def test_a_page_says_that_the_run_it_follows_is_gone_and_the_worker_ends(new_page, address):
    folder = runs.start(SLOW, "own")
    page = MnistPage(new_page(), address, f"view=Train&run={folder.name}")
    wait(lambda: runs.read(folder).progress)
    expect(page.say("Epoch 1 of 19")).to_be_visible(timeout=PATIENCE)
    delete(folder)
    expect(page.say(f"There is no run called “{folder.name}”")).to_be_visible(timeout=PATIENCE)
    assert_no_traceback(page)
    wait(lambda: not has_process(folder))
    assert not folder.exists()
    assert folder not in run_folder.folders()


def test_a_page_says_that_the_network_it_shows_is_gone(new_page, address):
    _, record = checkpoint.load_checkpoint("compact")
    folder = portable.keep(records.pack(records.CHECKPOINTS / "compact", record), "mine")
    page = MnistPage(new_page(), address, f"network={folder.name}")
    expect(page.chart("Confusion matrix")).to_be_visible()
    delete(folder)
    page.page.get_by_text("% of the row").click()
    expect(page.say(f"There is no network called “{folder.name}”")).to_be_visible()
    expect(page.chart("Confusion matrix")).to_be_visible()
    assert_no_traceback(page)
