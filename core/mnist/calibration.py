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

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

from scipy.optimize import minimize_scalar
from torch import Tensor
from torch.nn import functional as F

TEMPERATURES = 0.2, 5.0
KEPT = 0.988  # of the held-out images; chosen on 1,000 digits and 996 letters of people's pens
Z = 1.96  # standard deviations to either side that hold 95 % of a normal distribution
# A network is right 99 times of 100, so most bins lie where the answers are.
EDGES = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 1.0)


@dataclass(frozen=True)
class Bin:
    """The answers whose confidence is above low and at most high.

    confidence: their mean; correct of count are right. An empty bin has confidence 0.
    """

    low: float
    high: float
    count: int
    correct: int
    confidence: float

    def __post_init__(self) -> None:
        if not 0 <= self.correct <= self.count:
            raise ValueError(f"{self.correct} of {self.count} answers cannot be right.")

    @property
    def accuracy(self) -> float:
        """The share that is right, 0 to 1; NaN of an empty bin."""
        return self.correct / self.count if self.count else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Where the share lies with 95 % (Wilson, 1927, "Probable Inference"); 0 to 1 if empty."""
        if not self.count:
            return 0.0, 1.0
        n, p, z2 = self.count, self.accuracy, Z**2
        middle = (p + z2 / (2 * n)) / (1 + z2 / n)
        half = Z / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / (4 * n * n))
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True)
class Calibration:
    """temperature: fitted on `held_out` images; before, after: bins of the test set's answers.

    most_energy: that of the held-out images but for 1 − KEPT of them; what has more is like few
    digits. None: not measured.
    """

    temperature: float
    held_out: int
    before: list[Bin]
    after: list[Bin]
    most_energy: float | None = None

    def __post_init__(self) -> None:
        low, high = TEMPERATURES
        if not low <= self.temperature <= high:
            raise ValueError(f"The temperature is {self.temperature}, not from {low} to {high}.")


def temperature(log_p: Tensor, labels: Tensor) -> float:
    """The T in TEMPERATURES for which softmax(log p / T) has the least mean cross-entropy.

    log_p: (N, 10), logits or log-probabilities; labels: int64 (N,). The loss is convex in 1/T.
    """

    def loss(inverse: float) -> float:
        return float(F.cross_entropy(log_p * inverse, labels))

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


def calibration_error(bins: Sequence[Bin]) -> float:
    """The expected calibration error: |accuracy − confidence|, the mean over all answers."""
    total = sum(one.count for one in bins)
    gaps = sum(abs(one.correct - one.count * one.confidence) for one in bins)
    return gaps / total if total else float("nan")


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
