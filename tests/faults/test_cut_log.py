"""A log that ends in the middle of a line, as after a kill or a power cut."""

import json

import pytest

from core.mnist import run_folder, runs
from core.mnist.run_folder import State
from tests.core.mnist.prepared import stopped


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("RUNS_ROOT", str(tmp_path))
    return stopped(tmp_path / "20260101-000000-compact-1", epochs=2)


def test_a_log_cut_at_any_byte_loses_the_line_it_was_cut_in_alone(folder):
    log = folder / run_folder.LOG
    whole = log.read_bytes()
    lines = [json.loads(line) for line in whole.splitlines()]
    for cut in range(len(whole)):
        log.write_bytes(whole[:cut])
        kept = lines[: whole[:cut].count(b"\n")]
        assert run_folder.events(folder) == kept, cut
        run = runs.read(folder)
        assert run.is_resumable
        assert [e.epoch for e in run.epochs] == [e["epoch"] for e in kept if e["event"] == "epoch"]
        run_folder.take_ticket(folder)
        if cut and whole[cut : cut + 1] == b"\n":  # all of a line but its end
            kept = lines[: len(kept) + 1]
        found = run_folder.events(folder)
        assert found[:-1] == kept, cut
        assert found[-1]["event"] == State.WAITING
        assert runs.read(folder).state is State.WAITING
        assert log.read_bytes().startswith(whole[:cut])
