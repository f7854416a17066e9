"""Workbooks of the 2-2-2 network: one to hand out, one to check, one to mend."""

from collections.abc import Mapping

import streamlit as st

from core.ui.site import enter

enter()
st.title("Check a workbook, or hand one out", anchor=False)

# Reading workbooks takes libraries whose import the first words need not wait for.
from core.backprop.audit import audit
from core.backprop.case import cell_states
from core.backprop.cells import MOST_BYTES, FileError, refuse_lock
from core.backprop.example import faulty_workbook
from core.backprop.network import WEIGHTS, Setup
from core.backprop.repair import mended
from core.backprop.report import Report
from core.backprop.workbook import workbook
from core.ui.backprop_settings import EXAMPLE
from core.ui.backprop_settings import settings as backprop_settings
from core.ui.charts import draw
from core.ui.findings import finding_card
from core.ui.workbook_charts import (
    curves_data,
    curves_spec,
    difference_data,
    difference_spec,
    map_data,
    map_spec,
    several,
    shown_epochs,
)
from core.ui.workbook_settings import TASKS, settings

state = st.session_state
CHECKED, REFUSED = "workbook.checked", "workbook.refused"
GIVEN, WANTED = "workbook.given", "workbook.wanted"  # what is to be checked in this run
TASK_WORDS = {"check": "Check one", "export": "Hand one out"}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
EXAMPLE_NAME = "faulty.xlsx"


def check(name: str, file: bytes) -> None:
    """Judge a file; the outcome stays while other pages are open."""
    state.pop(CHECKED, None)
    state.pop(REFUSED, None)
    try:
        refuse_lock(name)
        state[CHECKED] = name, audit(file)
    except FileError as wrong:
        state[REFUSED] = name, str(wrong)


def wants_example() -> None:
    state[WANTED] = True


def uploaded() -> None:
    state[WANTED] = False
    state[GIVEN] = state.upload


def checking() -> None:
    st.markdown(
        "Drop a spreadsheet of the 2-2-2 exercise, .xlsx or .csv, in whatever layout. Each cell is "
        "judged by its neighbours, each formula is read; you get the slips, their cause, and the "
        "same file mended."
    )
    st.file_uploader(
        "Spreadsheet",
        key="upload",
        on_change=uploaded,
        max_upload_size=MOST_BYTES // 1_000_000,
        label_visibility="collapsed",
    )
    if file := state.pop(GIVEN, None):
        with st.spinner("Judging every cell …"):
            check(file.name, file.getvalue())
    if state.pop(WANTED, False):
        with st.spinner("Judging every cell …"):
            check(EXAMPLE_NAME, faulty_workbook())
    if CHECKED not in state:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(
                "No file at hand? This one has the slips that most published ones have.",
                width="content",
            )
            st.button("Check a faulty one", icon=":material/fact_check:", on_click=wants_example)
    if REFUSED in state:
        name, sentence = state[REFUSED]
        st.error(
            f"**{escaped(name)}** was not checked. {escaped(sentence)}", icon=":material/block:"
        )
    if CHECKED in state:
        outcome(*state[CHECKED])


def outcome(name: str, report: Report) -> None:
    """The verdict, the pictures, the findings, and what was left unjudged."""
    words, button = st.columns([3, 1], vertical_alignment="center")
    with words:
        say = st.error if report.findings else st.success if report.right else st.warning
        icon = "close" if report.findings else "check" if report.right else "help"
        say(f"**{escaped(name)}** {escaped(report.verdict)}", icon=f":material/{icon}:")
    with button:
        mend_button(name, report)
    pictures(report)
    if report.findings:
        st.subheader("What is wrong", anchor=False)
        for number, finding in enumerate(report.findings, start=1):
            finding_card(number, finding, report.runs[finding.run])
    for title, sentences in (("Not judged", report.not_judged), ("Notes", report.remarks)):
        if sentences:
            st.subheader(title, anchor=False)
            st.markdown("\n".join(f"- {escaped(sentence)}" for sentence in sentences[:12]))
            if len(sentences) > 12:
                st.caption(f"and {len(sentences) - 12} more")


