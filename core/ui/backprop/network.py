"""What kind of network it is: its activations and biases."""

from __future__ import annotations

import streamlit as st

from core.backprop.activations import ACTIVATIONS
from core.ui.backprop.settings import settings
from core.ui.site import redraw

_BIASES = {"none": "None", "stay": "Stay", "learn": "Learn"}


def network_menu() -> None:
    """A button that opens the choices; what is chosen holds for every picture and number."""
    with st.popover("Network", icon=":material/tune:", key="network"):
        for name, label in (("hidden", "Activation, hidden"), ("output", "Activation, output")):
            _choice(name, label, {name: known.symbol for name, known in ACTIVATIONS.items()})
        _choice("biases", "Biases, one a layer", _BIASES)
        st.caption("The pin beside a weight keeps it: it takes no step.")


def _choice(name: str, label: str, words: dict[str, str]) -> None:
    st.segmented_control(
        label,
        settings.spec(name).options,
        default=settings[name],
        format_func=words.__getitem__,
        required=True,
        **settings.widget(name, then=_redraw),
    )


def _redraw() -> None:
    redraw("start")
