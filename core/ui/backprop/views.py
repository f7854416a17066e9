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
from core.ui.turns import in_turn


class _View(NamedTuple):
    """What a tab holds, and which of its fragments move with the hand or wait for its rest."""

    draw: Callable[[], None]
    follow: tuple[str, ...] = ()
    rest: tuple[str, ...] = ()


_VIEWS = dict(
    zip(
        TABS,
        (
            _View(table, follow=("panel",)),
            _View(derivation, follow=("rules",), rest=("reasons",)),
            _View(rates, rest=("panel",)),
            _View(landscapes, follow=("contours",), rest=("contours",)),
            _View(checks, rest=("panel",)),
        ),
        strict=True,
    )
)


def following() -> tuple[str, ...]:
    """The fragments of the open tab that are redrawn while the hand moves."""
    return _VIEWS[settings["tab"]].follow


def resting() -> tuple[str, ...]:
    """The fragments of the open tab that are redrawn when the hand rests."""
    return _VIEWS[settings["tab"]].rest


@st.fragment(key="views")
def views() -> None:
    """The tabs, and in the open one its view."""
    # The sliders know whether anything here waits for their rest.
    opened = settings.widget("tab", then=lambda: redraw("sliders", "pictures", "views"))
    for tab in st.tabs(TABS, default=settings["tab"], **opened):
        if tab.open:
            with tab:
                panel()


@st.fragment(key="panel")
@in_turn
def panel() -> None:
    """The view of the open tab, a fragment of its own: the tabs stand while its numbers move."""
    _VIEWS[settings["tab"]].draw()
    settings.write()
