"""Charts of Part 2, made as those of Part 1: specifications without numbers, and data sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from core.mnist import notebook
from core.mnist.figures import Calibration
from core.mnist.records import EpochRecord
from core.mnist.runs import Progress
from core.ui.arrow import as_table
from core.ui.charts import epoch_axis, hover_rule, legend_columns, top_legend
from core.ui.colours import FORWARD, LOSS, NEUTRAL

if TYPE_CHECKING:
    import altair as alt
    import pyarrow as pa

CURVE_HEIGHT, MATRIX_HEIGHT, COMPARE_HEIGHT = 245, 430, 320  # axes and title included
LEAST_ERROR = 0.02  # percent: where a log axis puts a share of exactly 0
LEAST_DOUBT = 0.05  # the same for how sure an answer is
DOUBTS = [80, 50, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1]
RELIABILITY = ("uncalibrated", "calibrated")


@dataclass(frozen=True)
class Style:
    """How a line is drawn; colour: None for the hue of what it shows."""

    dash: tuple[int, int]
    colour: str | None = None


SERIES = {
    "test": Style((1, 0)),
    "training": Style((7, 3)),
    "validation": Style((2, 3)),
    "notebook": Style((1, 0), NEUTRAL),
}


@cache
def history_spec(what: str, shown: tuple[str, ...]) -> dict[str, Any]:
    """Loss or accuracy against the epoch; data sets `epochs`, `hover` and, of losses, `batches`.

    what: "loss" or "accuracy". An accuracy is drawn as its distance from 100 %, on a log axis with
    the better end up: the difference between 99.2 and 99.6 % is as plain as that between 90 and 95.
    shown: those of SERIES that the data have.
    """
    import altair as alt

    hue = LOSS if what == "loss" else FORWARD
    y = _loss_axis() if what == "loss" else _accuracy_axis()
    x = epoch_axis()
    styles = {name: style for name, style in SERIES.items() if name in shown}
    legend = top_legend(
        styles, symbolSize=400, symbolStrokeWidth=2, symbolType="stroke", offset=0, padding=0
    )
    colour = alt.Color(
        "series:N",
        title=None,
        scale=alt.Scale(domain=[*styles], range=[s.colour or hue for s in styles.values()]),
        legend=legend,
    )
    dash = alt.StrokeDash(
        "series:N",
        title=None,
        scale=alt.Scale(domain=[*styles], range=[[*s.dash] for s in styles.values()]),
        legend=legend,
    )
    rows = alt.Chart(alt.NamedData("epochs"))
    lines = rows.mark_line(clip=True, strokeWidth=2, aria=False).encode(
        x=x, y=y, color=colour, strokeDash=dash
    )
    points = rows.mark_point(filled=True, size=22, opacity=1, aria=False).encode(
        x=x, y=y, color=colour
    )
    batches = (
        alt.Chart(alt.NamedData("batches"))
        .mark_line(clip=True, strokeWidth=1, strokeOpacity=0.45, color=hue, aria=False)
        .encode(x=x, y=y)
    )
    form = ".4f" if what == "loss" else ".2f"
    hover = hover_rule(
        x,
        [
            alt.Tooltip("epoch:Q", title="epoch", format="d"),
            *(alt.Tooltip(f"{name}:Q", title=name, format=form) for name in styles),
        ],
    )
    title = "Loss of each epoch" if what == "loss" else "Accuracy of each epoch"
    layers = [batches, lines, points, hover] if what == "loss" else [lines, points, hover]
    return alt.layer(*layers).properties(height=CURVE_HEIGHT, title=title).to_dict(validate=False)


def history_rows(
    what: str, epochs: Sequence[EpochRecord], *, notebook_too: bool
) -> dict[str, dict[int, float]]:
    """Epoch and value of each of SERIES that there is; an accuracy in percent."""
    rows: dict[str, dict[int, float | None]]
    if what == "loss":
        rows = {
            "test": {e.epoch: e.test_loss for e in epochs},
            "training": {e.epoch: e.loss for e in epochs},
            "validation": {e.epoch: e.validation_loss for e in epochs},
            "notebook": dict(enumerate((loss for loss, _ in notebook.TEST_LOG), 1)),
        }
    else:
        rows = {
            "test": {e.epoch: 100 * e.test_accuracy for e in epochs},
            "training": {e.epoch: 100 * e.accuracy for e in epochs},
            "validation": {
                e.epoch: 100 * e.validation_accuracy
                for e in epochs
                if e.validation_accuracy is not None
            },
            "notebook": {
                epoch: 100 * correct / notebook.TEST_TOTAL
                for epoch, (_, correct) in enumerate(notebook.TEST_LOG, 1)
            },
        }
    if not notebook_too:
        del rows["notebook"]
    there = {
        name: {epoch: value for epoch, value in line.items() if value is not None}
        for name, line in rows.items()
    }
    return {name: line for name, line in there.items() if line}


def history_data(
    what: str, rows: Mapping[str, Mapping[int, float]], progress: Sequence[Progress]
) -> dict[str, pa.Table]:
    """The data sets of `history_spec`; rows: of `history_rows`; progress: for the fine line."""
    flat = [(name, epoch, value) for name, line in rows.items() for epoch, value in line.items()]
    seen = sorted({epoch for _, epoch, _ in flat})
    data = {
        "epochs": as_table(
            {
                "series": [name for name, _, _ in flat],
                "epoch": np.array([epoch for _, epoch, _ in flat], dtype=float),
                "value": _drawn(what, [value for _, _, value in flat]),
            }
        ),
        "hover": as_table(
            {
                "epoch": np.array(seen, dtype=float),
                **{name: [line.get(epoch) for epoch in seen] for name, line in rows.items()},
            }
        ),
    }
    if what == "loss":
        data["batches"] = as_table(
            {
                "epoch": np.array([p.epoch - 1 + p.batch / p.batches for p in progress], float),
                "value": np.array([p.loss for p in progress], float),
            }
        )
    return data


def _drawn(what: str, values: Sequence[float]) -> Any:
    found = np.array(values, dtype=float)
    return found if what == "loss" else np.maximum(100 - found, LEAST_ERROR)


Curve = Sequence[tuple[int, float, float]]  # epoch, test loss in nats, test accuracy 0 to 1


@cache
def compare_spec(what: str) -> dict[str, Any]:
    """Test loss or test accuracy of several runs; data set `runs`."""
    import altair as alt

    y = _loss_axis() if what == "loss" else _accuracy_axis()
    shades = (
        ["#7fc9bb", "#12907c"] if what == "loss" else ["#8fbdf0", "#2f6db5"]
    )  # light to dark, in the order of the list
    rows = alt.Chart(alt.NamedData("runs"))
    colour = alt.Color("rank:Q", legend=None, scale=alt.Scale(domain=[0, 1], range=shades))
    dash = alt.StrokeDash(
        "run:N",
        title=None,
        sort=None,
        legend=alt.Legend(
            orient="top",
            columns=legend_columns(260),
            labelLimit=220,
            symbolSize=400,
            symbolStrokeWidth=2,
        ),
    )
    lines = rows.mark_line(strokeWidth=2, aria=False).encode(
        x=epoch_axis(), y=y, color=colour, strokeDash=dash, detail="run:N"
    )
    points = rows.mark_point(filled=True, size=40, opacity=1, aria=False).encode(
        x=epoch_axis(),
        y=y,
        color=colour,
        tooltip=[
            alt.Tooltip("run:N", title="run"),
            alt.Tooltip("epoch:Q", title="epoch", format="d"),
            alt.Tooltip("shown:N", title="test loss" if what == "loss" else "test accuracy"),
        ],
    )
    title = "Test loss of each epoch" if what == "loss" else "Test accuracy of each epoch"
    return (
        alt.layer(lines, points)
        .properties(height=COMPARE_HEIGHT, title=title)
        .to_dict(validate=False)
    )


def compare_data(what: str, runs: Mapping[str, Curve]) -> dict[str, pa.Table]:
    """The data set of `compare_spec`; runs: label and curve, in the order of the list."""
    rows = []
    for rank, (label, curve) in enumerate(runs.items()):
        for epoch, loss, accuracy in curve:
            value = loss if what == "loss" else 100 * accuracy
            shown = f"{value:.4f}" if what == "loss" else f"{value:.2f} %"
            rows.append((label, rank / max(len(runs) - 1, 1), epoch, value, shown))
    return {
        "runs": as_table(
            {
                "run": [row[0] for row in rows],
                "rank": np.array([row[1] for row in rows], float),
                "epoch": np.array([row[2] for row in rows], float),
                "value": _drawn(what, [row[3] for row in rows]),
                "shown": [row[4] for row in rows],
            }
        )
    }


@cache
def confusion_spec() -> dict[str, Any]:
    """The confusion matrix; data set `cells`. Only wrong answers are coloured."""
    import altair as alt

    digits = list(range(10))
    axis = alt.Axis(labelAngle=0, domain=False, ticks=False, labelFontSize=13)
    x = alt.X("answer:O", title="answer", scale=alt.Scale(domain=digits), axis=axis)
    y = alt.Y("true:O", title="true digit", scale=alt.Scale(domain=digits), axis=axis)
    cells = alt.Chart(alt.NamedData("cells"))
    tooltip = [
        alt.Tooltip("sentence:N", title=" "),
        alt.Tooltip("count:Q", title="digits", format=","),
        alt.Tooltip("share:N", title="of this true digit"),
    ]
    squares = cells.mark_rect(strokeWidth=0, cornerRadius=2).encode(
        x=x,
        y=y,
        color=alt.condition("datum.true == datum.answer", alt.value(NEUTRAL), alt.value(LOSS)),
        fillOpacity=alt.FillOpacity(
            "strength:Q", legend=None, scale=alt.Scale(domain=[0, 1], range=[0.06, 0.75])
        ),
        tooltip=tooltip,
        description="sentence:N",
    )
    words = (
        cells.mark_text(fontSize=12, aria=False)
        .encode(x=x, y=y, text="shown:N", tooltip=tooltip)
        .properties(name="labels")
    )
    return (
        alt.layer(squares, words)
        .properties(height=MATRIX_HEIGHT, title="Confusion matrix of the test set")
        .to_dict(validate=False)
    )


def confusion_data(confusion: Sequence[Sequence[int]], cells: str) -> dict[str, pa.Table]:
    """The data set of `confusion_spec`; cells: what is written in them, "counts" or "shares".

    An error's colour is its share of the most frequent error, so a few errors can be seen beside
    a thousand right answers.
    """
    counts = np.array(confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    drawn = counts if cells == "counts" else shares
    errors = np.where(np.eye(10, dtype=bool), 0, drawn)
    strength = errors / (errors.max() or 1)
    strength[np.eye(10, dtype=bool)] = 0.25
    true, answer = (axis.ravel() for axis in np.indices(counts.shape))
    percent = [f"{100 * share:.2f} %" for share in shares.ravel()]
    written = [str(c) for c in counts.ravel()] if cells == "counts" else percent
    return {
        "cells": as_table(
            {
                "true": true,
                "answer": answer,
                "count": counts.ravel(),
                "share": percent,
                "strength": strength.ravel(),
                "shown": [
                    text.removesuffix(" %") if count else ""
                    for text, count in zip(written, counts.ravel(), strict=True)
                ],
                "sentence": [
                    f"{t} read as {a}" if t != a else f"{t} classified correctly"
                    for t, a in zip(true, answer, strict=True)
                ],
            }
        )
    }


@cache
def reliability_spec() -> dict[str, Any]:
    """How often answers are right against how sure they are; data sets `bins` and `diagonal`."""
    import altair as alt

    shares: dict[str, Any] = {
        "scale": alt.Scale(type="log", reverse=True, domain=[LEAST_DOUBT, 100], nice=False),
        "axis": alt.Axis(
            values=DOUBTS, labelExpr="format(100 - datum.value, '~g')", labelOverlap="greedy"
        ),
    }
    x = alt.X("doubt:Q", title="confidence (%)", **shares)
    y = alt.Y("error:Q", title="accuracy (%)", **shares)
    line = (
        alt.Chart(alt.NamedData("diagonal"))
        .mark_line(color=NEUTRAL, strokeDash=[4, 3], strokeWidth=1.5, aria=False)
        .encode(x=x, y=y)
    )
    bins = alt.Chart(alt.NamedData("bins"))
    colour = alt.Color(
        "which:N",
        title=None,
        sort=None,
        scale=alt.Scale(domain=list(RELIABILITY), range=[NEUTRAL, FORWARD]),
        legend=top_legend(RELIABILITY, symbolOpacity=1),
    )
    whiskers = bins.mark_rule(strokeWidth=1.5, aria=False).encode(
        x=x, y=alt.Y("low:Q", **shares), y2="high:Q", color=colour
    )
    points = bins.mark_point(filled=True, size=70, opacity=1).encode(
        x=x,
        y=y,
        color=colour,
        tooltip=[
            alt.Tooltip("which:N", title="probabilities"),
            alt.Tooltip("bin:N", title="confidence, between"),
            alt.Tooltip("mean:N", title="mean confidence"),
            alt.Tooltip("right:N", title="correct"),
            alt.Tooltip("interval:N", title="95 % interval"),
        ],
        description="sentence:N",
    )
    return (
        alt.layer(line, whiskers, points)
        .properties(height=MATRIX_HEIGHT, title="Reliability diagram")
        .to_dict(validate=False)
    )


def reliability_data(calibration: Calibration) -> dict[str, pa.Table]:
    """The data sets of `reliability_spec`; bins without an answer are left out.

    Drawn is what is missing to 100 %, at least LEAST_DOUBT, as a logarithm can show.
    """
    found = [
        (which, one)
        for which, bins in zip(RELIABILITY, (calibration.before, calibration.after), strict=True)
        for one in bins
        if one.count
    ]

    def missing(shares: Sequence[float]) -> Any:
        return np.maximum(100 - 100 * np.array(shares, float), LEAST_DOUBT)

    bins = [one for _, one in found]
    right = [f"{one.correct:,} of {one.count:,}, {100 * one.accuracy:.2f} %" for one in bins]
    return {
        "bins": as_table(
            {
                "which": [which for which, _ in found],
                "doubt": missing([one.confidence for one in bins]),
                "error": missing([one.accuracy for one in bins]),
                "low": missing([one.interval[0] for one in bins]),
                "high": missing([one.interval[1] for one in bins]),
                "bin": [f"{100 * one.low:g} and {100 * one.high:g} %" for one in bins],
                "mean": [f"{100 * one.confidence:.2f} %" for one in bins],
                "right": right,
                "interval": [
                    " to ".join(f"{100 * end:.2f} %" for end in one.interval) for one in bins
                ],
                "sentence": [
                    f"{which}: confidence {100 * one.confidence:.2f} %, correct {words}"
                    for (which, one), words in zip(found, right, strict=True)
                ],
            }
        ),
        "diagonal": as_table({name: np.array([LEAST_DOUBT, 100.0]) for name in ("doubt", "error")}),
    }


def _loss_axis() -> alt.Y:
    import altair as alt

    return alt.Y(
        "value:Q",
        title="loss (nats)",
        scale=alt.Scale(type="log", nice=False),
        axis=alt.Axis(format="~g", tickCount=6),
    )


def _accuracy_axis() -> alt.Y:
    import altair as alt

    ticks = [50, 20, 10, 5, 2, 1, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05]
    return alt.Y(
        "value:Q",
        title="accuracy (%)",
        scale=alt.Scale(type="log", reverse=True, nice=False),
        axis=alt.Axis(
            values=ticks, labelExpr="format(100 - datum.value, '~g')", labelOverlap="greedy"
        ),
    )
