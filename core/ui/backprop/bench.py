"""Start, sliders, diagram and curve of the backpropagation page.

Three fragments follow the hand, and none reruns the page: `sliders` (the numbers), `pictures` (the
diagram and the curve), and `panel` of `views.py`, the open tab; one that takes longer waits until
the hand rests.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from core.backprop.derivation import EDGES
from core.backprop.network import BIASES, PARAMETERS, History
from core.backprop.phases import phase_steps
from core.backprop.presets import PRESETS, RATES, random_start
from core.ui.backprop.charts import loss_data, loss_spec, usable_scale
from core.ui.backprop.derivation import lit
from core.ui.backprop.diagram import diagram_data, diagram_spec
from core.ui.backprop.network import network_menu
from core.ui.backprop.schedule import FIELDS, schedule_menu
from core.ui.backprop.settings import (
    RUN,
    SLIDER_RATES,
    chosen_epoch,
    chosen_step,
    current_run,
    current_setup,
    pinned_run,
    run_before_changes,
    schedule_of,
    settings,
)
from core.ui.backprop.views import following, resting, views
from core.ui.charts import draw
from core.ui.colours import FORWARD, GRADIENT_UP, LOSS
from core.ui.live_numbers import LiveNumber, Toggle, live_numbers
from core.ui.settings import Settings, controlled
from core.ui.site import redraw
from core.ui.text import plain
from core.ui.turns import in_turn

_HUES = {"Forward": FORWARD, "Errors": LOSS}  # of a phase; all others are of the gradients
_IS = "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}"
_WORDS = {
    **{"eta": "η", "hidden": "hidden activation", "output": "output activation"},
    **{"schedule": "η is", "every": "epochs a factor", "floor": "lowest η"},
    "changes": "η changed by hand",
}


def load(preset: str | None) -> None:
    """Take the numbers of a preset; None changes nothing: a choice was taken back.

    What activations there are, and which weights are kept, stays.
    """
    if preset:
        start = random_start(settings["seed"]) if preset == "random" else PRESETS[preset]
        settings.edit(start.numbers | {"biases": start.network.biases})
        if preset in RATES:
            settings.edit({"eta": RATES[preset]})
    redraw("start")


def _reset() -> None:
    settings.edit(settings.defaults())
    redraw("start", "view")


def current_preset() -> str | None:
    """The preset whose numbers are set now."""
    numbers = current_setup().numbers
    named = {**PRESETS, "random": random_start(settings["seed"])}
    return next((name for name, preset in named.items() if preset.numbers == numbers), None)


@st.fragment(key="start")
def start() -> None:
    """The bench: where the descent starts, and all that follows from it."""
    with st.container(key="fields"):
        _start_fields()
    with st.container(key="live"):
        sliders()
        pictures()
    with st.container(key="below"):
        views()


def _start_fields() -> None:
    """A preset, or the example and the weights one by one; and what kind of network it is."""
    shown = current_preset()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.pills(
            "Start from",
            [*PRESETS, "random"],
            default=shown,
            width="content",
            wrap=True,
            **controlled("backprop.preset", shown, load),
        )
        if shown == "random":
            settings.number("seed", "Seed", then=lambda: load("random"), width=130)
        st.space("stretch")
        schedule_menu()
        network_menu()
        st.button("Reset all", icon=":material/restart_alt:", on_click=_reset)
    live_numbers(
        settings,
        [
            *(LiveNumber(name, name, toggle=_keep(name)) for name in current_setup().numbers),
            LiveNumber("epochs", "epochs", step=1),
        ],
        key="start",
        on_edit=lambda _: None,
    )


def _keep(name: str) -> Toggle | None:
    """The pin of a parameter that takes steps, or would."""
    if name not in current_setup().network.learned:
        return None
    kept = settings["kept"]
    is_kept = name in kept
    others = [other for other in PARAMETERS if (other in kept) != (other == name)]
    return Toggle(f"Keep {name}: it takes no step", is_kept, {"kept": others})


@st.fragment(key="sliders")
def sliders() -> None:
    """The numbers that are dragged, and what they lead to."""
    epoch, epochs = chosen_epoch(), settings["epochs"]
    steps = phase_steps(current_setup().network)
    history = current_run()
    errors, eta = history.E_total, history.learning_rate[epoch - 1]
    now = "" if schedule_of(settings.values).is_constant else f", η = {eta:.6g}"

    def edited(number_first: bool) -> None:
        if not number_first:
            redraw("sliders", "pictures", *following())

    live_numbers(
        settings,
        [
            LiveNumber(
                "eta",
                "learning rate η",
                SLIDER_RATES,
                reading=f"E_total at epoch {epochs}, the last: {errors[-1]:.8f}",
                step=0.1,
            ),
            LiveNumber(
                "epoch",
                "epoch",
                range(1, epochs + 1),
                reading=f"E_total at epoch {epoch}: {errors[epoch - 1]:.8f}{now}",
                step=1,
                playable=True,
            ),
            LiveNumber(
                "step",
                "step by step",
                range(len(steps) + 1),
                reading=_said_of_step(),
                step=1,
                playable=True,
                is_wide=True,
                spoken=f"{settings['step']} of {len(steps)}",
                before={"epoch": epoch - 1, "step": len(steps)} if epoch > 1 else None,
                after={"epoch": epoch + 1, "step": 1} if epoch < epochs else None,
            ),
        ],
        key="sliders",
        on_edit=edited,
        on_draw=lambda: redraw("pictures", *following()),
        on_rest=(lambda: redraw(*resting())) if resting() else None,
    )


def _said_of_step() -> str:
    """The formula of the chosen step, with the chosen epoch's numbers; empty without one."""
    step, history, epoch = chosen_step(), current_run(), chosen_epoch()
    if not step:
        return ""
    if step.is_update and epoch == history.epochs:
        return f"{step.phase}: no step follows, epoch {epoch} is the last."

    def result(number: float) -> str:
        text = repr(number) if settings["digits"] == "all" else f"{number:.6g}"
        return text.removesuffix(".0").replace("e-0", "e-").replace("-", "−")

    def shown(number: float) -> str:
        return f"({result(number)})" if number < 0 else result(number)

    eta = float(history.learning_rate[epoch - 1])
    return f"{step.phase}: {step.line(history.row(epoch), eta, shown, result)}"


