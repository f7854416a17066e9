"""Pictures of a digit, from a file or the camera."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile
from torch import Tensor

from core.mnist.photo import FORMATS, MAX_BYTES, PhotoError, read_ink
from core.mnist.sketch import Pixels
from core.ui.sketch.ink import as_mnist
from core.ui.text import plain

PREVIEW = 200  # px wide

state = st.session_state


@dataclass
class _Given:
    """What one source has given: the ink of the last good picture, and what was refused since.

    files: how many have been given, so that each meets an empty list.
    """

    ink: Pixels | None = None
    name: str = ""
    refused: str = ""
    files: int = 0

    def take(self, file: UploadedFile | None) -> None:
        """A picture, or None where the camera's was thrown away."""
        self.ink, self.refused = None, ""
        if file is None:
            return
        self.files += 1
        try:
            self.ink, self.name = read_ink(file.getvalue()), file.name
        except PhotoError as error:
            self.refused = f"**{plain(file.name)}** was not read. {plain(str(error))}"


def uploaded() -> list[Tensor]:
    """A picture from a file."""
    given = _given("sketch.upload")
    key = f"sketch.upload {given.files}"
    st.file_uploader(
        "A picture of a digit, or of a number",
        key=key,
        on_change=lambda: given.take(state[key]),
        max_upload_size=MAX_BYTES // 1_000_000,
        help=f"Any ink on any paper, any size: {', '.join(FORMATS)} (its first page).",
    )
    return _shown(given)


def snapped() -> list[Tensor]:
    """A picture from the camera."""
    given = _given("sketch.camera")
    key = "sketch.camera picture"
    st.camera_input(
        "A digit or a number on plain paper, as large as it goes",
        key=key,
        on_change=lambda: given.take(state[key]),
    )
    return _shown(given)


def _given(key: str) -> _Given:
    found: _Given = state.setdefault(key, _Given())
    return found


def _shown(given: _Given) -> list[Tensor]:
    if given.refused:
        st.error(given.refused)
    if given.ink is None:
        return []
    st.image(
        255 - given.ink,
        caption=f"The ink that was found in {plain(given.name)}",
        width=PREVIEW,
        alt="The ink found",
    )
    st.button("Remove", icon=":material/delete:", on_click=lambda: given.take(None))
    st.caption("A reload forgets it.")
    return as_mnist(given.ink)
