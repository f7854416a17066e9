"""Pictures of digits as text that HTML can hold."""

from __future__ import annotations

import base64
import io

from PIL import Image
from torch import Tensor


def png(image: Tensor) -> str:
    """A picture, uint8 (H, W), as a PNG file in base64."""
    file = io.BytesIO()
    Image.fromarray(image.numpy()).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode("ascii")
