import gc
import json
import re
import shutil
import subprocess
import sys
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.mnist import checkpoint, data, explain, records
from core.mnist.source import available
from core.workbook.file.book import Book, FileError
from core.workbook.file.read import read
from tests.harness import ROOT


def values(app: AppTest, page: str) -> dict[str, Any]:
    """The settings of a page as they are now."""
    return app.session_state[page].values


def widget(app: AppTest, kind: str, name: str) -> Any:
    """The widget of a setting, whose key ends with a number."""
    return next(found for found in app.get(kind) if re.fullmatch(rf"{name} \d+", found.key or ""))


def open_page(name: str = "", **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=30)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    if name:
        app.switch_page(f"pages/{name}.py").run()
    assert not app.exception
    return app


def test_the_workbook_page_takes_files_as_large_as_are_read():
    (door,) = open_page("workbook").get("file_uploader")
    most = door.proto.max_upload_size_mb * 1_000_000
    with pytest.raises(FileError, match="is empty"):
        read(b" " * most)
    with pytest.raises(FileError, match=f"up to {door.proto.max_upload_size_mb} are read"):
        read(b" " * (most + 1))


CHOICES = {
    "backprop": ("button_group", "backprop.hidden", "tanh"),
    "mnist": ("selectbox", "mnist.architecture", "compact"),
    "sketch": ("button_group", "sketch.source", "test"),
}


@pytest.mark.parametrize("page", CHOICES)
def test_an_answer_takes_no_choice_back_that_is_under_way(page):
    """It would if it told each widget's value again: the one of before the next click."""
    app = open_page(page, **({"view": "Train"} if page == "mnist" else {}))
    kind, name, option = CHOICES[page]
    widget(app, kind, name).set_value(option).run()
    assert values(app, page)[name.split(".")[1]] == option
    kinds = ("button_group", "selectbox", "multiselect", "slider", "text_input")
    protos = [found.proto for kind in kinds for found in app.get(kind)]
    assert len(protos) > 1
    assert not [proto.label for proto in protos if proto.set_value]


def test_home_leads_to_backpropagation():
    app = open_page()
    assert app.title[0].value == "Backprop & MNIST Explorer"


def test_backprop_starts_with_the_published_numbers():
    app = open_page("backprop", tab="Learning rates")
    assert app.title[0].value == "Backpropagation, number by number"
    assert values(app, "backprop")["w8"] == 0.55
    assert widget(app, "button_group", "backprop.preset").value == "published"
    assert not app.error
    best = app.markdown[-1].value
    assert "**η = 10**, an end of the sweep, with E_total = **0.00159198** at epoch 50." in best
    assert "Yours: η = 1 with 0.0296117." in best


def test_a_preset_sets_the_weights_and_the_url():
    app = open_page("backprop")
    widget(app, "button_group", "backprop.preset").set_value("zeros").run()
    assert not app.exception
    assert values(app, "backprop")["w5"] == 0
    assert {key: app.query_params[key] for key in ("w1", "w8")} == {"w1": "0", "w8": "0"}
    widget(app, "button_group", "backprop.preset").set_value("random").run()
    assert widget(app, "text_input", "backprop.seed").value == "0"
    before = values(app, "backprop")["w1"]
    widget(app, "text_input", "backprop.seed").set_value("5").run()
    assert values(app, "backprop")["w1"] != before
    next(button for button in app.button if button.label == "Reset all").click().run()
    assert values(app, "backprop")["w1"] == 0.15
    assert not app.query_params


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"w1": "abc"}, "w1 stays 0.15: “abc” is not a number."),
        ({"w1": ""}, "w1 stays 0.15: That is empty."),
        ({"eta": "nan"}, "eta stays 1: “nan” is not a number."),
        ({"t1": "1e308"}, "Enter a number from -100 to 100."),
        ({"epochs": "0"}, "Enter a whole number from 1 to 10000."),
        ({"epochs": "1000000000"}, "Enter a whole number from 1 to 10000."),
    ],
)
def test_a_link_that_cannot_be_read_says_so_and_shows_the_rest(query, sentence):
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=30)
    app.run()
    for key, value in {**query, "w2": "0.75"}.items():
        app.query_params[key] = value
    app.switch_page("pages/backprop.py").run()
    assert not app.exception
    (banner,) = app.error
    assert sentence in banner.value.replace("\\", "")
    assert values(app, "backprop")["w2"] == 0.75
    assert values(app, "backprop")["w1"] == 0.15


def test_a_bad_list_of_rates_is_answered_and_the_last_good_one_stays():
    app = open_page("backprop", tab="Learning rates")
    widget(app, "text_input", "backprop.rates").set_value("0.1 fast").run()
    assert "“fast” is not a number" in app.error[0].value.replace("\\", "")
    assert values(app, "backprop")["rates"] == (0.1, 0.2, 0.5, 0.8, 1.0, 2.0)
    widget(app, "text_input", "backprop.rates").set_value("3 0.3").run()
    assert not app.error
    assert values(app, "backprop")["rates"] == (0.3, 3.0)
    assert app.query_params["rates"] == "0.3 3"


