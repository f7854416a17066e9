"""Charts of the backpropagation page: the errors of a run, of several, and of a sweep of rates."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from core.backprop.network import Array, History
from core.backprop.sweep import Sweep
from core.ui.arrow import as_table
from core.ui.charts import epoch_axis, hover_rule, top_legend
from core.ui.colours import LOSS, NEUTRAL

if TYPE_CHECKING:
    import altair as alt
    import pyarrow as pa

HEIGHT = 225
PINNED = "pinned"  # E_total of the run that is pinned, in legend and hover
TIGHT = {"left": 0, "right": 5, "top": 0, "bottom": 0}  # px around a picture of the bench


@cache
def loss_spec(scale: str, *, is_pinned: bool = False, is_changed: bool = False) -> dict[str, Any]:
    """E1, E2 and E_total against the epoch; data sets `loss`, `hover` and `chosen`.

    is_pinned: also E_total of the pinned run, which may be shorter or longer; data set `pinned`.
    is_changed: also E_total as it would be without the changes of η; data set `before`.
    """
    import altair as alt

    epoch = epoch_axis()
    tooltip = [
        alt.Tooltip("epoch:Q", title="epoch", format="d"),
        *(alt.Tooltip(f"{e}:Q", title=e, format=".6g") for e in ("E_total", "E1", "E2")),
    ]
    words, dashes = ["E_total", "E1", "E2"], [[1, 0], [7, 3], [2, 3]]
    names: list[str | alt.FieldName] = [*words]
    stroke: str | alt.ExprRef = LOSS
    if is_pinned:
        words, dashes = [*words, PINNED], [*dashes, [1, 0]]
        stroke = alt.ExprRef(f"datum.value === '{PINNED}' ? '{NEUTRAL}' : '{LOSS}'")
    lines = (
        alt.Chart(alt.NamedData("loss"))
        .transform_fold(names, as_=["error", "value"])
        .transform_filter(_drawable(scale, "value"))
        .mark_line(clip=True)
        .encode(
            x=epoch,
            y=alt.Y("value:Q", title="error E", scale=_y_scale(scale), axis=_y_axis(scale)),
            color=alt.value(LOSS),
            strokeDash=alt.StrokeDash(
                "error:N",
                title=None,
                scale=alt.Scale(domain=words, range=dashes),
                legend=top_legend(
                    words, symbolSize=400, symbolStrokeWidth=2, symbolStrokeColor=stroke, offset=4
                ),
            ),
            strokeWidth=alt.condition("datum.error == 'E_total'", alt.value(2.5), alt.value(1.6)),
        )
    )
    chosen = alt.Chart(alt.NamedData("chosen"))
    mark = chosen.mark_rule(color=NEUTRAL, strokeWidth=1.5, strokeDash=[4, 3], aria=False).encode(
        x=epoch
    )
    points = (
        chosen.transform_fold(names, as_=["error", "value"])
        .transform_filter(_drawable(scale, "value"))
        .mark_point(filled=True, size=55, color=LOSS, opacity=1)
        .encode(x=epoch, y="value:Q")
    )
    layers = [lines, mark, points, hover_rule(epoch, tooltip)]
    if is_pinned:
        pinned = (
            alt.Chart(alt.NamedData("pinned"))
            .transform_filter(_drawable(scale, "value"))
            .mark_line(clip=True, color=NEUTRAL, strokeWidth=1.6)
            .encode(x=epoch, y="value:Q")
        )
        layers = [lines, pinned, mark, points, _hover_of_two(epoch, words)]
    words_below: dict[str, Any] = {}
    if is_changed:
        before = (
            alt.Chart(alt.NamedData("before"))
            .transform_filter(_drawable(scale, "value"))
            .mark_line(clip=True, color=LOSS, strokeWidth=1, opacity=0.7)
            .encode(x=epoch, y="value:Q")
        )
        layers.insert(1, before)
        words_below["subtitle"] = "thin: E_total without the changes of η"
    chart = alt.layer(*layers).properties(
        height=HEIGHT,
        title=alt.Title("Error of each epoch", offset=8, **words_below),
        padding=TIGHT,
    )
    return chart.to_dict(validate=False)


def loss_data(
    history: History, epoch: int, pinned: History | None = None, before: History | None = None
) -> dict[str, pa.Table]:
    """The data sets of `loss_spec`, with the 1-based `epoch` chosen."""
    columns = {name: history.column(name) for name in ("E_total", "E1", "E2")}
    loss = as_table({"epoch": np.arange(1, history.epochs + 1), **columns})
    data = {
        "loss": loss.take(_spread(history.epochs, 1000)),
        "hover": loss.take(_spread(history.epochs, 200)),
        "chosen": loss.slice(epoch - 1, 1),
    }
    if before:
        drawn = _spread(before.epochs, 1000)
        data["before"] = as_table({"epoch": drawn + 1, "value": before.E_total[drawn]})
    if pinned:
        columns[PINNED] = pinned.E_total
        kept = _spread(max(history.epochs, pinned.epochs), 200)
        read = {name: _at(kept, column) for name, column in columns.items()}
        drawn = _spread(pinned.epochs, 1000)
        data["pinned"] = as_table({"epoch": drawn + 1, "value": pinned.E_total[drawn]})
        data["hover"] = as_table({"epoch": kept + 1, **read})
    return data


@cache
def compare_spec(scale: str) -> dict[str, Any]:
    """E_total against the epoch, one line a learning rate; data sets `runs` and `ends`."""
    import altair as alt

    x = epoch_axis()
    y = alt.Y("E_total:Q", title="error E_total", scale=_y_scale(scale), axis=_y_axis(scale))
    shade = alt.Color(
        "rank:Q", legend=None, scale=alt.Scale(domain=[0, 1], range=["#7fc9bb", "#0a6f60"])
    )
    runs = alt.Chart(alt.NamedData("runs")).transform_filter(_drawable(scale, "E_total"))
    lines = runs.mark_line(aria=False).encode(x=x, y=y, color=shade, detail="eta:N")
    nearest = alt.selection_point(
        name="nearest", nearest=True, on="pointerover", empty=False, clear="pointerout"
    )
    points = (
        runs.mark_point(filled=True, size=60, opacity=1, strokeOpacity=0, aria=False)
        .encode(
            x=x,
            y=y,
            color=shade,
            fillOpacity=alt.condition(nearest, alt.value(1), alt.value(0)),
            tooltip=[
                alt.Tooltip("eta:N", title="η"),
                alt.Tooltip("epoch:Q", title="epoch", format="d"),
                alt.Tooltip("E_total:Q", title="E_total", format=".6g"),
            ],
        )
        .add_params(nearest)
    )
    names = (
        alt.Chart(alt.NamedData("ends"))
        .transform_filter(_drawable(scale, "E_total"))
        .mark_text(align="left", dx=6, fontSize=12, aria=False)
        .encode(x=x, y="label_at:Q", text="eta:N")
        .properties(name="labels")
    )
    return (
        alt.layer(lines, names, points)
        .properties(
            height=HEIGHT, title="Error of each epoch, one line a rate η", padding={"right": 40}
        )
        .to_dict(validate=False)
    )


def compare_data(many: History, rates: Sequence[float], scale: str) -> dict[str, pa.Table]:
    """The data sets of `compare_spec`: the runs of `many`, one for each of `rates`."""
    kept = _spread(many.epochs, 100)
    epochs, count = kept + 1, len(rates)
    runs = as_table(
        {
            "epoch": np.tile(epochs, count),
            "E_total": many.E_total[kept].T.ravel(),
            "eta": [f"{rate:g}" for rate in rates for _ in epochs],
            "rank": np.repeat(np.linspace(0, 1, count) if count > 1 else [1.0], len(epochs)),
        }
    )
    ends = many.E_total[-1]
    labels = as_table(
        {
            "epoch": np.full(count, many.epochs),
            "E_total": ends,
            "eta": [f"{rate:g}" for rate in rates],
            "label_at": _apart(ends, float(many.E_total.max()), scale),
        }
    )
    return {"runs": runs, "ends": labels}


@cache
def sweep_spec(scale: str) -> dict[str, Any]:
    """E_total of the last epoch against η; data sets `sweep`, `current` and `best`."""
    import altair as alt

    x = alt.X(
        "eta:Q",
        title="learning rate η (log scale)",
        scale=alt.Scale(type="log", nice=False),
        axis=alt.Axis(format="~g"),
    )
    y = alt.Y(
        "E_total:Q",
        title="error E_total at the last epoch",
        scale=_y_scale(scale),
        axis=_y_axis(scale),
    )
    tooltip = [
        alt.Tooltip("eta:Q", title="η", format=".4g"),
        alt.Tooltip("E_total:Q", title="E_total", format=".6g"),
    ]
    sweep = alt.Chart(alt.NamedData("sweep")).transform_filter(_drawable(scale, "E_total"))
    current = alt.Chart(alt.NamedData("current"))
    best = alt.Chart(alt.NamedData("best"))
    return (
        alt.layer(
            sweep.mark_line(color=LOSS, strokeWidth=2.5, aria=False).encode(x=x, y=y),
            current.mark_rule(color=NEUTRAL, strokeWidth=1.5, strokeDash=[4, 3], aria=False).encode(
                x=x
            ),
            current.mark_point(filled=True, color=LOSS, size=70, opacity=1).encode(
                x=x, y=y, tooltip=tooltip
            ),
            best.mark_point(shape="diamond", color=LOSS, size=110, strokeWidth=2, opacity=1).encode(
                x=x, y=y, tooltip=tooltip
            ),
            hover_rule(x, tooltip, sweep),
        )
        .properties(height=HEIGHT, title="Error at the last epoch for every rate")
        .to_dict(validate=False)
    )


def sweep_data(sweep: Sweep) -> dict[str, pa.Table]:
    """The data sets of `sweep_spec`."""
    rows = as_table({"eta": sweep.rates, "E_total": sweep.final})
    return {
        "sweep": rows,
        "best": rows.slice(sweep.best, 1),
        "current": as_table({"eta": [sweep.eta], "E_total": [sweep.own]}),
    }


def _apart(values: Array, top: float, scale: str, gap: float = 0.06) -> Array:
    """`values`, moved up where needed to lie at least `gap` of the axis (0 … top) apart."""
    if scale == "log":
        least = values[values > 0].min(initial=top)  # a zero has no place, and is not drawn
        floor, spread = np.log10(least), max(np.log10(top / least), 1e-9)
        places = (np.log10(np.maximum(values, least)) - floor) / spread
    else:
        places = values / (top or 1.0)
    order, last = np.argsort(places, kind="stable"), -np.inf
    for i in order:
        places[i] = last = max(places[i], last + gap)
    moved: Array = 10 ** (floor + places * spread) if scale == "log" else places * (top or 1.0)
    return moved


def usable_scale(scale: str, errors: Array) -> str:
    """`scale`, but "linear" where no error is above zero, as a logarithmic axis would be empty."""
    return scale if (errors > 0).any() else "linear"


def _drawable(scale: str, field: str) -> str:
    """The rows a logarithmic axis has a place for; an error can be exactly zero."""
    return f"datum.{field} > 0" if scale == "log" else "true"


def _y_scale(scale: str) -> alt.Scale:
    import altair as alt

    return alt.Scale(type="log", nice=False) if scale == "log" else alt.Scale(zero=True)


def _y_axis(scale: str) -> alt.Axis:
    import altair as alt

    return alt.Axis(format="~g", tickCount=4) if scale == "log" else alt.Axis(format="~g")


def _hover_of_two(epoch: alt.X, names: Sequence[str]) -> alt.Chart:
    """The hover of two runs, where one may have ended: Vega would write its missing number as 0."""
    import altair as alt

    rows = alt.Chart(alt.NamedData("hover"))
    for name in names:
        said = f"isValid(datum.{name}) ? format(datum.{name}, '.6g') : '–'"
        rows = rows.transform_calculate(**{f"{name}_said": said})
    tooltip = [
        alt.Tooltip("epoch:Q", title="epoch", format="d"),
        *(alt.Tooltip(f"{name}_said:N", title=name) for name in names),
    ]
    return hover_rule(epoch, tooltip, rows)


def _at(places: Array, values: Array) -> Array:
    """`values` at these indices, NaN behind their end."""
    return np.append(values, np.nan)[np.minimum(places, len(values))]


def _spread(count: int, most: int) -> Array:
    """At most `most` indices of `count`, evenly spread, the first and the last among them."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))
