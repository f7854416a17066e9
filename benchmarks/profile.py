"""Where a training step's time goes: python -m benchmarks.profile

Steps of the `fast` preset on MNIST: the FLOP/s they come to beside one matrix product in the same
precision on as many threads, and which operations take the threads' time.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import Counter, deque
from itertools import islice, pairwise

import torch
from torch.nn import functional as F
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from core.mnist import data
from core.mnist.evaluation import as_input
from core.mnist.models import build
from core.mnist.recipe import TrainConfig, preset
from core.mnist.training import train

WARM_UP, STEPS, RUNS = 20, 40, 5
SIDE = 2048  # of the matrices that are multiplied

# The part of the name of an operation of torch, in small letters, that tells what it is for; the
# first that fits.
KINDS = {
    "conv": "convolutions",
    "batch_norm": "batch normalisation",
    "batchnorm": "batch normalisation",
    "threshold": "ReLU",
    "clamp_min": "ReLU",
    "relu": "ReLU",
    "pool": "pooling",
    "grid_sampler": "changes of shape",
    "optimizer": "optimiser",
    "addmm": "optimiser",  # Muon's; the network has no linear layer
    "aten::mm": "optimiser",
    "lerp": "optimiser",
    "random_": "dropout",
}


def flops_per_image(config: TrainConfig, count: int = 64) -> float:
    """Of the forward and the backward pass: a multiplication and an addition are two."""
    model = build(config.architecture)
    images = as_input(torch.zeros(count, 28, 28, dtype=torch.uint8))
    with FlopCounterMode(display=False) as counter:
        F.cross_entropy(model(images), torch.zeros(count, dtype=torch.int64)).backward()
    return float(counter.get_total_flops()) / count


def product_rate(kind: torch.dtype) -> float:
    """FLOP/s of one matrix product, the fastest of several."""
    a, b = (torch.randn(SIDE, SIDE).to(kind) for _ in range(2))
    taken = []
    for _ in range(2 * RUNS):
        start = time.perf_counter()
        torch.mm(a, b)
        taken.append(time.perf_counter() - start)
    return 2 * SIDE**3 / min(taken)


def step_seconds(config: TrainConfig, digits: data.Digits) -> list[float]:
    """Of a step each."""
    steps = islice(train(config, digits), WARM_UP + STEPS)
    moments = [time.perf_counter() for _ in steps]
    return [after - before for before, after in pairwise(moments[WARM_UP - 1 :])]


def shares(config: TrainConfig, digits: data.Digits) -> dict[str, float]:
    """What the threads do, in shares of their time; waiting is the rest."""
    # torch watches one thread unless told otherwise; the parts of a batch have one each.
    every_thread = torch._C._profiler._ExperimentalConfig(profile_all_threads=True)
    steps = islice(train(config, digits), WARM_UP + STEPS)
    deque(islice(steps, WARM_UP), maxlen=0)
    with profile(activities=[ProfilerActivity.CPU], experimental_config=every_thread) as found:
        start = time.perf_counter()
        deque(steps, maxlen=0)
        seconds = time.perf_counter() - start
    spent: Counter[str] = Counter()
    for one in found.key_averages():
        name = one.key.lower()
        kind = next((said for part, said in KINDS.items() if part in name), "all else")
        spent[kind] += one.self_cpu_time_total / 1e6
    total = seconds * torch.get_num_threads()
    return {kind: s / total for kind, s in spent.most_common()} | {
        "waiting": 1 - spent.total() / total
    }


def main() -> None:
    argparse.ArgumentParser(prog="python -m benchmarks.profile", description=__doc__).parse_args()
    config, digits = preset("fast"), data.load("mnist")
    kind = torch.bfloat16 if config.precision == "bfloat16" else torch.float32
    peaks: list[float] = []
    steps: list[float] = []
    for _ in range(RUNS):  # in turns: a slow minute slows both
        peaks.append(product_rate(kind))
        steps.append(statistics.median(step_seconds(config, digits)))
    peak, step = statistics.median(peaks), statistics.median(steps)
    flops = flops_per_image(config) * config.batch_size
    print(f"{torch.get_num_threads()} threads, {config.precision}, {RUNS} turns of {STEPS} steps")
    print(f"one product of {SIDE} × {SIDE} matrices: {peak / 1e9:,.0f} GFLOP/s")
    print(
        f"a step of {config.batch_size} images: {flops / 1e9:.2f} GFLOP in {1000 * step:.1f} ms "
        f"({1000 * min(steps):.1f} to {1000 * max(steps):.1f}), {flops / step / 1e9:,.0f} GFLOP/s, "
        f"{100 * flops / step / peak:.1f} % of the product's"
    )
    for said, share in shares(config, digits).items():
        print(f"{100 * share:5.1f} %  {said}")


if __name__ == "__main__":
    main()
