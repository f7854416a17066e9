"""Part 2: a small convolutional network, what it reaches, and how it learns it."""

import streamlit as st

from core.ui.site import enter

enter()
st.title("A network that reads digits", anchor=False)

# On a server that has just started, importing torch takes seconds: the page stands before it does.
from pathlib import Path

import pandas as pd

from core.mnist import checkpoint, queueing, runs
from core.mnist.queueing import State
from core.mnist.training import ConfigError
from core.ui import mnist_results, mnist_training, networks
from core.ui.charts import draw
from core.ui.mnist_charts import compare_data, compare_spec
from core.ui.mnist_settings import VIEWS, current_config, current_preset, settings

state = st.session_state


def results() -> None:
    folder = networks.choose()
    if folder is None:
        return
    try:
        model, record = networks.load(folder)
    except checkpoint.CheckpointError as error:
        st.error(f"This network cannot be shown. {error}", icon=":material/error:")
        return
    mnist_results.headline(model, record)
    if sentence := mnist_results.seeds_sentence(folder):
        st.markdown(sentence)
    mnist_results.results(record, state.cells)
    log, network = st.columns(2, gap="large")
    with log:
        st.subheader("Log", anchor=False)
        mnist_results.log(record.epochs)
        mnist_results.demands(model, record)
    with network:
        mnist_results.network(model, record)
    mnist_results.per_digit(record)
    mnist_results.calibration(record)
    mnist_results.misread(record)
    mnist_results.downloads(folder, record)


def press_start() -> None:
    try:
        folder = runs.start(current_config(), current_preset())
        state.run = folder.name
    except (ConfigError, runs.RunError) as error:
        state.refused = str(error)


def press_resume(folder: Path) -> None:
    try:
        runs.resume(folder)
    except runs.RunError as error:
        state.refused = str(error)


def press_delete(folder: Path) -> None:
    try:
        runs.delete(folder)
        state.run = ""
    except runs.RunError as error:
        state.refused = str(error)


def train() -> None:
    with st.container(border=True):
        mnist_training.form()
        if note := mnist_training.data_note(state.data):
            st.info(note, icon=":material/download:")
        st.button("Start", type="primary", icon=":material/play_arrow:", on_click=press_start)
    if refused := state.pop("refused", ""):
        st.error(refused)
    every = {run.id: run for run in runs.every()}
    if state.run and state.run not in every:
        st.error(f"There is no run called “{state.run}” here; it has been deleted.")
    if state.run not in every:
        active = [name for name, run in every.items() if run.state is State.RUNNING]
        state.run = next(iter([*active, *every]), "")
    if not every:
        st.markdown("No run yet. What you start here goes on when you leave, and is here later.")
        return
    st.selectbox(
        "Run",
        every,
        key="run",
        format_func=lambda name: networks.label(every[name]),
    )
    st.fragment(follow, run_every=1.0 if every[state.run].state.is_active else None)()
    mnist_training.queue([run for run in every.values() if run.state.is_active])
    with st.expander(f"All runs ({len(every)})"):
        mnist_training.table(list(every.values()))


def follow() -> None:
    """The chosen run; while it is active this is drawn anew each second."""
    folder = queueing.root() / state.run
    try:
        run = runs.read(folder)
    except runs.RunError:
        st.rerun()
    mnist_training.progress(run)
    with st.container(horizontal=True):
        if run.state.is_active:
            st.button(
                "Stop",
                icon=":material/stop:",
                on_click=runs.stop,
                args=(folder,),
                disabled=run.state is State.STOPPING,
            )
        elif run.is_resumable:
            st.button("Resume", icon=":material/play_arrow:", on_click=press_resume, args=(folder,))
        if not run.state.is_active:
            with st.popover("Delete", icon=":material/delete:"):
                st.markdown("Its weights and its log are gone for everyone then.")
                st.button("Delete this run", on_click=press_delete, args=(folder,))
    mnist_training.live(run)
    was_active = state.get("was_active") == run.id
    state.was_active = run.id if run.state.is_active else ""
    if was_active != run.state.is_active:
        st.rerun()


def compare() -> None:
    choices = networks.sources()
    for name in [name for name in state.compared if name not in choices]:
        st.error(f"There is no network called “{name}” here; it may have been deleted.")
        state.compared = [other for other in state.compared if other != name]
    st.multiselect(
        "Compare",
        choices,
        key="compared",
        format_func=lambda name: choices[name][0],
        max_selections=settings["compared"].most,
    )
    records = {}
    for name in state.compared:
        label, folder = choices[name]
        try:
            records[label] = networks.load(folder)
        except checkpoint.CheckpointError as error:
            st.error(f"{label} cannot be shown. {error}")
    if not records:
        st.markdown("Choose two or more.")
        return
    epochs = {label: record.epochs for label, (_, record) in records.items()}
    for what, column in zip(("accuracy", "loss"), st.columns(2, gap="large"), strict=True):
        with column:
            draw(
                compare_spec(what),
                compare_data(what, epochs),
                key=f"compare_{what}",
                alt_text=f"Test {what} against the epoch, one line a run",
            )
    st.dataframe(
        pd.DataFrame(
            [mnist_results.compared_row(label, *found) for label, found in records.items()]
        ),
        hide_index=True,
        alt="Final numbers of the compared runs",
    )


settings.restore()
for complaint in settings.complaints():
    st.error(complaint, icon=":material/link_off:")
tabs = st.tabs(VIEWS, key="view", on_change=settings.settle)
for tab, draw_view in zip(tabs, (results, train, compare), strict=True):
    if tab.open:
        with tab:
            draw_view()
settings.save()
