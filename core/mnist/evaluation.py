"""How well a network reads digits: loss, accuracy, confusion matrix, and the digits it misread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.mnist.data import normalised
from core.mnist.models import CLASSES

BATCH = 500

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


def logits(model: nn.Module, images: Tensor) -> Tensor:
    """What the network gives in eval mode, float32 (N, 10), for uint8 images (N, 28, 28)."""
    mode = model.training
    model.eval()
    with torch.inference_mode():
        parts = [model(as_input(part)).float() for part in images.split(BATCH)]
    model.train(mode)
    return torch.cat(parts)


def log_probabilities(model: nn.Module, images: Tensor) -> Tensor:
    """log-softmax of the logits, float32 (N, 10), of uint8 images (N, 28, 28)."""
    return F.log_softmax(logits(model, images), dim=1)


def as_input(images: Tensor) -> Tensor:
    """uint8 (N, 28, 28) to normalised float32 (N, 1, 28, 28), channels last."""
    return normalised(images).contiguous(memory_format=torch.channels_last)


def evaluate(model: nn.Module, images: Tensor, labels: Tensor) -> Evaluation:
    """Read every image, uint8 (N, 28, 28), in float32 and compare with its label, int64 (N,)."""
    return judge(log_probabilities(model, images), labels)


def judge(log_p: Tensor, labels: Tensor) -> Evaluation:
    """The evaluation of answers already given: log-probabilities (N, 10), labels (N,)."""
    answers = log_p.argmax(1)
    confusion = torch.bincount(labels * CLASSES + answers, minlength=CLASSES**2)
    wrong = (answers != labels).nonzero().flatten()
    misread = [
        Misread(int(i), int(labels[i]), int(answers[i]), log_p[i].exp().tolist()) for i in wrong
    ]
    return Evaluation(
        loss=float(F.nll_loss(log_p, labels)),
        correct=len(labels) - len(wrong),
        total=len(labels),
        confusion=confusion.view(CLASSES, CLASSES).tolist(),
        misread=misread,
    )


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
