"""Real worker processes, training on the bundled digits."""

import json
import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.mnist import checkpoint, records, run_folder, runs
from core.mnist.files import save_json
from core.mnist.run_folder import RunError, State
from core.mnist.train import main
from tests.core.mnist.prepared import LONG, QUICK, end_all, finished, state, stopped, wait
from tests.harness import ROOT, process


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("RUNS_ROOT", str(tmp_path))
    yield tmp_path
    end_all()


def test_a_run_trains_in_a_process_of_its_own_to_its_end(root):
    folder = runs.start(QUICK, "fast")
    wait(lambda: state(folder) is State.FINISHED)
    run = runs.read(folder)
    assert [e.epoch for e in run.epochs] == [1, 2]
    assert run.share_done == 1
    model, record = checkpoint.load(folder)
    assert record.config == QUICK
    assert record.epochs == run.epochs
    weights = checkpoint.load_tensors(folder / "weights-02.safetensors")
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, weights[name])
    assert not list(folder.glob("*.part"))


def test_a_worker_has_the_lowest_priority_and_outlives_whoever_started_it(root):
    code = (
        "from core.mnist import runs; from core.mnist.recipe import TrainConfig;"
        "print(runs.start(TrainConfig(architecture='compact', data='uci', batch_size=8), 'x'))"
    )
    started = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    folder = Path(started.stdout.strip())
    wait(lambda: state(folder) is State.RUNNING)
    worker = process("--worker", str(folder))
    assert os.getpriority(os.PRIO_PROCESS, worker) == 19
    session = Path(f"/proc/{worker}/autogroup")  # a kernel may have none
    assert not session.exists() or session.read_text().endswith("nice 10\n")


def test_stop_and_resume_give_the_unbroken_run_to_the_last_bit(root):
    config = replace(QUICK, epochs=4, batch_size=64, averaging=0.9)
    unbroken, broken = runs.start(config, "own"), runs.start(config, "own")
    wait(lambda: state(unbroken) is State.FINISHED)
    wait(lambda: runs.read(broken).epochs)
    runs.stop(broken)
    wait(lambda: state(broken) is State.STOPPED)
    assert 1 <= len(runs.read(broken).epochs) < 4
    with pytest.raises(records.CheckpointError, match="no result yet"):
        checkpoint.load(broken)
    runs.resume(broken)
    wait(lambda: state(broken) is State.FINISHED)
    one, other = (checkpoint.load(f) for f in (unbroken, broken))
    for name, tensor in one[0].state_dict().items():
        assert torch.equal(tensor, other[0].state_dict()[name]), name
    assert one[1].test == other[1].test
    assert [e.loss for e in one[1].epochs] == [e.loss for e in other[1].epochs]


def test_runs_take_turns_in_the_order_in_which_they_came(root):
    first, second, third = (runs.start(LONG, "own") for _ in range(3))
    wait(lambda: state(first) is State.RUNNING)
    wait(lambda: run_folder.has_worker(third))
    assert run_folder.queue() == [first, second, third]
    assert [runs.read(f).ahead for f in (first, second, third)] == [0, 1, 2]
    maps = Path(f"/proc/{process('--worker', str(third))}/maps").read_text()
    assert "libtorch" not in maps
    runs.stop(second)
    wait(lambda: state(second) is State.STOPPED)
    runs.stop(first)
    wait(lambda: state(first) is State.STOPPED)
    wait(lambda: state(third) is State.RUNNING)


def test_the_queue_is_bounded(root, monkeypatch):
    monkeypatch.setenv("RUNS_WAITING", "1")
    runs.start(LONG, "own")
    runs.start(LONG, "own")
    with pytest.raises(RunError, match="Try again when one has ended"):
        runs.start(LONG, "own")
    assert len(run_folder.folders()) == 2


def test_a_run_that_fails_says_why(root, monkeypatch, tmp_path):
    folder = runs.start(replace(QUICK, validation=1430, batch_size=64), "own")
    wait(lambda: state(folder) is State.FAILED)
    assert "more than the 7 images" in runs.read(folder).message


def test_the_oldest_runs_make_room_for_new_ones(root, monkeypatch):
    old, new = (finished(root / f"2026010{n}-000000-compact-1", 900) for n in (1, 2))
    monkeypatch.setattr(runs, "MAX_BYTES", 2000)
    entered = runs.enter(QUICK, "own")
    assert not old.exists()
    assert new.exists()
    shutil.rmtree(entered)


def test_only_a_run_that_is_over_can_be_deleted(root):
    over, active = finished(root / "20260101-000000-compact-1"), runs.start(LONG, "own")
    runs.delete(over)
    assert not over.exists()
    with pytest.raises(RunError, match="stop it first"):
        runs.delete(active)
    with pytest.raises(RunError, match="only a run that has stopped"):
        runs.resume(active)


def test_a_folder_that_is_no_run_is_left_out(root):
    (root / "20260101-000000-compact-1").mkdir()
    (root / "notes").mkdir()
    assert runs.every() == []
    with pytest.raises(RunError, match="cannot be read"):
        runs.read(root / "20260101-000000-compact-1")


# --- what others do at the same time


def test_a_full_queue_holds_however_many_start_at_once(root, monkeypatch):
    monkeypatch.setenv("RUNS_WAITING", "2")

    def enter(number):
        try:
            return runs.enter(QUICK, "own")
        except RunError as refused:
            return str(refused)

    with ThreadPoolExecutor(8) as people:
        answers = list(people.map(enter, range(8)))
    entered = [answer for answer in answers if isinstance(answer, Path)]
    assert len(entered) == 3  # one to train, two to wait
    assert len(set(entered)) == 3
    refused = [answer for answer in answers if isinstance(answer, str)]
    assert all("queue is full" in sentence for sentence in refused)
    for folder in entered:
        shutil.rmtree(folder)


