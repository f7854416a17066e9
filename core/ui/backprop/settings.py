"""Every setting of Part 1: its name in the address, its range and its default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.backprop.network import SEED, WEIGHTS, History, Setup, descend
from core.backprop.presets import COURSE_RATES
from core.ui.settings import Choice, Number, Numbers, Settings

TABS = ("Table", "Derivation", "Learning rates", "Landscape", "Check")

EXAMPLE = ("i1", "i2", "t1", "t2")

# 0.01 to 10 in steps of 1 %, to 10 %, of the decade: fine where η is small, and round.
SLIDER_RATES = tuple(
    sorted({step * unit / 1000 for unit in (1, 10, 100) for step in range(10, 101)})
)

settings = Settings(
    "backprop",
    [
        *(Number(name, getattr(SEED, name), -100, 100) for name in (*EXAMPLE, *WEIGHTS)),
        Number("eta", 1.0, 0, 1000),
        Number("epochs", 50, 1, 1000, whole=True),
        Number("epoch", 1, 1, 1000, whole=True),
        Number("seed", 0, 0, 9999, whole=True),
        Numbers("rates", COURSE_RATES, 0, 1000, most=12),
        Choice("scale", "linear", ("linear", "log")),
        Choice("edges", "weights", ("weights", "gradients")),
        Choice("digits", "six", ("six", "all")),
        Choice("tab", TABS[0], TABS),
        Choice("weight", "w5", WEIGHTS),
        Choice("across", "w5", WEIGHTS),
        Choice("up", "w7", WEIGHTS),
    ],
)


def setup_of(values: Mapping[str, Any]) -> Setup:
    """The inputs, targets and initial weights among these values."""
    return Setup(**{name: values[name] for name in (*EXAMPLE, *WEIGHTS)})


def run_of(values: Mapping[str, Any]) -> History:
    """The descent from there, at the rate and for the epochs among these values."""
    return descend(setup_of(values), values["eta"], values["epochs"])


def current_setup() -> Setup:
    """The inputs, targets and initial weights as they are set now."""
    return setup_of(settings.live()())


def current_run() -> History:
    """The run that is set now."""
    return run_of(settings.live()())


def chosen_epoch() -> int:
    """The epoch that is looked at; the last one where the run has become shorter."""
    if settings["epoch"] > settings["epochs"]:
        settings.adjust({"epoch": settings["epochs"]})
    epoch: int = settings["epoch"]
    return epoch
