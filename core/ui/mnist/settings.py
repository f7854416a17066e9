"""Every setting of the MNIST page: its name in the address, its range and its default."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from core.mnist.training import AUGMENTATION, CHOICES, PRESETS, RANGES, TrainConfig, preset
from core.ui.settings import Choice, Name, Names, Number, Setting, Settings

VIEWS = ("Results", "Train", "Compare")
FIRST = "fast"  # the preset that a newcomer's form holds: it shows the most in the least time
CUSTOM = "own"
FREE = ("architecture", "data", "seed")  # the person's choice, whatever the recipe


def form_values(config: TrainConfig) -> dict[str, Any]:
    """The configuration as the form's fields hold it."""
    plain = {
        name: getattr(config, name) for name in (*CHOICES, *RANGES) if name not in AUGMENTATION
    }
    return plain | {name: float(value) for name, value in vars(config.augmentation).items()}


def _field(name: str, default: Any) -> Setting:
    if name in CHOICES:
        return Choice(name, default, CHOICES[name])
    low, high = RANGES[name]
    return Number(name, default, low, high, whole=is_whole(name))


def is_whole(name: str) -> bool:
    """Whether the field takes whole numbers only."""
    return name not in AUGMENTATION and isinstance(RANGES[name][0], int)


settings = Settings(
    "mnist",
    [
        Choice("view", VIEWS[0], VIEWS),
        Name("network", "published"),
        Choice("cells", "counts", ("counts", "shares")),
        Name("run", ""),
        Names("compared", ["published", "compact"], most=6),
        *(_field(name, default) for name, default in form_values(PRESETS[FIRST]).items()),
    ],
)


def current_config() -> TrainConfig:
    """The form's configuration. Raises ConfigError where its values contradict each other."""
    values = {name: settings[name] for name in form_values(PRESETS[FIRST])}
    affine = {name: values.pop(name) for name in AUGMENTATION}
    base = PRESETS[FIRST]
    return replace(base, augmentation=replace(base.augmentation, **affine), **values)


def recipe(name: str, source: str) -> dict[str, Any]:
    """What the preset puts into the form; it has no say in network, data and seed."""
    values = form_values(preset(name, data=source))
    return {name: value for name, value in values.items() if name not in FREE}


def current_preset() -> str:
    """The preset whose recipe the form holds, else CUSTOM."""
    for name in PRESETS:
        if all(settings[field] == value for field, value in recipe(name, settings["data"]).items()):
            return name
    return CUSTOM
