"""The one training loop. `train` yields what happens; it prints nothing and writes nothing.

What a run does follows from its configuration alone: every random number comes from generators
seeded with (seed, epoch, part), so a run that stops at an epoch's end and goes on later is the
unbroken run.
"""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, update_bn

from core.mnist.augment import Augmentation, prepare
from core.mnist.calibration import Calibration, calibrate
from core.mnist.data import SOURCES, Digits
from core.mnist.evaluation import BATCH, Evaluation, as_input, evaluate, log_probabilities
from core.mnist.models import (
    ARCHITECTURES,
    DROPOUT,
    MAX_EPOCHS,
    ConvNet,
    Dropout,
    build,
    channels_last,
    set_dropout,
)
from core.mnist.pen import NO_DIGIT, drawn_digits, drawn_others

OPTIMISERS = ("sgd", "adamw", "muon")
SCHEDULES = ("constant", "one-cycle")
PRECISIONS = ("float32", "bfloat16")
FINAL_SHARE = 0.001  # one-cycle ends at this share of the peak rate


Tensors = tuple[Tensor, ...] | list[Tensor]


class ConfigError(ValueError):
    """A setting is out of range; the message says which, and what is allowed."""


@dataclass(frozen=True)
class TrainConfig:
    """Everything a run depends on. Raises ConfigError where a value is out of range.

    peak_rate: the highest learning rate; momentum: of SGD (Nesterov's with one-cycle) and Muon,
    and β₁ of AdamW; warmup: the share of all steps in which one-cycle rises; averaging: decay per
    step of the exponential moving average of the weights, 0 for none; settling: plain images from
    which batch normalisation's statistics are recomputed after each epoch, 0 to keep those of
    training; plain_epochs: the last so many epochs train on unchanged images; drawn: digits of a
    simulated pen that are trained on besides the data set's; drawn_others: its drawings that are no
    digit, for which every answer is to be equally likely; validation: images held out of the
    training set, on which the network is calibrated at the end; parts: each batch is split into so
    many, which run side by side and are normalised apart.
    """

    architecture: str = "published"
    data: str = "mnist"
    epochs: int = 19
    batch_size: int = 128
    optimiser: str = "sgd"
    peak_rate: float = 0.01
    schedule: str = "constant"
    warmup: float = 0.2
    momentum: float = 0.9
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    augmentation: Augmentation = field(default_factory=Augmentation)
    dropout: float = DROPOUT
    averaging: float = 0.0
    settling: int = 0
    plain_epochs: int = 0
    drawn: int = 0
    drawn_others: int = 0
    validation: int = 0
    seed: int = 0
    precision: str = "float32"
    parts: int = 1

    def __post_init__(self) -> None:
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ConfigError(
                    f"{name.replace('_', ' ')} “{getattr(self, name)}” is unknown; "
                    f"choose one of: {', '.join(allowed)}."
                )
        for name, (low, high) in RANGES.items():
            owner = self.augmentation if name in AUGMENTATION else self
            value = getattr(owner, name)
            if not low <= value <= high:
                raise ConfigError(
                    f"{name.replace('_', ' ')} is {value}; it must lie between {low} and {high}."
                )
        if self.batch_size < 2 * self.parts:
            raise ConfigError(
                f"A batch of {self.batch_size} cannot be split into {self.parts} parts of at least "
                "2 images; choose a larger batch or fewer parts."
            )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> TrainConfig:
        """The inverse of `to_json`. Raises ConfigError for a value or a name that is unknown."""
        try:
            values = {**found, "augmentation": Augmentation(**found["augmentation"])}
            return cls(**values)
        except (TypeError, KeyError) as error:
            raise ConfigError(f"This is no training configuration: {error}.") from error


