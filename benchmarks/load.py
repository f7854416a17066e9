"""The app while others use it: python -m benchmarks.load [--sessions 50]

Without --sessions, the app while a network is trained:

- keys: from an arrow key on the backpropagation page's η slider to the new number, in turns with
  and without a training run on MNIST;
- memory: of the server with the MNIST page open, and of the worker, at their highest.

With --sessions, that many people at once on one server. What a real browser sends is recorded and
sent again over as many websockets: first all move η once a second; then, while a network is
trained, all go through the MNIST page, a stroke a second on the sketch page and the check of a
workbook, a third of them beginning at each.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.crowd import Crowd
from benchmarks.latency import OPTIONS, OUR_NUMBER, key_times, new_page
from core.mnist import run_folder, runs
from core.mnist.recipe import preset
from tests.harness import ROOT, BackpropPage, MnistPage, chromium, process, server

ROUNDS = 3
LOOK = 0.2  # seconds between two looks at a run


def megabytes(pid: int, which: str = "VmHWM") -> float:
    """The most memory that a process has held at once, or with VmRSS holds, in MB. Linux only."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith(which))
    return int(line.split()[1]) / 1024


def while_training() -> None:
    """Keys and memory with one person, idle and while a network is trained."""
    idle: list[float] = []
    busy: list[float] = []
    worker = 0.0
    with chromium() as browser, server(ROOT / "streamlit_app.py", *OPTIONS) as address:
        with new_page(browser) as page:
            MnistPage(page, address).chart("Loss of each epoch").wait_for()
            page.wait_for_timeout(2000)
        for seed in range(ROUNDS):
            with new_page(browser) as page:
                BackpropPage(page, address).slider("eta").focus()
                page.wait_for_timeout(1500)
                idle += key_times(page, OUR_NUMBER)
                run = _train(seed)
                busy += key_times(page, OUR_NUMBER)
                while not runs.read(run).epochs:
                    page.wait_for_timeout(200)
                worker = max(worker, megabytes(process("--worker", str(run))))
                _stop_all()
        memory = megabytes(process("--server.port", address.rsplit(":", 1)[1]))
    for name, times in (("idle", idle), ("training", busy)):
        print(f"key to number, {name}: {_told(times)}, {len(times)} keys")
    print(f"ratio of the medians: {statistics.median(busy) / statistics.median(idle):.2f}")
    print(f"memory: server {memory:.0f} MB, worker {worker:.0f} MB")


def with_sessions(count: int, seconds: float) -> None:
    """Seconds of each answer, memory and errors, with so many sessions at once."""
    with server(ROOT / "streamlit_app.py", *OPTIONS) as address:
        with chromium() as browser, new_page(browser) as page:
            crowd = Crowd.of(page, address)
        pid = process("--server.port", address.rsplit(":", 1)[1])
        print(f"{count} sessions; memory before: {megabytes(pid, 'VmRSS'):.0f} MB", flush=True)
        crowd.move_eta(count, seconds)
        print(f"memory: {megabytes(pid, 'VmRSS'):.0f} MB", flush=True)
        _train(*range(ROUNDS))
        crowd.go_through_all(count, seconds)
        _stop_all()
        print(f"memory: {megabytes(pid, 'VmRSS'):.0f} MB, {megabytes(pid):.0f} at most")
    for what, times in crowd.times.items():
        print(f"{what}: {_told(times)}, {len(times)} answers")
    print(f"errors: {len(crowd.errors)}; health asked {crowd.asked} times, {crowd.ill} times ill")
    for error in sorted(set(crowd.errors)):
        print(f"  {error}")


def _train(*seeds: int) -> Path:
    """A run on MNIST that has begun to train; the others follow it."""
    run, *_ = [runs.start(replace(preset("best"), seed=seed), "best") for seed in seeds]
    while not runs.read(run).progress:
        if not run_folder.state(run).is_active:
            raise SystemExit(f"The training did not begin: {runs.read(run).message}")
        time.sleep(LOOK)
    return run


def _stop_all() -> None:
    for run in reversed(run_folder.queue()):
        runs.stop(run)
    while run_folder.queue():
        time.sleep(LOOK)


def _told(times: Sequence[float]) -> str:
    p95 = statistics.quantiles(times, n=20)[-1]
    return (
        f"median {statistics.median(times):.0f} ms ({min(times):.0f} to {max(times):.0f}), "
        f"p95 {p95:.0f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.load",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--sessions", type=int, default=0, help="how many at once")
    parser.add_argument("--seconds", type=float, default=60, help="of each part (60)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["RUNS_ROOT"] = folder
        if given.sessions:
            with_sessions(given.sessions, given.seconds)
        else:
            while_training()


if __name__ == "__main__":
    main()
