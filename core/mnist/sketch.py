"""A drawing becomes the 28×28 image that MNIST's makers would have made of it.

Their recipe (LeCun, Cortes and Burges, "The MNIST database"): the ink's bounding box is scaled,
aspect ratio kept, until its longer side has 20 pixels; antialiasing makes it grey; then its centre
of mass is moved to the middle of 28×28. The details are read off the 60,000 training images:

- the brightest pixel of each is 254 or 255, so faint lines are brightened;
- the centre of mass lies within half a pixel of the pixel with index 14, counted from 0, so it is
  moved by whole pixels;
- the share of grey pixels is that of averaging the drawing's pixels under each new one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

SIDE, BOX = 28, 20
MIDDLE = 14
FAINT = 0.25  # of the strongest ink: what is weaker does not stretch the bounding box

Pixels = npt.NDArray[np.uint8]


class NoInkError(ValueError):
    """There is nothing to read; the message says what to do."""


def to_mnist(image: Pixels) -> Pixels:
    """uint8 (H, W), ink bright on dark, any size, to uint8 (28, 28) as MNIST has it.

    Raises NoInkError for an image that is all dark, and ValueError for what is no such image.
    """
    if image.dtype != np.uint8 or image.ndim != 2:
        raise ValueError(
            f"A drawing is an array of uint8 with two axes, not {image.dtype} with {image.ndim}."
        )
    strongest = int(image.max(initial=0))
    if strongest == 0:
        raise NoInkError("There is no ink yet. Draw a digit.")
    rows, columns = np.nonzero(image >= FAINT * strongest)
    drawn = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    boxed = _scaled(drawn.astype(np.float32))
    return _centred(np.rint(boxed * (255 / boxed.max())).astype(np.uint8))


def _scaled(drawn: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    height, width = drawn.shape
    scale = BOX / max(height, width)
    # Averaging under each new pixel; enlarged so, a tiny drawing would show its own pixels.
    method = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(drawn).resize(size, method))


def _centred(boxed: Pixels) -> Pixels:
    """The box on 28×28 with its centre of mass in the middle, as far as it stays inside."""
    placed = np.zeros((SIDE, SIDE), np.uint8)
    corner = []
    for axis, length in enumerate(boxed.shape):
        weight = boxed.sum(axis=1 - axis, dtype=float)
        centre = weight @ np.arange(length) / weight.sum()
        corner.append(min(max(round(MIDDLE - centre), 0), SIDE - length))
    top, left = corner
    height, width = boxed.shape
    placed[top : top + height, left : left + width] = boxed
    return placed
