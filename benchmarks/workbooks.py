"""How long a workbook takes to check: `python -m benchmarks.workbooks [EPOCHS …]`.

The app's own export, each length in a process of its own: seconds, the share of them that reading
the file takes (unpacking, XML, cells), and by how much memory grows at its peak. Linux and macOS.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import sys
import time

from core.backprop.network import SEED
from core.workbook import check
from core.workbook.export import workbook
from core.workbook.file.read import read

EPOCHS = (10, 50, 200, 1000)
TIMES = 3
_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes, by getrusage


def measured(epochs: int) -> tuple[int, float, float, float]:
    """Cells judged, seconds, seconds of them to read the file, and MB at the peak."""
    file = workbook(SEED, 1.0, epochs)
    check(workbook(SEED, 1.0, 3))  # what is imported and kept is not this file's
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    read(file)
    reading = time.perf_counter() - start
    start = time.perf_counter()
    report = check(file)
    seconds = time.perf_counter() - start
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return report.judged, seconds, reading, grown * _UNIT / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workbooks", description=__doc__)
    parser.add_argument("epochs", nargs="*", type=int, default=EPOCHS, help="of a workbook each")
    for epochs in parser.parse_args().epochs:
        runs = []
        for _ in range(TIMES):
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                runs.append(pool.apply(measured, (epochs,)))
        seconds = sorted(run[1] for run in runs)
        print(
            f"{epochs:,} epochs, {runs[0][0]:,} cells: median {statistics.median(seconds):.2f} s "
            f"({seconds[0]:.2f} to {seconds[-1]:.2f}; {TIMES} runs), reading "
            f"{100 * statistics.median(run[2] / run[1] for run in runs):.0f} % of it, "
            f"{max(run[3] for run in runs):.0f} MB",
            flush=True,
        )


if __name__ == "__main__":
    main()
