"""The task in which a workbook that is right is handed out."""

from __future__ import annotations

import streamlit as st

from core.backprop.network import Setup
from core.backprop.schedule import Schedule
from core.ui.site import link
from core.ui.workbook.words import XLSX, in_words
from core.workbook.export import workbook


def view(setup: Setup, schedule: Schedule, epochs: int) -> None:
    """The setting of the backpropagation page as a file."""
    st.markdown(
        "The setting of the backpropagation page as a workbook that calculates itself: change η, "
        "an input, a target or a weight in Excel or LibreOffice, and the table, both charts and "
        "all six learning rates follow."
    )
    changing = "" if schedule.is_constant else ", which changes on the way as set there"
    st.markdown(f"{in_words(setup.numbers | {'η': schedule.eta})}{changing}; {epochs} epochs.")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Workbook",
            lambda: workbook(setup, schedule, epochs),
            file_name="backprop.xlsx",
            mime=XLSX,
            icon=":material/download:",
            type="primary",
            on_click="ignore",
        )
        link("backprop", "Change the setting", icon=":material/arrow_forward:")
    st.markdown(
        "- **Backprop**: the initial values and η in yellow cells, the table of every epoch in "
        "live formulas, a chart of its errors.\n"
        "- **Learning rates**: E_total of every epoch at six rates you can change, with a chart.\n"
        "- **Formulas**: what each column is, in symbols and in cells."
    )
