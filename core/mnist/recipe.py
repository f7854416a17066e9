"""What a run depends on: each hyperparameter declared once, and the recipes made of them.

The form, the command line, the address and the check of a value all follow from what is declared
here. Needs no torch.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

MAX_EPOCHS = 19  # the task: fewer than 20
CLASSES = 10  # the digits
DROPOUT = 0.05  # the published network's
NETWORKS = {"published": "Published", "fc-head": "FC head", "compact": "Compact"}
NETWORK_NOTES = {
    "published": "The published network: its last layer is a 1×1 convolution, pooled globally.",
    "fc-head": "The same features, pooled globally and then read by a fully connected layer.",
    "compact": "Half the parameters: the published plan with fewer maps in each layer.",
}
DIGITS = {"mnist": "MNIST", "uci": "UCI"}

MAIN = "Main"  # what a person chooses before all else; the other groups are titles of the form
OPTIMISER = "Optimiser"
REGULARISATION = "Regularisation"
AUGMENTATION = "Data augmentation"
DRAWINGS = "Drawings besides the data set"
SPEED = "Speed"


class ConfigError(ValueError):
    """A setting is out of range; the message says which, and what is allowed."""


@dataclass(frozen=True)
class Hyperparameter:
    """One number or choice that a run depends on.

    kind: int, float or str; low, high: the ends of a number's range, both allowed; options: what
    may be chosen, each with its title; label, help, group: how the form shows it.
    """

    name: str
    kind: type
    label: str
    group: str
    help: str | None = None
    low: float = -math.inf
    high: float = math.inf
    options: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def allowed(self) -> str:
        """What a value may be, in a few words."""
        if self.options:
            return ", ".join(self.options)
        return f"{_said(self.low)} to {_said(self.high)}"

    def check(self, value: Any) -> None:
        """Raises ConfigError unless the value is of its kind and within its range."""
        said = self.name.replace("_", " ")
        if self.options:
            if value not in self.options:
                which = str(value)[:40]
                raise ConfigError(f"{said} “{which}” is unknown; choose one of: {self.allowed}.")
            return
        kinds = (int,) if self.kind is int else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds):
            kind = "a whole number" if self.kind is int else "a number"
            raise ConfigError(f"{said} is {str(value)[:40]!r}; it must be {kind}.")
        if not self.low <= value <= self.high:
            low, high = _said(self.low), _said(self.high)
            raise ConfigError(f"{said} is {value}; it must lie between {low} and {high}.")


def _said(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:g}"


def _number(
    default: float, low: float, high: float, label: str, group: str, note: str | None = None
) -> Any:
    declared = {"low": low, "high": high, "label": label, "group": group}
    return dataclasses.field(default=default, metadata=declared | {"help": note})


def _choice(
    default: str, options: Mapping[str, str], label: str, group: str, note: str | None = None
) -> Any:
    declared = {"options": options, "label": label, "group": group}
    return dataclasses.field(default=default, metadata=declared | {"help": note})


def _declared(kind: type) -> dict[str, Hyperparameter]:
    """The hyperparameters that a dataclass declares itself; their annotations are their kinds."""
    kinds = {"int": int, "float": float, "str": str}
    return {
        field.name: Hyperparameter(field.name, kinds[str(field.type)], **field.metadata)
        for field in dataclasses.fields(kind)
        if field.metadata
    }


class _Checked:
    """A dataclass of hyperparameters, none of them out of range."""

    def __post_init__(self) -> None:
        for name, declared in _declared(type(self)).items():
            declared.check(getattr(self, name))


@dataclass(frozen=True)
class Augmentation(_Checked):
    """How far an image may be changed; each amount is drawn evenly from −limit to +limit.

    rotation, shear: degrees; shift: pixels, along each axis; scale: a share, so 0.1 is 90 to 110 %.
    elastic: pixels; not a limit but the standard deviation of a smooth random displacement, as in
    Simard, Steinkraus and Platt, 2003, "Best Practices for Convolutional Neural Networks".
    pen: pixels by which the strokes become wider or narrower.
    """

    rotation: float = _number(0.0, 0.0, 45.0, "Rotation (± degrees)", AUGMENTATION)
    shift: float = _number(0.0, 0.0, 6.0, "Shift (± pixels)", AUGMENTATION)
    scale: float = _number(0.0, 0.0, 0.5, "Scale (± share)", AUGMENTATION)
    shear: float = _number(0.0, 0.0, 45.0, "Shear (± degrees)", AUGMENTATION)
    elastic: float = _number(0.0, 0.0, 4.0, "Elastic (pixels, sd)", AUGMENTATION)
    pen: float = _number(0.0, 0.0, 2.0, "Stroke width (pixels)", AUGMENTATION)

    @property
    def is_none(self) -> bool:
        return not any(vars(self).values())


@dataclass(frozen=True)
class TrainConfig(_Checked):
    """Everything a run depends on. Raises ConfigError where a value is out of range.

    peak_rate: the highest learning rate; momentum: of SGD (Nesterov's with one-cycle) and Muon,
    and β₁ of AdamW; warmup: the share of all steps in which one-cycle rises; averaging: decay per
    step of the exponential moving average of the weights, 0 for none; settling: plain images from
    which batch normalisation's statistics are recomputed after each epoch, 0 to keep those of
    training; plain_epochs: the last so many epochs train on unchanged images; drawn: digits of a
    simulated pen that are trained on besides the data set's; drawn_others: its drawings that are no
    digit, for which every answer is to be equally likely, each met in one epoch; validation: images
    held out of the training set, on which the network is calibrated at the end; parts: each batch
    is split into so many, which run side by side and are normalised apart.
    """

    architecture: str = _choice("published", NETWORKS, "Network", MAIN)
    data: str = _choice(
        "mnist",
        DIGITS,
        "Digits",
        MAIN,
        "MNIST: 70,000 digits. UCI: 1,797 digits that need no download, quick to train on.",
    )
    epochs: int = _number(MAX_EPOCHS, 1, MAX_EPOCHS, "Epochs", MAIN)
    seed: int = _number(0, 0, 2**31 - 1, "Seed", MAIN)
    optimiser: str = _choice(
        "sgd", {"sgd": "SGD", "adamw": "AdamW", "muon": "Muon"}, "Optimiser", OPTIMISER
    )
    peak_rate: float = _number(0.01, 1e-5, 2.0, "Peak learning rate", OPTIMISER)
    schedule: str = _choice(
        "constant",
        {"constant": "constant", "one-cycle": "one-cycle"},
        "Learning-rate schedule",
        OPTIMISER,
    )
    warmup: float = _number(
        0.2,
        0.0,
        0.9,
        "Warm-up (share of steps)",
        OPTIMISER,
        "One-cycle rises for this share of all steps, then falls.",
    )
    momentum: float = _number(0.9, 0.0, 0.99, "Momentum", OPTIMISER)
    weight_decay: float = _number(0.0, 0.0, 0.1, "Weight decay", OPTIMISER)
    batch_size: int = _number(128, 8, 1024, "Batch size", OPTIMISER)
    averaging: float = _number(
        0.0,
        0.0,
        0.9999,
        "Weight averaging, EMA (decay)",
        OPTIMISER,
        "The result is a moving average of the weights; 0 for none.",
    )
    settling: int = _number(
        0,
        0,
        20_000,
        "Batch-norm recalibration (images)",
        OPTIMISER,
        "Batch-norm statistics are recomputed after each epoch on so many images without "
        "augmentation; 0: not at all.",
    )
    dropout: float = _number(DROPOUT, 0.0, 0.5, "Dropout", REGULARISATION)
    label_smoothing: float = _number(0.0, 0.0, 0.5, "Label smoothing", REGULARISATION)
    validation: int = _number(
        0,
        0,
        10_000,
        "Held-out validation images",
        REGULARISATION,
        "Training images kept for validation: their loss is logged, and at the end the confidence "
        "is calibrated on them.",
    )
    augmentation: Augmentation = dataclasses.field(default_factory=Augmentation)
    plain_epochs: int = _number(0, 0, MAX_EPOCHS, "Last epochs without augmentation", AUGMENTATION)
    drawn: int = _number(
        0,
        0,
        60_000,
        "Drawn digits",
        DRAWINGS,
        "Extra training digits from a simulated pen, in many widths, slants and shapes.",
    )
    drawn_others: int = _number(
        0,
        0,
        60_000,
        "Drawings of other things",
        DRAWINGS,
        "Letters, signs, scribbles, each met in one epoch: it learns low confidence on them.",
    )
    precision: str = _choice(
        "float32",
        {"float32": "float32", "bfloat16": "bfloat16"},
        "Precision",
        SPEED,
        "bfloat16 is about twice as fast; the results are evaluated in float32.",
    )
    parts: int = _number(
        1,
        1,
        8,
        "Parts of a batch",
        SPEED,
        "Each batch is split into so many parts that run side by side.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.batch_size < 2 * self.parts:
            raise ConfigError(
                f"A batch of {self.batch_size} cannot be split into {self.parts} parts of at least "
                "2 images; choose a larger batch or fewer parts."
            )

    @property
    def values(self) -> dict[str, Any]:
        """Every hyperparameter's value by its name, those of the augmentation among them."""
        return {name: getattr(owner, name) for name, owner in self._owners()}

    def with_values(self, values: Mapping[str, Any]) -> Self:
        """The same with these hyperparameters changed. Raises ConfigError."""
        of_images = {name: values[name] for name in _declared(Augmentation) if name in values}
        own = {name: value for name, value in values.items() if name not in of_images}
        return replace(self, augmentation=replace(self.augmentation, **of_images), **own)

    def _owners(self) -> Iterator[tuple[str, Any]]:
        for field in dataclasses.fields(self):
            if field.name == "augmentation":
                yield from ((name, self.augmentation) for name in _declared(Augmentation))
            else:
                yield field.name, self

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


_ALL = _declared(TrainConfig) | _declared(Augmentation)
HYPERPARAMETERS = {name: _ALL[name] for name in TrainConfig().values}
GROUPS = tuple(dict.fromkeys(declared.group for declared in HYPERPARAMETERS.values()))


@dataclass(frozen=True)
class Preset:
    """A recipe with a name. title: in a list; note: what it does, in words."""

    title: str
    note: str
    config: TrainConfig


PRESETS = {
    "published": Preset(
        "Notebook's",
        "As the published network was trained: plain SGD at one learning rate.",
        TrainConfig(),
    ),
    "fast": Preset(
        "Fast",
        "Past 99.4 % of MNIST in three epochs: orthogonal steps (Muon), large while there is much "
        "to learn and small at the end, and the average of the latest weights as the result.",
        TrainConfig(
            epochs=3,
            batch_size=256,
            optimiser="muon",
            peak_rate=0.03,
            schedule="one-cycle",
            warmup=0.1,
            momentum=0.9,
            weight_decay=0.02,
            augmentation=Augmentation(rotation=6, shift=1, scale=0.06),
            plain_epochs=1,
            dropout=0.01,
            averaging=0.98,
            settling=2_000,
            precision="bfloat16",
            parts=2,
        ),
    ),
    "best": Preset(
        "Best",
        "The most accurate in 19 epochs: the digits are turned, bent and redrawn a little each "
        "time, a simulated pen adds others, and what is no digit is to be answered without "
        "confidence.",
        TrainConfig(
            batch_size=256,
            optimiser="muon",
            peak_rate=0.04,
            schedule="one-cycle",
            momentum=0.95,
            weight_decay=0.02,
            augmentation=Augmentation(
                rotation=10, shift=2, scale=0.1, shear=8, elastic=0.5, pen=1.0
            ),
            plain_epochs=3,
            drawn=3_000,
            drawn_others=7_600,
            validation=5_000,
            dropout=0.01,
            averaging=0.998,
            settling=5_000,
            precision="bfloat16",
            parts=2,
        ),
    ),
}

# The presets' amounts are for MNIST. A thousand digits make few batches of 256, too few steps to
# learn in, and have fewer to hold out.
UCI_AT_MOST = {"batch_size": 32, "validation": 200, "drawn": 300, "drawn_others": 300}


def preset(name: str, **changes: Any) -> TrainConfig:
    """The preset of that name with some values changed. Raises ConfigError.

    For the UCI digits its amounts are bounded by UCI_AT_MOST.
    """
    if name not in PRESETS:
        raise ConfigError(f"“{name}” is no preset; choose one of: {', '.join(PRESETS)}.")
    config = PRESETS[name].config
    if changes.get("data", config.data) == "uci":
        config = replace(config, **{k: min(v, getattr(config, k)) for k, v in UCI_AT_MOST.items()})
    return config.with_values(changes)
