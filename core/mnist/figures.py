"""What was measured of a network: how well it reads, and how sure it is. Needs no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

from core.mnist.recipe import CLASSES

TEMPERATURES = 0.2, 5.0
Z = 1.96  # standard deviations to either side that hold 95 % of a normal distribution

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Misread:
    """A digit of the test set read wrongly; probabilities: of the ten digits."""

    index: int
    label: int
    prediction: int
    probabilities: list[float]

    def __post_init__(self) -> None:
        if not (0 <= self.label < CLASSES and 0 <= self.prediction < CLASSES and self.index >= 0):
            raise ValueError(f"A misread digit has the label {self.label}, read {self.prediction}.")
        if len(self.probabilities) != CLASSES:
            raise ValueError("A misread digit has not one probability for each digit.")


@dataclass(frozen=True)
class Evaluation:
    """loss: mean cross-entropy in nats; confusion: a row a true digit, a column an answer."""

    loss: float
    correct: int
    total: int
    confusion: list[list[int]]
    misread: list[Misread]

    @property
    def accuracy(self) -> float:
        """The share classified correctly, 0 to 1."""
        return self.correct / self.total

    def __post_init__(self) -> None:
        """Raises ValueError where its figures contradict each other."""
        rows = self.confusion
        if len(rows) != CLASSES or any(len(row) != CLASSES for row in rows):
            raise ValueError("The confusion matrix is not one of 10 × 10.")
        hits = sum(rows[digit][digit] for digit in range(CLASSES))
        if min(map(min, rows)) < 0 or (hits, sum(map(sum, rows))) != (self.correct, self.total):
            raise ValueError("The confusion matrix and the numbers of correct answers differ.")
        if self.total < 1 or len(self.misread) != self.total - self.correct:
            raise ValueError("The misread digits and the number of wrong answers differ.")
        if any(one.index >= self.total for one in self.misread):
            raise ValueError(f"A misread digit is not among the {self.total} that were read.")


@dataclass(frozen=True)
class Scores:
    """Of one digit, each 0 to 1, NaN where it is 0 divided by 0; support: how many there are."""

    digit: int
    precision: float
    recall: float
    f1: float
    support: int


def scores(confusion: Sequence[Sequence[int]]) -> list[Scores]:
    """Precision, recall and F1 of each digit, from the confusion matrix."""
    counts: Counts = np.asarray(confusion, dtype=np.int64)
    hit = counts.diagonal()
    with np.errstate(invalid="ignore"):
        precision = hit / counts.sum(axis=0)
        recall = hit / counts.sum(axis=1)
        f1 = 2 * hit / (counts.sum(axis=0) + counts.sum(axis=1))
    support = counts.sum(axis=1)
    return [
        Scores(d, float(precision[d]), float(recall[d]), float(f1[d]), int(support[d]))
        for d in range(CLASSES)
    ]


def confused_pairs(confusion: Sequence[Sequence[int]]) -> list[tuple[int, int, int]]:
    """(true digit, answer, how often), of all wrong answers given, the most frequent first."""
    counts: Counts = np.asarray(confusion, dtype=np.int64)
    pairs = [
        (true, answer, int(counts[true, answer]))
        for true in range(CLASSES)
        for answer in range(CLASSES)
        if true != answer and counts[true, answer]
    ]
    return sorted(pairs, key=lambda pair: -pair[2])


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

    most_energy: that of the held-out images but for a share of 1 − calibration.KEPT; what has more
    is like few digits. None: not measured.
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


def calibration_error(bins: Sequence[Bin]) -> float:
    """The expected calibration error: |accuracy − confidence|, the mean over all answers."""
    total = sum(one.count for one in bins)
    gaps = sum(abs(one.correct - one.count * one.confidence) for one in bins)
    return gaps / total if total else float("nan")
