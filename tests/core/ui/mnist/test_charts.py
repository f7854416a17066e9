import altair as alt
import numpy as np
import pytest

from core.mnist import notebook
from core.mnist.records import EpochRecord
from core.mnist.runs import Progress
from core.ui.mnist.charts import (
    LEAST_ERROR,
    compare_data,
    compare_spec,
    confusion_data,
    confusion_spec,
    history_data,
    history_rows,
    history_spec,
)

EPOCHS = [
    EpochRecord(1, 0.5, 900, 1000, 0.3, 95, 100, 0.1, 2.0, 0.4, 46, 50),
    EpochRecord(2, 0.1, 1000, 1000, 0.2, 100, 100, 0.1, 2.0, 0.3, 48, 50),
]


@pytest.mark.parametrize(
    "spec",
    [
        history_spec("loss", ("test", "training", "notebook")),
        history_spec("accuracy", ("test", "training", "validation")),
        compare_spec("loss"),
        compare_spec("accuracy"),
        confusion_spec(),
    ],
)
def test_a_chart_has_a_title_and_holds_no_numbers(spec):
    assert spec["title"]
    alt.Chart.from_dict(spec, validate=True)
    assert "datasets" not in spec


def test_an_accuracy_is_drawn_as_its_distance_from_all_right():
    rows = history_rows("accuracy", EPOCHS, notebook_too=False)
    assert rows["test"] == {1: 95.0, 2: 100.0}
    assert rows["training"] == {1: 90.0, 2: 100.0}
    assert rows["validation"] == {1: 92.0, 2: 96.0}
    drawn = history_data("accuracy", rows, [])["epochs"].to_pydict()
    found = {(s, e): v for s, e, v in zip(*drawn.values(), strict=True)}
    assert found["test", 1] == pytest.approx(5)
    assert found["test", 2] == LEAST_ERROR


def test_the_notebooks_log_stands_beside_ours_where_it_can_be_compared():
    rows = history_rows("loss", EPOCHS, notebook_too=True)
    assert list(rows["notebook"].values()) == [loss for loss, _ in notebook.TEST_LOG]
    hover = history_data("loss", rows, [])["hover"].to_pydict()
    assert hover["epoch"] == list(range(1, 20))
    assert hover["test"][:3] == [0.3, 0.2, None]
    assert "notebook" not in history_rows("loss", EPOCHS, notebook_too=False)


def test_the_fine_line_runs_between_the_epochs():
    progress = [Progress(1, 5, 10, 1.0, 100.0), Progress(2, 10, 10, 0.5, 100.0)]
    batches = history_data("loss", {}, progress)["batches"].to_pydict()
    assert batches == {"epoch": [0.5, 2.0], "value": [1.0, 0.5]}


def test_the_diagonal_does_not_drown_the_errors():
    confusion = np.eye(10, dtype=int) * 1000
    confusion[4, 9] = 3
    confusion[7, 2] = 1
    for cells in ("counts", "shares"):
        data = confusion_data(confusion.tolist(), cells)["cells"].to_pylist()
        strength = {(row["true"], row["answer"]): row["strength"] for row in data}
        assert strength[4, 9] == 1
        assert 0.2 < strength[7, 2] < 0.5
        assert max(strength[d, d] for d in range(10)) < strength[7, 2]
    shown = {(row["true"], row["answer"]): row for row in data}
    assert shown[4, 9]["shown"] == "0.30"
    assert shown[4, 9]["sentence"] == "4 read as 9"
    assert shown[4, 8]["shown"] == ""


def test_compared_runs_keep_their_order_and_their_numbers():
    rows = compare_data("accuracy", {"b": [(1, 0.3, 0.95), (2, 0.2, 1.0)], "a": [(1, 0.3, 0.95)]})[
        "runs"
    ].to_pydict()
    assert rows["run"] == ["b", "b", "a"]
    assert rows["rank"] == [0, 0, 1]
    assert rows["shown"] == ["95.00 %", "100.00 %", "95.00 %"]


@pytest.mark.parametrize("what", ["loss", "accuracy"])
def test_a_run_without_an_epoch_yet_has_a_chart(what):
    alt.Chart.from_dict(history_spec(what, ()), validate=True)
