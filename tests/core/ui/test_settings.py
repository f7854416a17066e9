import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ui.backprop.settings import SLIDER_RATES, settings
from core.ui.settings import Choice, Number, Numbers, controlled

WEIGHT = Number("w", 0.5, -100, 100)
EPOCHS = Number("n", 50, 1, 1000, whole=True)
RATES = Numbers("r", (0.1, 1.0), 0, 10, most=3)


@given(st.floats(-100, 100))
def test_a_number_survives_the_url_to_the_last_digit(value):
    again = WEIGHT.parse(WEIGHT.format(value))
    assert again == value
    assert math.copysign(1, again) == math.copysign(1, value)


@given(st.integers(1, 1000))
def test_so_does_a_whole_number(value):
    assert EPOCHS.parse(EPOCHS.format(value)) == value


@pytest.mark.parametrize(
    ("setting", "text", "sentence"),
    [
        (WEIGHT, "abc", "“abc” is not a number. Enter a number from -100 to 100."),
        (WEIGHT, "", "That is empty. Enter a number from -100 to 100."),
        (WEIGHT, "nan", "“nan” is not a number. Enter a number from -100 to 100."),
        (WEIGHT, "1e308", "1e308 is out of range. Enter a number from -100 to 100."),
        (WEIGHT, "-inf", "“-inf” is not a number. Enter a number from -100 to 100."),
        (EPOCHS, "0", "0 is out of range. Enter a whole number from 1 to 1000."),
        (EPOCHS, "1000000000", "1000000000 is out of range. Enter a whole number from 1 to"),
        (EPOCHS, "2.5", "“2.5” is not a whole number. Enter a whole number from 1 to 1000."),
        (Choice("c", "a", ("a", "b")), "z", "“z” is not a choice. Allowed is a or b."),
        (RATES, "", "Enter 1 to 3 numbers from 0 to 10, separated by spaces; found 0."),
        (RATES, "1 2 3 4", "found 4."),
        (RATES, "1 x", "“x” is not a number. Enter a number from 0 to 10."),
    ],
)
def test_what_cannot_be_taken_is_answered_with_what_can(setting, text, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        setting.parse(text)


def test_rates_are_sorted_and_without_doubles():
    assert RATES.parse("2, 0.5 2") == (0.5, 2.0)
    assert RATES.format((0.5, 2.0)) == "0.5 2"


def test_a_url_is_read_as_far_as_it_can_be():
    values, complaints = settings.read({"w1": "0.25", "eta": "1e308", "zeta": "1"})
    assert values["w1"] == 0.25
    assert values["eta"] == 1.0
    assert complaints == ["eta stays 1: 1e308 is out of range. Enter a number from 0 to 1000."]


def test_the_slider_has_every_rate_of_the_courses_and_is_fine_below_one():
    assert set(SLIDER_RATES) >= {0.01, 0.1, 0.2, 0.5, 0.8, 1.0, 2.0, 10.0}
    assert sum(rate < 1 for rate in SLIDER_RATES) > len(SLIDER_RATES) / 2
    assert list(SLIDER_RATES) == sorted(set(SLIDER_RATES))


def test_a_late_report_of_what_an_old_widget_showed_is_no_choice(monkeypatch):
    """As when a weight is edited, a preset's pill is drawn anew, and another edit is under way."""
    state, chosen = {}, []
    monkeypatch.setattr("core.ui.settings.st.session_state", state)
    old = controlled("preset", "published", chosen.append)
    new = controlled("preset", None, chosen.append)
    assert new["key"] != old["key"]
    state[old["key"]] = "published"
    old["on_change"]()
    assert chosen == []
    state[old["key"]] = "zeros"  # a click that was under way is one
    old["on_change"]()
    assert chosen == ["zeros"]


def test_a_widget_that_says_again_what_is_known_has_chosen_nothing(monkeypatch):
    """As when a run was cut short, and Streamlit has forgotten what it knew."""
    state, chosen = {}, []
    monkeypatch.setattr("core.ui.settings.st.session_state", state)
    widget = controlled("preset", "published", chosen.append)
    for report in ("Mazur", "Mazur", "published"):  # the last one is a choice: back to the first
        state[widget["key"]] = report
        widget["on_change"]()
    assert chosen == ["Mazur", "published"]
