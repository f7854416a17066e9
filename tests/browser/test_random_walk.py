"""Nobody who clicks about may meet a traceback; see walker.py."""

import json
import shutil
import time
from dataclasses import asdict
from functools import partial

import pytest

from tests.browser.shrink import shortest
from tests.browser.walker import (
    Person,
    Place,
    Step,
    Walk,
    Watch,
    replay,
    shortened,
    told,
    walk,
    wrong_address,
)
from tests.harness import ROOT

SEED, STEPS, SHRINK = 1, 300, 240  # seconds


def test_three_hundred_random_steps_break_nothing(browser, tmp_path):
    place = Place(tmp_path)
    with place.open() as address:
        watch, meet = Watch(place.errors), partial(Person, browser, address)
        done = walk(meet, watch, SEED, STEPS)
        if done.finding:
            pytest.fail(told(done, *shortened(meet, watch, done, SHRINK)))
    assert done.could_not < STEPS / 2  # a walk that does nothing finds nothing


FAULTY = """
import streamlit as st
st.title("A page that breaks")
if st.button("Load"):
    st.session_state.loaded = True
st.button("Wait")
if st.button("Fire") and "loaded" in st.session_state:
    raise ValueError("it went off at 12")
"""


def test_a_traceback_is_seen_and_the_way_to_it_shortened(browser, tmp_path):
    script = tmp_path / "faulty.py"
    script.write_text(FAULTY)
    shutil.copytree(ROOT / ".streamlit", tmp_path / ".streamlit")
    (tmp_path / "place").mkdir()
    place = Place(tmp_path / "place", script)
    buttons = ("Fire", "Load", "Wait", "Fire")
    done = Walk(0, [Step("button", name) for name in buttons], [""] * len(buttons))
    with place.open() as address:
        watch, meet = Watch(place.errors, late=0.5), partial(Person, browser, address)
        done.finding = replay(meet, watch, done.steps)
        assert done.finding.gist == "ValueError: it went off at #"
        trail, again = shortened(meet, watch, done, seconds=240)
    assert again
    assert [step.what for step in trail] == ["Load", "Fire"]
    report = told(done, trail, again)
    assert "  2. button “Fire”; wait until all is drawn\n" in report
    assert 'raise ValueError("it went off at 12")' in report
    assert json.loads(report.splitlines()[-1]) == [asdict(step) for step in trail]


def test_a_failing_trail_is_shortened_to_what_it_needs():
    tried = []

    def fails(steps):
        tried.append(steps)
        return {3, 77} <= set(steps) and steps.index(3) < steps.index(77)

    assert shortest(range(100), fails, time.monotonic() + 60) == [3, 77]
    assert len(tried) < 100
    assert shortest([1, 3, 77], fails, time.monotonic() - 1) == [1, 3, 77]


@pytest.mark.parametrize(
    ("path", "gist"),
    [
        ("backprop?w1=0.5&epochs=3", None),
        ("mnist?epochs=3&utm_source=mail", None),
        ("mnist?w1=0.5", "w1 on mnist"),
        ("?task=export", "task on home"),
        ("backprop?w1=nan", "w1 is no value"),
        ("nowhere", "no page"),
    ],
)
def test_an_address_of_another_page_is_noticed(path, gist):
    found = [finding.gist for finding in wrong_address(f"http://127.0.0.1/{path}")]
    assert found == ([gist] if gist else [])
