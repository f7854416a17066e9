"""The app while a network is trained: python -m benchmarks.load

- keys: from an arrow key on the backpropagation page's η slider to the new number, in turns with
  and without a training run on MNIST;
- memory: of the server with the MNIST page open, and of the worker, at their highest.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.latency import OPTIONS, OUR_NUMBER, key_times, new_page
from core.mnist import run_folder, runs
from core.mnist.recipe import preset
from core.mnist.run_folder import State
from tests.harness import ROOT, BackpropPage, MnistPage, chromium, process, server

ROUNDS = 3


def megabytes(pid: int) -> float:
    """The most memory that a process has held at once, in MB. Linux only."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main() -> None:
    argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__).parse_args()
    idle: list[float] = []
    busy: list[float] = []
    worker = 0.0
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        os.environ["RUNS_ROOT"] = folder
        with server(ROOT / "streamlit_app.py", *OPTIONS) as address:
            with new_page(browser) as page:
                MnistPage(page, address).chart("Loss of each epoch").wait_for()
                page.wait_for_timeout(2000)
            for seed in range(ROUNDS):
                with new_page(browser) as page:
                    BackpropPage(page, address).slider("eta").focus()
                    page.wait_for_timeout(1500)
                    idle += key_times(page, OUR_NUMBER)
                    run = runs.start(replace(preset("best"), seed=seed), "best")
                    while not runs.read(run).progress:
                        page.wait_for_timeout(200)
                    busy += key_times(page, OUR_NUMBER)
                    while not runs.read(run).epochs:
                        page.wait_for_timeout(200)
                    worker = max(worker, megabytes(process("--worker", str(run))))
                    runs.stop(run)
                    while run_folder.state(run) is not State.STOPPED:
                        page.wait_for_timeout(200)
            port = address.rsplit(":", 1)[1]
            memory = megabytes(process("--server.port", port))
    for name, times in (("idle", idle), ("training", busy)):
        p95 = statistics.quantiles(times, n=20)[-1]
        print(
            f"key to number, {name}: median {statistics.median(times):.0f} ms "
            f"({min(times):.0f} to {max(times):.0f}), p95 {p95:.0f} ms, {len(times)} keys"
        )
    print(f"ratio of the medians: {statistics.median(busy) / statistics.median(idle):.2f}")
    print(f"memory: server {memory:.0f} MB, worker {worker:.0f} MB")


if __name__ == "__main__":
    main()
