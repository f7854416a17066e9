"""Ink becomes the network's input."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.mnist.sketch import NoInkError, to_mnist

Pixels = npt.NDArray[np.uint8]


def as_mnist(ink: Pixels) -> Tensor | None:
    """Ink, uint8 (H, W), as MNIST would have it, uint8 (28, 28); None where there is none."""
    try:
        return torch.from_numpy(to_mnist(ink))
    except NoInkError:
        return None
