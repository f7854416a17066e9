"""Digits of the test set."""

from __future__ import annotations

import numpy as np
import streamlit as st
from torch import Tensor

from core.mnist import data
from core.mnist.source import DataError, available
from core.ui.sketch.settings import INDEX, settings
from core.ui.text import plain


def tested(source: str, misread: list[int]) -> tuple[Tensor | None, int | None]:
    """A digit of the test set and its label; misread: indices of those the network got wrong."""
    if not available(source):
        st.info(
            "MNIST is not on this machine yet. Train a network on it once, and it is downloaded.",
            icon=":material/download:",
        )
        return None, None
    try:
        images, labels = data.load_test(source)
    except DataError as error:
        st.error(plain(str(error)))
        return None, None
    count = len(labels)
    if settings[INDEX.name] >= count:
        settings.adjust({INDEX.name: count - 1})
    settings.number(INDEX.name, f"Test image, 0 to {count - 1:,}")
    with st.container(horizontal=True):
        st.button("Any", icon=":material/shuffle:", on_click=_choose_from, args=(range(count),))
        if misread:
            st.button(
                "A misclassified one",
                icon=":material/error:",
                on_click=_choose_from,
                args=(tuple(misread),),
            )
    index = settings[INDEX.name]
    return images[index], int(labels[index])


def _choose_from(indices: tuple[int, ...] | range) -> None:
    settings.edit({INDEX.name: int(np.random.default_rng().choice(indices))})
