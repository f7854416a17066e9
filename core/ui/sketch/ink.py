"""Ink becomes the network's input."""

from __future__ import annotations

import torch
from torch import Tensor

from core.mnist.segment import digits
from core.mnist.sketch import Pixels, to_mnist


def as_mnist(ink: Pixels) -> list[Tensor]:
    """The digits in ink, uint8 (H, W), from left to right, each as MNIST has it, uint8 (28, 28)."""
    return [torch.from_numpy(to_mnist(digit.ink)) for digit in digits(ink)]
