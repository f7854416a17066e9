"""The table of all epochs: a native HTML table that follows the chosen epoch.

Streamlit's dataframe draws on a canvas and can neither mark a row nor scroll to it, and styling its
cells takes half a second for a thousand epochs. This one keeps only the rows in view, and changes
them while a slider moves. On paper all rows stand, in groups of columns that fit a sheet.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from core.backprop.derivation import column_formulas
from core.backprop.network import Network
from core.ui.arrow import as_table
from core.ui.backprop.settings import (
    chosen_epoch,
    chosen_step,
    current_run,
    pinned_run,
    schedule_of,
    settings,
)
from core.ui.colours import FORWARD, GRADIENT_DOWN, GRADIENT_UP, LOSS, NEUTRAL
from core.ui.sent import sent
from core.ui.site import redraw

_HERE = Path(__file__).parent

_GRADIENT = "gradient (orange above zero, purple below; the deeper, the larger in its column)"
# (heading, its colour, its first column)
_GROUPS = [
    ("example", NEUTRAL, "t1"),
    ("hidden layer", FORWARD, "w1"),
    ("output layer", FORWARD, "w5"),
    ("error", LOSS, "E1"),
    (_GRADIENT, GRADIENT_UP, "∂E/∂w1"),
]
_ETA = "η"  # the last column, where it changes
_MOST = 1000  # rows that are sent at a time; the browser asks for others when it gets there


@cache
def _head(network: Network, *, has_eta: bool) -> dict[str, Any]:
    """The groups of columns, each with its heading, hue and span, and the columns' titles."""
    columns, formulas = network.columns, column_formulas(network)
    groups = _GROUPS
    if has_eta:
        columns, formulas = (*columns, _ETA), {**formulas, _ETA: "learning rate of its step"}
        groups = [*groups, ("rate", NEUTRAL, _ETA)]
    starts = [columns.index(first) for *_, first in groups]
    spans = np.diff([*starts, len(columns)]).tolist()
    return {
        "groups": [
            {"heading": heading, "hue": hue, "span": span}
            for (heading, hue, _), span in zip(groups, spans, strict=True)
        ],
        "columns": [{"name": name, "formula": f"{name}: {formulas[name]}"} for name in columns],
    }


_HTML = (
    '<div class="epoch-table" tabindex="0" role="region" aria-label="All epochs, one row each">'
    "<table><colgroup></colgroup><thead></thead><tbody></tbody></table></div>"
)

_mount = st.components.v2.component(
    "epoch_table",
    html=_HTML,
    css=(_HERE / "epoch_table.css").read_text(encoding="utf-8")
    + f":host {{ --up: {GRADIENT_UP}; --down: {GRADIENT_DOWN}; }}",
    js=(_HERE / "epoch_table.js").read_text(encoding="utf-8"),
)


def table() -> None:
    """All epochs of the run, the chosen one marked; a click on a row chooses its epoch.

    While a run is pinned, its chosen epoch, this one's and their difference stand above them.
    """
    key, history, epoch, pinned = "epoch_table", current_run(), chosen_epoch(), pinned_run()
    then = pinned.row(epoch) if pinned and epoch <= pinned.epochs else {}
    first = _first_sent(history.epochs, epoch)
    rows, columns = history.single_rows(), history.columns
    tinted, end = columns.index("∂E/∂w1"), len(columns)
    has_eta = not schedule_of(settings.values).is_constant
    if has_eta:
        rows, columns = np.vstack([rows, history.learning_rate]), (*columns, _ETA)
        if then and pinned:
            then[_ETA] = float(pinned.learning_rate[epoch - 1])
    near = rows[:, first : first + _MOST]
    _mount(
        key=key,
        data={
            "head": _head(history.setup.network, has_eta=has_eta),
            "rows": as_table(dict(zip(columns, near, strict=True))),
            "first": first,
            "count": history.epochs,
            "tinted": tinted,
            "largest": np.abs(rows[tinted:end]).max(axis=1).tolist(),
            "chosen": epoch,
            "beside": pinned
            and [
                [then.get(name) for name in columns],
                rows[:, epoch - 1].tolist(),
            ],
            "marks": _marks(columns, epoch),
            "full": settings["digits"] == "all",
        },
        on_choose_change=lambda: _choose(sent(lambda: int(st.session_state[key]["choose"]))),
        on_look_change=lambda: _look(sent(lambda: int(st.session_state[key]["look"]))),
    )


def _marks(columns: Sequence[str], epoch: int) -> dict[str, Any]:
    """What the chosen step computes, [its epoch, its column], and the columns it comes from."""
    step = chosen_step()
    if not step:
        return {"computed": None, "used": []}
    own = columns.index(step.name) if step.name in columns else None
    return {
        "computed": own if own is None else [epoch + step.is_update, own],
        "used": [columns.index(name) for name in step.used],
    }


_SENT = "epoch_table.sent"  # in the session: the first row that is sent, and the epoch chosen then


def _first_sent(epochs: int, chosen: int) -> int:
    """Where the rows that are sent begin, from 0; an epoch that was just chosen is among them."""
    first, before = st.session_state.get(_SENT, (0, chosen))
    if chosen != before and not first < chosen <= first + _MOST:
        first = chosen - _MOST // 2
    first = max(0, min(first, epochs - _MOST))
    st.session_state[_SENT] = first, chosen
    return int(first)


def _look(row: int | None) -> None:
    """Send the rows around `row`, from 0."""
    if row is None:
        return
    st.session_state[_SENT] = row - _MOST // 2, chosen_epoch()
    redraw("panel")


def _choose(epoch: int | None) -> None:
    if epoch is None:
        return
    settings.edit({"epoch": epoch})
    redraw("sliders", "pictures", "panel")
