import pytest

from core.backprop.network import SEED, descend
from core.backprop.sweep import sweep_rates


def test_a_sweep_knows_the_best_rate_and_the_current_one():
    sweep = sweep_rates(SEED, 0.777, 50)
    assert (sweep.rates[0], sweep.rates[-1]) == pytest.approx((0.01, 10))
    assert sweep.own == descend(SEED, 0.777, 50).E_total[-1]
    one = descend(SEED, sweep.rates[sweep.best], 50).E_total[-1]
    assert sweep.final[sweep.best] == one == sweep.final.min()
    assert sweep.best_is_an_end


@pytest.mark.parametrize(("eta", "ends"), [(500.0, (0.01, 500)), (0.001, (0.001, 10))])
def test_a_rate_outside_widens_the_sweep(eta, ends):
    rates = sweep_rates(SEED, eta, 5).rates
    assert (rates[0], rates[-1]) == pytest.approx(ends)


def test_a_rate_of_zero_does_not_widen_it():
    sweep = sweep_rates(SEED, 0.0, 5)
    assert sweep.rates[0] == pytest.approx(0.01)
    assert sweep.own == descend(SEED, 0.0, 1).E_total[0]
