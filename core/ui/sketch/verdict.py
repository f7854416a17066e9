"""The answer in words, and the image that was answered."""

from __future__ import annotations

from collections.abc import Sequence

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


def verdict(found: Sequence[Answer], truth: int | None) -> None:
    """The answer in words, to one digit or to a row of them; truth: the label, if there is one."""
    if not found:
        big, first, second = "·", "No digit yet", HINTS[settings["source"]]
    elif len(found) == 1:
        big, first, second = _one(found[0], truth)
    else:
        big, first, second = _number(found)
    st.html(
        f"<div class='verdict' role='status'><span style='--digits:{len(big)}'>{big}</span>"
        f"<div><strong>{first}</strong><br>{second}</div></div>",
        width="content",
    )


def _one(found: Answer, truth: int | None) -> tuple[str, str, str]:
    ranked = [f"<b>{d}</b> {percent(found.probabilities[d])}" for d in found.ranking[:3]]
    if found.is_sure:
        big, first = str(found.digit), f"{percent(found.confidence)} confidence"
        second = f"next: {ranked[1]}"
    elif found.is_like_digit:
        big, first = "?", "I am not sure"
        second = f"perhaps {', '.join(ranked)}"
    else:
        big, first = "?", "I am not sure that it is a digit"
        second = f"if it is one: {', '.join(ranked[:2])}"
    if truth is not None:
        word = "correct" if truth == found.digit else "misclassified"
        second += f"<br>the label says {truth}: {word}"
    return big, first, second


def _number(found: Sequence[Answer]) -> tuple[str, str, str]:
    big = "".join(str(one.digit) if one.is_sure else "?" for one in found)
    least = min(found, key=lambda one: one.confidence)
    unsure = sum(not one.is_sure for one in found)
    first = f"{len(found)} digits" if not unsure else f"{len(found)} digits, not sure of {unsure}"
    return big, first, f"least confidence: <b>{least.digit}</b> {percent(least.confidence)}"
