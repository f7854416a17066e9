"""Below the bench: how it shows its numbers, the files, and learning rates side by side."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.backprop.network import Setup, descend
from core.backprop.sweep import sweep_rates
from core.ui.backprop.charts import compare_data, compare_spec, sweep_data, sweep_spec, usable_scale
from core.ui.backprop.settings import current_run, current_setup, settings
from core.ui.charts import draw
from core.ui.site import redraw


@st.fragment(key="rest")
def rest() -> None:
    """What may wait until the hand rests."""
    _view()
    _compare()
    settings.write()


def _view() -> None:
    """How the pictures and the table show their numbers, and the table as a file."""
    history = current_run()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for name, label in (("edges", "Edges"), ("scale", "Error axis"), ("digits", "Digits")):
            st.segmented_control(
                label,
                settings.spec(name).options,
                required=True,
                width="content",
                **settings.widget(name, then=lambda: redraw("pictures", "rest")),
            )
        st.space("stretch")
        st.download_button(
            "Table as CSV",
            lambda: history.table().to_csv(index=False),
            file_name="backprop.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        setup, rate = current_setup(), settings["eta"]
        st.download_button(
            "Workbook",
            lambda: _live_workbook(setup, rate, history.epochs),
            file_name="backprop.xlsx",
            mime="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            icon=":material/download:",
            help="The table with live formulas, for Excel or LibreOffice",
            on_click="ignore",
        )


def _live_workbook(setup: Setup, rate: float, epochs: int) -> bytes:
    # Its library takes longer to import than the page's first numbers may.
    from core.backprop.workbook import workbook

    return workbook(setup, rate, epochs)


def _compare() -> None:
    """Learning rates side by side: their curves, and where a dense sweep of them ends."""
    st.subheader("Learning rates", anchor=False)
    setup, eta, epochs, rates = (
        current_setup(),
        settings["eta"],
        settings["epochs"],
        settings["rates"],
    )
    settings.number("rates", "Compare these, separated by spaces", width=420)
    many = descend(setup, np.array(rates), epochs)
    sweep = sweep_rates(setup, eta, epochs)
    left, right = st.columns(2)
    with left:
        scale = usable_scale(settings["scale"], many.E_total)
        draw(
            compare_spec(scale),
            compare_data(many, rates, scale),
            key="compare",
            alt_text="E_total against the epoch, one line for each learning rate",
        )
    with right:
        draw(
            sweep_spec(usable_scale(settings["scale"], sweep.final)),
            sweep_data(sweep),
            key="sweep",
            alt_text="E_total at the last epoch against the learning rate, the current rate and "
            "the best one marked",
        )
    where = ", an end of the sweep," if sweep.best_is_an_end else ""
    st.markdown(
        f"Best of the {len(sweep.rates)} rates swept: **η = {sweep.rates[sweep.best]:.4g}**{where} "
        f"with E_total = **{sweep.final[sweep.best]:.6g}** at epoch {epochs}. "
        f"Yours: η = {eta:g} with {sweep.own:.6g}."
    )
