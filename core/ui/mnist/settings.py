"""Every setting of the MNIST page: its name in the address, its range and its default."""

from __future__ import annotations

from typing import Any

from core.mnist.recipe import HYPERPARAMETERS, PRESETS, Hyperparameter, TrainConfig, preset
from core.ui.settings import Choice, Name, Names, Number, Setting, Settings

VIEWS = ("Results", "Train", "Compare")
FIRST = "fast"  # the preset that a newcomer's form holds: it shows the most in the least time
CUSTOM = "own"
FREE = ("architecture", "data", "seed")  # the person's choice, whatever the recipe


def _setting(one: Hyperparameter, default: Any) -> Setting:
    if one.options:
        return Choice(one.name, default, tuple(one.options))
    return Number(one.name, default, one.low, one.high, whole=one.kind is int)


settings = Settings(
    "mnist",
    [
        Choice("view", VIEWS[0], VIEWS),
        Name("network", "published"),
        Choice("cells", "counts", ("counts", "shares")),
        Name("run", ""),
        Names("compared", ["published", "compact"], most=6),
        *(_setting(HYPERPARAMETERS[name], value) for name, value in preset(FIRST).values.items()),
    ],
)


def current_config() -> TrainConfig:
    """The form's configuration. Raises ConfigError where its values contradict each other."""
    return TrainConfig().with_values({name: settings[name] for name in HYPERPARAMETERS})


def recipe(name: str, source: str) -> dict[str, Any]:
    """What the preset puts into the form; it has no say in network, data and seed."""
    values = preset(name, data=source).values
    return {name: value for name, value in values.items() if name not in FREE}


def current_preset() -> str:
    """The preset whose recipe the form holds, else CUSTOM."""
    for name in PRESETS:
        if all(settings[field] == value for field, value in recipe(name, settings["data"]).items()):
            return name
    return CUSTOM


def unlike_the_notebooks() -> list[dict[str, str]]:
    """A row for each of the form's values that is another in the notebook's recipe."""
    return [
        {
            "Setting": HYPERPARAMETERS[name].label,
            "Here": _shown(name, settings[name]),
            "Notebook's": _shown(name, value),
        }
        for name, value in recipe("published", settings["data"]).items()
        if settings[name] != value
    ]


def _shown(name: str, value: Any) -> str:
    return HYPERPARAMETERS[name].options.get(value) or str(settings.spec(name).format(value))
