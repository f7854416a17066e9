"""Where a digit comes from on the sketch page, and the answer in words and pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st
import torch
from streamlit.runtime.uploaded_file_manager import UploadedFile
from torch import Tensor

from core.mnist import data
from core.mnist.answer import Answer
from core.mnist.photo import PhotoError, read_ink
from core.mnist.sketch import NoInkError, to_mnist
from core.ui.colours import FORWARD
from core.ui.misread import png
from core.ui.sketch_charts import percent
from core.ui.sketch_settings import INDEX, PEN

CANVAS, PREVIEW = 320, 200  # px wide
UPLOAD_MB = 20
KEY, KEPT, FIRST = "canvas", "sketch.drawing", "sketch.first_drawing"
SEEN, PHOTO = "sketch.seen", "sketch.photo"
HINTS = {
    "draw": "Draw one: the answer stands here when you lift.",
    "upload": "Choose a picture of one.",
    "camera": "Take a picture of one.",
    "test": "Choose one.",
}

Pixels = npt.NDArray[np.uint8]
state = st.session_state

_make_swift = st.components.v2.component(
    "swift",
    html="<i></i>",
    js=(Path(__file__).parent / "swift.js").read_text(encoding="utf-8"),
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
        stroke_width=state[PEN.name],
        stroke_color=FORWARD,
        background_color="",  # clear, so that the ink's opacity is the ink, on any background
        width=CANVAS,
        height=CANVAS,
        initial_drawing=state[FIRST],
        return_image_data=True,
        key=KEY,
    )
    _make_swift(key="swift")
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
    st.slider("Pen width (pixels)", int(PEN.low), int(PEN.high), key=PEN.name)
    pixels = canvas.image_data
    if pixels is not None:  # a canvas that is new on the screen has sent none
        state[SEEN] = _read(np.ascontiguousarray(pixels[..., 3]))
    image: Tensor | None = state.get(SEEN)
    return image


def _read(ink: Pixels) -> Tensor | None:
    try:
        return torch.from_numpy(to_mnist(ink))
    except NoInkError:
        return None


def _redraw(strokes: list[dict[str, Any]]) -> None:
    """Have these strokes on the canvas and no others."""
    # The canvas only draws what differs from what it was last told to draw: the number does.
    number = (state[FIRST] or {}).get("number", 0) + 1
    state[FIRST] = {"objects": strokes, "number": number}


@dataclass(frozen=True)
class _Photo:
    """What a file gave: its ink, or a sentence that says why there is none."""

    file_id: str
    ink: Pixels | None = None
    complaint: str = ""


def _photographed(file: UploadedFile | None) -> Tensor | None:
    """The digit of a picture, with the ink that was found in it."""
    if file is None:
        return None
    photo: _Photo | None = state.get(PHOTO)
    if photo is None or photo.file_id != file.file_id:  # a large one takes its time: only once
        try:
            photo = _Photo(file.file_id, ink=read_ink(file.getvalue()))
        except PhotoError as error:
            photo = _Photo(file.file_id, complaint=str(error))
        state[PHOTO] = photo
    if photo.ink is None:
        st.error(photo.complaint)
        return None
    st.image(255 - photo.ink, caption="The ink that was found", width=PREVIEW, alt="The ink found")
    return _read(photo.ink)


def uploaded() -> Tensor | None:
    """A picture from a file."""
    file = st.file_uploader(
        "A picture of one digit",
        ["png", "jpg", "jpeg", "webp", "gif", "bmp"],
        max_upload_size=UPLOAD_MB,
        help="Dark on light or light on dark, any size.",
    )
    return _photographed(file)


def snapped() -> Tensor | None:
    """A picture from the camera."""
    file = st.camera_input("One digit on plain paper, as large as it goes")
    return _photographed(file)


def tested(source: str, misread: list[int]) -> tuple[Tensor, int] | None:
    """A digit of the test set and its label; misread: indices of those the network got wrong."""
    if not data.available(source):
        st.info(
            "MNIST is not on this machine yet. Train a network on it once, and it is downloaded.",
            icon=":material/download:",
        )
        return None
    try:
        digits = data.load(source)
    except data.DataError as error:
        st.error(str(error))
        return None
    count = len(digits.test_labels)
    if state[INDEX.name] >= count:
        state[INDEX.name] = count - 1
    st.number_input(f"Test image, 0 to {count - 1:,}", 0, count - 1, key=INDEX.name)
    with st.container(horizontal=True):
        st.button("Any", icon=":material/shuffle:", on_click=_any_of, args=(range(count),))
        if misread:
            st.button(
                "A misread one", icon=":material/error:", on_click=_any_of, args=(tuple(misread),)
            )
    index = state[INDEX.name]
    return digits.test_images[index], int(digits.test_labels[index])


def _any_of(indices: tuple[int, ...] | range) -> None:
    state[INDEX.name] = int(np.random.default_rng().choice(indices))


def seen(image: Tensor | None) -> None:
    """The 28×28 pixels that the network gets."""
    picture = png(image) if image is not None else ""
    inner = (
        f"<img src='data:image/png;base64,{picture}' width='140' height='140' "
        "alt='the 28 by 28 pixels that the network sees'>"
        if picture
        else "<div class='blank'></div>"
    )
    st.html(
        f"<figure class='seen'>{inner}<figcaption>What the network sees: 28 × 28 pixels"
        "</figcaption></figure>",
        width="content",
    )


def verdict(found: Answer | None, truth: int | None) -> None:
    """The answer in words; truth: the label, where there is one."""
    if found is None:
        big, first, second = "·", "No digit yet", HINTS[state.source]
    else:
        ranked = [f"<b>{d}</b> {percent(found.probabilities[d])}" for d in found.ranking[:3]]
        if found.is_sure:
            big, first = str(found.digit), f"{percent(found.confidence)} sure"
            second = f"next: {ranked[1]}"
        else:
            big, first = "?", "I am not sure"
            second = f"perhaps {', '.join(ranked)}"
        if truth is not None:
            word = "right" if truth == found.digit else "wrong"
            second += f"<br>the label says {truth}: {word}"
    st.html(
        f"<div class='verdict' role='status'><span>{big}</span>"
        f"<div><strong>{first}</strong><br>{second}</div></div>",
        width="content",
    )
