import math

import numpy as np
import pytest

from core.backprop.network import SEED, descend
from core.backprop.schedule import KINDS, Schedule


@pytest.mark.parametrize("kind", KINDS)
def test_every_schedule_begins_at_its_rate(kind):
    rates = Schedule(0.8, kind).rates(40)
    assert rates.shape == (40,)
    assert rates[0] == 0.8
    assert np.isfinite(rates).all()
    assert len(Schedule(0.8, kind).rates(1)) == 1


def test_the_kinds_are_those_of_the_formulas():
    steps = Schedule(0.8, "steps", factor=0.5, every=3).rates(7)
    assert steps.tolist() == [0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.2]
    exponential = Schedule(0.8, "exponential", factor=0.25, every=2).rates(5)
    np.testing.assert_allclose(exponential, [0.8, 0.4, 0.2, 0.1, 0.05], rtol=1e-14)
    cosine = Schedule(0.8, "cosine", floor=0.2).rates(5)
    quarter = 0.2 + 0.6 * (1 + math.cos(math.pi / 4)) / 2
    np.testing.assert_allclose(cosine[[0, 1, 2, 4]], [0.8, quarter, 0.5, 0.2], rtol=1e-14)


def test_a_change_holds_until_the_next_and_leaves_what_was_before():
    changed = Schedule(1.0, "steps", 0.5, 2, changes=((4, 3.0), (6, 0.0)))
    assert changed.rates(7).tolist() == [1.0, 1.0, 0.5, 3.0, 3.0, 0.0, 0.0]
    assert changed.before == Schedule(1.0, "steps", 0.5, 2)
    assert changed.before.before == Schedule(1.0)
    assert Schedule(1.0, changes=((99, 5.0),)).rates(7).tolist() == [1.0] * 7
    run, plain = changed.descend(SEED, 7), changed.before.descend(SEED, 7)
    np.testing.assert_array_equal(run.rows[:, :4], plain.rows[:, :4])
    assert (run.E_total[4:] != plain.E_total[4:]).all()
    assert run.learning_rate.tolist() == changed.rates(7).tolist()


def test_a_schedule_that_never_moves_is_a_constant_rate():
    run = Schedule(0.7).descend(SEED, 20)
    np.testing.assert_array_equal(run.rows, descend(SEED, 0.7, 20).rows)
    assert Schedule(0.7).is_constant
    assert not Schedule(0.7, "cosine").is_constant
    assert not Schedule(0.7, changes=((2, 0.7),)).is_constant


def test_the_first_part_of_a_cosine_is_that_of_the_whole():
    whole = Schedule(1.0, "cosine", over=10_000)
    np.testing.assert_array_equal(whole.rates(1000), whole.rates(10_000)[:1000])
    assert "/9999)" in whole.cells("$F$4", 3, "A{r}", "B{p}")[1]
