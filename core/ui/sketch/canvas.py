"""The canvas: what is drawn on it, and its two tools."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from torch import Tensor

from core.ui.colours import FORWARD
from core.ui.sketch.ink import as_mnist
from core.ui.sketch.settings import PEN, settings

SIDE = 320  # px
KEY, KEPT, FIRST, SEEN = "canvas", "sketch.drawing", "sketch.first_drawing", "sketch.seen"

state = st.session_state

_send_at_once = st.components.v2.component(
    "send_at_once",
    html="<i></i>",
    js=(Path(__file__).parent / "send_at_once.js").read_text(encoding="utf-8"),
)


def drawn() -> Tensor | None:
    """The canvas; what is drawn on it as MNIST would have it, or None while it is empty."""
    # The component can only be made known to a running app.
    from streamlit_drawable_canvas import st_canvas

    if KEY not in state:  # the canvas is new on the screen: it begins with what was there before
        state[FIRST] = state.get(KEPT)
    with st.container(key="paper"):
        st.caption("One digit, 0 to 9, as you write it.")
    canvas = st_canvas(
        stroke_width=settings[PEN.name],
        stroke_color=FORWARD,
        background_color="",  # clear, so that the ink's opacity is the ink, on any background
        width=SIDE,
        height=SIDE,
        initial_drawing=state[FIRST],
        return_image_data=True,
        key=KEY,
    )
    _send_at_once(key="send_at_once")
    state[KEPT] = canvas.json_data
    strokes = (canvas.json_data or {}).get("objects", [])
    with st.container(horizontal=True, key="tools"):
        st.button(
            "Undo",
            icon=":material/undo:",
            on_click=_redraw,
            args=(strokes[:-1],),
            disabled=not strokes,
        )
        st.button(
            "Clear",
            icon=":material/delete:",
            on_click=_redraw,
            args=([],),
            disabled=not strokes,
        )
    st.slider("Pen width (pixels)", int(PEN.low), int(PEN.high), **settings.widget(PEN.name))
    pixels = canvas.image_data
    if pixels is not None:  # a canvas that is new on the screen has sent none
        state[SEEN] = as_mnist(np.ascontiguousarray(pixels[..., 3]))
    image: Tensor | None = state.get(SEEN)
    return image


def _redraw(strokes: list[dict[str, Any]]) -> None:
    """Have these strokes on the canvas and no others."""
    # The canvas only draws what differs from what it was last told to draw: the number does.
    number = (state[FIRST] or {}).get("number", 0) + 1
    state[FIRST] = {"objects": strokes, "number": number}
