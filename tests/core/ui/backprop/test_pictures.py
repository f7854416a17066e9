from dataclasses import replace

import altair as alt
import numpy as np
import pytest

from core.backprop.network import COLUMNS, GRADIENTS, SEED, WEIGHTS, descend
from core.backprop.sweep import Sweep
from core.ui.backprop.charts import (
    compare_data,
    compare_spec,
    loss_data,
    loss_spec,
    sweep_data,
    sweep_spec,
    usable_scale,
)
from core.ui.backprop.diagram import THINNEST, WIDEST, diagram_data, diagram_spec

HISTORY = descend(SEED, 1.0, 50)


@pytest.mark.parametrize("scale", ["linear", "log"])
@pytest.mark.parametrize("make", [loss_spec, compare_spec, sweep_spec])
def test_a_chart_names_its_data_and_holds_no_numbers(make, scale):
    spec = make(scale)
    assert spec["title"]
    alt.Chart.from_dict(spec, validate=True)
    assert "datasets" not in spec
    assert make(scale) is spec


def test_the_loss_curve_holds_every_epoch_and_marks_the_chosen_one():
    data = loss_data(HISTORY, 17)
    assert data["loss"]["epoch"].to_pylist() == list(range(1, 51))
    assert data["loss"]["E_total"].to_pylist() == HISTORY.E_total.tolist()
    assert data["hover"].equals(data["loss"])
    assert data["chosen"].to_pylist() == [data["loss"].to_pylist()[16]]


def test_a_long_run_is_hovered_at_most_at_two_hundred_epochs_with_both_ends():
    data = loss_data(descend(SEED, 1.0, 1000), 1)
    epochs = data["hover"]["epoch"].to_pylist()
    assert len(epochs) == 200
    assert (epochs[0], epochs[-1]) == (1, 1000)
    assert len(data["loss"]) == 1000


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_the_pinned_run_changes_no_chart_without_one(scale):
    spec = loss_spec(scale, is_pinned=True)
    alt.Chart.from_dict(spec, validate=True)
    assert "datasets" not in spec
    assert "pinned" not in str(loss_spec(scale))
    assert loss_spec(scale) is loss_spec(scale)


@pytest.mark.parametrize(("epochs", "pinned_epochs"), [(50, 50), (30, 50), (50, 30), (1, 1000)])
def test_two_runs_are_drawn_and_read_to_the_end_of_the_longer_one(epochs, pinned_epochs):
    history, pinned = descend(SEED, 1.0, epochs), descend(SEED, 0.5, pinned_epochs)
    alone, data = loss_data(history, 1), loss_data(history, 1, pinned)
    assert alone.keys() == {"loss", "hover", "chosen"}
    assert data["loss"] == alone["loss"]
    assert data["pinned"]["value"].to_pylist() == pinned.E_total.tolist()
    assert data["pinned"]["epoch"].to_pylist() == list(range(1, pinned_epochs + 1))
    hover = data["hover"].to_pylist()
    assert (hover[0]["epoch"], hover[-1]["epoch"]) == (1, max(epochs, pinned_epochs))
    assert len(hover) <= 200
    for row in hover:
        for run, column in ((history, "E_total"), (pinned, "pinned")):
            exists = row["epoch"] <= run.epochs
            assert exists or np.isnan(row[column])
            assert not exists or row[column] == run.E_total[row["epoch"] - 1]


@pytest.mark.parametrize("show", ["weights", "gradients"])
def test_the_diagram_shows_the_row_of_its_epoch(show):
    data = diagram_data(HISTORY, 17, show)
    row = HISTORY.table().iloc[16]
    edges = {edge["name"]: edge for edge in data["edges"].to_pylist()}
    nodes = {node["name"]: node for node in data["nodes"].to_pylist()}
    assert list(edges) == list(WEIGHTS)
    assert nodes["h1"]["value"] == f"{row['out_h1']:.4f}"
    assert nodes["i2"]["value"] == "0.1000"
    columns = WEIGHTS if show == "weights" else GRADIENTS
    largest = HISTORY.table()[list(columns)].abs().to_numpy().max()
    for weight, column in zip(WEIGHTS, columns, strict=True):
        edge = edges[weight]
        assert edge["weight"] == repr(float(row[weight]))
        assert edge["sign"] == np.sign(row[column])
        width = THINNEST + (WIDEST - THINNEST) * abs(row[column]) / largest
        assert edge["width"] == pytest.approx(width)
    alt.Chart.from_dict(diagram_spec(show), validate=True)


def test_the_last_epoch_has_no_next_step():
    last = diagram_data(HISTORY, 50, "weights")["edges"].to_pylist()[0]
    assert last["step"] == "none, this is the last epoch"
    first = diagram_data(HISTORY, 1, "weights")["edges"].to_pylist()[4]
    assert first["step"].endswith("= 0.327843")


def test_compared_rates_keep_their_exact_ends_and_their_labels_apart():
    rates = (0.1, 0.8, 1.0)
    many = descend(SEED, np.array(rates), 50)
    data = compare_data(many, rates, "linear")
    ends = data["ends"].to_pylist()
    assert [end["eta"] for end in ends] == ["0.1", "0.8", "1"]
    assert [end["E_total"] for end in ends] == many.E_total[-1].tolist()
    places = sorted(end["label_at"] for end in ends)
    assert np.diff(places).min() >= 0.0599 * many.E_total.max()


def test_a_run_that_ends_at_zero_leaves_the_others_their_logarithmic_axis():
    exact = replace(SEED, t1=0.5, t2=0.5, **{f"w{k}": 0.0 for k in range(1, 9)})
    history = descend(replace(exact, w5=np.array([0.0, 1.0])), 1.0, 20)
    assert history.E_total[-1][0] == 0 < history.E_total[-1][1]
    ends = compare_data(history, (1.0, 1.0), "log")["ends"].to_pylist()
    assert min(end["label_at"] for end in ends) >= 0.99 * history.E_total[-1][1]


def test_the_sweep_marks_the_current_rate_and_the_best():
    sweep = Sweep(np.array([0.1, 1.0, 10.0]), np.array([0.3, 0.1, 0.2]), 2.0, 0.15)
    data = sweep_data(sweep)
    assert data["best"].to_pylist() == [{"eta": 1.0, "E_total": 0.1}]
    assert data["current"].to_pylist() == [{"eta": 2.0, "E_total": 0.15}]


def test_the_table_has_the_published_columns():
    assert COLUMNS[:4] == ("t1", "t2", "i1", "i2")
    assert COLUMNS[-1] == "∂E/∂w8"


def test_a_logarithmic_axis_needs_an_error_above_zero():
    assert usable_scale("log", np.array([0.0, 0.1])) == "log"
    assert usable_scale("log", np.zeros(3)) == "linear"
