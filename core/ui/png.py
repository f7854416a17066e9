"""Pictures of digits as text that HTML can hold."""

from __future__ import annotations

import base64
import io

import numpy as np
import numpy.typing as npt
from PIL import Image


def png(image: npt.ArrayLike) -> str:
    """A picture, uint8 (H, W), as a PNG file in base64."""
    file = io.BytesIO()
    Image.fromarray(np.asarray(image)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode("ascii")
