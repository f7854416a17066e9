"""What a network answers to one image, and whether it may be believed."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.mnist.calibration import calibrated
from core.mnist.evaluation import log_probabilities
from core.mnist.models import ConvNet

SURE = 0.6  # the calibrated probability from which an answer is given without a doubt


@dataclass(frozen=True)
class Answer:
    """probabilities: of the ten digits, calibrated if the network is."""

    probabilities: tuple[float, ...]

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
        return self.confidence >= SURE


def answers(model: ConvNet, images: Tensor, temperature: float = 1.0) -> list[Answer]:
    """The network's answers to images, uint8 (N, 28, 28), its logits divided by `temperature`."""
    # In float64, or what is nearly certain would be 1.
    found = calibrated(log_probabilities(model, images).double(), temperature)
    return [Answer(tuple(probabilities)) for probabilities in found.tolist()]


def answer(model: ConvNet, image: Tensor, temperature: float = 1.0) -> Answer:
    """The network's answer to one image, uint8 (28, 28)."""
    (found,) = answers(model, image[None], temperature)
    return found


def use_one_thread() -> None:
    """One image is too little work to share: with several threads, many people's answers wait."""
    torch.set_num_threads(1)