def test_a_run_that_stops_moving_says_so():
    app = open_page("backprop", eta="0")
    assert "no weight moves any more" in app.info[0].value


def test_settings_survive_a_visit_to_another_page():
    app = open_page("backprop")
    widget(app, "button_group", "backprop.preset").set_value("symmetric").run()
    app.switch_page("pages/home.py").run()
    app.switch_page("pages/backprop.py").run()
    assert values(app, "backprop")["w1"] == 0.25


def test_mnist_shows_the_published_network_and_how_far_the_seed_matters():
    _, record = checkpoint.load_checkpoint("published")
    app = open_page("mnist")
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Test accuracy, last epoch"] == f"{100 * record.test.accuracy:.2f} %"
    assert shown["Parameters"] == "15,738"
    seeds = json.loads((records.CHECKPOINTS / "published" / records.SEEDS).read_text())["runs"]
    mean = sum(run["correct"] for run in seeds) / len(seeds) / 100
    said = f"Over {len(seeds)} seeds: mean **{mean:.3f} %**"
    assert any(said in found.value for found in app.markdown)
    assert any("99.42 % at epoch 12" in found.value for found in app.caption)


@pytest.mark.parametrize("name", ["published", "fc-head", "compact"])
def test_every_shipped_network_meets_every_demand(name):
    app = open_page("mnist", network=name)
    demands = next(found.value for found in app.markdown if "20,000 parameters" in found.value)
    assert demands.count("**met**") == 6
    assert "not met" not in demands


NO_TORCH = """
import sys
from streamlit.testing.v1 import AppTest

for view in ("Results", "Train", "Compare"):
    app = AppTest.from_file("streamlit_app.py", default_timeout=60)
    app.query_params["view"] = view
    app.run()
    app.switch_page("pages/mnist.py").run()
    assert not app.exception and not app.error, view
    assert app.title[0].value == "A network that reads digits"
print(sorted({"torch", "torchvision", "sklearn", "matplotlib"} & sys.modules.keys()))
"""


def test_the_mnist_page_shows_what_is_shipped_without_torch():
    done = subprocess.run(
        [sys.executable, "-c", NO_TORCH], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_every_view_of_the_mnist_page_opens():
    for view in ("Results", "Train", "Compare"):
        assert not open_page("mnist", view=view).error


def test_the_workbook_page_checks_its_example_and_hands_out_the_setting():
    app = open_page("workbook")
    assert app.title[0].value == "Check a workbook, or hand one out"
    app.button[0].click().run()
    assert not app.exception
    assert "Not right: 3 slips in 149 of" in app.error[0].value.replace("\\", "")
    widget(app, "button_group", "workbook.task").set_value("export").run()
    assert not app.exception
    assert "w8 = 0.55" in app.markdown[1].value.replace("\N{NO-BREAK SPACE}", " ")


def test_a_task_that_is_none_is_said():
    app = open_page("workbook", task="burn")
    assert "task stays check" in app.error[0].value


@pytest.mark.skipif(not available("mnist"), reason="MNIST is not on this machine")
def test_a_method_that_finds_nothing_says_so():
    model, _ = checkpoint.load_checkpoint("published")
    images, _ = data.load_test("mnist")
    index, digit = next(
        (str(index), str(digit))
        for index in range(100)
        for digit in range(10)
        if not explain.attribute(model, images[index], digit, "grad-cam").any()
    )
    app = open_page("sketch", source="test", index=index, about=digit)
    assert any("Grad-CAM finds nothing" in found.value for found in app.info)
    app = open_page("sketch", source="test", index=index, about=digit, method="occlusion")
    assert not app.info


def test_an_edit_in_a_run_of_the_whole_page_asks_for_no_fragment(monkeypatch):
    """Its fragments may be those of the page that was left while the edit was under way."""
    app = open_page("backprop")

    def refuse(*fragments):
        raise AssertionError(fragments)

    monkeypatch.setattr("core.ui.site.st.rerun", refuse)
    widget(app, "button_group", "backprop.scale").set_value("log").run()
    assert not app.exception
    assert values(app, "backprop")["scale"] == "log"


def test_a_checked_workbook_leaves_no_book_in_the_session():
    before = books()  # what other tests keep is not this session's
    app = open_page("workbook")
    app.button[0].click().run()
    assert "3 slips" in app.error[0].value
    assert not [one for one in books() if not any(one is other for other in before)]


def books():
    gc.collect()
    return [one for one in gc.get_objects() if type(one) is Book]


@pytest.mark.parametrize("spoil", [lambda path: path.unlink(), lambda path: path.write_bytes(b"")])
def test_weights_that_went_while_their_results_are_shown_are_a_sentence(
    spoil, tmp_path, monkeypatch
):
    shutil.copytree(records.CHECKPOINTS, tmp_path / "checkpoints")
    monkeypatch.setattr(records, "CHECKPOINTS", tmp_path / "checkpoints")
    app = open_page("mnist", network="compact")
    assert not app.error
    spoil(tmp_path / "checkpoints" / "compact" / records.WEIGHTS)
    app.run()
    assert not app.exception
    assert ["This network can no longer be downloaded" in error.value for error in app.error] == [
        True
    ]
