"""The view in which a network is trained: the form of a run, and a run while it trains."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import streamlit as st

from core.mnist import cluster, run_folder, runs
from core.mnist.policy import Policy, policy
from core.mnist.recipe import (
    GROUPS,
    HYPERPARAMETERS,
    MAIN,
    PRESETS,
    ConfigError,
    Hyperparameter,
)
from core.mnist.run_folder import State
from core.mnist.runs import Run
from core.mnist.source import DOWNLOAD_BYTES, available
from core.ui.mnist.compare import NOTEBOOK
from core.ui.mnist.results import duration, history, log_text
from core.ui.mnist.rights import administrator, may_change, own_mark
from core.ui.mnist.settings import (
    CUSTOM,
    VIEWS,
    current_config,
    current_preset,
    recipe,
    settings,
    unlike_the_notebooks,
)
from core.ui.networks import label
from core.ui.settings import controlled
from core.ui.site import link
from core.ui.text import plain

REFUSED, WAS_ACTIVE, WATCHED = "mnist.refused", "mnist.was_active", "mnist.watched"
IN_A_ROW = 4  # fields of the form
state = st.session_state


def view() -> None:
    """The form and the runs; one that trains, or was watched while it did, stands first."""
    try:
        allowed = policy()
        _problem_of_the_cluster(allowed)  # a server with pages keeps it, whoever started the runs
    except run_folder.RunError as error:
        st.error(plain(str(error)))
        return
    every = {run.id: run for run in runs.every()}
    _choose_run(every)
    chosen = every.get(settings["run"])
    is_first = chosen is not None and (chosen.state.is_active or state.get(WATCHED) == chosen.id)
    if is_first:
        _runs(every, allowed)
        if allowed.training:
            st.subheader("Train another", anchor=False)
        _form(allowed)
    else:
        _form(allowed)
        _runs(every, allowed)
    administrator(allowed)
    state.pop(REFUSED, None)  # only now: a run of the page that is begun anew has shown nothing


def _choose_run(every: Mapping[str, Run]) -> None:
    """Where the run is none of these, the one that trains is chosen, or the newest."""
    name = settings["run"]
    if name and name not in every:
        st.error(f"There is no run called “{plain(name)}” here; it has been deleted.")
    if name not in every:
        active = [name for name, run in every.items() if run.state is State.RUNNING]
        settings.adjust({"run": next(iter([*active, *every]), "")})


def _runs(every: Mapping[str, Run], allowed: Policy) -> None:
    """The chosen run, the queue and the list of all."""
    if refused := state.get(REFUSED):
        st.error(plain(refused))
    if not every and not allowed.training:
        return
    if not every:
        st.markdown("No runs yet. A run continues when you leave, and you find it here later.")
        return
    st.selectbox(
        "Run",
        every,
        index=[*every].index(settings["run"]),
        format_func=lambda name: label(every[name]),
        **settings.widget("run"),
    )
    chosen = every[settings["run"]]
    st.fragment(_follow, run_every=1.0 if chosen.state.is_active else None)(allowed)
    queue([run for run in every.values() if run.state.is_active])
    with st.expander(f"All runs ({len(every)})"):
        table(list(every.values()))


def _form(allowed: Policy) -> None:
    if not allowed.training:
        st.info(
            f"{runs.NO_TRAINING} The trained networks are in Results and Compare. To train one, "
            "start the app on your own machine.",
            icon=":material/block:",
        )
        return
    with st.container(border=True):
        _fields()
        if note := data_note(settings["data"]):
            st.info(note, icon=":material/download:")
        st.button("Start", type="primary", icon=":material/play_arrow:", on_click=_start)
        if math.isfinite(allowed.minutes):
            st.caption(f"A run trains for at most {allowed.minutes:g} minutes on this server.")


def _start() -> None:
    try:
        folder = runs.start(current_config(), current_preset(), own_mark())
        settings.edit({"run": folder.name})
    except (ConfigError, run_folder.RunError) as error:
        state[REFUSED] = str(error)


def _change(what: Callable[[Path], None], folder: Path) -> None:
    """Stop, resume or delete a run, where this session may."""
    try:
        if may_change(runs.read(folder), policy()):
            what(folder)
            if what is runs.delete:
                settings.edit({"run": ""})
    except run_folder.RunError as error:
        state[REFUSED] = str(error)


def _problem_of_the_cluster(allowed: Policy) -> str:
    """Why what waits cannot start there at this moment; empty if it can, or there is none."""
    return cluster.keep(allowed.cluster).problem if allowed.cluster else ""


def _follow(allowed: Policy) -> None:
    """The chosen run; while it is active this is drawn anew each second."""
    if settings["view"] != VIEWS[1]:  # a click here has opened another
        st.rerun()
    folder = run_folder.root() / settings["run"]
    try:
        run = runs.read(folder)
    except run_folder.RunError:
        st.rerun()
    if run.state is State.WAITING and (problem := _problem_of_the_cluster(allowed)):
        st.warning(plain(problem), icon=":material/hourglass:")
    else:
        progress(run)
    for difference in run.differs:
        st.caption(plain(f"Its files are of another version: {difference}"))
    may = may_change(run, allowed)
    if not may and (run.state.is_active or run.is_resumable):
        st.caption("Only who started it, in the same tab, or an administrator may change this run.")
    with st.container(horizontal=True, vertical_alignment="center"):
        if run.state.is_active:
            st.button(
                "Stop",
                icon=":material/stop:",
                on_click=_change,
                args=(runs.stop, folder),
                disabled=run.state is State.STOPPING or not may,
            )
        elif run.is_resumable:
            st.button(
                "Resume",
                icon=":material/play_arrow:",
                on_click=_change,
                args=(runs.resume, folder),
                disabled=not (may and allowed.training),
            )
        else:
            _onward(run)
        if not run.state.is_active and may:
            with st.popover("Delete", icon=":material/delete:"):
                st.markdown("This deletes its weights and log for everyone.")
                st.button("Delete this run", on_click=_change, args=(runs.delete, folder))
    live(run)
    if run.state.is_active:
        state[WATCHED] = run.id
    was_active = state.get(WAS_ACTIVE) == run.id
    state[WAS_ACTIVE] = run.id if run.state.is_active else ""
    if was_active != run.state.is_active:
        st.rerun()


def _onward(run: Run) -> None:
    """What a person does next with a finished run, each one click."""
    st.button(
        "See its results",
        type="primary",
        icon=":material/insights:",
        on_click=settings.edit,
        args=({"view": VIEWS[0], "network": run.id},),
    )
    if run.config.data == "mnist":  # on the notebook's own test set
        st.button(
            "Compare with the notebook's",
            icon=":material/compare_arrows:",
            on_click=settings.edit,
            args=({"view": VIEWS[2], "compared": [run.id, NOTEBOOK]},),
        )
    link(
        "sketch",
        "Sketch with this network",
        icon=":material/draw:",
        query_params={"network": run.id},
    )


def _fields() -> None:
    """Preset and every setting."""
    chosen = current_preset()
    st.pills(
        "Recipe",
        [*PRESETS, CUSTOM],
        default=chosen,
        format_func=lambda name: PRESETS[name].title if name in PRESETS else "Your own",
        required=True,
        **controlled("mnist.preset", chosen, _take_preset),
    )
    if chosen in PRESETS:
        st.caption(PRESETS[chosen].note)
    _row(MAIN)
    if differing := unlike_the_notebooks():
        with st.expander("What differs from the notebook's recipe"):
            st.table(pd.DataFrame(differing).set_index("Setting"))
    with st.expander("All settings"):
        for group in GROUPS:
            if group != MAIN:
                st.markdown(f"**{group}**")
                _row(group)


def _take_preset(name: str) -> None:
    """Fill the form with a preset, and keep network, data and seed."""
    if name in PRESETS:
        settings.edit(recipe(name, settings["data"]))


def _row(group: str) -> None:
    """The group's fields, four beside each other; on a phone in the same order."""
    members = [one for one in HYPERPARAMETERS.values() if one.group == group]
    for first in range(0, len(members), IN_A_ROW):
        for column, one in zip(st.columns(IN_A_ROW), members[first:], strict=False):
            with column:
                _field(one)


