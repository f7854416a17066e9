"""Every setting of Part 1: its name in the address, its range and its default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

from core.backprop.activations import ACTIVATIONS
from core.backprop.network import (
    BIASES,
    EXAMPLE,
    PARAMETERS,
    SEED,
    WEIGHTS,
    History,
    Network,
    Setup,
    descend,
)
from core.backprop.phases import PhaseStep, phase_steps
from core.backprop.presets import COURSE_RATES, PRESETS
from core.backprop.schedule import KINDS, Schedule
from core.ui.settings import Choice, Choices, Number, Numbers, Setting, Settings
from core.ui.text import cut

TABS = ("Table", "Derivation", "Learning rates", "Landscape", "Check")

MOST_EPOCHS = 10_000
MOST_STEPS = len(phase_steps(Network(biases="learn")))
MOST_CHANGES = 50
MOST_IN_WORKBOOK = 1000  # more would take minutes and gigabytes to write

# 0.01 to 10 in steps of 1 %, to 10 %, of the decade: fine where η is small, and round.
SLIDER_RATES = tuple(
    sorted({step * unit / 1000 for unit in (1, 10, 100) for step in range(10, 101)})
)


@dataclass(frozen=True)
class Changes:
    """η changed by hand: (epoch, η) pairs, the epochs ascending."""

    name: str
    default: tuple[tuple[int, float], ...] = ()

    def parse(self, text: str) -> tuple[tuple[int, float], ...]:
        epoch, eta = Number("", 1, 1, MOST_EPOCHS, whole=True), Number("", 1, 0, 1000)
        found = {}
        for part in text.split():
            left, is_pair, right = part.partition("=")
            if not is_pair:
                raise ValueError(
                    f"“{cut(part)}” is no change. Enter epoch=η, as in 20=0.5, separated by spaces."
                )
            found[int(epoch.parse(left))] = eta.parse(right)
        if len(found) > MOST_CHANGES:
            raise ValueError(f"Enter at most {MOST_CHANGES} changes; found {len(found)}.")
        return tuple(sorted(found.items()))

    def format(self, value: tuple[tuple[int, float], ...]) -> str:
        return " ".join(f"{epoch}={repr(eta).removesuffix('.0')}" for epoch, eta in value)


# The settings that make a run: what is pinned and compared. All others are ways to look at it.
RUN: tuple[Setting, ...] = (
    *(Number(name, getattr(SEED, name), -100, 100) for name in (*EXAMPLE, *WEIGHTS)),
    *(Number(name, getattr(PRESETS["Mazur"], name), -100, 100) for name in BIASES),
    Choice("hidden", "sigmoid", tuple(ACTIVATIONS)),
    Choice("output", "sigmoid", tuple(ACTIVATIONS)),
    Choice("biases", "none", ("none", "stay", "learn")),
    Choices("kept", [], PARAMETERS),
    Number("eta", 1.0, 0, 1000),
    Choice("schedule", "constant", KINDS),
    Number("factor", 0.5, 0.01, 1),
    Number("every", 10, 1, MOST_EPOCHS, whole=True),
    Number("floor", 0.0, 0, 1000),
    Changes("changes"),
    Number("epochs", 50, 1, MOST_EPOCHS, whole=True),
)

_NO_RUN, _DEFAULT_RUN = "none", "defaults"  # in the address


@dataclass(frozen=True)
class Pin:
    """The run that another is compared with, as the values of all of `RUN`; None where none is.

    The address writes it as a query in the query. Other names than those of `RUN` pass unseen
    there, and `pin` is none of them: a pinned run has no pin.
    """

    name: str
    default: None = None

    def parse(self, text: str) -> dict[str, Any] | None:
        if text == _NO_RUN:
            return None
        if text != _DEFAULT_RUN and "=" not in text:
            raise ValueError(
                f"“{cut(text)}” is no run. Allowed is {_NO_RUN}, {_DEFAULT_RUN} or settings as in "
                "eta=0.5&w1=0.3."
            )
        query, values = dict(parse_qsl(text, keep_blank_values=True)), {}
        for setting in RUN:
            name = setting.name
            try:
                values[name] = setting.parse(query[name]) if name in query else setting.default
            except ValueError as wrong:
                raise ValueError(f"its {name}: {wrong}") from wrong
        return values

    def format(self, value: Mapping[str, Any] | None) -> str:
        if value is None:
            return _NO_RUN
        query = {s.name: s.format(value[s.name]) for s in RUN if value[s.name] != s.default}
        return urlencode(query) or _DEFAULT_RUN


settings = Settings(
    "backprop",
    [
        *RUN,
        Number("epoch", 1, 1, MOST_EPOCHS, whole=True),
        Number("step", 0, 0, MOST_STEPS, whole=True),  # within the epoch; 0: none
        Number("new", 0.1, 0, 1000),  # the η that a click sets from the chosen epoch on
        Number("seed", 0, 0, 9999, whole=True),
        Numbers("rates", COURSE_RATES, 0, 1000, most=12),
        Choice("scale", "linear", ("linear", "log")),
        Choice("edges", "weights", ("weights", "gradients")),
        Choice("digits", "six", ("six", "all")),
        Choice("tab", TABS[0], TABS),
        Choice("weight", "w5", PARAMETERS),
        Choice("across", "w5", PARAMETERS),
        Choice("up", "w7", PARAMETERS),
        Pin("pin"),
    ],
)


def setup_of(values: Mapping[str, Any]) -> Setup:
    """The inputs, targets, initial weights and the network among these values."""
    network = Network(
        values["hidden"], values["output"], values["biases"], frozenset(values["kept"])
    )
    names = (*EXAMPLE, *network.parameters)
    return Setup(**{name: values[name] for name in names}, network=network)


def run_of(values: Mapping[str, Any]) -> History:
    """The descent from there, at the rates and for the epochs among these values."""
    return _run(setup_of(values), schedule_of(values), values["epochs"])


def schedule_of(values: Mapping[str, Any]) -> Schedule:
    """The learning rate of every epoch among these values."""
    names = ("eta", "schedule", "factor", "every", "floor", "changes", "epochs")
    return Schedule(*(values[name] for name in names))


@lru_cache(maxsize=16)  # each fragment that follows the hand asks for it; one can be of 3 MB
def _run(setup: Setup, schedule: Schedule, epochs: int) -> History:
    if schedule.is_constant:
        return descend(setup, schedule.eta, epochs)
    return schedule.descend(setup, epochs)


def epochs_in_workbook(values: Mapping[str, Any]) -> int:
    """How many of the epochs a workbook has."""
    epochs: int = values["epochs"]
    return min(epochs, MOST_IN_WORKBOOK)


def current_setup() -> Setup:
    """The inputs, targets and initial weights as they are set now."""
    return setup_of(settings.values)


def current_run() -> History:
    """The run that is set now."""
    return run_of(settings.values)


def run_before_changes() -> History | None:
    """The run that is set now as it was before η was changed on the way; None if it was not."""
    values = settings.values
    schedule, epochs = schedule_of(values), values["epochs"]
    # The last epoch's η makes no step.
    if (schedule.rates(epochs)[:-1] == schedule.before.rates(epochs)[:-1]).all():
        return None
    return _run(setup_of(values), schedule.before, epochs)


def pinned_run() -> History | None:
    """The run that is pinned, if one is."""
    return run_of(settings["pin"]) if settings["pin"] else None


def pin(*, is_on: bool) -> None:
    """Pin the run that is set now, or no run."""
    now = {setting.name: settings[setting.name] for setting in RUN}
    settings.edit({"pin": now if is_on else None})


def chosen_epoch() -> int:
    """The epoch that is looked at; the last one where the run has become shorter."""
    if settings["epoch"] > settings["epochs"]:
        settings.adjust({"epoch": settings["epochs"]})
    epoch: int = settings["epoch"]
    return epoch


def chosen_step() -> PhaseStep | None:
    """The number of the chosen epoch that is looked at; None where it is the epoch as a whole."""
    steps = phase_steps(current_setup().network)
    if settings["step"] > len(steps):
        settings.adjust({"step": len(steps)})
    return steps[settings["step"] - 1] if settings["step"] else None


def learned_parameter(name: str) -> str:
    """The parameter that the setting called `name` chooses; another where it is not learned."""
    learned = current_setup().network.learned
    if settings[name] not in learned:
        settings.adjust({name: settings.spec(name).default})
    chosen: str = settings[name]
    return chosen
