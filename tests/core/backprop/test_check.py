import numpy as np
import pytest

from core.backprop.check import STEPS, Check, check, step_errors
from core.backprop.network import SEED, WEIGHTS, Setup
from core.backprop.presets import PRESETS


@pytest.mark.parametrize("seed", range(5))
def test_all_ways_agree_as_closely_as_each_can(seed):
    found = check(Setup(*np.random.default_rng(seed).uniform(0.1, 1, 12)))
    assert found.errors("autograd").max() < 1e-12
    assert found.errors("complex_step").max() < 1e-12
    assert 0 < found.errors("central").max() < 1e-6


def test_a_wrong_derivative_is_seen():
    right = check(SEED)
    slipped = right.chain_rule.copy()
    slipped[2] *= 1.0003  # as of the slip of the published workbook, in ∂E/∂w3
    wrong = Check(slipped, right.autograd, right.central, right.complex_step)
    for way in ("autograd", "central", "complex_step"):
        assert wrong.errors(way)[2] > 1e-4


def test_zero_derivatives_are_compared_as_they_are():
    found = check(PRESETS["zeros"])
    assert not found.chain_rule[:4].any()
    assert found.errors("autograd")[:4].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("weight", WEIGHTS)
def test_the_errors_of_differences_make_a_v_along_the_theory(weight):
    found = step_errors(SEED, weight)
    at = {h: int(np.argmin(np.abs(np.log(STEPS / h)))) for h in (1e-12, 1e-3)}
    large = at[1e-3]
    assert found.forward[large] == pytest.approx(found.forward_theory[large], rel=0.05)
    assert found.central[large] == pytest.approx(found.central_theory[large], rel=0.05)
    small = slice(0, at[1e-12])  # here only rounding is left, up to a factor
    for errors in (found.forward, found.central):
        assert np.median(errors[small] / found.rounding[small]) < 3
        assert STEPS[np.argmin(errors)] > 1e-11
    assert found.central.min() < found.forward.min()
