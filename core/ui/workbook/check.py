"""The task in which a file is checked: the door for it, and what was found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.ui.text import plain
from core.ui.workbook.apart import get_ready
from core.ui.workbook.checking import bar, queued
from core.ui.workbook.outcome import outcome
from core.ui.workbook.several import judge_all, table
from core.ui.workbook.shown import checked_and_shown
from core.workbook.example import faulty_workbook
from core.workbook.file.book import FileError
from core.workbook.file.read import MOST_BYTES

CHECKED, REFUSED = "workbook.checked", "workbook.refused"
GIVEN = "workbook.given"  # what is still to be checked
FILES = "workbook.files"  # how many have been given, so that each meets an empty list
SEVERAL, CHOSEN = "workbook.several", "workbook.several.chosen"  # files at once; one of them
EXAMPLE_NAME = "faulty.xlsx"

state = st.session_state


def _check(name: str, file: bytes) -> None:
    """Judge a file; the outcome stays while other pages are open."""
    _forget()
    place = st.empty()
    try:
        tell = bar(place, "Judging every cell …")
        state[CHECKED] = queued(place, checked_and_shown, name, file, tell=tell)
    except FileError as wrong:
        state[REFUSED] = name, str(wrong)
    place.empty()


def _forget() -> None:
    for key in (CHECKED, REFUSED):
        state.pop(key, None)


def _check_all(files: list[tuple[str, bytes]]) -> None:
    """Judge what was given at once: one file is looked at, several get a line each."""
    for key in (SEVERAL, CHOSEN):
        state.pop(key, None)
    if len(files) == 1:
        _check(*files[0])
    else:
        _forget()
        state[SEVERAL] = judge_all(files), len(files)


def _done(key: str, work: Callable[[Any], None]) -> None:
    """Do what waits under `key`. A run that is cut off, by another page, leaves it waiting."""
    if key in state:
        try:
            work(state[key])
        except Exception:
            del state[key]  # it would fail again
            raise
        del state[key]


def _wants_example() -> None:
    state[GIVEN] = [(EXAMPLE_NAME, faulty_workbook())]


def _choose(index: int) -> None:
    state[CHOSEN] = index


def _uploaded(key: str) -> None:
    if state[key]:
        state[GIVEN] = [(file.name, file.getvalue()) for file in state[key]]
    state[FILES] = state.get(FILES, 0) + 1


def view() -> None:
    """The door for a file, and what was found in the last one."""
    get_ready()
    st.markdown(
        "Drop a spreadsheet of the 2-2-2 exercise, .xlsx or .csv, in whatever layout. Each cell is "
        "judged by its neighbours, each formula is read; you get the slips, their cause, and the "
        "same file mended. Several at once get a line each."
    )
    key = f"workbook.upload {state.get(FILES, 0)}"
    st.file_uploader(
        "Spreadsheets",
        accept_multiple_files=True,
        key=key,
        on_change=_uploaded,
        args=(key,),
        max_upload_size=MOST_BYTES // 1_000_000,
        label_visibility="collapsed",
    )
    _done(GIVEN, _check_all)
    if SEVERAL in state:
        found, given = state[SEVERAL]
        table(found, given, _choose)
        _done(CHOSEN, lambda index: _check(found[index].name, found[index].file))
    elif CHECKED not in state:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(
                "No file at hand? This one has the slips that most published ones have.",
                width="content",
            )
            st.button("Check a faulty one", icon=":material/fact_check:", on_click=_wants_example)
    if REFUSED in state:
        name, sentence = state[REFUSED]
        st.error(f"**{plain(name)}** was not checked. {plain(sentence)}", icon=":material/block:")
    if CHECKED in state:
        outcome(state[CHECKED])
