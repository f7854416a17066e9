"""Digits as a pen writes them, to train on beside MNIST's.

MNIST was written by Americans with one kind of pen. People elsewhere put a flag on the 1 and a bar
through the 7, and a finger on a screen draws thinner and thicker lines. Each form here is a few
points that a stroke runs through; every drawing of it is bent, slanted, stretched and inked at
random.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageDraw
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from core.mnist.sketch import BOX, SIDE, Pixels, to_mnist

Point = tuple[float, float]
Stroke = tuple[Point, ...]
Form = tuple[Stroke, ...]
Points = npt.NDArray[np.float64]

# By digit. x to the right and y down, both 0 to 1; a point given twice is a corner.
FORMS: dict[int, tuple[Form, ...]] = {
    0: (
        (((0.5, 0), (0.15, 0.15), (0, 0.5), (0.15, 0.85), (0.5, 1), (0.85, 0.85), (1, 0.5),
          (0.85, 0.15), (0.5, 0)),),
        (((0.7, 0.06), (0.35, 0), (0.08, 0.3), (0.08, 0.72), (0.4, 1), (0.8, 0.85), (0.95, 0.45),
          (0.75, 0.1), (0.45, 0.05)),),
        (((0.35, 0.05), (0.05, 0.35), (0.1, 0.8), (0.5, 1), (0.92, 0.75), (0.92, 0.3),
          (0.6, 0.02), (0.3, 0.12)),),
        # With a slash, as programmers write it.
        (((0.5, 0), (0.15, 0.15), (0, 0.5), (0.15, 0.85), (0.5, 1), (0.85, 0.85), (1, 0.5),
          (0.85, 0.15), (0.5, 0)), ((0.85, 0.1), (0.15, 0.9))),
        (((0.5, 0.1), (0.15, 0.25), (0.05, 0.5), (0.2, 0.8), (0.5, 0.9), (0.85, 0.75), (0.95, 0.45),
          (0.8, 0.2), (0.45, 0.1)), ((0.9, 0), (0.1, 1))),
    ),
    1: (
        (((0.5, 0), (0.5, 1)),),
        (((0.28, 0.25), (0.55, 0), (0.55, 0), (0.55, 1)),),
        (((0.05, 0.4), (0.6, 0), (0.6, 0), (0.6, 1)),),
        (((0, 0.55), (0.35, 0.35), (0.6, 0), (0.6, 0), (0.58, 1)),),
        (((0.15, 0.3), (0.55, 0), (0.55, 0), (0.55, 1)), ((0.15, 1), (0.95, 1))),
        (((0.3, 0.18), (0.55, 0), (0.55, 0), (0.55, 1)), ((0.25, 1), (0.85, 1))),
        (((0.25, 0.12), (0.5, 0.1), (0.55, 0), (0.55, 0), (0.55, 1)),),
        (((0.1, 0.18), (0.6, 0), (0.6, 0), (0.56, 1)),),
        (((0.5, 0), (0.45, 0.75), (0.55, 1), (0.8, 0.92)),),
    ),
    2: (
        (((0.06, 0.25), (0.25, 0.03), (0.6, 0), (0.88, 0.22), (0.72, 0.52), (0.4, 0.76), (0.03, 1),
          (0.03, 1), (0.97, 1)),),
        (((0.08, 0.2), (0.35, 0), (0.75, 0.06), (0.82, 0.35), (0.5, 0.72), (0.15, 0.97),
          (0.04, 0.88), (0.2, 0.78), (0.5, 0.93), (0.95, 0.93)),),
        (((0.05, 0.06), (0.6, 0), (0.92, 0.06), (0.92, 0.06), (0.05, 1), (0.05, 1), (0.95, 0.98)),),
        (((0.05, 0.3), (0.3, 0), (0.75, 0.1), (0.75, 0.45), (0.3, 0.85), (0.05, 1), (0.05, 1),
          (0.35, 0.9), (0.65, 0.99), (0.98, 0.88)),),
    ),
    3: (
        (((0.08, 0.14), (0.45, 0), (0.85, 0.18), (0.7, 0.42), (0.35, 0.48), (0.35, 0.48),
          (0.75, 0.54), (0.94, 0.78), (0.5, 1), (0.04, 0.86)),),
        (((0.05, 0), (0.9, 0), (0.9, 0), (0.4, 0.4), (0.4, 0.4), (0.85, 0.52), (0.9, 0.82),
          (0.5, 1), (0.03, 0.9)),),
        (((0.1, 0.1), (0.5, 0), (0.85, 0.2), (0.6, 0.44), (0.36, 0.52), (0.42, 0.4), (0.65, 0.5),
          (0.92, 0.75), (0.5, 1), (0.05, 0.9)),),
        (((0.15, 0.05), (0.7, 0.02), (0.8, 0.28), (0.3, 0.45), (0.3, 0.45), (0.8, 0.5),
          (0.85, 0.85), (0.35, 1), (0, 0.95)),),
    ),
    4: (
        (((0.2, 0), (0.03, 0.6), (0.03, 0.6), (0.97, 0.58)), ((0.68, 0.15), (0.64, 1))),
        (((0.12, 0), (0.06, 0.4), (0.3, 0.56), (0.9, 0.5)), ((0.9, 0), (0.82, 1))),
        (((0.7, 0), (0, 0.68), (0, 0.68), (1, 0.68)), ((0.7, 0), (0.7, 1))),
        (((0.97, 0.6), (0.05, 0.62), (0.05, 0.62), (0.75, 0), (0.75, 0), (0.72, 1)),),
        (((0.5, 0), (0.04, 0.6), (0.04, 0.6), (0.96, 0.6)), ((0.6, 0.35), (0.58, 1))),
        (((0.15, 0.02), (0.1, 0.5), (0.1, 0.5), (0.85, 0.48)), ((0.85, 0.02), (0.85, 1))),
        (((0.45, 0), (0.02, 0.55), (0.1, 0.62), (0.95, 0.5)), ((0.75, 0.25), (0.5, 1))),
        (((0.5, 0), (0.05, 0.66), (0.05, 0.66), (0.8, 0.62)), ((0.95, 0.1), (0.4, 1))),
    ),
    5: (
        (((0.2, 0), (0.12, 0.44), (0.12, 0.44), (0.5, 0.36), (0.9, 0.6), (0.75, 0.92), (0.35, 1),
          (0.03, 0.88)), ((0.2, 0), (0.92, 0))),
        (((0.9, 0), (0.2, 0), (0.2, 0), (0.15, 0.44), (0.15, 0.44), (0.55, 0.38), (0.9, 0.65),
          (0.65, 0.97), (0.05, 0.92)),),
        (((0.88, 0.02), (0.3, 0.04), (0.15, 0.3), (0.5, 0.44), (0.88, 0.66), (0.65, 0.97),
          (0.08, 0.93)),),
        (((0.25, 0.08), (0.2, 0.42), (0.6, 0.42), (0.88, 0.68), (0.55, 1), (0.05, 0.95)),
         ((0.3, 0.04), (0.98, 0))),
        (((0.15, 0.05), (0.12, 0.5), (0.12, 0.5), (0.7, 0.45), (0.8, 0.8), (0.4, 1), (0, 0.95)),
         ((0.15, 0.05), (0.85, 0.02))),
    ),
    6: (
        (((0.78, 0), (0.3, 0.25), (0.05, 0.65), (0.25, 0.97), (0.7, 0.95), (0.9, 0.72), (0.6, 0.52),
          (0.22, 0.62), (0.08, 0.76)),),
        (((0.6, 0), (0.12, 0.6), (0.15, 0.9), (0.5, 1), (0.86, 0.85), (0.8, 0.62), (0.45, 0.52),
          (0.12, 0.72)),),
        (((0.85, 0.08), (0.5, 0), (0.12, 0.35), (0.05, 0.8), (0.45, 1), (0.9, 0.8), (0.75, 0.5),
          (0.3, 0.48), (0.08, 0.65)),),
        (((0.3, 0), (0.08, 0.5), (0.15, 0.92), (0.55, 1), (0.75, 0.8), (0.5, 0.66), (0.15, 0.82)),),
    ),
    7: (
        (((0.03, 0.02), (0.95, 0), (0.95, 0), (0.35, 1)),),
        (((0.03, 0.02), (0.95, 0), (0.95, 0), (0.35, 1)), ((0.25, 0.5), (0.88, 0.47))),
        (((0.04, 0.2), (0.06, 0.02), (0.06, 0.02), (0.95, 0), (0.95, 0), (0.4, 1)),),
        (((0.04, 0.18), (0.06, 0.02), (0.06, 0.02), (0.95, 0), (0.95, 0), (0.4, 1)),
         ((0.22, 0.52), (0.9, 0.5))),
        (((0, 0.1), (0.3, 0.02), (0.6, 0.08), (0.92, 0), (0.92, 0), (0.55, 0.45), (0.45, 1)),),
        (((0.05, 0.06), (0.9, 0.03), (0.9, 0.03), (0.5, 0.5), (0.42, 1)), ((0.12, 0.55),
          (0.85, 0.42))),
    ),
    8: (
        (((0.5, 0), (0.12, 0.2), (0.45, 0.47), (0.92, 0.75), (0.5, 1), (0.08, 0.75), (0.5, 0.47),
          (0.88, 0.2), (0.5, 0)),),
        (((0.5, 0), (0.2, 0.1), (0.2, 0.36), (0.5, 0.46), (0.8, 0.36), (0.8, 0.1), (0.5, 0)),
         ((0.5, 0.46), (0.08, 0.6), (0.08, 0.88), (0.5, 1), (0.92, 0.88), (0.92, 0.6),
          (0.5, 0.46))),
        (((0.88, 0.14), (0.5, 0), (0.14, 0.18), (0.4, 0.44), (0.85, 0.7), (0.6, 0.99), (0.12, 0.85),
          (0.35, 0.55), (0.9, 0.12)),),
    ),
    9: (
        (((0.85, 0.18), (0.5, 0), (0.1, 0.2), (0.3, 0.48), (0.7, 0.42), (0.87, 0.12), (0.87, 0.12),
          (0.8, 1)),),
        (((0.88, 0.2), (0.4, 0), (0.08, 0.25), (0.42, 0.5), (0.85, 0.25), (0.9, 0.55), (0.65, 0.95),
          (0.1, 0.93)),),
        (((0.8, 0.1), (0.4, 0), (0.1, 0.25), (0.35, 0.48), (0.8, 0.2), (0.85, 0.15), (0.65, 0.6),
          (0.35, 1)),),
        (((0.9, 0.08), (0.45, 0.02), (0.08, 0.22), (0.2, 0.45), (0.6, 0.42), (0.9, 0.1),
          (0.9, 0.1), (0.88, 0.7), (0.6, 1), (0.08, 0.88)),),
    ),
}  # fmt: skip

# What people draw that is no digit; as above.
OTHERS: tuple[Form, ...] = (
    (((0, 1), (0.5, 0), (0.5, 0), (1, 1)), ((0.2, 0.6), (0.8, 0.6))),  # A
    (((0, 1), (0.2, 0.3), (0.5, 0), (0.8, 0.3), (1, 1)), ((0.15, 0.6), (0.9, 0.6))),
    (((0.8, 0.1), (0.3, 0.2), (0, 0.7), (0.3, 1), (0.75, 0.7), (0.85, 0.1), (0.85, 0.1),
      (0.85, 0.8), (1, 1)),),
    (((1, 0), (0, 0), (0, 0), (0, 1), (0, 1), (1, 1)), ((0, 0.5), (0.8, 0.5))),  # E
    (((0, 0), (0, 1)), ((0, 0), (1, 0)), ((0, 0.5), (0.8, 0.5)), ((0, 1), (1, 1))),
    (((1, 0.1), (0.4, 0), (0.2, 0.25), (0.6, 0.45), (0.6, 0.45), (0.1, 0.6), (0.1, 0.9), (0.5, 1),
      (1, 0.85)),),
    (((0, 0), (0, 1)), ((0, 0), (1, 0)), ((0, 0.5), (0.7, 0.5))),  # F
    (((0, 0.05), (0.4, 0.1), (1, 0)), ((0.6, 0.05), (0.4, 0.8), (0.1, 1)),
     ((0.3, 0.5), (0.8, 0.45))),
    (((0.9, 0.1), (0.6, 0), (0.4, 0.2), (0.4, 1)), ((0, 0.45), (0.8, 0.45))),
    (((0, 0), (0, 1)), ((1, 0), (1, 1)), ((0, 0.5), (1, 0.5))),  # H
    (((0.2, 0), (0, 1)), ((1, 0), (0.8, 1)), ((0.05, 0.6), (0.95, 0.4))),
    (((0.1, 0), (0.1, 1), (0.1, 1), (0.15, 0.6), (0.6, 0.5), (0.9, 0.65), (0.9, 1)),),
    (((0, 0), (0, 1)), ((0.9, 0), (0, 0.55), (0, 0.55), (1, 1))),  # K
    (((0, 0), (0, 1)), ((0.9, 0), (0.1, 0.5)), ((0.2, 0.45), (1, 1))),
    (((0, 1), (0.1, 0), (0.1, 0), (0.5, 0.6), (0.5, 0.6), (0.9, 0), (0.9, 0), (1, 1)),),  # M
    (((0, 1), (0.1, 0.1), (0.3, 0), (0.5, 0.8), (0.5, 0.8), (0.6, 0.1), (0.85, 0), (1, 1)),),
    (((0, 1), (0, 0), (0, 0), (1, 1), (1, 1), (1, 0)),),  # N
    (((0.1, 0), (0.1, 1)), ((0.1, 0), (0.9, 0.1), (0.85, 0.45), (0.1, 0.55))),  # P
    (((0.15, 1), (0.2, 0), (0.2, 0), (0.7, 0), (0.9, 0.25), (0.6, 0.5), (0.15, 0.52)),),
    (((0.2, 0.1), (0.15, 1)), ((0, 0.1), (0.6, 0), (1, 0.2), (0.7, 0.5), (0.2, 0.5))),
    (((0, 1), (0, 0), (0, 0), (0.8, 0.1), (0.7, 0.5), (0, 0.5), (0, 0.5), (1, 1)),),  # R
    (((0, 0), (0, 1)), ((0, 0), (0.7, 0), (0.9, 0.25), (0.6, 0.5), (0, 0.5), (0, 0.5), (0.9, 1))),
    (((0.2, 1), (0.25, 0), (0.25, 0), (0.8, 0.05), (0.8, 0.4), (0.25, 0.5), (0.25, 0.5),
      (0.6, 0.75), (1, 1)),),
    (((0, 0), (1, 0)), ((0.5, 0), (0.5, 1))),  # T
    (((0, 0.1), (0.3, 0), (1, 0.05)), ((0.55, 0.02), (0.45, 1))),
    (((0, 0.15), (0.05, 0), (0.05, 0), (1, 0), (1, 0), (1, 0.15)), ((0.5, 0), (0.5, 1))),
    (((0, 0), (0.25, 1), (0.25, 1), (0.5, 0.3), (0.5, 0.3), (0.75, 1), (0.75, 1), (1, 0)),),  # W
    (((0, 0), (0.1, 0.8), (0.3, 1), (0.5, 0.4), (0.5, 0.4), (0.6, 0.9), (0.8, 1), (1, 0)),),
    (((0, 0), (1, 1)), ((1, 0), (0, 1))),  # ×
    (((0, 0), (0.4, 0.3), (0.6, 0.8), (1, 1)), ((1, 0), (0, 1))),
    (((0.5, 0), (0.5, 1)), ((0, 0.5), (1, 0.5))),  # +
    (((0, 0.3), (1, 0.3)), ((0, 0.7), (1, 0.7))),  # =
    (((0.3, 0), (0.25, 1)), ((0.75, 0), (0.7, 1)), ((0, 0.3), (1, 0.3)), ((0, 0.7), (1, 0.7))),
    (((0, 0.2), (0.3, 0), (0.8, 0.05), (0.8, 0.3), (0.4, 0.5), (0.4, 0.7)),
     ((0.4, 0.95), (0.4, 1))),  # ?
    (((0.5, 0), (1, 1), (1, 1), (0, 1), (0, 1), (0.5, 0)),),  # triangle
    (((0, 0), (1, 0), (1, 0), (0.5, 1), (0.5, 1), (0, 0)),),
    (((0, 0), (1, 0), (1, 0), (1, 1), (1, 1), (0, 1), (0, 1), (0, 0)), ((0, 0), (1, 1))),
    (((0, 0.5), (0.2, 0.2), (0.4, 0.5), (0.6, 0.8), (0.8, 0.5), (1, 0.2)),),  # wave
    (((0, 0), (0.2, 1), (0.35, 0), (0.5, 1), (0.65, 0), (0.8, 1), (1, 0)),),  # zigzag
    (((0.5, 0.5), (0.6, 0.4), (0.7, 0.55), (0.5, 0.7), (0.3, 0.5), (0.5, 0.2), (0.9, 0.4),
      (0.85, 0.85), (0.4, 0.95), (0, 0.6), (0.1, 0.1), (0.6, 0)),),  # spiral
    (((0, 0.5), (1, 0.5)),),  # dash
    (((0.5, 0), (0.2, 1), (0.2, 1), (1, 0.35), (1, 0.35), (0, 0.35), (0, 0.35), (0.8, 1),
      (0.8, 1), (0.5, 0)),),  # star
    (((0, 0.5), (1, 0.5)), ((0.2, 0.05), (0.8, 0.95)), ((0.8, 0.05), (0.2, 0.95))),
    (((0.5, 0), (0.5, 1)), ((0, 0.4), (0.5, 0), (0.5, 0), (1, 0.4))),  # arrow
    (((0, 0.5), (1, 0.5)), ((0.65, 0.15), (1, 0.5), (1, 0.5), (0.65, 0.85))),
    (((0.5, 0.3), (0.2, 0), (0, 0.35), (0.5, 1), (0.5, 1), (1, 0.35), (0.8, 0), (0.5, 0.3)),),
    (((0.5, 0.25), (0.5, 0.25), (0.3, 0), (0, 0.1), (0.05, 0.5), (0.5, 1), (0.5, 1), (0.95, 0.5),
      (1, 0.1), (0.7, 0), (0.5, 0.25)),),  # heart
    (((0.5, 1), (0.5, 1), (0.1, 0.65), (0, 0.2), (0.3, 0), (0.5, 0.2), (0.5, 0.2), (0.7, 0),
      (1, 0.2), (0.9, 0.65), (0.5, 1)),),
    (((0, 0.6), (0.3, 1), (0.3, 1), (1, 0)),),  # tick
    (((0.5, 0), (0.15, 0.15), (0, 0.5), (0.15, 0.85), (0.5, 1), (0.85, 0.85), (1, 0.5),
      (0.85, 0.15), (0.5, 0)), ((0.33, 0.33), (0.33, 0.4)), ((0.67, 0.33), (0.67, 0.4)),
     ((0.25, 0.62), (0.5, 0.8), (0.75, 0.62))),  # smiley
)  # fmt: skip
NO_DIGIT = -1  # the label of a drawing for which every answer is to be equally likely

SIZE = 4 * BOX  # pixels of a drawing's height before it is averaged down to BOX
SLANT, TURN = 22.0, 10.0  # degrees, either way
WIDTH, PEN = (0.45, 1.0), (0.5, 4.6)  # width: share of the height; pen: pixels of MNIST
WIDTH_OF_OTHERS, PEN_OF_OTHERS = (0.75, 1.2), (0.5, 3.0)  # or a scribble would look like a fat 1
UNSTEADY, BENT = 0.03, 0.04  # shares of the height: of each point alone, of the whole


def drawn_digits(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """That many digits, each as often as the others: uint8 (N, 28, 28) and labels, int64 (N,)."""
    random = np.random.default_rng([seed, 0])
    labels = np.arange(count) % len(FORMS)
    drawings = (_drawing(_form(int(digit), random), WIDTH, PEN, random) for digit in labels)
    return _as_images(drawings, count), torch.from_numpy(labels)


def drawn_others(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """That many drawings that are no digit, uint8 (N, 28, 28), and as many labels NO_DIGIT.

    Half are letters and signs; the others are in turn triangles and quadrilaterals, several digits
    side by side, scribbles, loose strokes and blots.
    """
    random = np.random.default_rng([seed, 1])
    others = (_polygon, _digits_in_a_row, _scribble, _loose_strokes)
    kinds = [kind for other in others for kind in (_sign, other)]
    drawings = (
        _drawing(kinds[index % len(kinds)](random), WIDTH_OF_OTHERS, PEN_OF_OTHERS, random)
        for index in range(count)
    )
    return _as_images(drawings, count), torch.full((count,), NO_DIGIT)


def _as_images(drawings: Iterable[Pixels], count: int) -> Tensor:
    images = np.zeros((count, SIDE, SIDE), np.uint8)
    for image, drawing in zip(images, drawings, strict=True):
        image[:] = to_mnist(drawing)
    return torch.from_numpy(images)


def _form(digit: int, random: np.random.Generator) -> Form:
    return FORMS[digit][random.integers(len(FORMS[digit]))]


def _sign(random: np.random.Generator) -> Form:
    return OTHERS[random.integers(len(OTHERS))]


def _polygon(random: np.random.Generator) -> Form:
    """A triangle or a quadrilateral, closed: what is most like a 0 and is none."""
    corners = int(random.integers(3, 5))
    turn = 2 * math.pi * (np.arange(corners) + random.uniform(-0.25, 0.25, corners)) / corners
    turn += random.uniform(0, 2 * math.pi)
    away = random.uniform(0.35, 0.5, corners)
    places = zip(0.5 + away * np.cos(turn), 0.5 + away * np.sin(turn), strict=True)
    points = [(float(x), float(y)) for x, y in places]
    return (tuple(point for point in [*points, points[0]] for _ in range(2)),)


def _digits_in_a_row(random: np.random.Generator) -> Form:
    """Two or three digits, each less than half as wide as high."""
    strokes: list[Stroke] = []
    for place in range(random.integers(2, 4)):
        left, top = place * random.uniform(0.6, 0.9), random.uniform(-0.1, 0.1)
        strokes += [
            tuple((left + 0.45 * x, top + y) for x, y in stroke)
            for stroke in _form(int(random.integers(10)), random)
        ]
    return tuple(strokes)


def _scribble(random: np.random.Generator) -> Form:
    """To and fro, often enough to be no digit by chance."""
    return (_points(int(random.integers(9, 30)), random),)


def _loose_strokes(random: np.random.Generator) -> Form:
    """Four to eight straight lines; or a blot, a mere touch of the pen."""
    if random.random() < 0.2:
        x, y = random.uniform(0, 0.015, 2)
        return (((0, 0), (x, y)),)
    return tuple(_points(2, random) for _ in range(random.integers(4, 9)))


def _points(count: int, random: np.random.Generator) -> Stroke:
    return tuple((float(x), float(y)) for x, y in random.random((count, 2)))


def _drawing(
    form: Form,
    widths: tuple[float, float],
    pens: tuple[float, float],
    random: np.random.Generator,
) -> Pixels:
    """One drawing of a form, ink 255 on 0, of about SIZE pixels."""
    slant = math.tan(math.radians(random.uniform(-SLANT, SLANT)))
    turn = math.radians(random.uniform(-TURN, TURN))
    linear = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    linear = linear @ np.array([[random.uniform(*widths), -slant], [0, 1]])
    bend = random.normal(0, BENT, (2, 2, 2))
    radius = random.uniform(*pens) / 2 * SIZE / BOX
    strokes = []
    for stroke in form:
        points = np.array(stroke) + _noise(stroke, random)
        path = _through(points)
        path = path + np.stack([(np.sin(math.pi * path @ b) @ [1, 1]) for b in bend], axis=1)
        strokes.append((path - 0.5) @ linear.T * SIZE)
    return inked(strokes, radius)


def inked(paths: Sequence[Points], radius: float) -> Pixels:
    """The ink, 255 on 0, of a round pen that follows straight lines between points, (N, 2) each.

    Points are x, y in pixels, anywhere; radius: pixels.
    """
    together = np.concatenate(paths)
    low, high = together.min(axis=0), together.max(axis=0)
    margin = radius + 2
    width, height = np.ceil(high - low + 2 * margin).astype(int).tolist()
    sheet = Image.new("1", (width, height), 1)
    draw = ImageDraw.Draw(sheet)
    for path in paths:
        draw.line((path - low + margin).ravel().tolist(), fill=0)
    away = distance_transform_edt(np.asarray(sheet))  # from the line that the pen's middle took
    ink: Pixels = np.rint(255 * np.clip(radius + 0.5 - away, 0, 1)).astype(np.uint8)
    return ink


def _noise(stroke: Stroke, random: np.random.Generator) -> Points:
    """A small shift for each point; a corner's two points stay together."""
    shifts = {point: random.normal(0, UNSTEADY, 2) for point in dict.fromkeys(stroke)}
    return np.array([shifts[point] for point in stroke])


def _through(points: Points, steps: int = 8) -> Points:
    """The Catmull-Rom spline through the points (N, 2), in straight pieces; corners stay sharp."""
    before = np.concatenate([points[:1], points[:-2], points[-2:-1]])[: len(points) - 1]
    first, second = points[:-1], points[1:]
    after = np.concatenate([points[2:], points[-1:]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None, None]
    path = 0.5 * (
        2 * first
        + (second - before) * t
        + (2 * before - 5 * first + 4 * second - after) * t**2
        + (3 * first - before - 3 * second + after) * t**3
    )
    return np.concatenate([path.transpose(1, 0, 2).reshape(-1, 2), points[-1:]])
