"""The folder of a run, seen by several processes at once."""

import os
import subprocess
import sys
from collections import Counter
from contextlib import suppress

import pytest

from core.mnist import files, run_folder
from core.mnist.run_folder import State
from tests.core.mnist.prepared import stopped
from tests.harness import ROOT


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("RUNS_ROOT", str(tmp_path))
    return stopped(tmp_path / "20260101-000000-compact-1", epochs=2)


def test_a_line_that_is_being_written_is_not_read_yet(folder):
    (folder / run_folder.LOG).write_text('{"event": "started", "time": 1.0}\n{"event": "ba')
    assert [e["event"] for e in run_folder.events(folder)] == ["started"]


@pytest.mark.parametrize(
    "line", ["", "[]", "7", '{"time": 1}', '{"event": 5}', "\x00\xff", "[" * 100_000]
)
def test_a_line_that_is_no_event_is_passed_over(folder, line):
    log = folder / run_folder.LOG
    log.write_bytes(log.read_bytes() + line.encode("latin-1") + b"\n")
    assert [e["event"] for e in run_folder.events(folder)][-2:] == ["epoch", "stopped"]
    assert run_folder.state(folder) is State.STOPPED


READER = """
import sys
from pathlib import Path
from core.mnist import run_folder
found = [str(run_folder.state(Path(sys.argv[1]))) for _ in range(700)]
print(*found)
"""


def test_many_readers_never_take_each_other_for_a_worker(folder):
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for _ in range(5)
    ]
    looks = Counter(word for reader in readers for word in reader.communicate()[0].split())
    assert looks == {"stopped": 5 * 700}


def test_a_worker_is_seen_by_all_and_only_while_it_holds(folder):
    with run_folder.hold(folder):
        said = subprocess.run(
            [sys.executable, "-c", READER, str(folder)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert set(said.stdout.split()) == {"stopping"}
    assert run_folder.state(folder) is State.STOPPED


def test_a_file_is_replaced_only_once_its_bytes_are_on_the_disk(tmp_path, monkeypatch):
    path, done = tmp_path / "run.json", []
    path.write_text("old")
    sync, replace = os.fsync, os.replace

    def synced(handle):
        done.append(("on the disk", os.fstat(handle).st_ino))
        sync(handle)

    def replaced(one, other):
        done.append(("replaced", os.stat(one).st_ino))
        replace(one, other)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    files.save_json(path, {"new": 1})
    new, folder = path.stat().st_ino, tmp_path.stat().st_ino
    assert done == [("on the disk", new), ("replaced", new), ("on the disk", folder)]


def test_a_file_that_could_not_be_written_leaves_the_old_one(tmp_path):
    path = tmp_path / "run.json"
    path.write_text("old")
    with pytest.raises(TypeError):
        files.save_json(path, {"before": 1, "no JSON": object()})
    with suppress(ZeroDivisionError), files.whole(path) as beside:
        beside.write_text("half of the n")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]


def test_two_that_write_the_same_file_do_not_write_into_each_other(tmp_path):
    path = tmp_path / "run.json"
    with files.whole(path) as one, files.whole(path) as other:
        one.write_text("one")
        other.write_text("other")
    assert path.read_text() == "one"  # the last one done
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]