@st.fragment(key="pictures")
@in_turn
def pictures() -> None:
    """The diagram and the curve of the run."""
    settings.complain()
    history, epoch, pinned, step = current_run(), chosen_epoch(), pinned_run(), chosen_step()
    before = run_before_changes()
    draw(
        diagram_spec(settings["edges"]),
        diagram_data(
            *(history, epoch, settings["edges"]),
            *((step.lit, _HUES.get(step.phase, GRADIENT_UP)) if step else (lit(),)),
        ),
        key="diagram",
        alt_text="The network: inputs i1, i2, hidden units h1, h2, outputs o1, o2 and the eight "
        "weights between them, with their values at the chosen epoch",
        on_pick=_derive,
    )
    errors = np.concatenate([run.E_total for run in (history, pinned, before) if run])
    draw(
        loss_spec(
            usable_scale(settings["scale"], errors),
            is_pinned=pinned is not None,
            is_changed=before is not None,
        ),
        loss_data(history, epoch, pinned, before),
        key="loss",
        alt_text="E1, E2 and E_total against the epoch, the chosen epoch marked"
        + (", and E_total of the pinned run" if pinned else "")
        + (", and E_total without the changes of η" if before else ""),
    )
    if pinned:
        _say_what_differs(settings["pin"], epoch)
    _say_where_it_ends(history)
    settings.write()


def _derive(name: str) -> None:
    """Open the derivation of an edge; a node has none."""
    if name in EDGES:
        settings.edit({"weight": name, "tab": "Derivation", "step": 0})
        redraw("sliders", "pictures", "views")


def _say_what_differs(pinned: Mapping[str, Any], epoch: int) -> None:
    has_biases = {pinned["biases"], settings["biases"]} != {"none"}
    used = {name for kind in (pinned, settings) for name, _ in FIELDS[kind["schedule"]]}
    unused = {name for fields in FIELDS.values() for name, _ in fields} - used
    unused |= set() if has_biases else set(BIASES)
    differing = [
        setting
        for setting in RUN
        if pinned[setting.name] != settings[setting.name] and setting.name not in unused
    ]

    def words(values: Mapping[str, Any] | Settings) -> str:
        return ", ".join(
            f"{_WORDS.get(s.name, s.name)}{_IS}{s.format(values[s.name]) or 'none'}"
            for s in differing
        )

    said = f"Pinned: {words(pinned)}. Now: {words(settings)}."
    if not differing:
        said = "The pinned run and this one have the same settings."
    if epoch > pinned["epochs"]:
        said += f" The pinned run has no epoch {epoch}: it ends at {pinned['epochs']}."
    st.markdown(plain(said))


def _say_where_it_ends(history: History) -> None:
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
