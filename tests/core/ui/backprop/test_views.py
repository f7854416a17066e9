import base64
import io
from dataclasses import replace

import altair as alt
import numpy as np
import pytest
from PIL import Image

from core.backprop.check import STEPS, check, step_errors
from core.backprop.derivation import chain, step
from core.backprop.landscape import axis_around, landscape, path_of
from core.backprop.network import COLUMNS, SEED, WEIGHTS, descend
from core.ui.backprop.checks import steps_data, steps_spec
from core.ui.backprop.landscapes import _names, landscape_data, landscape_spec

HISTORY = descend(SEED, 1.0, 50)
RUNS = {rate: descend(SEED, rate, 50) for rate in (0.1, 1.0, 2.0)}


def drawn(history=HISTORY, epoch=1, across="w5", up="w7", runs=RUNS):
    x, y = (axis_around(path_of(history, name)) for name in (across, up))
    found = landscape(history.setup_at(epoch), across, up, x, y)
    return found, landscape_data(found, history, epoch, across, up, runs)


@pytest.mark.parametrize("is_log", [True, False])
def test_the_landscape_names_its_data_and_its_weights(is_log):
    spec = landscape_spec("w5", "w7", is_log)
    alt.Chart.from_dict(spec, validate=True)
    assert "datasets" not in spec
    assert landscape_spec("w5", "w7", is_log) is spec


def test_the_path_the_point_and_the_arrow_are_the_runs():
    _, data = drawn(epoch=17)
    assert data["path"]["x"].to_pylist() == HISTORY.table()["w5"].tolist()
    here = data["here"].to_pylist()[0]
    row = HISTORY.table().iloc[16]
    assert (here["x"], here["y"]) == (row["w5"], row["w7"])
    step = np.array([here["to_x"] - here["x"], here["to_y"] - here["y"]])
    slope = np.array([row["∂E/∂w5"], row["∂E/∂w7"]])
    assert step @ slope == pytest.approx(-np.linalg.norm(step) * np.linalg.norm(slope))
    read = data["read"].to_pylist()[123]
    moved = replace(HISTORY.setup_at(17), w5=read["x"], w7=read["y"])
    assert read["E_total"] == pytest.approx(float(descend(moved, 1.0, 1).E_total[0]))
    assert read["across"] == f"w5 = {read['x']:.4g}"
    assert len(data["read"]) == 20 * 20
    assert set(data["ways"]["eta"].to_pylist()) == {"0.1", "1", "2"}


def test_the_picture_is_light_where_the_error_is_low():
    found, data = drawn()
    file = base64.b64decode(data["picture"]["url"][0].as_py().partition(",")[2])
    picture = Image.open(io.BytesIO(file)).convert("L")
    lowest = np.unravel_index(found.error.argmin(), found.error.shape)
    highest = np.unravel_index(found.error.argmax(), found.error.shape)

    def brightness(place):
        up, across = place
        return picture.getpixel((int(across) * 4 + 1, (99 - int(up)) * 4 + 1))

    assert brightness(lowest) > 200
    assert brightness(highest) < 80
    assert len(set(picture.get_flattened_data())) <= 13


def test_paths_end_at_the_pictures_edge_and_a_flat_place_has_no_arrow():
    far = {1000.0: descend(SEED, 1000.0, 50)}
    _, data = drawn(runs=far)
    assert len(data["ways"]) < 50
    flat = descend(replace(SEED, w5=100.0, w6=100.0, w7=100.0, w8=100.0, t1=1.0, t2=1.0), 1.0, 3)
    _, data = drawn(flat, runs={})
    here = data["here"].to_pylist()[0]
    assert (here["to_x"], here["to_y"]) == (here["x"], here["y"])
    assert len(data["ends"]) == 0


def test_names_keep_apart():
    ends = np.array([[0.1, 0.1], [0.12, 0.1], [0.9, 0.9]])
    assert _names(["0.1", "0.2", "5"], ends) == ["", "η = 0.2", "η = 5"]


def test_the_errors_of_differences_are_drawn_as_they_are():
    alt.Chart.from_dict(steps_spec(), validate=True)
    found = step_errors(SEED, "w5")
    data = steps_data(found)
    rows = data["errors"].to_pylist()
    assert len(rows) == 2 * len(STEPS)
    assert rows[0]["error"] == found.forward[0]
    assert rows[-1]["error"] == found.central[-1]
    assert {row["law"] for row in data["expected"].to_pylist() if row["name"]} == {
        "h · |E″| / 2",
        "h² · |E‴| / 6",
        "ε · E / h",
    }


EXTREMES = [
    ({"i1": 100.0, "w1": -100.0, "w5": 100.0}, 1.0),
    ({"t1": 100.0, "t2": -100.0, "i1": 100.0, "i2": 100.0}, 1000.0),
    ({f"w{k}": 0.0 for k in range(1, 9)}, 1.0),
    ({"w5": 100.0, "w6": 100.0, "t1": 100.0}, 1e300),
]


@pytest.mark.parametrize(("values", "eta"), EXTREMES)
def test_extreme_runs_have_a_landscape_a_check_and_a_derivation(values, eta):
    setup = replace(SEED, **values)
    history = descend(setup, eta, 20)
    for epoch in (1, 2, 20):
        _, data = drawn(history, epoch, runs={eta: history})
        for name, table in data.items():
            for column in table.columns:
                numbers = [v for v in column.to_pylist() if isinstance(v, float)]
                assert np.isfinite(numbers).all(), (name, epoch)
        found = check(history.setup_at(epoch))
        for way in ("autograd", "complex_step", "central"):
            assert np.isfinite(getattr(found, way)).all(), (way, epoch)
        row = dict(zip(COLUMNS, history.rows[:, epoch - 1].tolist(), strict=True))
        for weight in WEIGHTS:
            assert chain(weight, row).result.is_finite()
            assert step(weight, row, eta).result.is_finite()