AUGMENTATION = tuple(f.name for f in fields(Augmentation))
CHOICES: dict[str, tuple[str, ...]] = {
    "architecture": tuple(ARCHITECTURES),
    "data": tuple(SOURCES),
    "optimiser": OPTIMISERS,
    "schedule": SCHEDULES,
    "precision": PRECISIONS,
}
RANGES: dict[str, tuple[float, float]] = {
    "epochs": (1, MAX_EPOCHS),
    "batch_size": (8, 1024),
    "peak_rate": (1e-5, 2.0),
    "warmup": (0.0, 0.9),
    "momentum": (0.0, 0.99),
    "weight_decay": (0.0, 0.1),
    "label_smoothing": (0.0, 0.5),
    "rotation": (0.0, 45.0),
    "shift": (0.0, 6.0),
    "scale": (0.0, 0.5),
    "shear": (0.0, 45.0),
    "elastic": (0.0, 4.0),
    "pen": (0.0, 2.0),
    "dropout": (0.0, 0.5),
    "averaging": (0.0, 0.9999),
    "settling": (0, 20_000),
    "plain_epochs": (0, MAX_EPOCHS),
    "drawn": (0, 60_000),
    "drawn_others": (0, 60_000),
    "validation": (0, 10_000),
    "seed": (0, 2**31 - 1),
    "parts": (1, 8),
}

