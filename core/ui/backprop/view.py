"""Below the bench: how it shows its numbers, beside which others, and the numbers as files."""

from __future__ import annotations

import streamlit as st

from core.ui.backprop.settings import (
    MOST_IN_WORKBOOK,
    epochs_in_workbook,
    pin,
    run_of,
    schedule_of,
    settings,
    setup_of,
)
from core.ui.site import redraw


@st.fragment(key="view")
def view() -> None:
    """How the pictures and the table show their numbers, and beside which other run."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for name, label in (("edges", "Edges"), ("scale", "Error axis"), ("digits", "Digits")):
            st.segmented_control(
                label,
                settings.spec(name).options,
                default=settings[name],
                required=True,
                width="content",
                **settings.widget(name, then=lambda: redraw("sliders", "pictures", "panel")),
            )
        is_pinned = settings["pin"] is not None
        st.button(
            "Unpin" if is_pinned else "Pin this run",
            key="pin",
            help="A pinned run stays in the chart and in the table, beside the one you change",
            icon=":material/keep_off:" if is_pinned else ":material/keep:",
            on_click=_pin,
            kwargs={"is_on": not is_pinned},
        )


def _pin(*, is_on: bool) -> None:
    pin(is_on=is_on)
    redraw("pictures", "panel", "view")


def downloads() -> None:
    """The table and the workbook of what is set when they are asked for.

    In no fragment: each rerun of one makes Streamlit forget the files it offered before, and a
    click that is under way finds none. So these are offered once, and read the settings late.
    """
    values = settings.live()

    def table() -> str:
        run = run_of(values())
        rows = run.table()
        if not schedule_of(values()).is_constant:
            rows["η"] = run.learning_rate
        return rows.to_csv(index=False)

    def live_workbook() -> bytes:
        # Its library takes longer to import than the page's first numbers may.
        from core.workbook.export import workbook

        now = values()
        return workbook(setup_of(now), schedule_of(now), epochs_in_workbook(now))

    with st.container(horizontal=True, horizontal_alignment="right"):
        st.download_button(
            "Table as CSV",
            table,
            file_name="backprop.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            "Workbook",
            live_workbook,
            file_name="backprop.xlsx",
            mime="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            icon=":material/download:",
            help="The table with live formulas, for Excel or LibreOffice: the first "
            f"{MOST_IN_WORKBOOK:,} epochs, if there are more",
            on_click="ignore",
        )
