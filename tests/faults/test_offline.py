"""The browser loses its connection in the middle of what a hand does, and gets it back."""

import re

import pytest
from playwright.sync_api import expect

from core.mnist import run_folder, runs
from core.workbook.example import faulty_workbook
from tests.core.mnist.prepared import wait
from tests.faults.shown import PATIENCE, assert_no_traceback, begin_and_wait, press, trained_slowly
from tests.harness import BackpropPage, MnistPage, SketchPage, WorkbookPage
from tests.strokes import FORMS

CONNECTED = "[data-testid=stApp][data-test-connection-state=CONNECTED]"


def lose(page, wire):
    wire.cut()
    expect(page.page.locator(CONNECTED)).to_have_count(0)


def get_back(page, wire):
    wire.mend()
    expect(page.page.locator(CONNECTED)).to_have_count(1)
    page.settle()


def assert_shows(page, eta, new_page, address):
    """The page comes to show what a new one shows of the same address."""
    expect(page.field("eta")).to_have_value(eta)
    expect(page.page).to_have_url(re.compile(rf"eta={re.escape(eta)}\b"))
    other = BackpropPage(new_page(), address, page.page.url.split("?")[1])
    curve = page.chart("Error of each epoch").first.locator(".mark-line path").first
    expect(curve).to_have_attribute("d", other.curve())
    expect(page.chart("The network").first).to_have_text(other.diagram())
    assert_no_traceback(page)


@pytest.mark.parametrize("lost", ["before it", "in its middle"])
def test_a_drag_that_ends_without_a_connection_is_shown_once_it_is_back(
    new_page, wire, address, lost
):
    page = BackpropPage(new_page(), wire.address)
    if lost == "before it":
        lose(page, wire)
    left, width, y = page.press("eta", 0.3)
    page.page.mouse.move(left + 0.5 * width, y)
    if lost == "in its middle":
        page.settle()
        lose(page, wire)
    for share in (0.55, 0.6, 0.65):
        page.page.mouse.move(left + share * width, y)
    page.page.mouse.up()
    eta = page.field("eta").input_value()
    get_back(page, wire)
    assert eta != "1"
    assert_shows(page, eta, new_page, address)


def test_a_stroke_that_ends_without_a_connection_is_read_once_it_is_back(new_page, wire):
    page = SketchPage(new_page(), wire.address)
    first, second = (
        [(0.2 + 0.6 * x, 0.15 + 0.7 * y) for x, y in stroke] for stroke in FORMS["4 open"].strokes
    )
    page.stroke(first)
    page.settle()
    page.press(second[:2])
    lose(page, wire)
    for place in page.places(second)[2:]:
        page.page.mouse.move(*place, steps=2)
    page.page.mouse.up()
    get_back(page, wire)
    expect(page.page.locator(".verdict")).to_contain_text("4")
    page.page.reload()
    page.settle()
    expect(page.page.locator(".verdict")).to_contain_text("4")
    assert_no_traceback(page)


def test_an_upload_that_broke_off_is_said_and_the_next_one_is_checked(new_page, wire):
    page = WorkbookPage(new_page(), wire.address)
    file = faulty_workbook()
    wire.cut_after(len(file) // 2)
    given = {"name": "mine.xlsx", "mimeType": "application/octet-stream", "buffer": file}
    page.page.locator("input[type=file]").set_input_files(given)
    expect(page.page.locator(CONNECTED)).to_have_count(0)
    expect(page.page.get_by_test_id("stFileUploader")).to_contain_text("Network Error")
    get_back(page, wire)
    page.give("mine.xlsx", file)
    expect(page.verdict()).to_contain_text("Not right: 3 slips")
    assert_no_traceback(page)


def test_a_training_goes_on_without_the_page_and_is_shown_once_it_is_back(new_page, wire):
    page = MnistPage(new_page(), wire.address, trained_slowly())
    folder = begin_and_wait(page)
    lose(page, wire)
    done = runs.read(folder).done
    wait(lambda: runs.read(folder).done > done)
    get_back(page, wire)
    expect(page.say(f"Test set: Epoch:{done + 1} ")).to_be_visible()
    press(page, "Stop")
    expect(page.say("Stopped. Resume goes on after epoch")).to_be_visible(timeout=PATIENCE)
    assert [e["event"] for e in run_folder.events(folder)].count("started") == 1
    assert_no_traceback(page)
