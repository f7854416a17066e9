"""Misread digits as pictures, with what was seen and how sure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import streamlit as st

from core.mnist.figures import Misread
from core.ui.png import png

Pixels = npt.NDArray[np.uint8]


def misread_pictures(misread: Sequence[Misread], images: Pixels) -> None:
    """Show each misread digit; images: the test set, uint8 (N, 28, 28)."""
    figures = "".join(_figure(one, images[one.index]) for one in misread)
    st.html(f'<div class="misread">{figures}</div>')


def _figure(one: Misread, image: Pixels) -> str:
    """Only numbers of ours go into this HTML."""
    sure = 100 * one.probabilities[one.prediction]
    fair = 100 * one.probabilities[one.label]
    return (
        f"<figure title='test image {one.index}: {sure:.1f} % for {one.prediction}, "
        f"{fair:.1f} % for {one.label}'>"
        f"<img src='data:image/png;base64,{png(image)}' width='56' height='56' "
        f"alt='a handwritten {one.label}, read as {one.prediction}'>"
        f"<figcaption><b>{one.label}</b> read as <b>{one.prediction}</b>"
        f"<br>{sure:.0f} % confidence</figcaption></figure>"
    )
