"""The digits of a number, each with its answer; one is chosen, and its reasons are shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from torch import Tensor

from core.mnist.answer import Answer
from core.ui.png import png
from core.ui.sent import sent
from core.ui.sketch.charts import percent

ROW, CHOSEN = "digit_row", "sketch.chosen"
state = st.session_state
_HERE = Path(__file__).parent

_mount = st.components.v2.component(
    "digit_row",
    html='<div class="row" role="radiogroup" aria-label="The digit whose reasons are shown"></div>',
    css=(_HERE / "digit_row.css").read_text(encoding="utf-8"),
    js=(_HERE / "digit_row.js").read_text(encoding="utf-8"),
)


def chosen_digit(count: int) -> int:
    """Which of `count` digits is chosen, from 0 on: the first, once their number has changed."""
    of, chosen = state.get(CHOSEN, (count, 0))
    if of != count:
        chosen = 0
    state[CHOSEN] = count, chosen
    return int(chosen)


def digit_row(images: Sequence[Tensor], found: Sequence[Answer], chosen: int) -> None:
    """A button for each digit: its image, uint8 (28, 28), and its answer."""
    _mount(
        key=ROW,
        data={
            "chosen": chosen,
            "digits": [
                {
                    "image": png(image),
                    "answer": str(one.digit) if one.is_sure else "?",
                    "confidence": percent(one.confidence),
                    "words": f"Digit {number} of {len(found)}: "
                    + ("" if one.is_sure else "not sure, perhaps ")
                    + f"{one.digit}, {percent(one.confidence)}",
                }
                for number, (image, one) in enumerate(zip(images, found, strict=True), 1)
            ],
        },
        on_chosen_change=_choose,
    )


def _choose() -> None:
    count, _ = state[CHOSEN]
    wish = sent(lambda: range(count)[int(state[ROW]["chosen"])])
    if wish is not None:
        state[CHOSEN] = count, wish
