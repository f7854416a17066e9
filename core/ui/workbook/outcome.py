"""What was found in a workbook: verdict, pictures, findings, the mended file."""

from __future__ import annotations

import streamlit as st

from core.ui.charts import draw
from core.ui.text import plain
from core.ui.workbook.charts import (
    curves_data,
    curves_spec,
    difference_data,
    difference_spec,
    map_data,
    map_spec,
    several,
    shown_epochs,
)
from core.ui.workbook.findings import finding_card
from core.ui.workbook.words import XLSX, in_words
from core.workbook.export import workbook
from core.workbook.report.report import Report
from core.workbook.report.states import cell_states


def outcome(name: str, report: Report, copy: bytes | str) -> None:
    """The verdict, the pictures, the findings, and what was left unjudged.

    copy: the file mended, or why there is none.
    """
    words, button = st.columns([3, 1], vertical_alignment="center")
    with words:
        say = st.error if report.findings else st.success if report.right else st.warning
        icon = "close" if report.findings else "check" if report.right else "help"
        say(f"**{plain(name)}** {plain(report.verdict)}", icon=f":material/{icon}:")
    with button:
        _mend_button(name, report, copy)
    if isinstance(copy, str) and copy:
        st.warning(plain(copy), icon=":material/healing:")
    _pictures(report)
    if report.findings:
        st.subheader("What is wrong", anchor=False)
        for number, finding in enumerate(report.findings, start=1):
            finding_card(number, finding, report.runs[finding.run])
    for title, sentences in (("Not judged", report.not_judged), ("Notes", report.remarks)):
        if sentences:
            st.subheader(title, anchor=False)
            st.markdown("\n".join(f"- {plain(sentence)}" for sentence in sentences[:12]))
            if len(sentences) > 12:
                st.caption(f"and {len(sentences) - 12} more")


def _mend_button(name: str, report: Report, copy: bytes | str) -> None:
    if isinstance(copy, bytes):
        st.download_button(
            "Mended workbook",
            copy,
            file_name=f"{name.rpartition('.')[0] or name}-mended.xlsx",
            mime=XLSX,
            icon=":material/healing:",
            type="primary",
            help="The same file, wrong cells put right, coloured, commented; all else as it is",
            on_click="ignore",
            width="stretch",
        )
    elif report.findings and not copy and report.runs[0].rate is not None:
        run = report.runs[0]
        st.download_button(
            "Right workbook",
            lambda: workbook(run.setup, run.first, run.epochs),
            file_name="backprop.xlsx",
            mime=XLSX,
            icon=":material/download:",
            type="primary",
            help="A .csv file holds no formulas to mend: this has the same start, with live ones",
            on_click="ignore",
            width="stretch",
        )


@st.fragment  # another table leaves the files that are offered as they are
def _pictures(report: Report) -> None:
    """The loss curve and the map of one table."""
    runs = list(range(len(report.runs)))
    wrong = {i: sum(f.run == i for f in report.findings) for i in runs}
    chosen = next((i for i in runs if wrong[i]), 0)
    if len(runs) > 1:
        chosen = st.selectbox(
            "Table",
            runs,
            index=chosen,
            format_func=lambda i: _table_title(report, i, wrong[i]),
            width=520,
        )
    run = report.runs[chosen]
    eta = "η unknown" if run.rate is None else f"η = {run.first:g}, from {run.rate_said}"
    ends = f" E_total ends at {run.theirs[-1]:.6g}, the right one at {run.right[-1]:.6g}."
    st.caption(
        plain(
            f"{run.title}: {run.table.in_words}, {eta}. Start: {in_words(run.setup.numbers)}."
            f"{ends if run.has_curve and not run.misread else ''}"
        )
    )
    if run.misread:
        return
    if run.has_curve:
        mine = [(n, f) for n, f in enumerate(report.findings, start=1) if f.run == chosen]
        columns = st.columns(2, gap="large") if run.is_off else [st.container()]
        with columns[0]:
            draw(
                curves_spec(alone=several(mine)),
                curves_data(run, mine),
                key="curves",
                alt_text="E_total against the epoch, in the file and right",
            )
        if run.is_off:
            with columns[1]:
                draw(
                    difference_spec(),
                    difference_data(run),
                    key="difference",
                    alt_text="The file's E_total minus the right one, against the epoch",
                )
    states = cell_states(report, run)
    if len(run.table.columns) > 1:
        draw(
            map_spec(len(shown_epochs(states))),
            map_data(run, states),
            key="map",
            alt_text="The table cell by cell: slips, what is wrong because of them, and the rest",
        )


def _table_title(report: Report, index: int, slips: int) -> str:
    run = report.runs[index]
    count = "1 slip" if slips == 1 else f"{slips} slips"
    if not slips:
        count = "off because of a slip elsewhere" if run.is_off else "right"
    eta = "" if run.rate is None else f", η = {run.first:g}"
    return f"{run.title}{eta}: {count}"
