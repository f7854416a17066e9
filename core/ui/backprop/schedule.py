"""Changing the learning rate on the way: a schedule, and changes by hand."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.backprop.schedule import KINDS
from core.ui.backprop.settings import MOST_CHANGES, MOST_EPOCHS, chosen_epoch, settings
from core.ui.sent import sent
from core.ui.site import redraw

_EPOCH, _RATE = "from epoch", "η"
_TABLE = "backprop.changes table"  # in the session: what it began with, what it holds, its number
FIELDS: dict[str, tuple[tuple[str, str], ...]] = {
    "constant": (),
    "steps": (("factor", "Factor"), ("every", "every … epochs")),
    "exponential": (("factor", "Factor"), ("every", "over … epochs")),
    "cosine": (("floor", "Down to η"),),
}
_Changes = tuple[tuple[int, float], ...]


def schedule_menu() -> None:
    """A button that changes η from the chosen epoch on, and one that opens the choices."""
    st.button(
        f"η = {settings['new']:g} from here on",
        key="change",
        icon=":material/edit_calendar:",
        help="From the chosen epoch on, also while it plays. Its number is set in Schedule",
        on_click=_change,
    )
    with st.popover("Schedule", icon=":material/trending_down:", key="schedule"):
        schedule()


@st.fragment(key="schedule")
def schedule() -> None:
    """How η changes, and the changes that were made by hand."""
    st.segmented_control(
        "Learning rate",
        KINDS,
        default=settings["schedule"],
        required=True,
        **settings.widget("schedule", then=_redraw),
    )
    with st.container(horizontal=True):
        for name, label in FIELDS[settings["schedule"]]:
            settings.number(name, label, then=_redraw, width=150)
    settings.number("new", "η of “from here on”", then=lambda: redraw("start"))
    _table()


def _change() -> None:
    """Another η from the chosen epoch on."""
    if chosen_epoch() == settings["epochs"]:
        st.toast("This is the last epoch: no step follows that another η could make.")
        return
    changes = {**dict(settings["changes"]), chosen_epoch(): settings["new"]}
    if len(changes) > MOST_CHANGES:
        st.toast(f"There are {MOST_CHANGES} changes already, the most. Delete one in Schedule.")
        return
    settings.edit({"changes": tuple(sorted(changes.items()))})
    _redraw()


def _redraw() -> None:
    redraw("schedule", "sliders", "pictures", "panel")


def _table() -> None:
    """The changes by hand, to be edited.

    Streamlit keeps a person's edits beside the rows that the table began with, so those stay as
    they were until something else than the table changes them.
    """
    import pandas as pd

    state, now = st.session_state, settings["changes"]
    began, held, number = state.get(_TABLE, (now, now, 0))
    # It forgets the edits while another page is open.
    is_forgotten = began != now and f"backprop.changes {number}" not in state
    if held != now or is_forgotten:
        began, held, number = now, now, number + 1
    state[_TABLE] = began, held, number
    key = f"backprop.changes {number}"

    def edited() -> None:
        applied = sent(lambda: _applied(began, state[key]))
        if applied is None:
            return
        changes, left_out = applied
        state[_TABLE] = began, None if left_out else changes, number
        if left_out:
            st.toast(
                f"Of two changes at one epoch the later counts, and {MOST_CHANGES} are the most."
            )
        settings.edit({"changes": changes})
        _redraw()

    rows = pd.DataFrame(
        {_EPOCH: [epoch for epoch, _ in began], _RATE: [rate for _, rate in began]}
    ).astype({_EPOCH: "int64", _RATE: "float64"})
    # In a container of its own: the browser's editor keeps the number of rows it began with.
    with st.container(key=f"changes-{number}"):
        st.data_editor(
            rows,
            key=key,
            num_rows="dynamic",
            hide_index=True,
            on_change=edited,
            column_config={
                _EPOCH: st.column_config.NumberColumn(
                    min_value=1, max_value=MOST_EPOCHS, step=1, required=True
                ),
                _RATE: st.column_config.NumberColumn(
                    min_value=0, max_value=1000, required=True, format="%.6g"
                ),
            },
        )


def _applied(began: _Changes, edits: dict[str, Any]) -> tuple[_Changes, int]:
    """The changes after a person's edits, and how many of the rows make none.

    Of two at one epoch the later counts. A row that is not whole yet is not counted.
    """
    rows = [{_EPOCH: epoch, _RATE: rate} for epoch, rate in began]
    for index, cells in edits["edited_rows"].items():
        rows[int(index)].update(cells)
    gone = set(edits["deleted_rows"])
    rows = [row for index, row in enumerate(rows) if index not in gone] + edits["added_rows"]
    whole: dict[int, float] = {}
    count = 0
    for row in rows:
        epoch, rate = row.get(_EPOCH), row.get(_RATE)
        if epoch is None or rate is None:
            continue
        if 1 <= epoch <= MOST_EPOCHS and 0 <= rate <= 1000:
            whole[int(epoch)] = float(rate)
            count += 1
    changes = tuple(sorted(list(whole.items())[:MOST_CHANGES]))
    return changes, count - len(changes)
