"""How fast the engine is: `python -m benchmarks.engine`."""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
import numpy.typing as npt

from core.backprop.network import SEED, descend

CASES: list[tuple[str, npt.ArrayLike, int, int, float]] = [
    # (what, learning rates, epochs, repetitions, aim in ms)
    ("50 epochs at one rate", 1.0, 50, 200, 1.0),
    ("1,000 epochs at one rate", 1.0, 1000, 20, float("nan")),
    (
        "50 epochs at 241 rates (the page's sweep)",
        np.geomspace(0.01, 10, 241),
        50,
        50,
        float("nan"),
    ),
    ("1,000 epochs at 1,000 rates", np.linspace(0.01, 10, 1000), 1000, 12, 150.0),
]


def main() -> None:
    argparse.ArgumentParser(prog="python -m benchmarks.engine", description=__doc__).parse_args()
    for what, rates, epochs, repetitions, aim in CASES:
        taken = []
        for _ in range(repetitions):
            start = time.perf_counter()
            descend(SEED, rates, epochs)
            taken.append((time.perf_counter() - start) * 1000)
        taken.sort()
        said = f", aim under {aim:g}" if aim == aim else ""
        print(
            f"{what}: median {statistics.median(taken):.2f} ms, fastest {taken[0]:.2f}, "
            f"95th percentile {taken[int(0.95 * (len(taken) - 1))]:.2f} ({repetitions} runs{said})"
        )


if __name__ == "__main__":
    main()
