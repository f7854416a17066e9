import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.backprop.network import SEED, descend
from core.ui.backprop.settings import RUN, run_of, settings

PIN = settings.spec("pin")
DEFAULTS = {setting.name: setting.default for setting in RUN}


def test_no_run_is_pinned_at_first():
    assert settings.defaults()["pin"] is None
    assert PIN.parse(PIN.format(None)) is None


def test_a_pinned_run_survives_the_address_in_few_words():
    pinned = {**DEFAULTS, "eta": 0.5, "w1": 0.30000000000000004}
    assert PIN.format(pinned) == "w1=0.30000000000000004&eta=0.5"
    assert PIN.parse(PIN.format(pinned)) == pinned
    other = {**DEFAULTS, "hidden": "tanh", "kept": ["w1", "w5"]}
    assert PIN.parse(PIN.format(other)) == other
    assert PIN.format(DEFAULTS) == "defaults"
    assert PIN.parse("defaults") == DEFAULTS


@given(st.floats(-100, 100), st.floats(0, 1000), st.integers(1, 1000))
def test_it_survives_to_the_last_digit(weight, eta, epochs):
    pinned = {**DEFAULTS, "w5": weight, "eta": eta, "epochs": epochs}
    assert PIN.parse(PIN.format(pinned)) == pinned


def test_a_pinned_run_is_a_run_like_any():
    pinned = PIN.parse("eta=0,5&epochs=7")
    assert (run_of(pinned).rows == descend(SEED, 0.5, 7).rows).all()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "pin stays none: “” is no run. Allowed is none, defaults or settings as in"),
        ("abc", "pin stays none: “abc” is no run."),
        ("eta=", "pin stays none: its eta: That is empty. Enter a number from 0 to 1000."),
        ("eta=0.5&w1=x", "pin stays none: its w1: “x” is not a number."),
        ("epochs=1000000000", "pin stays none: its epochs: 1000000000 is out of range."),
        ("eta=1&eta=nan", "pin stays none: its eta: “nan” is not a number."),
        ("eta=<script>alert(1)</script>", "“<script>alert(1)</script>” is not a number."),
    ],
)
def test_what_is_no_run_is_refused_whole(text, sentence):
    values, complaints = settings.read({"pin": text, "w2": "0.75"})
    assert values["pin"] is None
    assert values["w2"] == 0.75
    (complaint,) = complaints
    assert sentence in complaint


@pytest.mark.parametrize("text", ["[x](http://evil)" * 5000, "eta=" + "9" * 100_000, "w1=" * 9999])
def test_a_long_text_is_cut(text):
    _, (complaint,) = settings.read({"pin": text})
    assert len(complaint) < 200


@pytest.mark.parametrize(
    "text", ["pin=eta%3D2", "pin=eta=2", "epoch=9&tab=Check", "zeta=<b>", "=", "&=&%00=%FF"]
)
def test_names_that_make_no_run_pass_unseen_and_no_pin_is_in_a_pin(text):
    assert PIN.parse(text) == DEFAULTS
