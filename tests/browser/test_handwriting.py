"""Digits as people write them, drawn by the browser's canvas and read by every shipped network."""

import pytest

from core.mnist import checkpoint, records
from core.ui.sketch import canvas, settings
from tests.browser.handwriting import (
    PEN,
    SIDE,
    accuracy,
    default_drawings,
    jittered_drawings,
    read,
)
from tests.strokes import FORMS


@pytest.fixture(scope="module")
def drawings(browser):
    return default_drawings(browser), jittered_drawings(browser)


def test_the_check_has_several_forms_of_each_digit():
    digits = [form.digit for form in FORMS.values()]
    assert set(digits) == set(range(10))
    assert all(digits.count(digit) >= 3 for digit in range(10))
    assert (canvas.SIDE, settings.PEN.default) == (SIDE, PEN)


@pytest.mark.parametrize("name", records.shipped())
def test_every_form_is_read_at_the_default_pen(drawings, name):
    careful, _ = drawings
    model, _ = checkpoint.load_checkpoint(name)
    answers = read(model, careful)
    assert [d.form for d, a in zip(careful, answers, strict=True) if d.digit != a] == []


@pytest.mark.parametrize("name", records.shipped())
def test_97_of_100_are_read_in_any_hand(drawings, name):
    _, varied = drawings
    model, _ = checkpoint.load_checkpoint(name)
    assert len(varied) == 20 * len(FORMS)
    assert accuracy(varied, read(model, varied)) >= 0.97
