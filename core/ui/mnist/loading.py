"""A network from a file: given, refused in words, measured on request."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.mnist.recipe import DIGITS
from core.mnist.records import MAX_BYTES, CheckpointError, Record
from core.mnist.run_folder import RunError
from core.mnist.source import DataError, available
from core.ui.mnist.rights import own_mark
from core.ui.mnist.settings import settings
from core.ui.text import plain

GIVEN, REFUSED = "mnist.given", "mnist.file_refused"
state = st.session_state


def loader() -> None:
    """Where a file is dropped."""
    number = state.setdefault(GIVEN, 0)  # another number: a closed popover, an empty uploader
    with st.popover(
        "Load a file",
        icon=":material/upload_file:",
        width="stretch",
        key=f"mnist.loader {number}",
    ):
        st.markdown(
            "Drop a network downloaded from this page, here or on another machine. Or the weights "
            "of such a network, saved with safetensors. Everybody here then finds it in the lists."
        )
        key = f"{GIVEN} {number}"
        st.file_uploader(
            "A network, as a safetensors file",
            key=key,
            on_change=_take,
            args=(key,),
            label_visibility="collapsed",
            max_upload_size=MAX_BYTES // 1_000_000,
        )


def _take(key: str) -> None:
    given = state[key]
    if given is None:
        return
    state[GIVEN] += 1
    from core.mnist import portable

    try:
        settings.edit({"network": portable.keep(given.getvalue(), given.name, own_mark()).name})
    except (CheckpointError, RunError) as error:
        state[REFUSED] = str(error)


def refusal() -> None:
    """Why the last file, or the last wish, could not be."""
    if refused := state.pop(REFUSED, ""):
        st.error(plain(refused), icon=":material/error:")


def foreign(folder: Path, record: Record) -> None:
    """What is not known of a network that came without a record, and the way to its figures."""
    if record.test is not None:
        title = DIGITS[record.config.data]
        st.caption(f"Loaded without a record, and measured here on {title}'s test set.")
        return
    st.info(
        "This file came without a record: how it was trained, and what it reaches, is not known.",
        icon=":material/help:",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        for source, title in DIGITS.items():
            st.button(
                f"Measure on {title}'s test set",
                icon=":material/speed:",
                on_click=_measure,
                args=(folder, source),
                disabled=not available(source),
                help=None if available(source) else "MNIST is not on this machine yet.",
            )


def _measure(folder: Path, source: str) -> None:
    from core.mnist import portable

    try:
        portable.measure(folder, source)
    except (CheckpointError, DataError, RunError) as error:
        state[REFUSED] = str(error)
