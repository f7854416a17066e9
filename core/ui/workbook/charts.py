"""Charts of a checked workbook: its table as a map, and its loss curve beside the right one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from core.ui.arrow import as_table
from core.ui.charts import epoch_axis, hover_rule, top_legend
from core.ui.colours import LOSS, NEUTRAL, WRONG
from core.workbook.judge.run import Run
from core.workbook.report.report import Finding
from core.workbook.report.states import CellState

if TYPE_CHECKING:
    import pyarrow as pa

HEIGHT = 340
MOST_ROWS = 120
PARTS = {
    "slip": "a slip",
    "follows": "wrong because of one",
    "right": "right",
    "unknown": "no number",
}
_FILLS = [WRONG, "rgba(214, 51, 108, 0.35)", "rgba(125, 136, 148, 0.22)", "rgba(0, 0, 0, 0)"]


@cache
def map_spec(rows: int) -> dict[str, Any]:
    """The table, cell by cell; data set `cells`."""
    import altair as alt

    words = list(PARTS.values())
    chart = (
        alt.Chart(alt.NamedData("cells"))
        .mark_rect(aria=False)
        .encode(
            x=alt.X(
                "heading:N",
                title="column",
                sort=None,
                scale=alt.Scale(padding=0, round=True),
                axis=alt.Axis(
                    labelAngle=-90,
                    ticks=False,
                    domain=False,
                    labelOverlap=False,
                    labelFontSize=alt.ExprRef("clamp(bandwidth('x'), 7, 10)"),
                ),
            ),
            y=alt.Y(
                "epoch:O",
                title="epoch",
                scale=alt.Scale(padding=0, round=True),
                axis=alt.Axis(ticks=False, domain=False, labelOverlap=True),
            ),
            color=alt.Color(
                "part:N",
                title=None,
                scale=alt.Scale(domain=words, range=_FILLS),
                legend=top_legend(
                    words[:3],
                    values=words[:3],
                    symbolType="square",
                    symbolStrokeWidth=0.5,
                    symbolStrokeColor=NEUTRAL,
                    labelLimit=220,
                ),
            ),
            tooltip=[
                alt.Tooltip("cell:N", title="cell"),
                alt.Tooltip("heading:N", title="column"),
                alt.Tooltip("epoch:O", title="epoch"),
                alt.Tooltip("holds:N", title="holds"),
                alt.Tooltip("should:N", title="right is"),
                alt.Tooltip("part:N", title="which is"),
            ],
        )
        .properties(
            height=200
            + min(max(6 * rows, min(14 * rows + 20, 110)), 300),  # 200: legend and headings
            title="The table, cell by cell",
        )
    )
    spec: dict[str, Any] = chart.to_dict(validate=False)
    return spec


def shown_epochs(states: Sequence[CellState]) -> list[int]:
    """At most `MOST_ROWS` epochs, evenly spread, and the first of each column's slips."""
    epochs = sorted({state.epoch for state in states})
    if len(epochs) <= MOST_ROWS:
        return epochs
    spread = np.unique(np.linspace(0, len(epochs) - 1, MOST_ROWS).round().astype(int))
    first: dict[str, int] = {}
    for state in states:
        if state.part == "slip":
            first.setdefault(state.quantity, state.epoch)
    return sorted({*(epochs[i] for i in spread), *first.values()})


def map_data(run: Run, states: Sequence[CellState]) -> dict[str, pa.Table]:
    """The data set of `map_spec`, columns in the order of the file."""
    epochs = set(shown_epochs(states))
    kept = [state for state in states if state.epoch in epochs]
    drops, columns = run.table.drops, run.table.columns
    kept.sort(key=lambda s: (drops.get(s.quantity, 0), columns[s.quantity], s.epoch))
    return {
        "cells": as_table(
            {
                "heading": [run.reading.heading(state.quantity) for state in kept],
                "epoch": [state.epoch for state in kept],
                "cell": [state.at.cell for state in kept],
                "holds": [_digits(state.value) for state in kept],
                "should": [_digits(state.right) for state in kept],
                "part": [PARTS[state.part] for state in kept],
            }
        )
    }


def _digits(value: float) -> str:
    return "no number" if math.isnan(value) else f"{value:.9g}"


LINES = {"right": "right", "file": "in the file", "alone": "one slip alone"}


