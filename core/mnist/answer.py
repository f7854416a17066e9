"""What a network answers to one image, and whether it may be believed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from core.mnist.calibration import calibrated, energy
from core.mnist.evaluation import logits
from core.mnist.figures import Calibration
from core.mnist.models import ConvNet

SURE = 0.6  # the calibrated probability from which an answer is given without a doubt


@dataclass(frozen=True)
class Answer:
    """probabilities: of the ten digits, calibrated if the network is; is_like_digit: whether the
    image's energy is one that digits have.
    """

    probabilities: tuple[float, ...]
    is_like_digit: bool = True

    @property
    def ranking(self) -> list[int]:
        """The digits, the most probable first."""
        return sorted(range(len(self.probabilities)), key=lambda d: -self.probabilities[d])

    @property
    def digit(self) -> int:
        return self.ranking[0]

    @property
    def runner_up(self) -> int:
        return self.ranking[1]

    @property
    def confidence(self) -> float:
        """The probability of the answer, 0 to 1."""
        return self.probabilities[self.digit]

    @property
    def is_sure(self) -> bool:
        return self.is_like_digit and self.confidence >= SURE


def answers(model: ConvNet, images: Tensor, calibration: Calibration | None = None) -> list[Answer]:
    """The network's answers to images, uint8 (N, 28, 28)."""
    found = logits(model, images).double()  # or what is nearly certain would be 1
    t = calibration.temperature if calibration else 1.0
    most = calibration.most_energy if calibration else None
    like = energy(found) <= (math.inf if most is None else most)
    probabilities = calibrated(found, t).tolist()
    return [Answer(tuple(p), one) for p, one in zip(probabilities, like.tolist(), strict=True)]


def answer(model: ConvNet, image: Tensor, calibration: Calibration | None = None) -> Answer:
    """The network's answer to one image, uint8 (28, 28)."""
    (found,) = answers(model, image[None], calibration)
    return found


def use_one_thread() -> None:
    """One image is too little work to share: with several threads, many people's answers wait."""
    torch.set_num_threads(1)
