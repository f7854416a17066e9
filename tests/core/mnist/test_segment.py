"""Which parts of a drawing are one digit, with the forms as people write them."""

import itertools

import numpy as np
import pytest

from core.mnist.pen import inked
from core.mnist.segment import MOST, digits
from tests.strokes import FORMS

NAMES = list(FORMS)
PEN = 14  # px, of a drawing 100 px high


def paths(name, left=0.0, top=0.0, height=100):
    strokes = (np.array(stroke) for stroke in FORMS[name].strokes)
    return [stroke * height + np.array([left, top]) for stroke in strokes]


def row(names, gap):
    """The forms beside each other, `gap` px of paper between them."""
    drawn, left = [], 0.0
    for index, name in enumerate(names):
        found = paths(name, top=8 * (index % 2))
        low, high = (f(np.concatenate(found)[:, 0]) for f in (np.min, np.max))
        shift = np.array([left - low, 0])
        drawn += [path + shift for path in found]
        left += high - low + PEN + gap
    return drawn


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("pen", [4, 10, 18])
def test_every_way_to_write_a_digit_is_one_digit(name, pen):
    (digit,) = digits(inked(paths(name), pen / 2))
    assert (digit.left, digit.top) == (2, 2)  # the margin of the sheet


@pytest.mark.parametrize("gap", [4, 15, 60])
def test_digits_that_stand_apart_are_read_apart(gap):
    rng = np.random.default_rng(gap)
    for count in (2, 3, 4):
        for _ in range(12):
            names = [NAMES[i] for i in rng.integers(len(NAMES), size=count)]
            ink = inked(row(names, gap), PEN / 2)
            found = digits(ink)
            assert len(found) == count, names
            places = [digit.left for digit in found]
            assert places == sorted(places)
            alone = [digits(inked(paths(name), PEN / 2))[0] for name in names]
            for digit, other in zip(found, alone, strict=True):
                assert abs(digit.width - other.width) <= 1
                assert abs(digit.height - other.height) <= 1


def test_the_ink_of_a_digit_is_all_its_own():
    names = [NAMES[0], NAMES[10], NAMES[20]]
    ink = inked(row(names, 10), PEN / 2)
    found = digits(ink)
    back = np.zeros_like(ink)
    for digit in found:
        within = back[digit.top : digit.top + digit.height, digit.left : digit.left + digit.width]
        assert not (within.astype(bool) & digit.ink.astype(bool)).any()
        within += digit.ink
    assert (back[ink >= 64] == ink[ink >= 64]).all()


def test_a_hat_apart_goes_with_the_digit_below_it():
    five = [
        np.array([(10, 20), (8, 50), (45, 45), (55, 80), (5, 100)], float),
        np.array([(20, 5), (70, 2)], float),  # its hat, nearer to the 1 than the belly is
    ]
    one = [np.array([(95, 0), (95, 100)], float)]
    for hat_too in (five, five[::-1]):
        found = digits(inked([*hat_too, *one], 4))
        assert len(found) == 2
        assert found[0].width > 60


def test_a_roof_over_its_neighbour_is_no_reason_to_join_them():
    seven = [np.array([(0, 0), (60, 0), (15, 100)], float)]
    one = [np.array([(60, 30), (58, 110)], float)]
    assert len(digits(inked([*seven, *one], 4))) == 2


def test_a_digit_in_two_tall_pieces_that_cross_in_the_rows_is_one():
    four = [
        np.array([(25, 0), (0, 60), (62, 60)], float),
        np.array([(50, 72), (50, 130)], float),  # the upright, broken below the bar
    ]
    assert len(digits(inked(four, 4))) == 1


def test_no_ink_is_no_digit_and_many_pieces_are_no_number():
    assert digits(np.zeros((20, 20), np.uint8)) == []
    fence = [np.array([(12 * i, 0), (12 * i, 60)], float) for i in range(MOST)]
    assert len(digits(inked(fence, 2))) == MOST
    fence.append(fence[-1] + np.array([12, 0]))
    assert len(digits(inked(fence, 2))) == 1


def test_the_order_of_the_strokes_does_not_matter():
    strokes = row([NAMES[3], NAMES[30]], 10)
    inks = [digits(inked(list(order), PEN / 2)) for order in itertools.permutations(strokes)]
    for found in inks:
        assert [(d.left, d.top) for d in found] == [(d.left, d.top) for d in inks[0]]
