"""The training view, with runs as workers leave them."""

import shutil

import pytest
from streamlit.testing.v1 import AppTest

from core.mnist import cluster, run_folder, runs
from core.mnist.recipe import HYPERPARAMETERS, PRESETS
from tests.core.mnist.prepared import QUICK, stopped
from tests.harness import ROOT

NAME = "20260101-000000-compact-1"


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("RUNS_ROOT", str(tmp_path))
    return tmp_path


def train_view(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=30)
    for key, value in {"view": "Train", **query}.items():
        app.query_params[key] = value
    app.run()
    app.switch_page("pages/mnist.py").run()
    assert not app.exception
    return app


def press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception


def labels(app: AppTest) -> set[str]:
    return {button.label for button in app.button if not button.disabled}


def errors(app: AppTest) -> str:
    return " ".join(error.value for error in app.error).replace("\\", "")


@pytest.mark.parametrize("label", ["Resume", "Delete this run"])
def test_a_run_deleted_between_the_list_and_the_click_is_a_sentence(root, label):
    folder = stopped(root / NAME)
    app = train_view(run=NAME)
    shutil.rmtree(folder)
    press(app, label)
    assert "has been deleted" in errors(app)
    assert any("No runs yet" in words.value for words in app.markdown)


def test_a_run_that_was_resumed_by_another_is_not_resumed_again(root, monkeypatch):
    monkeypatch.setattr(runs, "_spawn", lambda folder: None)
    folder = stopped(root / NAME)
    app = train_view(run=NAME)
    runs.resume(folder)
    press(app, "Resume")
    assert "This run is waiting; only a run that has stopped" in errors(app)


def test_why_a_run_failed_is_said_and_its_traceback_is_one_click_away(root):
    folder = stopped(root / NAME)
    run_folder.fail(folder, "The disk is full.", "Traceback (most recent call last): …")
    app = train_view(run=NAME)
    assert "The disk is full. Resume goes on after epoch 1 of 2." in errors(app)
    (traceback,) = (expander for expander in app.expander if expander.label == "Traceback")
    assert not traceback.proto.expanded
    assert "most recent call last" in traceback.code[0].value


def test_what_another_version_wrote_is_said_under_the_run(root):
    folder = stopped(root / NAME)
    written = (folder / runs.CONFIG).read_text()
    (folder / runs.CONFIG).write_text(written.replace('"label_smoothing"', '"smoothness"'))
    app = train_view(run=NAME)
    said = " ".join(caption.value for caption in app.caption).replace("\\", "")
    assert "“smoothness” is unknown to this version" in said
    assert "“label_smoothing” is missing: taken as 0.0." in said


def test_a_cut_line_in_one_run_stops_no_page(root):
    folder = stopped(root / NAME)
    with (folder / run_folder.LOG).open("a") as log:
        log.write('{"event": "batch", "ti')
    run_folder.append(folder, "stopped")
    for view in ("Results", "Train", "Compare"):
        train_view(view=view)


def test_a_wrong_number_of_runs_at_once_is_said(root, monkeypatch):
    monkeypatch.setenv("RUNS_AT_ONCE", "two")
    app = train_view(data="uci")
    assert "RUNS_AT_ONCE is “two”" in errors(app)
    assert "Start" not in labels(app)


def test_a_server_without_training_shows_its_runs_and_starts_none(root, monkeypatch):
    folder = stopped(root / NAME)
    app = train_view(run=NAME)
    assert {"Start", "Resume"} <= labels(app)
    monkeypatch.setenv("RUNS_TRAINING", "off")
    press(app, "Resume")
    assert "Training is switched off on this server." in errors(app)
    assert runs.read(folder).state is run_folder.State.STOPPED
    app.run()
    assert not {"Start", "Resume"} & labels(app)
    assert any("Training is switched off" in info.value for info in app.info)


def test_only_its_session_or_an_administrator_changes_a_run(root, monkeypatch):
    monkeypatch.setattr(runs, "_spawn", lambda folder: None)
    monkeypatch.setenv("RUNS_ADMIN", "a long secret")
    mine, other = train_view(data="uci", epochs="1"), train_view()
    press(mine, "Start")
    (folder,) = run_folder.folders()
    other.run()
    (stop,) = (button for button in other.button if button.label == "Stop")
    assert stop.disabled
    assert any("Only who started it" in caption.value for caption in other.caption)
    press(mine, "Stop")
    run_folder.append(folder, "stopped")
    mine.run()
    other.run()
    assert {"Resume", "Delete this run"} <= labels(mine)
    assert not {"Resume", "Delete this run"} & labels(other)
    other.text_input(key="mnist.admin_token_field").set_value("a wrong secret")
    press(other, "Enter")
    assert "not the server's token" in errors(other)
    other.text_input(key="mnist.admin_token_field").set_value("a long secret")
    press(other, "Enter")
    press(other, "Delete this run")
    assert run_folder.folders() == []


def test_a_click_after_the_right_to_it_is_gone_changes_nothing(root, monkeypatch):
    folder = stopped(root / NAME)
    app = train_view(run=NAME)
    monkeypatch.setenv("RUNS_ADMIN", "a long secret")
    press(app, "Delete this run")
    assert folder.exists()


def test_every_setting_of_a_recipe_has_its_field(root):
    app = train_view()
    shown = {field.label for field in (*app.text_input, *app.selectbox)}
    for declared in HYPERPARAMETERS.values():
        assert declared.label in shown
    assert QUICK.values.keys() == HYPERPARAMETERS.keys()


def test_a_recipe_says_in_words_and_numbers_what_it_does(root):
    app = train_view()
    assert PRESETS["fast"].note in [caption.value for caption in app.caption]
    (table,) = [found.value for found in app.table]
    fast, notebook = PRESETS["fast"].config.values, PRESETS["published"].config.values
    differing = {name for name in fast if fast[name] != notebook[name]}
    assert set(table.index) == {HYPERPARAMETERS[name].label for name in differing}
    assert list(table.loc["Epochs"]) == ["3", "19"]
    assert list(table.loc["Optimiser"]) == ["Muon", "SGD"]


def test_of_the_notebooks_own_recipe_nothing_differs(root):
    values = {name: str(value) for name, value in PRESETS["published"].config.values.items()}
    app = train_view(**values)
    assert PRESETS["published"].note in [caption.value for caption in app.caption]
    assert not app.table


def test_a_run_that_waits_for_a_cluster_says_so_and_can_be_stopped(root, monkeypatch):
    monkeypatch.setenv("RUNS_CLUSTER", "tcp://127.0.0.1:9")
    keeper = cluster.Keeper("tcp://127.0.0.1:9")
    keeper.problem = "Nobody is there."
    monkeypatch.setattr(cluster, "keep", lambda address: keeper)
    app = train_view()
    press(app, "Start")
    assert [warning.value for warning in app.warning] == ["Nobody is there\\."]
    assert not any("Starting" in info.value for info in app.info)
    press(app, "Stop")
    assert "Stop" not in labels(app)
    keeper.look()
    app.run()
    assert {"Resume", "Delete this run"} <= labels(app)
