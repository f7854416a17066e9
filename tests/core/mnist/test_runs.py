"""Real worker processes, training on the bundled digits."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.mnist import checkpoint, run_folder, runs
from core.mnist.files import save_json
from core.mnist.recipe import TrainConfig
from core.mnist.run_folder import RunError, State
from tests.harness import ROOT, process

QUICK = TrainConfig(architecture="compact", data="uci", epochs=2, batch_size=256)
LONG = replace(QUICK, epochs=19, batch_size=8)
PATIENCE = 90


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("RUNS_ROOT", str(tmp_path))
    yield tmp_path
    for folder in run_folder.folders():
        runs.stop(folder)
    wait(lambda: not run_folder.queue())


def wait(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, [
            (f.name, run_folder.events(f)) for f in run_folder.folders()
        ]
        time.sleep(0.05)


def state(folder):
    return runs.read(folder).state


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
        "from core.mnist import runs; from core.mnist.training import TrainConfig;"
        "print(runs.start(TrainConfig(architecture='compact', data='uci', batch_size=8), 'x'))"
    )
    started = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    folder = Path(started.stdout.strip())
    wait(lambda: state(folder) is State.RUNNING)
    assert os.getpriority(os.PRIO_PROCESS, process("--worker", str(folder))) == 19


def test_stop_and_resume_give_the_unbroken_run_to_the_last_bit(root):
    config = replace(QUICK, epochs=4, batch_size=16, averaging=0.9)
    unbroken, broken = runs.start(config, "own"), runs.start(config, "own")
    wait(lambda: state(unbroken) is State.FINISHED)
    wait(lambda: runs.read(broken).epochs)
    runs.stop(broken)
    wait(lambda: state(broken) is State.STOPPED)
    assert 1 <= len(runs.read(broken).epochs) < 4
    with pytest.raises(checkpoint.CheckpointError, match="no result yet"):
        checkpoint.load(broken)
    runs.resume(broken)
    wait(lambda: state(broken) is State.FINISHED)
    one, other = (checkpoint.load(f) for f in (unbroken, broken))
    for name, tensor in one[0].state_dict().items():
        assert torch.equal(tensor, other[0].state_dict()[name]), name
    assert one[1].test == other[1].test
    assert [e.loss for e in one[1].epochs] == [e.loss for e in other[1].epochs]


def test_a_killed_worker_is_noticed_and_its_run_goes_on_from_the_last_epoch(root):
    folder = runs.start(replace(LONG, epochs=3), "own")
    wait(lambda: runs.read(folder).epochs)
    assert state(folder) is State.RUNNING
    os.kill(process("--worker", str(folder)), signal.SIGKILL)
    wait(lambda: state(folder) is State.DIED)
    run = runs.read(folder)
    assert run.is_resumable
    done = len(run.epochs)
    runs.resume(folder)
    wait(lambda: state(folder) is State.FINISHED)
    assert [e.epoch for e in runs.read(folder).epochs] == [1, 2, 3]
    started = [e for e in run_folder.events(folder) if e["event"] == "started"]
    assert len(started) == 2
    assert done < 3


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
    monkeypatch.setattr(run_folder, "MAX_WAITING", 1)
    runs.start(LONG, "own")
    runs.start(LONG, "own")
    with pytest.raises(RunError, match="Try again when one has ended"):
        runs.start(LONG, "own")
    assert len(run_folder.folders()) == 2


def test_a_run_that_fails_says_why(root, monkeypatch, tmp_path):
    folder = runs.start(replace(QUICK, validation=1430, batch_size=64), "own")
    wait(lambda: state(folder) is State.FAILED)
    assert "more than the 7 images" in runs.read(folder).message


def finished(name, root, size=1000):
    folder = root / name
    folder.mkdir()
    save_json(folder / runs.CONFIG, {"title": "fast", "config": QUICK.to_json()})
    (folder / run_folder.RECORD).write_bytes(bytes(size))
    return folder


def test_the_oldest_runs_make_room_for_new_ones(root, monkeypatch):
    old, new = (finished(f"2026010{n}-000000-compact-1", root, 900) for n in (1, 2))
    monkeypatch.setattr(runs, "MAX_BYTES", 2000)
    entered = runs.enter(QUICK, "own")
    assert not old.exists()
    assert new.exists()
    shutil.rmtree(entered)


def test_only_a_run_that_is_over_can_be_deleted(root):
    over, active = finished("20260101-000000-compact-1", root), runs.start(LONG, "own")
    runs.delete(over)
    assert not over.exists()
    with pytest.raises(RunError, match="stop it first"):
        runs.delete(active)
    with pytest.raises(RunError, match="only a run that has stopped"):
        runs.resume(active)


def test_a_line_that_is_being_written_is_not_read_yet(root):
    folder = finished("20260101-000000-compact-1", root)
    (folder / run_folder.LOG).write_text('{"event": "started", "time": 1.0}\n{"event": "ba')
    assert [e["event"] for e in run_folder.events(folder)] == ["started"]


def test_a_folder_that_is_no_run_is_left_out(root):
    (root / "20260101-000000-compact-1").mkdir()
    (root / "notes").mkdir()
    assert runs.every() == []
    with pytest.raises(RunError, match="cannot be read"):
        runs.read(root / "20260101-000000-compact-1")