def _field(one: Hyperparameter) -> None:
    if not one.options:
        settings.number(one.name, one.label, help=one.help)
        return
    preset = current_preset()  # of which the data decide some settings
    st.selectbox(
        one.label,
        one.options,
        index=[*one.options].index(settings[one.name]),
        format_func=one.options.__getitem__,
        help=one.help,
        **settings.widget(
            one.name, then=lambda: _take_preset(preset) if one.name == "data" else None
        ),
    )


def data_note(source: str) -> str | None:
    """What happens first, if the digits are not there yet."""
    if available(source):
        return None
    return (
        f"MNIST is not on this machine yet. The run downloads it first "
        f"({DOWNLOAD_BYTES / 1e6:.0f} MB); offline, choose the UCI digits."
    )


def progress(run: Run) -> None:
    """How far a run is, in a sentence and two bars."""
    match run.state:
        case State.WAITING:
            before = "1 run is" if run.ahead == 1 else f"{run.ahead} runs are"
            st.info(
                f"Waiting: {before} ahead in the queue." if run.ahead else "Starting…",
                icon=":material/hourglass_empty:",
            )
        case State.RUNNING | State.STOPPING:
            _bars(run)
        case State.FINISHED if not run.epochs:
            st.info("Loaded from a file, without a log.", icon=":material/upload_file:")
        case State.FINISHED:
            st.success(
                f"Finished: test accuracy {100 * run.epochs[-1].test_accuracy:.2f} % "
                f"after {_epochs(run.done)}.",
                icon=":material/check:",
            )
        case State.STOPPED:
            said = " ".join(filter(None, ["Stopped.", run.message, _kept(run)]))
            st.info(said, icon=":material/stop:")
        case State.FAILED:
            why = run.message or "It failed, and its log does not say why."
            st.error(plain(f"{why} {_kept(run)}"), icon=":material/error:")
            if run.traceback:
                with st.expander("Traceback"):
                    st.code(run.traceback, language=None, height=240)
        case State.DIED:
            st.error(
                "The training process ended unexpectedly: it was killed, or the machine "
                f"ran out of memory. {_kept(run)}",
                icon=":material/error:",
            )


