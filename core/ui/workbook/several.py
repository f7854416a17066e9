"""Several workbooks at once, as a class hands them in: a line each, and one of them looked at."""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import NamedTuple

import streamlit as st

from core.ui.sent import sent
from core.ui.text import plain
from core.ui.workbook.checking import bar, checked, queued
from core.workbook.file.book import FileError
from core.workbook.file.progress import Tell, part

MOST_FILES = 100

_NO_NAME = re.compile(r'[\\/:*?"<>|\0-\x1f]')  # what no file is called, on one system or another
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Judged(NamedTuple):
    """One file, and what was said of it.

    first: its first slip, where there is one. is_right: None for what is no such sheet. copy: the
    file mended, if it can be. Its whole report is made again when it is looked at: thirty at a time
    would take the memory of a server that others use, too.
    """

    name: str
    file: bytes
    verdict: str
    first: str
    is_right: bool | None
    copy: bytes | None


def judged(name: str, file: bytes, tell: Tell) -> Judged:
    """What is said of a file. Raises FileError."""
    report, copy = checked(name, file, tell)
    first = report.findings[0].cause if report.findings else ""
    refused = f" {copy}" if isinstance(copy, str) and copy else ""
    file_or_none = copy if isinstance(copy, bytes) else None
    return Judged(name, file, report.verdict + refused, first, report.right, file_or_none)


def judge_all(files: Sequence[tuple[str, bytes]]) -> list[Judged]:
    """All files, with a bar that shows how far it is."""
    place, found, files = st.empty(), [], files[:MOST_FILES]
    for done, (name, file) in enumerate(files):
        first, last = done / len(files), (done + 1) / len(files)
        tell = bar(place, f"Judging {done + 1} of {len(files)}: {plain(name)}", first)
        try:
            one = queued(place, judged, name, file, tell=part(tell, first, last))
        except FileError as wrong:
            one = Judged(name, file, str(wrong), "", None, None)
        found.append(one)
    place.empty()
    return found


def table(found: Sequence[Judged], given: int, choose: Callable[[int], None]) -> None:
    """A line a file; a click on one calls `choose` with its index. given: how many there were."""
    import pandas as pd

    right = sum(one.is_right is True for one in found)
    wrong = sum(one.first != "" for one in found)
    st.markdown(
        f"**{len(found)} files**: {right} right, {wrong} with slips, {len(found) - right - wrong} "
        "that could not be judged, or not wholly."
    )
    if given > len(found):
        st.warning(f"{given} files are more than are taken at once: the first {len(found)} were.")
    rows = pd.DataFrame(
        {
            "file": [one.name for one in found],
            "outcome": [
                "right" if one.is_right else "slips" if one.first else "not judged" for one in found
            ],
            "verdict": [one.verdict for one in found],
            "first slip": [one.first for one in found],
        }
    )
    key = "workbook.files.chosen"

    def chosen() -> None:
        line = sent(lambda: range(len(found))[st.session_state[key]["selection"]["rows"][0]])
        if line is not None:
            choose(line)

    st.caption("Tick a line to see its report below.")
    st.dataframe(
        rows,
        key=key,
        hide_index=True,
        on_select=chosen,
        selection_mode="single-row",
        column_config={"first slip": st.column_config.Column(width="large")},
    )
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.download_button(
            "Verdicts as CSV",
            lambda: rows.map(_harmless).to_csv(index=False),
            file_name="verdicts.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        if any(one.copy for one in found):
            st.download_button(
                "All mended workbooks",
                lambda: zipped(found),
                file_name="mended.zip",
                mime="application/zip",
                icon=":material/healing:",
                help="Those with slips, as .xlsx with the wrong cells put right",
                on_click="ignore",
            )


def zipped(found: Sequence[Judged]) -> bytes:
    """The mended copies in one file; of one name they are numbered."""
    file, names = io.BytesIO(), Counter[str]()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for one in found:
            if one.copy:
                stem = _NO_NAME.sub("_", PurePath(one.name).stem)
                names[stem] += 1
                number = f" ({names[stem]})" if names[stem] > 1 else ""
                archive.writestr(f"{stem}{number}-mended.xlsx", one.copy)
    return file.getvalue()


def _harmless(text: str) -> str:
    """A name that a spreadsheet would take for a formula, as text."""
    return f"'{text}" if text.startswith(_STARTS_A_FORMULA) else text
