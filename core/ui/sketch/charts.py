"""Charts of the sketch page: the ten probabilities, and what speaks for a digit."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from core.mnist.answer import Answer
from core.ui.arrow import as_table
from core.ui.colours import FORWARD, GRADIENT_DOWN, GRADIENT_UP, NEUTRAL

if TYPE_CHECKING:
    import pyarrow as pa
    from torch import Tensor

BARS_HEIGHT = 350
OVERLAY_SIZE = 320, 363  # with title and axes: the picture itself is square
SIDE = 28


def percent(probability: float) -> str:
    """A probability, 0 to 1, with one decimal; never rounded to a certainty that it is not."""
    if 0 < probability < 0.0005:
        return "< 0.1 %"
    if 0.9995 <= probability < 1:
        return "> 99.9 %"
    return f"{100 * probability:.1f} %"


@cache
def answer_spec() -> dict[str, Any]:
    """The probability of each digit; data set `bars`."""
    import altair as alt

    digits = list(range(10))
    bars = alt.Chart(alt.NamedData("bars"))
    y = alt.Y(
        "digit:O",
        title="digit",
        scale=alt.Scale(domain=digits),
        axis=alt.Axis(domain=False, ticks=False, labelFontSize=14, labelOverlap=False),
    )
    x = alt.X(
        "percent:Q",
        title="probability (%)",
        scale=alt.Scale(domain=[0, 112], nice=False),
        axis=alt.Axis(values=[0, 25, 50, 75, 100]),
    )
    tooltip = [alt.Tooltip("digit:O", title="digit"), alt.Tooltip("exact:N", title="probability")]
    marks = bars.mark_bar(color=FORWARD, cornerRadiusEnd=2).encode(
        x=x,
        y=y,
        fillOpacity=alt.condition("datum.rank == 0", alt.value(1), alt.value(0.45)),
        tooltip=tooltip,
        description="sentence:N",
    )
    words = (
        bars.mark_text(align="left", dx=5, fontSize=12, aria=False)
        .encode(
            x=x,
            y=y,
            text="shown:N",
            tooltip=tooltip,
        )
        .properties(name="labels")
    )
    return (
        alt.layer(marks, words)
        .properties(height=BARS_HEIGHT, title="What the network answers")
        .to_dict(validate=False)
    )


def answer_data(answer: Answer | None) -> dict[str, pa.Table]:
    """The data set of `answer_spec`; empty bars without an answer."""
    probabilities = answer.probabilities if answer else (0.0,) * 10
    ranking = answer.ranking if answer else [*range(1, 10), 0]
    return {
        "bars": as_table(
            {
                "digit": np.arange(10),
                "percent": 100 * np.array(probabilities),
                "rank": np.array([ranking.index(d) for d in range(10)]),
                "shown": [percent(p) if p >= 0.0005 else "" for p in probabilities],
                "exact": [f"{100 * p:.6g} %" for p in probabilities],
                "sentence": [f"{d}: {100 * p:.1f} %" for d, p in enumerate(probabilities)],
            }
        )
    }


@cache
def attribution_spec() -> dict[str, Any]:
    """The image with what each pixel does for a digit laid over it; data set `pixels`."""
    import altair as alt

    axis = alt.Axis(values=[0, 7, 14, 21, 28], grid=False, domain=False)
    scale = alt.Scale(domain=[0, SIDE], nice=False)
    pixels = alt.Chart(alt.NamedData("pixels"))
    place = {
        "x": alt.X("left:Q", title="column (pixel)", scale=scale, axis=axis),
        "x2": "right:Q",
        "y": alt.Y(
            "top:Q",
            title="row (pixel)",
            scale=alt.Scale(domain=[SIDE, 0], nice=False),
            axis=axis,
        ),
        "y2": "bottom:Q",
    }
    tooltip = [
        alt.Tooltip("top:Q", title="row"),
        alt.Tooltip("left:Q", title="column"),
        alt.Tooltip("ink:Q", title="ink, 0 to 255"),
        alt.Tooltip("value:Q", title="adds to the logit", format="+.3g"),
    ]
    ink = pixels.mark_rect(color=NEUTRAL, strokeWidth=0, aria=False).encode(
        **place, fillOpacity=alt.FillOpacity("shade:Q", legend=None, scale=None)
    )
    heat = pixels.mark_rect(strokeWidth=0, aria=False).encode(
        **place,
        color=alt.condition("datum.value < 0", alt.value(GRADIENT_DOWN), alt.value(GRADIENT_UP)),
        fillOpacity=alt.FillOpacity("strength:Q", legend=None, scale=None),
        tooltip=tooltip,
    )
    return (
        alt.layer(ink, heat)
        .properties(
            width=OVERLAY_SIZE[0],
            height=OVERLAY_SIZE[1],
            title={
                "text": "Saliency map",
                "subtitle": "orange supports the digit, purple opposes it",
            },
        )
        .to_dict(validate=False)
    )


def attribution_data(image: Tensor, values: Tensor) -> dict[str, pa.Table]:
    """The data set of `attribution_spec`; image: uint8 (28, 28); values: float32 (28, 28)."""
    top, left = (axis.ravel() for axis in np.indices(image.shape))
    ink, found = image.numpy().ravel(), values.double().numpy().ravel()
    most = np.abs(found).max() or 1.0
    return {
        "pixels": as_table(
            {
                "top": top,
                "bottom": top + 1,
                "left": left,
                "right": left + 1,
                "ink": ink,
                "shade": ink / 255 * 0.75,
                "value": found,
                "strength": np.abs(found) / most * 0.9,
            }
        )
    }
