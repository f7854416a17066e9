from dataclasses import replace

import numpy as np
import pytest

from core.backprop.landscape import SIZE, axis_around, contour_levels, landscape, path_of
from core.backprop.network import SEED, descend, forward

X, Y = np.linspace(-2, 2, 9), np.linspace(-1, 3, 7)


@pytest.mark.parametrize(("across", "up"), [("w5", "w7"), ("w1", "w2"), ("w8", "w3")])
def test_every_value_is_the_error_of_its_two_weights(across, up):
    found = landscape(SEED, across, up, X, Y)
    assert found.error.shape == (7, 9)
    for j, i in [(0, 0), (3, 5), (6, 8)]:
        moved = replace(SEED, **{across: float(X[i]), up: float(Y[j])})
        assert found.error[j, i] == float(forward(moved).E_total)


def test_an_axis_shows_the_whole_path_and_stands_still_while_it_grows_a_little():
    for values in (np.array([0.4, -1.4]), np.array([3.0]), np.array([-90.0, 70.0])):
        axis = axis_around(values)
        assert len(axis) == SIZE
        assert axis[0] < values.min() <= values.max() < axis[-1]
    assert axis_around(np.array([0.4, -1.4]))[0] == axis_around(np.array([0.4, -1.45]))[0]


def test_levels_follow_the_logarithm_where_errors_span_decades():
    even = contour_levels(np.array([1.0, 5.0]))
    assert np.allclose(np.diff(even), even[1] - even[0])
    wide = contour_levels(np.array([1e-5, 1.0]))
    assert np.allclose(wide[1:] / wide[:-1], wide[1] / wide[0])
    assert len(contour_levels(np.array([0.5]))) == 12


def test_a_path_is_the_weight_at_each_epoch():
    history = descend(SEED, 1.0, 20)
    assert path_of(history, "w5").tolist() == history.table()["w5"].tolist()
    assert history.setup_at(1) == SEED
    assert history.setup_at(20).w7 == history.table()["w7"].iloc[-1]
    assert history.setup_at(20).t2 == SEED.t2
