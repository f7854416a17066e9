import numpy as np

from core.backprop.network import SEED, descend, gradients
from core.backprop.presets import PRESETS, random_start


def test_symmetric_hidden_units_never_part():
    table = descend(PRESETS["symmetric"], 2.0, 200).table()
    np.testing.assert_array_equal(table["out_h1"], table["out_h2"])
    assert table["w5"].iloc[-1] != table["w5"].iloc[0]


def test_saturated_hardly_moves():
    assert np.abs(gradients(PRESETS["saturated"])).max() < 1e-6
    assert np.abs(gradients(SEED)).max() > 1e-2


def test_zeros_hold_the_hidden_weights_for_one_epoch():
    assert gradients(PRESETS["zeros"])[:4] == (0, 0, 0, 0)
    assert all(gradients(PRESETS["zeros"])[4:])


def test_a_seed_always_draws_the_same_weights():
    assert random_start(3) == random_start(3)
    assert random_start(3) != random_start(4)
    weights = list(random_start(3).numbers.values())[4:]
    assert all(-1 <= w <= 1 and w == round(w, 2) for w in weights)