def mend_button(name: str, report: Report) -> None:
    if report.findings and report.book.kind == "xlsx":
        st.download_button(
            "Mended workbook",
            lambda: mended(report),
            file_name=f"{name.rpartition('.')[0] or name}-mended.xlsx",
            mime=XLSX,
            icon=":material/healing:",
            type="primary",
            help="The same file, wrong cells put right, coloured, commented; all else as it is",
            on_click="ignore",
            width="stretch",
        )
    elif report.findings and report.runs[0].rate is not None:
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


def pictures(report: Report) -> None:
    """The loss curve and the map of one table."""
    runs = list(range(len(report.runs)))
    wrong = {i: sum(f.run == i for f in report.findings) for i in runs}
    chosen = next((i for i in runs if wrong[i]), 0)
    if len(runs) > 1:
        chosen = st.selectbox(
            "Table",
            runs,
            index=chosen,
            format_func=lambda i: table_title(report, i, wrong[i]),
            width=520,
        )
    run = report.runs[chosen]
    eta = "η unknown" if run.rate is None else f"η = {run.first:g}, from {run.rate_said}"
    ends = f" E_total ends at {run.theirs[-1]:.6g}, the right one at {run.right[-1]:.6g}."
    st.caption(
        escaped(
            f"{run.title}: {run.table.in_words}, {eta}. Start: {in_words(vars(run.setup))}."
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


def table_title(report: Report, index: int, slips: int) -> str:
    run = report.runs[index]
    count = "1 slip" if slips == 1 else f"{slips} slips"
    if not slips:
        count = "off because of a slip elsewhere" if run.is_off else "right"
    eta = "" if run.rate is None else f", η = {run.first:g}"
    return f"{run.title}{eta}: {count}"


def in_words(values: Mapping[str, float]) -> str:
    """Every value with its name on one line: the blanks between them do not break."""
    words = (f"{name} = {value:g}" for name, value in values.items())
    return ", ".join(word.replace(" ", "\N{NO-BREAK SPACE}") for word in words)


def escaped(text: str) -> str:
    """Text from a file, so that Markdown shows it as it is."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#+-.!|~<>$:&" else c for c in text)


def exporting() -> None:
    kept = backprop_settings.kept()
    setup = Setup(**{name: kept[name] for name in (*EXAMPLE, *WEIGHTS)})
    rate, epochs = kept["eta"], kept["epochs"]
    st.markdown(
        "The setting of the backpropagation page as a workbook that calculates itself: change η, "
        "an input, a target or a weight in Excel or LibreOffice, and the table, both charts and "
        "all six learning rates follow."
    )
    st.markdown(f"{in_words(vars(setup) | {'η': rate})}; {epochs} epochs.")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Workbook",
            lambda: workbook(setup, rate, epochs),
            file_name="backprop.xlsx",
            mime=XLSX,
            icon=":material/download:",
            type="primary",
            on_click="ignore",
        )
        st.page_link(
            "pages/backprop.py", label="Change the setting", icon=":material/arrow_forward:"
        )
    st.markdown(
        "- **Backprop**: the initial values and η in yellow cells, the table of every epoch in "
        "live formulas, a chart of its errors.\n"
        "- **Learning rates**: E_total of every epoch at six rates you can change, with a chart.\n"
        "- **Formulas**: what each column is, in symbols and in cells."
    )


settings.restore()
for complaint in settings.complaints():
    st.error(complaint, icon=":material/link_off:")
st.segmented_control(
    "What to do",
    TASKS,
    key="task",
    required=True,
    format_func=TASK_WORDS.__getitem__,
    label_visibility="collapsed",
)
if state.task == "check":
    checking()
else:
    exporting()
settings.save()
