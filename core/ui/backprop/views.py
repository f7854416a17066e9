"""The tabs below the bench, of which only the open one is computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import streamlit as st

from core.ui.backprop.checks import checks
from core.ui.backprop.derivation import derivation
from core.ui.backprop.epoch_table import table
from core.ui.backprop.landscapes import landscapes
from core.ui.backprop.rates import rates
from core.ui.backprop.settings import TABS, settings
from core.ui.site import redraw


class _View(NamedTuple):
    """draw: what the tab holds. follows: it moves with the hand; else it waits for its rest."""

    draw: Callable[[], None]
    follows: bool


_VIEWS = dict(
    zip(
        TABS,
        (
            _View(table, follows=True),
            _View(derivation, follows=True),
            _View(rates, follows=False),
            _View(landscapes, follows=True),
            _View(checks, follows=False),
        ),
        strict=True,
    )
)


def following() -> tuple[str, ...]:
    """The fragments of the open tab that are redrawn while the hand moves."""
    return ("panel",) if _VIEWS[settings["tab"]].follows else ()


def resting() -> tuple[str, ...]:
    """The fragments of the open tab that are redrawn when the hand rests."""
    return () if following() else ("panel",)


@st.fragment(key="views")
def views() -> None:
    """The tabs, and in the open one its view."""
    for tab in st.tabs(TABS, **settings.widget("tab", then=lambda: redraw("pictures", "views"))):
        if tab.open:
            with tab:
                panel()


@st.fragment(key="panel")
def panel() -> None:
    """The view of the open tab, a fragment of its own: the tabs stand while its numbers move."""
    _VIEWS[settings["tab"]].draw()
    settings.write()
