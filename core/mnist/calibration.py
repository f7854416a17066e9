"""Calibration: of the answers given with 90 % confidence, 90 % should be correct.

A network's softmax is usually overconfident. Temperature scaling divides its logits by one number,
fitted on images that it was not trained on; no answer changes, only how sure it is (Guo, Pleiss,
Sun and Weinberger, 2017, "On Calibration of Modern Neural Networks").

That is about digits. For a drawing that is none, the softmax may be sure all the same, as it only
compares the ten with each other; the energy, which says how strongly any of them speaks, is then
higher than for digits (Liu, Wang, Owens and Li, 2020, "Energy-based Out-of-distribution
Detection").
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor
from torch.nn import functional as F

from core.mnist.figures import TEMPERATURES, Bin, Calibration

KEPT = 0.989  # of the held-out images; chosen on 1,000 digits and 996 letters of people's pens
# A network is right 99 times of 100, so most bins lie where the answers are.
EDGES = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 1.0)


def temperature(log_p: Tensor, labels: Tensor) -> float:
    """The T in TEMPERATURES for which softmax(log p / T) has the least mean cross-entropy.

    log_p: (N, 10), logits or log-probabilities; labels: int64 (N,). The loss is convex in 1/T.
    """

    def loss(inverse: float) -> float:
        return float(F.cross_entropy(log_p * inverse, labels))

    from scipy.optimize import minimize_scalar  # 20 MB, and only who trains needs it

    low, high = TEMPERATURES
    return 1 / float(minimize_scalar(loss, bounds=(1 / high, 1 / low), method="bounded").x)


def calibrated(logits: Tensor, t: float) -> Tensor:
    """The probabilities (N, 10) at temperature t of logits or log-probabilities (N, 10)."""
    return (logits / t).softmax(1)


def energy(logits: Tensor) -> Tensor:
    """−log Σ exp of logits (N, 10), in nats: the lower, the more the image is like a digit."""
    return -logits.logsumexp(1)


def reliability(probabilities: Tensor, labels: Tensor) -> list[Bin]:
    """The answers sorted by how sure they are, into the bins between EDGES."""
    confidence, answers = probabilities.double().max(1)
    right = answers == labels
    bins = []
    for low, high in pairwise(EDGES):
        inside = (confidence > low) & (confidence <= high)
        count = int(inside.sum())
        mean = float(confidence[inside].mean()) if count else 0.0
        bins.append(Bin(low, high, count, int(right[inside].sum()), mean))
    return bins


def calibrate(held_out: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor]) -> Calibration:
    """Fit on the held-out images, judge on the test set; each: logits (N, 10), labels (N,)."""
    t = temperature(*held_out)
    logits, labels = test
    return Calibration(
        t,
        len(held_out[1]),
        reliability(calibrated(logits, 1.0), labels),
        reliability(calibrated(logits, t), labels),
        float(energy(held_out[0]).double().quantile(KEPT)),
    )
