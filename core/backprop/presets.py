"""Starting points worth seeing, each with the published inputs and targets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.backprop.network import SEED, WEIGHTS, Network, Setup

COURSE_RATES = (0.1, 0.2, 0.5, 0.8, 1.0, 2.0)
"""The learning rates that the courses compare."""


def _with_weights(*weights: float) -> Setup:
    return SEED.moved(dict(zip(WEIGHTS, weights, strict=True)))


RATES = {"Mazur": 0.5}
"""The learning rate that belongs to a preset, where one does."""

PRESETS: dict[str, Setup] = {
    "published": SEED,
    "symmetric": _with_weights(*[0.25] * 4, *[0.5] * 4),
    "saturated": _with_weights(*[60.0] * 4, *[15.0] * 4),
    "zeros": _with_weights(*[0.0] * 8),
    "Mazur": replace(SEED, b1=0.35, b2=0.60, network=Network(biases="stay")),
}
"""symmetric: both hidden units start equal, get equal gradients and stay equal for ever.
saturated: σ is so flat that almost no gradient comes through.
zeros: in the first epoch no gradient reaches the hidden weights.
Mazur: the best-known written example of this network (Matt Mazur, "A step by step backpropagation
example", 2015), which has a bias a layer and is descended at η = 0.5."""


def random_start(seed: int) -> Setup:
    """Weights drawn evenly from [−1, 1], rounded to two decimals so that they can be copied."""
    weights = np.random.default_rng(seed).uniform(-1, 1, len(WEIGHTS)).round(2)
    return _with_weights(*weights.tolist())
