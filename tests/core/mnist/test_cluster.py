"""A real scheduler of Dask and its workers, training on the bundled digits."""

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from core.mnist import checkpoint, cluster, run_folder, runs
from core.mnist.run_folder import RunError, State
from tests.core.mnist.prepared import QUICK
from tests.harness import ROOT, free_port

PATIENCE = 90
# What a server of the app does for a cluster, without its pages.
SERVER = "import sys; from core.mnist.cluster import Keeper; Keeper(sys.argv[1]).stay()"


@pytest.fixture(autouse=True)
def address(tmp_path, monkeypatch):
    address = f"tcp://127.0.0.1:{free_port()}"
    monkeypatch.setenv("RUNS_ROOT", str(tmp_path / "runs"))
    monkeypatch.setenv("RUNS_CLUSTER", address)
    return address


@pytest.fixture
def run_program(tmp_path):
    """Start programs of Python that end with the test."""
    with ExitStack() as stack:
        output = stack.enter_context((tmp_path / "output.txt").open("ab"))

        def start(*arguments):
            command = [sys.executable, *arguments]
            process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process

        yield start


def scheduler(address):
    _, host, port = address.replace("//", "").split(":")
    return "-m", "dask", "scheduler", "--host", host, "--port", port, "--no-dashboard"


def worker(address):
    return "-m", "dask", "worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"


def wait(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, [
            (f.name, run_folder.events(f)) for f in run_folder.folders()
        ]
        time.sleep(0.05)


def enter(**values):
    return runs.enter(replace(QUICK, **values), "own", for_cluster=True)


def state(folder):
    return runs.read(folder).state


def holder(folder):
    """The process that trains the run; None if there is none. Linux only."""
    lock = str(folder / run_folder.LOCK)
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if any(lock == os.readlink(file) for file in (process / "fd").iterdir()):
                return int(process.name)
    return None


def names(folder, kind):
    return [e for e in run_folder.events(folder) if e["event"] == kind]


def test_two_runs_train_at_once_and_outlive_a_worker_and_a_server(run_program, address):
    first_server, _ = (run_program("-c", SERVER, address) for _ in range(2))
    run_program(*scheduler(address))
    for _ in range(2):
        run_program(*worker(address))
    folders = [enter(epochs=4, batch_size=32), enter(epochs=4, batch_size=32), enter(epochs=1)]
    long, other, last = folders
    wait(lambda: runs.read(long).epochs and runs.read(other).epochs)
    assert state(last) is State.WAITING
    assert runs.read(last).ahead == 2
    workers = {holder(long), holder(other)}
    assert len(workers) == 2
    first_server.kill()
    done = len(runs.read(long).epochs)
    os.kill(holder(long), signal.SIGKILL)
    seen = set()
    wait(lambda: seen.add(state(long)) or not run_folder.queue())
    assert seen <= {State.WAITING, State.RUNNING, State.FINISHED}
    for folder in folders:
        run = runs.read(folder)
        assert run.state is State.FINISHED
        assert [e.epoch for e in run.epochs] == [*range(1, run.config.epochs + 1)]
        assert checkpoint.load(folder)[1].epochs == run.epochs
    assert len(names(long, "started")) == 2  # it went on, elsewhere
    assert len(names(long, "epoch")) == 4  # and did no whole epoch twice
    assert done < 4
    assert len(names(other, "started")) == len(names(last, "started")) == 1


def test_nothing_is_lost_or_done_twice_when_the_scheduler_is_restarted(run_program, address):
    run_program("-c", SERVER, address)
    first, old = run_program(*scheduler(address)), run_program(*worker(address))
    folders = [enter(epochs=4, batch_size=32), enter()]
    wait(lambda: runs.read(folders[0]).epochs)
    first.kill()
    run_program(*scheduler(address))
    run_program(*worker(address))
    seen = set()
    wait(lambda: seen.update(map(state, folders)) or not run_folder.queue())
    assert State.DIED not in seen
    assert {*map(state, folders)} == {State.FINISHED}
    assert [e["epoch"] for e in names(folders[0], "epoch")] == [1, 2, 3, 4]
    assert [e["epoch"] for e in names(folders[1], "epoch")] == [1, 2]
    assert len(names(folders[1], "started")) == 1
    wait(lambda: old.poll() is not None)  # whoever started it starts it anew


def test_a_run_that_no_worker_can_train_says_why(run_program, address, tmp_path, monkeypatch):
    run_program("-c", SERVER, address)
    run_program(*scheduler(address))
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("RUNS_ROOT", str(tmp_path / "other"))
        run_program(*worker(address))
    folder = enter()
    wait(lambda: state(folder) is State.FAILED)
    assert "Servers and workers must share the folder that RUNS_ROOT names" in (
        runs.read(folder).message
    )


def test_a_run_stops_while_it_waits_for_a_cluster_that_is_not_there(address):
    folder = enter()
    assert state(folder) is State.WAITING
    runs.stop(folder)
    assert state(folder) is State.STOPPING
    cluster.Keeper(address).look()
    assert state(folder) is State.STOPPED
    runs.delete(folder)


def test_what_waited_for_a_cluster_can_be_resumed_without_it(monkeypatch):
    folder = enter()
    monkeypatch.delenv("RUNS_CLUSTER")
    monkeypatch.setattr(run_folder, "START_SECONDS", 0)
    assert runs.read(folder).is_resumable
    runs.resume(folder)
    wait(lambda: state(folder) is State.FINISHED)


def test_a_server_without_dask_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(RunError, match=r"Install requirements-cluster\.txt"):
        runs.start(QUICK, "own")
    assert run_folder.folders() == []
