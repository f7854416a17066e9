"""Turns: fair, given up by whoever leaves, and given back whatever happens."""

import threading
import time

import pytest
from playwright.sync_api import expect

from core.ui.turns import Turns
from tests.harness import ROOT, server


@pytest.fixture
def turns():
    return Turns()


def start(work):
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def waiting(turns, count):
    """Until so many have or want a turn."""
    while len(turns._queue) < count:
        threading.Event().wait(0.001)


def test_turns_are_taken_in_the_order_in_which_they_were_asked_for(turns):
    order, together, most = [], 0, 0

    def work(number):
        nonlocal together, most
        with turns.turn():
            together += 1
            most = max(most, together)
            order.append(number)
            together -= 1

    threads = []
    with turns.turn():
        for number in range(30):
            threads.append(start(lambda number=number: work(number)))
            waiting(turns, number + 2)
    for thread in threads:
        thread.join(10)
    assert order == list(range(30))
    assert most == 1


def test_who_waits_is_told_how_many_are_before_and_may_leave(turns):
    told, left, last = [], threading.Event(), []

    def leave(before):
        told.append(before)
        raise InterruptedError

    def impatient():
        with pytest.raises(InterruptedError), turns.turn(leave):
            raise AssertionError("it was not its turn")
        left.set()

    def patient():
        with turns.turn(lambda before: None):
            last.append("had its turn")

    with turns.turn():
        first = start(impatient)
        waiting(turns, 2)
        second = start(patient)
        assert left.wait(10)
        assert last == []
    for thread in (first, second):
        thread.join(10)
    assert told == [1]
    assert last == ["had its turn"]
    assert not turns._queue


def test_a_turn_ends_with_an_error_and_can_be_taken_again_within(turns):
    with pytest.raises(ValueError, match="of the work"), turns.turn(), turns.turn():
        raise ValueError("of the work")
    taken = threading.Event()

    def work():
        with turns.turn():
            taken.set()

    start(work).join(10)
    assert taken.is_set()


APP = f"""
import sys, threading, time
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
import streamlit as st
from core.ui import turns

@st.cache_resource
def somebody_else():
    def draw():
        with turns._pictures.turn():
            while True:
                Path(__file__).with_name("queue").write_text(str(len(turns._pictures._queue)))
                time.sleep(0.05)
    threading.Thread(target=draw, daemon=True).start()

somebody_else()
st.session_state.count = st.session_state.get("count", 0)

def click():
    st.session_state.count += 1

st.button("Next", on_click=click)
st.text(f"clicks: {{st.session_state.count}}")
turns.in_turn(lambda: st.text("pictures"))()
"""


def test_a_page_that_was_drawn_anew_waits_for_no_more_pictures(tmp_path, new_page):
    app = tmp_path / "app.py"
    app.write_text(APP, encoding="utf-8")
    with server(app) as address:
        page = new_page(is_alone=True)
        page.goto(address)
        for clicks in range(6):
            expect(page.get_by_text(f"clicks: {clicks}")).to_be_visible()
            page.get_by_role("button", name="Next").click()
        expect(page.get_by_text("clicks: 6")).to_be_visible()
        end = time.monotonic() + 20
        while (tmp_path / "queue").read_text() != "2":  # somebody else, and this page once
            assert time.monotonic() < end
            page.wait_for_timeout(50)
        expect(page.get_by_text("pictures")).to_have_count(0)
        page.close()
