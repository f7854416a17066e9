"""Nobody who clicks about may meet a traceback; see walker.py."""

import time

import pytest

from tests.browser.shrink import shortest
from tests.browser.walker import Place, Watch, shortened, told, walk, wrong_address

SEED, STEPS, SHRINK = 1, 300, 240  # seconds


def test_three_hundred_random_steps_break_nothing(browser, tmp_path):
    place = Place(tmp_path)
    with place.open() as address:
        watch = Watch(place.errors)
        done = walk(browser, address, watch, SEED, STEPS)
        if done.finding:
            pytest.fail(told(done, *shortened(browser, address, watch, done, SHRINK)))
    assert done.could_not < STEPS / 2  # a walk that does nothing finds nothing


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
