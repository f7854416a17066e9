"""The answer in words, and the image that was answered."""

from __future__ import annotations

import streamlit as st
from torch import Tensor

from core.mnist.answer import Answer
from core.ui.png import png
from core.ui.sketch.charts import percent
from core.ui.sketch.settings import settings

HINTS = {
    "draw": "Draw one: the answer stands here when you lift.",
    "upload": "Choose a picture of one.",
    "camera": "Take a picture of one.",
    "test": "Choose one.",
}


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
        big, first, second = "·", "No digit yet", HINTS[settings["source"]]
    else:
        ranked = [f"<b>{d}</b> {percent(found.probabilities[d])}" for d in found.ranking[:3]]
        if found.is_sure:
            big, first = str(found.digit), f"{percent(found.confidence)} confidence"
            second = f"next: {ranked[1]}"
        else:
            big, first = "?", "I am not sure"
            second = f"perhaps {', '.join(ranked)}"
        if truth is not None:
            word = "correct" if truth == found.digit else "misclassified"
            second += f"<br>the label says {truth}: {word}"
    st.html(
        f"<div class='verdict' role='status'><span>{big}</span>"
        f"<div><strong>{first}</strong><br>{second}</div></div>",
        width="content",
    )
