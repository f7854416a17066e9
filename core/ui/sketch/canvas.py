"""The canvas, its two tools and its pen; the browser's side is told in `canvas.js`."""

from __future__ import annotations

import base64
import io
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image
from torch import Tensor

from core.mnist.sketch import Pixels
from core.ui.colours import FORWARD
from core.ui.sent import sent
from core.ui.sketch.ink import as_mnist
from core.ui.sketch.settings import PEN, settings

SIDE = 320  # px of the drawing; on a narrow screen it is shown smaller
CANVAS, TOOLS, DRAWING = "canvas", "tools", "sketch.drawing"
PNG = "data:image/png;base64,"
MOST = 1_000_000  # characters of a picture
MOST_STEPS = 50_000  # of all strokes: a quarter of an hour with the pen down
FAR = 10_000  # px from the canvas that a held pen may stray
PLACES = {"M": 2, "L": 2, "Q": 4}  # numbers that follow each command of a path

state = st.session_state
_HERE = Path(__file__).parent
_Stroke = dict[str, Any]  # path: commands with their numbers, px of the canvas; width: px

_tools = st.components.v2.component(
    "sketch_tools",
    html=(_HERE / "tools.html").read_text(encoding="utf-8"),
    css=(_HERE / "tools.css").read_text(encoding="utf-8"),
    js=(_HERE / "canvas.js").read_text(encoding="utf-8"),
)


@dataclass
class _Drawing:
    """What the session knows of the canvas.

    strokes: those on it, as it last said; None before anything was heard. images: the digits that
    they make, as MNIST would have them. base: the strokes it was given to begin with, for the time
    with this number: it draws its base only if that differs from the one before. pending: the
    browser's request that led to this base, until the canvas has shown it; then it is answered.
    """

    strokes: list[_Stroke] | None = None
    images: list[Tensor] = field(default_factory=list)
    base: list[_Stroke] = field(default_factory=list)
    number: int = 0
    pending: int = 0
    answered: int = 0

    def begin(self, base: list[_Stroke]) -> None:
        """Have these strokes on the canvas and no others."""
        self.base, self.strokes = base, base
        self.number += 1
        if not base:
            self.images = []


def drawn() -> list[Tensor]:
    """The canvas; the digits drawn on it, each as MNIST would have it."""
    # The component can only be made known to a running app.
    from streamlit_drawable_canvas import st_canvas

    drawing = _drawing()
    if CANVAS not in state:  # new on the screen: it begins as it was left
        drawing.base = drawing.strokes or []
    st.caption("One digit, or several beside each other, as you write them.")
    st_canvas(
        stroke_width=settings[PEN.name],
        stroke_color=FORWARD,
        background_color="",  # clear, so that the ink's opacity is the ink, on any background
        width=SIDE,
        height=SIDE,
        initial_drawing={
            "objects": [_path(stroke) for stroke in drawing.base],
            "number": drawing.number,
        },
        return_image_data=True,
        key=CANVAS,
        on_change=_take,
    )
    if drawing.strokes is None:
        _take_over(drawing)
    _tools(
        key=TOOLS,
        data={
            "base": len(drawing.base),
            "number": drawing.number,
            "answered": drawing.answered,
            "strokes": drawing.strokes,
        },
        on_request_change=_answer,
    )
    width = settings[PEN.name]
    st.slider("Pen width (pixels)", int(PEN.low), int(PEN.high), width, **settings.widget(PEN.name))
    return drawing.images


def _take_over(drawing: _Drawing) -> None:
    """What an older session's canvas still shows, where the server was started anew."""
    told = sent(_told)
    if told is None or not told[0]:
        return
    strokes, ink = told
    drawing.begin(strokes)
    drawing.images = as_mnist(ink)
    st.rerun()


def _drawing() -> _Drawing:
    found: _Drawing = state.setdefault(DRAWING, _Drawing())
    return found


def _take() -> None:
    """Remember what the canvas sent; what no canvas of ours can have sent changes nothing."""
    drawing, told = _drawing(), sent(_told)
    if told is None:
        return
    strokes, ink = told
    drawing.strokes, drawing.images = strokes, as_mnist(ink)
    if len(strokes) == len(drawing.base):  # no other drawing since the request had as many
        drawing.answered = drawing.pending


def _answer() -> None:
    """Give the canvas the base that the browser asks for."""
    drawing, request = _drawing(), sent(_request)
    if request is None:
        return
    drawing.pending, wish = request
    if isinstance(wish, int):
        drawing.begin(drawing.base[:wish])
        return
    strokes = sent(lambda: _strokes(json.loads(wish)))
    if strokes is None:
        drawing.strokes, drawing.answered = [], drawing.pending
    else:
        drawing.begin(strokes)


def _told() -> tuple[list[_Stroke], Pixels]:
    drawing = state[CANVAS]["drawing"]
    return _strokes(drawing["raw"]["objects"]), _ink(drawing["data"])


def _request() -> tuple[int, int | str]:
    """The number of what the browser asks for, and how many strokes are left, or those to have."""
    asked = state[TOOLS]["request"]
    wish = asked.get("left", asked.get("restore"))
    if not isinstance(wish, int | str):
        raise ValueError("no request of ours")
    return int(asked["number"]), wish


def _strokes(objects: object) -> list[_Stroke]:
    """The strokes of a canvas, or those that a browser kept. ValueError if they are none."""
    if not isinstance(objects, list) or not all(isinstance(one, dict) for one in objects):
        raise ValueError("no list of strokes")
    strokes = [
        {"path": one.get("path"), "width": one.get("strokeWidth", one.get("width"))}
        for one in objects
    ]
    if not all(_is_path(one["path"]) and _is_number(one["width"]) for one in strokes):
        raise ValueError("no stroke of a pen")
    if sum(len(one["path"]) for one in strokes) > MOST_STEPS:
        raise ValueError("no drawing by hand")
    return strokes


def _is_path(path: object) -> bool:
    return (
        isinstance(path, list)
        and len(path) > 1
        and all(
            isinstance(step, list)
            and bool(step)
            and isinstance(step[0], str)
            and PLACES.get(step[0]) == len(step) - 1
            and all(_is_number(place) for place in step[1:])
            for step in path
        )
        and path[0][0] == "M"
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and abs(value) < FAR


def _path(stroke: _Stroke) -> dict[str, Any]:
    """A stroke as the canvas takes it."""
    return {
        "type": "Path",
        "path": stroke["path"],
        "stroke": FORWARD,
        "strokeWidth": stroke["width"],
        "fill": None,
        "strokeLineCap": "round",
        "strokeLineJoin": "round",
    }


def _ink(picture: object) -> Pixels:
    """How opaque each pixel of a PNG is, uint8 (SIDE, SIDE). Raises ValueError if it is none."""
    if not isinstance(picture, str) or not picture.startswith(PNG) or len(picture) > MOST:
        raise ValueError("no picture of a canvas")
    content = base64.b64decode(picture.removeprefix(PNG), validate=True)
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            if image.size != (SIDE, SIDE) or image.mode != "RGBA":
                raise ValueError("no picture of this canvas")
            return np.asarray(image.getchannel("A"))
    except Exception as error:  # Pillow raises a dozen types for what is no PNG
        raise ValueError("no picture") from error
