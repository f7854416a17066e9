"""What was found in a workbook: verdict, pictures, findings, the mended file."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.ui.charts import draw
from core.ui.text import plain
from core.ui.workbook.charts import curves_spec, difference_spec, map_spec
from core.ui.workbook.findings import finding_card
from core.ui.workbook.shown import Checked, Picture
from core.ui.workbook.words import XLSX
from core.workbook.export import workbook


def outcome(file: Checked) -> None:
    """The verdict, the pictures, the findings, and what was left unjudged."""
    words, button = st.columns([3, 1], vertical_alignment="center")
    with words:
        say = st.error if file.findings else st.success if file.right else st.warning
        icon = "close" if file.findings else "check" if file.right else "help"
        say(f"**{plain(file.name)}** {plain(file.verdict)}", icon=f":material/{icon}:")
    with button:
        _mend_button(file)
    if isinstance(file.copy, str) and file.copy:
        st.warning(plain(file.copy), icon=":material/healing:")
    _pictures(file.pictures)
    if file.findings:
        st.subheader("What is wrong", anchor=False)
        for number, (finding, effect) in enumerate(
            zip(file.findings, file.effects, strict=True), start=1
        ):
            finding_card(number, finding, effect)
    for title, sentences in (("Not judged", file.not_judged), ("Notes", file.remarks)):
        if sentences:
            st.subheader(title, anchor=False)
            st.markdown("\n".join(f"- {plain(sentence)}" for sentence in sentences[:12]))
            if len(sentences) > 12:
                st.caption(f"and {len(sentences) - 12} more")


def _mend_button(file: Checked) -> None:
    if isinstance(file.copy, bytes):
        st.download_button(
            "Mended workbook",
            file.copy,
            file_name=f"{file.name.rpartition('.')[0] or file.name}-mended.xlsx",
            mime=XLSX,
            icon=":material/healing:",
            type="primary",
            help="The same file, wrong cells put right, coloured, commented; all else as it is",
            on_click="ignore",
            width="stretch",
        )
    elif file.findings and not file.copy and file.start is not None:
        start = file.start
        st.download_button(
            "Right workbook",
            lambda: workbook(*start),
            file_name="backprop.xlsx",
            mime=XLSX,
            icon=":material/download:",
            type="primary",
            help="A .csv file holds no formulas to mend: this has the same start, with live ones",
            on_click="ignore",
            width="stretch",
        )


@st.fragment  # another table leaves the files that are offered as they are
def _pictures(pictures: Sequence[Picture]) -> None:
    """The loss curve and the map of one table."""
    tables = range(len(pictures))
    chosen = next((i for i in tables if pictures[i].slips), 0)
    if len(pictures) > 1:
        chosen = st.selectbox(
            "Table",
            tables,
            index=chosen,
            format_func=lambda i: pictures[i].label,
            width=520,
        )
    picture = pictures[chosen]
    st.caption(plain(picture.caption))
    if picture.curves:
        columns = st.columns(2, gap="large") if picture.difference else [st.container()]
        with columns[0]:
            draw(
                curves_spec(alone=picture.alone),
                picture.curves,
                key="curves",
                alt_text="E_total against the epoch, in the file and right",
            )
        if picture.difference:
            with columns[1]:
                draw(
                    difference_spec(),
                    picture.difference,
                    key="difference",
                    alt_text="The file's E_total minus the right one, against the epoch",
                )
    if picture.cells:
        draw(
            map_spec(picture.rows),
            picture.cells,
            key="map",
            alt_text="The table cell by cell: slips, what is wrong because of them, and the rest",
        )
