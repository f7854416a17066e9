"""Who may change a run: the session that started it, and administrators."""

from __future__ import annotations

import secrets

import streamlit as st

from core.mnist.policy import Policy, mark
from core.mnist.runs import Run

OWN, GIVEN = "mnist.own_token", "mnist.admin_token"
state = st.session_state


def own_mark() -> str:
    """The mark of the runs that this session starts; its token never leaves the server."""
    return mark(state.setdefault(OWN, secrets.token_urlsafe()))


def may_change(run: Run, allowed: Policy) -> bool:
    """Whether this session may stop, resume or delete a run."""
    tokens = (state.get(name, "") for name in (OWN, GIVEN))
    return allowed.may_change(run.owner, filter(None, tokens))


def administrator(allowed: Policy) -> None:
    """Where a person says that the server is hers or his."""
    if not allowed.admin:
        return
    with st.popover("Administrator", icon=":material/key:"):
        if state.get(GIVEN) == allowed.admin:
            st.markdown("You may stop, resume and delete every run, until this tab is closed.")
            return
        st.markdown("With the server's token you may stop, resume and delete every run.")
        with st.form("mnist.admin_form", border=False):
            given = st.text_input(
                "Token",
                type="password",
                autocomplete="current-password",
                key="mnist.admin_token_field",
            )
            if st.form_submit_button("Enter"):
                if allowed.may_change("", [given]):
                    state[GIVEN] = given
                    st.rerun()
                st.error("This is not the server's token.")
