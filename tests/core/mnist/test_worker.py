"""How a worker ends when something goes wrong: the disk, the memory, its files."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from core.mnist import run_folder, runs, worker
from core.mnist.run_folder import RunError, State
from core.mnist.train import main
from tests.core.mnist.prepared import QUICK, stopped
from tests.harness import ROOT


@pytest.fixture(autouse=True)
def _as_it_is(monkeypatch):
    """A worker lowers its priority; here that would be the tests' own."""
    monkeypatch.setattr("core.mnist.train.stand_back", lambda: None)


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("RUNS_ROOT", str(tmp_path / "runs"))
    return tmp_path / "runs"


SCARCE = """
import resource, sys
from pathlib import Path
from core.mnist import data, worker
data.load("uci")
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 300_000_000,) * 2)
try:
    list(worker.work(Path(sys.argv[1])))
except worker.FAILURES as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory as Linux does")
def test_too_little_memory_is_said(root):
    folder = runs.enter(replace(QUICK, architecture="published", batch_size=1024), "own")
    ended = subprocess.run(
        [sys.executable, "-c", SCARCE, str(folder)],
        cwd=ROOT,
        env=os.environ | {"RUNS_ROOT": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.startswith("The memory of this machine was not enough."), ended
    run = runs.read(folder)
    assert run.state is State.FAILED
    assert run.message.startswith("The memory of this machine was not enough.")
    assert "Traceback" in run.traceback


def test_any_other_error_is_named_and_its_traceback_kept(root):
    folder = runs.enter(QUICK, "own")
    first = iter(worker.work(folder))
    for event in first:
        if type(event).__name__ == "EpochDone":
            (folder / run_folder.STOP).touch()
    state = load_file(folder / worker.RESUME)
    state["model.0.weight"] = torch.zeros(3, 3)
    save_file(state, folder / worker.RESUME)
    (folder / run_folder.STOP).unlink()
    assert main(["--worker", str(folder)]) == 1
    run = runs.read(folder)
    assert run.state is State.FAILED
    assert run.message.startswith("Training ended in an error of the program, RuntimeError: ")
    assert "load_state_dict" in run.traceback


def test_a_resumed_run_whose_state_is_damaged_says_which_file(root):
    folder = runs.enter(QUICK, "own")
    (folder / worker.RESUME).write_bytes(b"not a tensor")
    assert main(["--worker", str(folder)]) == 1
    assert "state.safetensors is damaged" in runs.read(folder).message


def test_a_damaged_evaluation_does_not_end_in_silence(root):
    folder = runs.enter(QUICK, "own")
    (folder / worker.EVALUATION).write_text(json.dumps({"loss": 1}))
    assert main(["--worker", str(folder)]) == 1
    run = runs.read(folder)
    assert run.state is State.FAILED
    assert run.message
    assert run.traceback


def test_a_run_is_ended_when_its_time_is_up_and_gets_no_more(root, monkeypatch):
    monkeypatch.setenv("RUNS_MINUTES", "0.0001")
    folder = runs.enter(replace(QUICK, epochs=3), "own")
    assert main(["--worker", str(folder)]) == 0
    run = runs.read(folder)
    assert run.state is State.STOPPED
    assert run.message == (
        "It has trained for 0.0001 minutes, the longest that this server allows a run."
    )
    told = stopped(root / "20260101-000000-compact-1", epochs=2)
    assert runs.read(told).trained == 3.0
    monkeypatch.setenv("RUNS_MINUTES", "0.05")
    with pytest.raises(RunError, match="the longest that this server allows"):
        runs.resume(told)
    monkeypatch.setenv("RUNS_MINUTES", "5")
    with run_folder.door():
        run_folder.take_ticket(folder)
    assert main(["--worker", str(folder)]) == 0
    assert runs.read(folder).state is State.FINISHED
