"""The table of all epochs: a native HTML table that follows the chosen epoch.

Streamlit's dataframe draws on a canvas and can neither mark a row nor scroll to it, and styling its
cells takes half a second for a thousand epochs. This one keeps only the rows in view, and changes
them while a slider moves. On paper all rows stand, in groups of columns that fit a sheet.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.backprop.derivation import column_formulas
from core.backprop.network import COLUMNS, GRADIENTS
from core.ui.arrow import as_table
from core.ui.backprop.settings import chosen_epoch, current_run, settings
from core.ui.colours import FORWARD, GRADIENT_DOWN, GRADIENT_UP, LOSS, NEUTRAL
from core.ui.site import redraw

_HERE = Path(__file__).parent

# (heading, its colour, how many columns)
_GROUPS = [
    ("example", NEUTRAL, 4),
    ("hidden layer", FORWARD, 8),
    ("output layer", FORWARD, 8),
    ("error", LOSS, 3),
    (
        "gradient (orange above zero, purple below; the deeper, the larger in its column)",
        GRADIENT_UP,
        len(GRADIENTS),
    ),
]


def _html() -> str:
    headings = "".join(
        f'<th scope="colgroup" colspan="{span}" style="--hue: {hue}">{heading}</th>'
        for heading, hue, span in _GROUPS
    )
    columns = "".join(
        f'<th scope="col" title="{name}: {column_formulas()[name]}">{name}</th>' for name in COLUMNS
    )
    return (
        '<div class="epoch-table" tabindex="0" role="region" aria-label="All epochs, one row each">'
        f"<table><colgroup><col>{'<col>' * len(COLUMNS)}</colgroup><thead>"
        f'<tr><th class="pin"></th>{headings}</tr>'
        f'<tr><th class="pin" scope="col">epoch</th>{columns}</tr></thead>'
        "<tbody></tbody></table></div>"
    )


_mount = st.components.v2.component(
    "epoch_table",
    html=_html(),
    css=(_HERE / "epoch_table.css").read_text(encoding="utf-8")
    + f":host {{ --up: {GRADIENT_UP}; --down: {GRADIENT_DOWN}; }}",
    js=(_HERE / "epoch_table.js").read_text(encoding="utf-8"),
)


def table() -> None:
    """All epochs of the run, the chosen one marked; a click on a row chooses its epoch."""
    key, history = "epoch_table", current_run()
    _mount(
        key=key,
        data={
            "rows": as_table(dict(zip(COLUMNS, history.single_rows(), strict=True))),
            "tinted": len(COLUMNS) - len(GRADIENTS),
            "chosen": chosen_epoch(),
            "full": settings["digits"] == "all",
        },
        on_choose_change=lambda: _choose(int(st.session_state[key]["choose"])),
    )


def _choose(epoch: int) -> None:
    settings.edit({"epoch": epoch})
    redraw("sliders", "pictures", "panel")
