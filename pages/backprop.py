"""Part 1: the 2-2-2 network, every number of it under the hand.

Three fragments follow the hand, and none reruns the page: `sliders` (the numbers), `pictures` (the
diagram, the curve, the table), and `rest`, what takes longer and waits until the hand rests.
"""

import numpy as np
import streamlit as st

from core.backprop.network import WEIGHTS, History, Setup, descend
from core.backprop.presets import PRESETS, random_start
from core.backprop.sweep import sweep_rates
from core.ui.backprop_settings import EXAMPLE, SLIDER_RATES, current_setup, settings
from core.ui.charts import (
    compare_data,
    compare_spec,
    draw,
    loss_data,
    loss_spec,
    sweep_data,
    sweep_spec,
    usable_scale,
)
from core.ui.controls import Control, controls
from core.ui.diagram import diagram_data, diagram_spec
from core.ui.ledger import ledger
from core.ui.site import enter

state = st.session_state


def edited(landed: bool = True, quick: bool = False) -> None:
    state.moving = not landed or quick
    if landed:
        settings.settle()


def slid(landed: bool, quick: bool) -> None:
    """A quick edit reruns the sliders alone, and `drawn` comes after; others rerun all at once."""
    edited(landed, quick)
    if not quick:
        st.rerun(["sliders", "pictures"])


def drawn() -> None:
    edited()
    st.rerun("pictures")


def rested() -> None:
    st.rerun("rest")


def choose_epoch(epoch: int) -> None:
    state.epoch = epoch
    edited()
    st.rerun(["sliders", "pictures"])


def look() -> None:
    """Draw the same numbers in another way."""
    edited()
    st.rerun(["pictures", "rest"])


def load(preset: str | None) -> None:
    if preset:
        setup = random_start(state.seed) if preset == "random" else PRESETS[preset]
        state.update(vars(setup))
    edited()
    st.rerun(["start", "rest"])


def reset() -> None:
    state.update(settings.defaults())
    edited()
    st.rerun(["start", "rest"])


def current_preset() -> str | None:
    setup = current_setup()
    named = {**PRESETS, "random": random_start(state.seed)}
    return next((name for name, preset in named.items() if preset == setup), None)


def start_fields() -> None:
    """Where the descent starts: a preset, or the example and the eight weights one by one."""
    shown = current_preset()
    # A browser that has not drawn the last edit yet reports the choice from before it with the next
    # one. So each choice has its own key, and what is reported under it is new only if it differs.
    key = f"preset {shown}"
    state[key] = shown

    def choose() -> None:
        if state[key] != shown:
            load(state[key])

    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.pills(
            "Start from",
            [*PRESETS, "random"],
            key=key,
            on_change=choose,
            width="content",
            wrap=True,
        )
        if shown == "random":
            low, high = int(settings["seed"].low), int(settings["seed"].high)
            st.number_input(
                "Seed", low, high, key="seed", on_change=lambda: load("random"), width=130
            )
        st.space("stretch")
        st.button("Reset all", icon=":material/restart_alt:", on_click=reset)
    controls(
        [
            *(Control(settings[name], name) for name in (*EXAMPLE, *WEIGHTS)),
            Control(settings["epochs"], "epochs", step=1),
        ],
        key="start_fields",
        on_edit=edited,
        on_rest=rested,
    )


