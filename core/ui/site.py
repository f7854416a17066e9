"""The pages of the app, and the one door to all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

_HERE = Path(__file__).parent


def navigation() -> Any:
    """Declare the pages to Streamlit; the result is the page to run."""
    st.session_state.entered = True
    st.html(_HERE / "site.css")
    return st.navigation(
        [
            st.Page("pages/home.py", title="Home", icon=":material/home:", default=True),
            st.Page("pages/backprop.py", title="Backpropagation", icon=":material/account_tree:"),
            st.Page("pages/workbook.py", title="Workbooks", icon=":material/table_view:"),
            st.Page("pages/mnist.py", title="MNIST", icon=":material/grid_on:"),
            st.Page("pages/sketch.py", title="Sketch", icon=":material/draw:"),
        ],
        position="top",
    )


def enter() -> None:
    """Make sure the page runs inside the app; every page calls it first.

    Until the first `st.navigation`, Streamlit takes the folder `pages/` for the app's navigation.
    So the first link to a page that a fresh server sees runs the page without `streamlit_app.py`:
    no title, no layout, another menu. Declaring the pages and running again mends that.
    """
    if not st.session_state.get("entered"):
        navigation()
        st.rerun()


def picture(page: str, alt: str) -> None:
    """Show what a page looks like, in the light or the dark of the person's theme."""
    scheme = "dark" if st.context.theme.type == "dark" else "light"
    st.image(_HERE / "pictures" / f"{page}-{scheme}.png", width="stretch", alt=alt)
