"""Learning rates side by side."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.backprop.network import descend
from core.backprop.sweep import sweep_rates
from core.ui.backprop.charts import compare_data, compare_spec, sweep_data, sweep_spec, usable_scale
from core.ui.backprop.settings import current_run, current_setup, settings
from core.ui.charts import draw


def rates() -> None:
    """Learning rates side by side: their curves, and where a dense sweep of them ends."""
    setup, eta, epochs = current_setup(), settings["eta"], settings["epochs"]
    compared = settings["rates"]
    settings.number("rates", "Compare these, separated by spaces", width=420)
    many = descend(setup, np.array(compared), epochs)
    sweep = sweep_rates(setup, eta, epochs)
    left, right = st.columns(2)
    with left:
        scale = usable_scale(settings["scale"], many.E_total)
        draw(
            compare_spec(scale),
            compare_data(many, compared, scale),
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
    changed = (current_run().learning_rate[:-1] != eta).any()  # the last one makes no step
    scheduled = f" if it stays; as it changes, {current_run().E_total[-1]:.6g}" if changed else ""
    where = ", an end of the sweep," if sweep.best_is_an_end else ""
    st.markdown(
        f"Best of the {len(sweep.rates)} rates swept: **η = {sweep.rates[sweep.best]:.4g}**{where} "
        f"with E_total = **{sweep.final[sweep.best]:.6g}** at epoch {epochs}. "
        f"Yours: η = {eta:g} with {sweep.own:.6g}{scheduled}."
    )
