"""The canvas, its two tools and its pen; the browser's side is told in `canvas.js`."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import streamlit as st
from PIL import Image
from torch import Tensor

from core.ui.colours import FORWARD
from core.ui.sketch.ink import Pixels, as_mnist
from core.ui.sketch.settings import PEN, settings

SIDE = 320  # px of the drawing; on a narrow screen it is shown smaller
KEY, SEEN = "canvas", "sketch.drawing"
PNG = "data:image/png;base64,"
MOST = 1_000_000  # characters of a picture; a full canvas has a tenth of that

state = st.session_state
_HERE = Path(__file__).parent

_mount = st.components.v2.component(
    "sketch_canvas",
    html=(_HERE / "canvas.html").read_text(encoding="utf-8"),
    css=(_HERE / "canvas.css").read_text(encoding="utf-8"),
    js=(_HERE / "canvas.js").read_text(encoding="utf-8"),
)


def drawn() -> Tensor | None:
    """The canvas; what is drawn on it as MNIST would have it, or None while it is empty."""
    st.caption("One digit, 0 to 9, as you write it.")
    image: Tensor | None = state.get(SEEN)
    _mount(
        key=KEY,
        data={
            "side": SIDE,
            "colour": FORWARD,
            "width": settings[PEN.name],
            "hasInk": image is not None,
        },
        on_picture_change=_take,
    )
    st.slider("Pen width (pixels)", int(PEN.low), int(PEN.high), **settings.widget(PEN.name))
    return image


def _take() -> None:
    """Remember what the browser sent; what no canvas of ours can have sent changes nothing."""
    try:
        state[SEEN] = as_mnist(_ink(state[KEY]["picture"]))
    except (ValueError, OSError, SyntaxError):  # the last two: Pillow's, for what is no PNG
        return


def _ink(picture: object) -> Pixels:
    """How opaque each pixel of a picture is, uint8 (SIDE, SIDE); "" is the empty canvas.

    Clear outside the strokes, so that the opacity is the ink, on any background.
    """
    if picture == "":
        return np.zeros((SIDE, SIDE), np.uint8)
    if not isinstance(picture, str) or not picture.startswith(PNG) or len(picture) > MOST:
        raise ValueError("no picture of a canvas")
    content = base64.b64decode(picture.removeprefix(PNG), validate=True)
    with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
        if image.size != (SIDE, SIDE) or image.mode != "RGBA":
            raise ValueError("no picture of this canvas")
        return np.asarray(image.getchannel("A"))