def test_delete_resume_read_and_stop_at_once_end_in_sentences(root, monkeypatch):
    """Whatever wins, nobody sees anything but a RunError, and what is deleted is gone whole."""
    monkeypatch.setattr(runs, "_spawn", lambda folder: None)  # the door is what is tested

    def go(act, folder):
        try:
            act(folder)
        except RunError as refused:
            return str(refused)
        return ""

    acts = [runs.delete, runs.resume, runs.read, runs.stop, runs.delete, lambda f: runs.every()]
    with ThreadPoolExecutor(len(acts)) as people:
        for number in range(12):
            folder = stopped(root / f"20260101-0000{number:02}-compact-1")
            answers = list(people.map(go, acts, [folder] * len(acts)))
            deleted, resumed = answers[0] == "" or answers[4] == "", answers[1] == ""
            assert deleted != resumed, answers
            assert folder.exists() == resumed
            if resumed:
                shutil.rmtree(folder)
    assert list(root.glob(".hidden*")) == []


def test_deleting_twice_says_that_it_is_gone(root):
    folder = stopped(root / "20260101-000000-compact-1")
    runs.delete(folder)
    for act in (runs.delete, runs.resume, runs.read, runs.stop):
        with pytest.raises(RunError, match="has been deleted"):
            act(folder)
    with pytest.raises(RunError, match="has been deleted"):
        run_folder.hold(folder)
    assert not folder.exists()


def test_room_is_made_while_files_are_replaced_in_the_runs_that_go(root, monkeypatch):
    monkeypatch.setattr(runs, "MAX_BYTES", 0)
    over = threading.Event()

    def rewrite(folder):
        while not over.is_set():
            with suppress(OSError):  # the folder goes
                save_json(folder / "notes.json", {"some": "text"})

    with ThreadPoolExecutor(3) as writers:
        for number in range(15):
            folder = finished(root / f"20260101-0000{number:02}-compact-1")
            writer = writers.submit(rewrite, folder)
            entered = runs.enter(QUICK, "own")
            over.set()
            writer.result()
            over.clear()
            assert not folder.exists()
            shutil.rmtree(entered)


def test_what_is_left_of_a_deletion_cut_off_goes_with_the_next_start(root):
    left = root / ".hidden-00ff00ff00ff00ff"
    left.mkdir()
    (left / "weights-01.safetensors").write_bytes(bytes(100))
    assert runs.every() == []
    shutil.rmtree(runs.enter(QUICK, "own"))
    assert not left.exists()


# --- files of other versions, and damaged ones


def edit(path, change):
    found = json.loads(path.read_text())
    change(found)
    path.write_text(json.dumps(found))


def test_a_configuration_with_a_field_more_or_less_is_listed_and_said(root):
    folder = stopped(root / "20260101-000000-compact-1")
    edit(folder / runs.CONFIG, lambda found: found["config"].pop("label_smoothing"))
    edit(folder / runs.CONFIG, lambda found: found["config"].update(colour="blue"))
    edit(folder / runs.CONFIG, lambda found: found["config"]["augmentation"].pop("pen"))
    (run,) = runs.every()
    assert run.config == QUICK
    assert run.is_resumable
    said = " ".join(run.differs)
    for name in ("“label_smoothing” is missing: taken as 0.0", "“pen” is missing", "“colour”"):
        assert name in said


def test_a_log_with_a_field_more_or_less_is_read_and_said(root):
    folder = stopped(root / "20260101-000000-compact-1", epochs=3)
    lines = [json.loads(line) for line in (folder / run_folder.LOG).read_text().splitlines()]
    first, second, third = (line for line in lines if line["event"] == "epoch")
    first["mood"] = 1.0
    del second["rate"]
    third["loss"] = "much"
    (folder / run_folder.LOG).write_text("".join(json.dumps(line) + "\n" for line in lines))
    (run,) = runs.every()
    assert [epoch.epoch for epoch in run.epochs] == [1]
    said = " ".join(run.differs)
    assert "“mood” is unknown" in said
    assert "A line “epoch” of its log lacks “rate”." in said
    assert "A line “epoch” of its log cannot be read." in said


def test_a_lost_line_of_an_epoch_is_named(root):
    folder = stopped(root / "20260101-000000-compact-1", epochs=3)
    lines = (folder / run_folder.LOG).read_text().splitlines(keepends=True)
    (cut,) = (i for i, line in enumerate(lines) if '"epoch": 2,' in line)
    lines[cut] = lines[cut][:30] + "\n"
    (folder / run_folder.LOG).write_text("".join(lines))
    run = runs.read(folder)
    assert ([epoch.epoch for epoch in run.epochs], run.done) == ([1, 3], 3)
    assert run.differs == ("The line of epoch 2 in its log is damaged.",)


# --- where runs are kept


def test_a_worker_that_finds_a_wrong_number_says_so(root, monkeypatch):
    folder = runs.enter(QUICK, "own")
    monkeypatch.setattr("core.mnist.train.stand_back", lambda: None)  # of these tests
    monkeypatch.setenv("RUNS_AT_ONCE", "two")
    assert main(["--worker", str(folder)]) == 1
    run = runs.read(folder)
    assert run.state is State.FAILED
    assert "RUNS_AT_ONCE is “two”" in run.message


def test_a_runs_folder_that_cannot_be_one_is_a_sentence(root, monkeypatch):
    monkeypatch.setenv("RUNS_ROOT", str(root / "file"))
    (root / "file").write_text("I am a file.")
    assert runs.every() == []
    with pytest.raises(RunError, match=r"cannot be written to.*Set RUNS_ROOT to another folder"):
        runs.start(QUICK, "own")