@cache
def curves_spec(*, alone: bool) -> dict[str, Any]:
    """E_total in the file and right; data sets `curves`, `ends`, `hover`.

    alone: whether there are lines with each slip alone, too.
    """
    import altair as alt

    words = list(LINES.values()) if alone else list(LINES.values())[:2]

    epoch = epoch_axis()
    curves = alt.Chart(alt.NamedData("curves"))
    error = alt.Y("E_total:Q", title="error E_total", axis=alt.Axis(format="~g"))
    lines = curves.mark_line(clip=True, aria=False).encode(
        x=epoch,
        y=error,
        detail="line:N",
        color=alt.value(LOSS),
        strokeDash=alt.StrokeDash(
            "kind:N",
            title=None,
            scale=alt.Scale(domain=words, range=[[1, 0], [7, 3], [2, 3]][: len(words)]),
            legend=top_legend(words, symbolSize=400, symbolStrokeWidth=2, symbolStrokeColor=LOSS),
        ),
        strokeWidth=alt.condition(
            f"datum.kind == '{LINES['alone']}'", alt.value(1.4), alt.value(2.4)
        ),
    )
    names = (
        alt.Chart(alt.NamedData("ends"))
        .mark_text(align="left", dx=6, fontSize=11, aria=False)
        .encode(x=epoch, y=error, text="name:N")
        .properties(name="labels")
    )
    tooltip = [
        alt.Tooltip("epoch:Q", title="epoch", format="d"),
        alt.Tooltip("right:Q", title="right", format=".9g"),
        alt.Tooltip("file:Q", title="in the file", format=".9g"),
        alt.Tooltip("difference:Q", title="difference", format="+.3g"),
    ]
    return (
        alt.layer(lines, names, hover_rule(epoch, tooltip))
        .properties(height=HEIGHT, title="E_total: in the file, and right", padding={"right": 40})
        .to_dict(validate=False)
    )


def curves_data(run: Run, findings: Sequence[tuple[int, Finding]]) -> dict[str, pa.Table]:
    """The data sets of `curves_spec`; findings: those of this run, each with its number."""
    epochs = np.array([1 + run.table.epoch(k) for k in range(run.epochs)])
    alone = [(n, f.curve) for n, f in findings if f.curve is not None] if several(findings) else []
    lines = [("right", LINES["right"], run.right), ("file", LINES["file"], run.theirs)]
    lines += [(f"slip {n}", LINES["alone"], curve) for n, curve in alone]
    return {
        "curves": as_table(
            {
                "epoch": np.tile(epochs, len(lines)),
                "E_total": np.concatenate([values for _, _, values in lines]),
                "line": [name for name, _, _ in lines for _ in epochs],
                "kind": [kind for _, kind, _ in lines for _ in epochs],
            }
        ),
        "ends": as_table(_ends(run, alone)),
        "hover": as_table(
            {
                "epoch": epochs,
                "right": run.right,
                "file": run.theirs,
                "difference": run.theirs - run.right,
            }
        ),
    }


def several(findings: Sequence[tuple[int, Finding]]) -> bool:
    """Whether slips can be told apart by their curves: a single one's is the file's own."""
    return sum(finding.curve is not None for _, finding in findings) > 1


def _ends(run: Run, alone: Sequence[tuple[int, Any]]) -> dict[str, Any]:
    """Names at the ends of the lines that can be told from those named before."""
    named: list[tuple[float, str]] = [(float(run.right[-1]), "")]
    spread = float(np.nanmax([*run.right, *run.theirs, 1e-12]))
    for number, curve in alone:
        last = float(curve[-1])
        if all(abs(last - other) > 0.06 * spread for other, _ in named) and not math.isnan(last):
            named.append((last, f"slip {number}"))
    return {
        "epoch": [1 + run.table.epoch(run.epochs - 1) for _ in named[1:]],
        "E_total": [at for at, _ in named[1:]],
        "name": [name for _, name in named[1:]],
    }


@cache
def difference_spec() -> dict[str, Any]:
    """What the slips add to E_total; data set `hover` of `curves_data`."""
    import altair as alt

    epoch = epoch_axis()
    rows = alt.Chart(alt.NamedData("hover"))
    area = rows.mark_area(
        color=LOSS, fillOpacity=0.25, line={"color": LOSS, "strokeWidth": 2}, aria=False
    ).encode(
        x=epoch,
        y=alt.Y("difference:Q", title="file − right", axis=alt.Axis(format="~g", tickCount=5)),
    )
    tooltip = [
        alt.Tooltip("epoch:Q", title="epoch", format="d"),
        alt.Tooltip("difference:Q", title="file − right", format="+.6g"),
    ]
    return (
        alt.layer(area, hover_rule(epoch, tooltip))
        .properties(height=HEIGHT, title="How far the file's E_total is off")
        .to_dict(validate=False)
    )


def difference_data(run: Run) -> dict[str, pa.Table]:
    """The data set of `difference_spec`."""
    return {"hover": curves_data(run, [])["hover"]}