def view() -> None:
    """How the pictures and the table show their numbers, and the table as a file."""
    history = descend(current_setup(), state.eta, state.epochs)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for name, label in (("edges", "Edges"), ("scale", "Error axis"), ("digits", "Digits")):
            st.segmented_control(
                label,
                settings[name].options,
                key=name,
                required=True,
                on_change=look,
                width="content",
            )
        st.space("stretch")
        st.download_button(
            "Table as CSV",
            lambda: history.table().to_csv(index=False),
            file_name="backprop.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        setup, rate = current_setup(), state.eta
        st.download_button(
            "Workbook",
            lambda: live_workbook(setup, rate, history.epochs),
            file_name="backprop.xlsx",
            mime="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            icon=":material/download:",
            help="The table with live formulas, for Excel or LibreOffice",
            on_click="ignore",
        )


def live_workbook(setup: Setup, rate: float, epochs: int) -> bytes:
    # Its library takes longer to import than the page's first numbers may.
    from core.backprop.workbook import workbook

    return workbook(setup, rate, epochs)


@st.fragment(key="sliders")
def sliders() -> None:
    """The two numbers that are dragged, and what they lead to."""
    state.epoch = min(state.epoch, state.epochs)
    history = descend(current_setup(), state.eta, state.epochs)
    last, chosen = history.E_total[-1], history.E_total[state.epoch - 1]
    controls(
        [
            Control(
                settings["eta"],
                "learning rate η",
                SLIDER_RATES,
                reading=f"E_total at epoch {state.epochs}, the last: {last:.8f}",
                step=0.1,
            ),
            Control(
                settings["epoch"],
                "epoch",
                range(1, state.epochs + 1),
                reading=f"E_total at epoch {state.epoch}: {chosen:.8f}",
                step=1,
                playable=True,
            ),
        ],
        key="slider_fields",
        on_edit=slid,
        on_draw=drawn,
        on_rest=rested,
    )


@st.fragment(key="pictures")
def pictures() -> None:
    """The diagram, the curve and the table of the run."""
    for complaint in settings.complaints():
        st.error(complaint, icon=":material/link_off:")
    history = descend(current_setup(), state.eta, state.epochs)
    draw(
        diagram_spec(state.edges),
        diagram_data(history, state.epoch, state.edges),
        key="diagram",
        alt_text="The network: inputs i1, i2, hidden units h1, h2, outputs o1, o2 and the eight "
        "weights between them, with their values at the chosen epoch",
    )
    draw(
        loss_spec(usable_scale(state.scale, history.E_total)),
        loss_data(history, state.epoch),
        key="loss",
        alt_text="E1, E2 and E_total against the epoch, the chosen epoch marked",
    )
    ledger(history, state.epoch, full=state.digits == "all", key="ledger", on_choose=choose_epoch)
    say_where_it_ends(history)
    if not state.pop("moving", False):
        settings.save()


def say_where_it_ends(history: History) -> None:
    if history.diverged_at:
        st.warning(
            f"From epoch {history.diverged_at} on the numbers are too large for a computer: the "
            "run has diverged. The rows below repeat the last epoch that had numbers.",
            icon=":material/trending_up:",
        )
    elif history.stalled_at:
        st.info(
            f"From epoch {history.stalled_at} on no weight moves any more: every step is smaller "
            "than the last digit a float holds.",
            icon=":material/pause:",
        )


def read_rates() -> None:
    try:
        state.rates = settings["rates"].parse(state.rates_text)
        state.rates_problem = ""
    except ValueError as wrong:
        state.rates_problem = str(wrong)
    edited()


def compare() -> None:
    """Learning rates side by side: their curves, and where a dense sweep of them ends."""
    st.subheader("Learning rates", anchor=False)
    setup, eta = current_setup(), state.eta
    if not state.get("rates_problem"):
        state.rates_text = settings["rates"].format(state.rates)
    st.text_input(
        "Compare these, with spaces between them",
        key="rates_text",
        on_change=read_rates,
        width=420,
    )
    if problem := state.get("rates_problem"):
        st.error(problem)
    many = descend(setup, np.array(state.rates), state.epochs)
    sweep = sweep_rates(setup, eta, state.epochs)
    left, right = st.columns(2)
    with left:
        scale = usable_scale(state.scale, many.E_total)
        draw(
            compare_spec(scale),
            compare_data(many, state.rates, scale),
            key="compare",
            alt_text="E_total against the epoch, one line for each learning rate",
        )
    with right:
        draw(
            sweep_spec(usable_scale(state.scale, sweep.final)),
            sweep_data(sweep),
            key="sweep",
            alt_text="E_total at the last epoch against the learning rate, the current rate and "
            "the best one marked",
        )
    where = ", an end of the sweep," if sweep.best_is_an_end else ""
    st.markdown(
        f"Best of the {len(sweep.rates)} rates swept: **η = {sweep.rates[sweep.best]:.4g}**{where} "
        f"with E_total = **{sweep.final[sweep.best]:.6g}** at epoch {state.epochs}. "
        f"Yours: η = {eta:g} with {sweep.own:.6g}."
    )
    settings.save()


@st.fragment(key="start")
def start() -> None:
    with st.container(key="fields"):
        start_fields()
    with st.container(key="live"):
        sliders()
        pictures()


@st.fragment(key="rest")
def rest() -> None:
    view()
    compare()


enter()
settings.restore()
st.title("Backpropagation, number by number", anchor=False)
with st.container(key="bench"):
    start()
rest()