PRESETS: dict[str, TrainConfig] = {
    "published": TrainConfig(),
    "fast": TrainConfig(
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
    "best": TrainConfig(
        batch_size=256,
        optimiser="muon",
        peak_rate=0.04,
        schedule="one-cycle",
        momentum=0.95,
        weight_decay=0.02,
        augmentation=Augmentation(rotation=10, shift=2, scale=0.1, shear=8, elastic=0.5, pen=1.0),
        plain_epochs=3,
        drawn=3_000,
        drawn_others=2_500,
        validation=5_000,
        dropout=0.01,
        averaging=0.998,
        settling=5_000,
        precision="bfloat16",
        parts=2,
    ),
}

# The presets' amounts are for MNIST. A thousand digits make few batches of 256, too few steps to
# learn in, and have fewer to hold out.
UCI_AT_MOST = {"batch_size": 32, "validation": 200, "drawn": 300, "drawn_others": 150}


@dataclass(frozen=True)
class BatchDone:
    """A step has been taken. epoch, batch: from 1; loss: mean cross-entropy in nats."""

    epoch: int
    batch: int
    batches: int
    images: int
    loss: float


@dataclass(frozen=True)
class EpochDone:
    """An epoch has ended. Losses: mean cross-entropy in nats.

    The training figures are means over the epoch's digits, changed and with dropout; the others
    are those of `weights` (averaged, if the configuration averages) at the epoch's end.
    state: what `train` needs to go on from here; seconds: of training, without the evaluation.
    """

    epoch: int
    loss: float
    correct: int
    total: int
    test: Evaluation
    validation: Evaluation | None
    rate: float
    seconds: float
    weights: dict[str, Tensor]
    state: dict[str, Tensor]


@dataclass(frozen=True)
class Finished:
    """The run is over; the last epoch's network, in eval mode, is its result.

    calibration: on the images held out for validation, or None if there are none.
    """

    model: ConvNet
    calibration: Calibration | None


Event = BatchDone | EpochDone | Finished


def learning_rate(config: TrainConfig, step: int, steps: int) -> float:
    """The learning-rate schedule at step 0 … steps − 1: constant, or linear up, then down.

    One cycle: Smith and Topin, 2018, "Super-Convergence".
    """
    if config.schedule == "constant":
        return config.peak_rate
    rise = config.warmup * steps
    if step < rise:
        return config.peak_rate * (step + 1) / (rise + 1)
    left = (steps - step) / max(steps - rise, 1)
    return config.peak_rate * max(left, FINAL_SHARE)


def split(config: TrainConfig, digits: Digits) -> tuple[Tensor, Tensor]:
    """Indices into the training set: those trained on, and those held out for validation."""
    order = torch.randperm(len(digits.train_labels), generator=_generator(config.seed, 0, 0))
    return order[config.validation :], order[: config.validation]


def train(
    config: TrainConfig, digits: Digits, state: Mapping[str, Tensor] | None = None
) -> Iterator[Event]:
    """Train a new network, or go on from the `state` of an EpochDone of the same configuration.

    Closing the generator stops the run after the batch it is at. Raises ConfigError if the
    data are too few for one batch, or to hold so many out.
    """
    if config.validation >= len(digits.train_labels):
        raise ConfigError(
            f"{config.validation} images cannot be held out of {len(digits.train_labels)}; "
            "hold out fewer."
        )
    indices, held_out = split(config, digits)
    plain = digits.train_images[indices[: config.settling]]
    if added := config.drawn + config.drawn_others:
        digits = _with_drawn(digits, config)
        indices = torch.cat([indices, torch.arange(-added, 0)])
    batches = len(indices) // config.batch_size
    if not batches:
        raise ConfigError(
            f"A batch of {config.batch_size} is more than the {len(indices)} images to train on."
        )
    steps = batches * config.epochs
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        model = channels_last(build(config.architecture))
    set_dropout(model, config.dropout)
    averaged = _averaged(model, config)
    optimisers = _optimisers(model, config)
    done = _restore(state, model, averaged, optimisers) if state else 0
    parts = [_Part(model, digits, config)]
    parts += [_Part(_sharing(model), digits, config) for _ in range(config.parts - 1)]
    result: ConvNet = averaged.module if averaged else model  # type: ignore[assignment]

    settled = None
    threads = max(1, (os.cpu_count() or 1) // config.parts)
    with ThreadPoolExecutor(
        config.parts, initializer=torch.set_num_threads, initargs=(threads,)
    ) as pool:
        for epoch in range(done + 1, config.epochs + 1):
            start = time.perf_counter()
            is_plain = epoch > config.epochs - config.plain_epochs
            augmentation = Augmentation() if is_plain else config.augmentation
            shuffler = _generator(config.seed, epoch, 0)
            order = indices[torch.randperm(len(indices), generator=shuffler)]
            for number, part in enumerate(parts, 1):
                part.begin(_generator(config.seed, epoch, number), augmentation)
            loss_sum, correct, total = 0.0, 0, 0
            for batch in range(batches):
                rate = learning_rate(config, (epoch - 1) * batches + batch, steps)
                chosen = order[batch * config.batch_size : (batch + 1) * config.batch_size]
                model.zero_grad()
                answers = list(pool.map(_Part.step, parts, chosen.tensor_split(config.parts)))
                _gather_gradients(parts)
                # In a thread of the pool: this one's idle helpers would spin on the parts' cores.
                pool.submit(_advance, optimisers, rate, model, averaged).result()
                batch_loss, batch_correct, batch_digits = map(sum, zip(*answers, strict=True))
                loss_sum, correct = loss_sum + batch_loss, correct + batch_correct
                total += batch_digits
                loss = batch_loss / max(batch_digits, 1)
                yield BatchDone(epoch, batch + 1, batches, config.batch_size, loss)
            seconds = time.perf_counter() - start
            settled = _settled(result, plain, config)
            validation = None
            if config.validation:
                validation = evaluate(
                    settled, digits.train_images[held_out], digits.train_labels[held_out]
                )
            yield EpochDone(
                epoch=epoch,
                loss=loss_sum / total,
                correct=correct,
                total=total,
                test=evaluate(settled, digits.test_images, digits.test_labels),
                validation=validation,
                rate=rate,
                seconds=seconds,
                weights=_copied(settled.state_dict()),
                state=_state(epoch, model, averaged, optimisers),
            )
    if settled is None:  # resumed after the last epoch
        settled = _settled(result, plain, config)
    yield Finished(settled, _calibration(settled, digits, held_out))


def _calibration(model: ConvNet, digits: Digits, held_out: Tensor) -> Calibration | None:
    if not len(held_out):
        return None
    images, labels = digits.train_images[held_out], digits.train_labels[held_out]
    return calibrate(
        (log_probabilities(model, images), labels),
        (log_probabilities(model, digits.test_images), digits.test_labels),
    )


def _with_drawn(digits: Digits, config: TrainConfig) -> Digits:
    """The same digits with the simulated pen's drawings at the end of the training set."""
    images, labels = drawn_digits(config.drawn, config.seed)
    other_images, other_labels = drawn_others(config.drawn_others, config.seed)
    return replace(
        digits,
        train_images=torch.cat([digits.train_images, images, other_images]),
        train_labels=torch.cat([digits.train_labels, labels, other_labels]),
    )


def _advance(
    optimisers: list[torch.optim.Optimizer],
    rate: float,
    model: ConvNet,
    averaged: AveragedModel | None,
) -> None:
    """Take a step of size `rate`, and let the average follow."""
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.step()
    if averaged:
        averaged.update_parameters(model)


class _Part:
    """One share of every batch: a network with the common weights and its own gradients."""

    def __init__(self, model: ConvNet, digits: Digits, config: TrainConfig) -> None:
        self.model = model
        self.digits = digits
        self.config = config
        self.generator, self.augmentation = torch.Generator(), config.augmentation

    def begin(self, generator: torch.Generator, augmentation: Augmentation) -> None:
        """Start an epoch: where its random numbers come from, and how it changes images."""
        self.generator, self.augmentation = generator, augmentation
        self.model.train()
        for layer in self.model.modules():
            if isinstance(layer, Dropout):
                layer.generator = generator

    def step(self, chosen: Tensor) -> tuple[float, int, int]:
        """Add this part's gradients; of its digits, the sum of losses, how many are right, all."""
        config = self.config
        labels = self.digits.train_labels[chosen]
        images = prepare(self.digits.train_images[chosen], self.augmentation, self.generator)
        images = images.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=config.precision == "bfloat16"):
            logits = self.model(images)
        log_p = F.log_softmax(logits.float(), dim=1)
        is_digit = labels != NO_DIGIT
        loss = F.nll_loss(log_p, labels, ignore_index=NO_DIGIT, reduction="sum")
        # Hendrycks, Mazeika and Dietterich, 2019, "Deep Anomaly Detection with Outlier Exposure"
        even = -log_p[~is_digit].mean(1).sum()
        smoothed = torch.lerp(loss + even, -log_p.mean(1).sum(), config.label_smoothing)
        (smoothed / config.batch_size).backward()
        right = log_p.argmax(1) == labels
        return loss.item(), int(right.sum()), int(is_digit.sum())


def _sharing(model: ConvNet) -> ConvNet:
    """A copy whose parameters are the same memory, with gradients and buffers of its own."""
    twin = copy.deepcopy(model)
    for own, common in zip(twin.parameters(), model.parameters(), strict=True):
        own.data = common.data
    return twin


def _gather_gradients(parts: list[_Part]) -> None:
    """Add all gradients into the first part's, which the optimiser reads."""
    first = _gradients(parts[0])
    for part in parts[1:]:
        torch._foreach_add_(first, _gradients(part))
        part.model.zero_grad()


def _gradients(part: _Part) -> list[Tensor]:
    return [p.grad for p in part.model.parameters() if p.grad is not None]


def _averaged(model: ConvNet, config: TrainConfig) -> AveragedModel | None:
    if not config.averaging:
        return None

    def average(kept: Tensors, new: Tensors, count: Tensor | int) -> None:
        if not kept[0].is_floating_point():  # the batches that normalisation has counted
            torch._foreach_copy_(kept, new)
            return
        # A young average forgets faster, or short runs would still hold the random start.
        decay = min(config.averaging, (1 + int(count)) / (10 + int(count)))
        torch._foreach_lerp_(kept, new, 1 - decay)

    return AveragedModel(model, multi_avg_fn=average, use_buffers=True)


class _MatrixMuon(torch.optim.Muon):
    """torch's Muon for weights of any number of axes, each taken as a matrix of filters."""

    def __init__(self, weights: list[nn.Parameter], config: TrainConfig) -> None:
        self.weights = weights
        self.matrices = [nn.Parameter(_as_matrix(w.data)) for w in weights]
        for weight, matrix in zip(weights, self.matrices, strict=True):
            assert weight.data_ptr() == matrix.data_ptr()  # a step must reach the network
        super().__init__(
            self.matrices,
            lr=config.peak_rate,
            momentum=config.momentum,
            weight_decay=config.weight_decay,
            adjust_lr_fn="match_rms_adamw",
        )

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for weight, matrix in zip(self.weights, self.matrices, strict=True):
            matrix.grad = None if weight.grad is None else _as_matrix(weight.grad)
        super().step(closure)  # type: ignore[no-untyped-call]


def _as_matrix(weight: Tensor) -> Tensor:
    """(out, in, k, k) or (out, in) to (out, the rest), without a copy if it is channels last."""
    if weight.ndim == 4:
        weight = weight.permute(0, 2, 3, 1)
    return weight.reshape(len(weight), -1)


def _settled(model: ConvNet, plain: Tensor, config: TrainConfig) -> ConvNet:
    """A copy in eval mode; with `settling`, its statistics are those of `plain` images.

    Training meets changed images and drops activations, so what batch normalisation has counted
    by then is slightly off for the images that the network will read.
    """
    copied = copy.deepcopy(model).eval()
    if config.settling:
        set_dropout(copied, 0.0)
        update_bn((as_input(part) for part in plain.split(BATCH)), copied)
        set_dropout(copied, config.dropout)
    return copied.eval()


def _optimisers(model: ConvNet, config: TrainConfig) -> list[torch.optim.Optimizer]:
    """Weight decay pulls on the weights, not on biases and batch normalisation.

    Muon (Jordan, 2024) steps along the nearest orthogonal matrix of the averaged gradient; what
    is no matrix takes AdamW's steps, of the same size.
    """
    weights = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim == 1]
    groups = [
        {"params": weights, "weight_decay": config.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    betas = (config.momentum, 0.99)
    if config.optimiser == "muon":
        rest = torch.optim.AdamW(groups[1:], lr=config.peak_rate, betas=betas)
        return [_MatrixMuon(weights, config), rest]
    if config.optimiser == "adamw":
        return [torch.optim.AdamW(groups, lr=config.peak_rate, betas=betas)]
    nesterov = config.schedule == "one-cycle" and config.momentum > 0
    return [
        torch.optim.SGD(groups, lr=config.peak_rate, momentum=config.momentum, nesterov=nesterov)
    ]


def _generator(*seeds: int) -> torch.Generator:
    """A generator for each (seed, epoch, part), none of which shares a stream with another."""
    seed, epoch, part = seeds
    return torch.Generator().manual_seed((seed << 16) + (epoch << 8) + part)


def _copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: t.detach().clone().contiguous() for name, t in tensors.items()}


def _state(
    epoch: int,
    model: ConvNet,
    averaged: AveragedModel | None,
    optimisers: list[torch.optim.Optimizer],
) -> dict[str, Tensor]:
    """Everything that the next epoch depends on, as one flat dictionary of tensors."""
    found = {"epoch": torch.tensor(epoch)}
    found |= {f"model.{name}": t for name, t in model.state_dict().items()}
    if averaged:
        found |= {f"averaged.{name}": t for name, t in averaged.state_dict().items()}
    for number, optimiser in enumerate(optimisers):
        for index, kept in optimiser.state_dict()["state"].items():
            found |= {f"optimiser{number}.{index}.{name}": t for name, t in kept.items()}
    return _copied(found)


def _restore(
    state: Mapping[str, Tensor],
    model: ConvNet,
    averaged: AveragedModel | None,
    optimisers: list[torch.optim.Optimizer],
) -> int:
    """Set everything as `_state` found it; the number of epochs done."""

    def under(prefix: str) -> dict[str, Tensor]:
        return {k.removeprefix(prefix): t for k, t in state.items() if k.startswith(prefix)}

    model.load_state_dict(under("model."))
    if averaged:
        averaged.load_state_dict(under("averaged."))
    for number, optimiser in enumerate(optimisers):
        kept: dict[int, dict[str, Tensor]] = {}
        for name, tensor in under(f"optimiser{number}.").items():
            index, key = name.split(".", 1)
            kept.setdefault(int(index), {})[key] = tensor.clone()
        optimiser.load_state_dict({**optimiser.state_dict(), "state": kept})
    return int(state["epoch"])


def preset(name: str, **changes: Any) -> TrainConfig:
    """The preset of that name with some values changed. Raises ConfigError.

    For the UCI digits its amounts are bounded by UCI_AT_MOST.
    """
    if name not in PRESETS:
        raise ConfigError(f"“{name}” is no preset; choose one of: {', '.join(PRESETS)}.")
    config = PRESETS[name]
    if changes.get("data", config.data) == "uci":
        config = replace(config, **{k: min(v, getattr(config, k)) for k, v in UCI_AT_MOST.items()})
    return replace(config, **changes)