def _epochs(count: int) -> str:
    return "1 epoch" if count == 1 else f"{count} epochs"


def _kept(run: Run) -> str:
    if not run.epochs:
        return "No epoch was complete; Resume starts from the beginning."
    return f"Resume goes on after epoch {run.done} of {run.config.epochs}."


def _bars(run: Run) -> None:
    if run.downloaded is not None:
        st.progress(run.downloaded, f"Downloading MNIST, {100 * run.downloaded:.0f} %")
        return
    left = run.seconds_left
    time_left = f", about {duration(left)} left" if left is not None else ""
    st.progress(
        min(run.share_done, 1.0),
        f"Epoch {min(run.done + 1, run.config.epochs)} of {run.config.epochs}{time_left}"
        + (" · stopping after this batch" if run.state is State.STOPPING else ""),
    )
    if now := run.now:
        st.progress(
            now.batch / now.batches,
            f"Batch {now.batch} of {now.batches}, {now.images_per_second:,.0f} images a second, "
            f"loss {now.loss:.4f}",
        )
    else:
        st.progress(0.0, "Loading the digits…" if not run.epochs else "Reading the test set…")


def queue(active: list[Run]) -> None:
    """The runs that train or wait, if there is more than one."""
    if len(active) < 2:
        return
    st.markdown(f"**Queue.** {len(active)} runs train or wait.")
    lines = [f"1. {label(run)}: {run.state}" for run in sorted(active, key=lambda r: r.ahead)]
    st.markdown("\n".join(lines))


def table(every: list[Run]) -> None:
    """All runs, the newest first, and where each has come to."""
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "run": label(run),
                    "state": str(run.state),
                    "epochs": f"{run.done} of {run.config.epochs}",
                    "test accuracy": (
                        f"{100 * run.epochs[-1].test_accuracy:.2f} %" if run.epochs else ""
                    ),
                    "training": duration(sum(e.seconds for e in run.epochs)),
                    "seed": run.config.seed,
                }
                for run in every
            ]
        ),
        hide_index=True,
        alt="All runs with their state and the test accuracy reached",
    )


def live(run: Run) -> None:
    """Curves and log of a run, as far as they go."""
    left, right = st.columns(2, gap="large")
    with left:
        history(run.epochs, run.progress, "live", notebook_too=run.config.data == "mnist")
    with right:
        st.markdown("**Log**")
        with st.container(key="live_log"):
            st.code(log_text(run.epochs) or "No epoch is complete yet.", language=None, height=420)
