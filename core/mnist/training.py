"""The one training loop. `train` yields what happens; it prints nothing and writes nothing.

What a run does follows from its configuration alone: every random number comes from generators
seeded with (seed, epoch, part), so a run that stops at an epoch's end and goes on later is the
unbroken run.
"""

from __future__ import annotations

import copy
import os
import time
from collections import deque
from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, update_bn

from core.mnist.augment import prepare
from core.mnist.calibration import calibrate
from core.mnist.data import Digits
from core.mnist.evaluation import BATCH, as_input, evaluate, logits
from core.mnist.figures import Calibration, Evaluation
from core.mnist.models import ConvNet, Dropout, build, channels_last, set_dropout
from core.mnist.pen import NO_DIGIT, drawn_digits, drawn_others
from core.mnist.recipe import Augmentation, ConfigError, TrainConfig

FINAL_SHARE = 0.001  # one-cycle ends at this share of the peak rate

Tensors = tuple[Tensor, ...] | list[Tensor]


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
    images = _Images.of(config, digits)
    learner = _Learner(config, images)
    done = learner.restore(state) if state else 0
    settled = None
    with learner.threads():
        for epoch in range(done + 1, config.epochs + 1):
            trained = yield from learner.epoch(epoch)
            settled = _settled(learner.result, images.plain, config)
            yield _evaluated(epoch, trained, settled, images, learner.state(epoch))
    if settled is None:  # resumed after the last epoch
        settled = _settled(learner.result, images.plain, config)
    yield Finished(settled, _calibration(settled, images))


@dataclass(frozen=True)
class _Images:
    """What a run has to do with: uint8 (N, 28, 28), and labels, int64 (N,).

    all: the training set, the simulated pen's drawings at its end; order: indices of the digits
    trained on; others: those of each epoch's drawings that are no digit; plain: those from which
    batch normalisation's statistics are recomputed.
    """

    all: tuple[Tensor, Tensor]
    order: Tensor
    others: list[Tensor]
    plain: Tensor
    held_out: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]

    @classmethod
    def of(cls, config: TrainConfig, digits: Digits) -> _Images:
        """Raises ConfigError if they are too few for the configuration."""
        images, labels = digits.train_images, digits.train_labels
        if config.validation >= len(labels):
            raise ConfigError(
                f"{config.validation} images cannot be held out of {len(labels)}; hold out fewer."
            )
        order, held_out = split(config, digits)
        drawn = drawn_digits(config.drawn, config.seed)
        others = drawn_others(config.drawn_others, config.seed)
        added = len(labels) + torch.arange(config.drawn + config.drawn_others)
        found = cls(
            all=(
                torch.cat([images, drawn[0], others[0]]),
                torch.cat([labels, drawn[1], others[1]]),
            ),
            order=torch.cat([order, added[: config.drawn]]),
            others=[added[config.drawn + k :: config.epochs] for k in range(config.epochs)],
            plain=images[order[: config.settling]],
            held_out=(images[held_out], labels[held_out]),
            test=(digits.test_images, digits.test_labels),
        )
        count = len(found.of_epoch(config.epochs))
        if count < config.batch_size:
            raise ConfigError(
                f"A batch of {config.batch_size} is more than the {count} images to train on."
            )
        return found

    def of_epoch(self, epoch: int) -> Tensor:
        """Indices of what an epoch trains on; the last has the fewest."""
        return torch.cat([self.order, self.others[epoch - 1]])


@dataclass(frozen=True)
class _Trained:
    """An epoch's training figures: mean loss in nats, digits right and all, last rate, seconds."""

    loss: float
    correct: int
    total: int
    rate: float
    seconds: float


def _evaluated(
    epoch: int, trained: _Trained, model: ConvNet, images: _Images, state: dict[str, Tensor]
) -> EpochDone:
    return EpochDone(
        epoch=epoch,
        **vars(trained),
        test=evaluate(model, *images.test),
        validation=evaluate(model, *images.held_out) if len(images.held_out[1]) else None,
        weights=_copied(model.state_dict()),
        state=state,
    )


def _calibration(model: ConvNet, images: _Images) -> Calibration | None:
    if not len(images.held_out[1]):
        return None
    held_out, test = (
        (logits(model, given), labels) for given, labels in (images.held_out, images.test)
    )
    return calibrate(held_out, test)


class _Learner:
    """A network in training: its weights, their average, the optimisers, and the parts.

    result: what the run is judged by, the average of the weights if the configuration averages.
    """

    def __init__(self, config: TrainConfig, images: _Images) -> None:
        self.config, self.images = config, images
        self.batches = len(images.of_epoch(config.epochs)) // config.batch_size
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.model = channels_last(build(config.architecture))
        set_dropout(self.model, config.dropout)
        self.averaged = _averaged(self.model, config)
        self.optimisers = _optimisers(self.model, config)
        self.parts = [_Part(self.model, images.all, config)]
        for _ in range(config.parts - 1):
            self.parts.append(_Part(_sharing(self.model), images.all, config))

    @property
    def result(self) -> ConvNet:
        return self.averaged.module if self.averaged else self.model  # type: ignore[return-value]

    @contextmanager
    def threads(self) -> Iterator[None]:
        """Have a thread for each part."""
        cores = max(1, (os.cpu_count() or 1) // self.config.parts)
        with ThreadPoolExecutor(
            self.config.parts, initializer=torch.set_num_threads, initargs=(cores,)
        ) as self.pool:
            yield

    def epoch(self, epoch: int) -> Generator[Event, None, _Trained]:
        """Take a step for each batch of a new order of the images."""
        config, start = self.config, time.perf_counter()
        self._begin(epoch)
        loss_sum, correct, total = 0.0, 0, 0
        batches = self._batches(epoch)
        self._prepare(next(batches))
        for batch in range(self.batches):
            done = (epoch - 1) * self.batches + batch
            rate = learning_rate(config, done, self.batches * config.epochs)
            loss, right, count = self._step(rate, next(batches, None))
            loss_sum, correct, total = loss_sum + loss, correct + right, total + count
            mean = loss / max(count, 1)
            yield BatchDone(epoch, batch + 1, self.batches, config.batch_size, mean)
        return _Trained(loss_sum / total, correct, total, rate, time.perf_counter() - start)

    def _begin(self, epoch: int) -> None:
        is_plain = epoch > self.config.epochs - self.config.plain_epochs
        augmentation = Augmentation() if is_plain else self.config.augmentation
        for number, part in enumerate(self.parts, 1):
            part.begin(_generator(self.config.seed, epoch, number), augmentation)

    def _batches(self, epoch: int) -> Iterator[Tensor]:
        """Indices of each batch's images; the few that fill no batch are left out."""
        order = self.images.of_epoch(epoch)
        shuffler = _generator(self.config.seed, epoch, 0)
        shuffled = order[torch.randperm(len(order), generator=shuffler)]
        whole = shuffled[: self.batches * self.config.batch_size]
        return iter(whole.split(self.config.batch_size))

    def _prepare(self, chosen: Tensor) -> None:
        """Give each part its share of a batch."""
        deque(self.pool.map(_Part.prepare, self.parts, chosen.tensor_split(len(self.parts))), 0)

    def _step(self, rate: float, following: Tensor | None) -> tuple[float, int, int]:
        """Gradients of all parts, then a step; of the digits: summed loss, how many right, all.

        following: the next batch, which the other cores prepare while one takes the step.
        """
        self.model.zero_grad()
        answers = list(self.pool.map(_Part.step, self.parts))
        _gather_gradients(self.parts)
        # In a thread of the pool: this one's idle helpers would spin on the parts' cores.
        advanced = self.pool.submit(self._advance, rate)
        if following is not None:
            self._prepare(following)
        advanced.result()
        loss, correct, total = map(sum, zip(*answers, strict=True))
        return loss, correct, total

    def _advance(self, rate: float) -> None:
        """Take a step of size `rate`, and let the average follow."""
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate
            optimiser.step()
        if self.averaged:
            self.averaged.update_parameters(self.model)

    def state(self, epoch: int) -> dict[str, Tensor]:
        """Everything that the next epoch depends on, as one flat dictionary of tensors."""
        found = {"epoch": torch.tensor(epoch)}
        found |= {f"model.{name}": t for name, t in self.model.state_dict().items()}
        if self.averaged:
            found |= {f"averaged.{name}": t for name, t in self.averaged.state_dict().items()}
        for number, optimiser in enumerate(self.optimisers):
            for index, kept in optimiser.state_dict()["state"].items():
                found |= {f"optimiser{number}.{index}.{name}": t for name, t in kept.items()}
        return _copied(found)

    def restore(self, state: Mapping[str, Tensor]) -> int:
        """Set everything as `state` found it; the number of epochs done."""

        def under(prefix: str) -> dict[str, Tensor]:
            return {k.removeprefix(prefix): t for k, t in state.items() if k.startswith(prefix)}

        self.model.load_state_dict(under("model."))
        if self.averaged:
            self.averaged.load_state_dict(under("averaged."))
        for number, optimiser in enumerate(self.optimisers):
            kept: dict[int, dict[str, Tensor]] = {}
            for name, tensor in under(f"optimiser{number}.").items():
                index, key = name.split(".", 1)
                kept.setdefault(int(index), {})[key] = tensor.clone()
            optimiser.load_state_dict({**optimiser.state_dict(), "state": kept})
        return int(state["epoch"])


class _Part:
    """One share of every batch: a network with the common weights and its own gradients."""

    def __init__(
        self, model: ConvNet, all_images: tuple[Tensor, Tensor], config: TrainConfig
    ) -> None:
        self.model = model
        self.images, self.labels = all_images
        self.config = config
        self.generator, self.augmentation = torch.Generator(), config.augmentation
        self.given: tuple[Tensor, Tensor]

    def begin(self, generator: torch.Generator, augmentation: Augmentation) -> None:
        """Start an epoch: where its random numbers come from, and how it changes images."""
        self.generator, self.augmentation = generator, augmentation
        self.model.train()
        for layer in self.model.modules():
            if isinstance(layer, Dropout):
                layer.generator = generator

    def prepare(self, chosen: Tensor) -> None:
        """Take these images, changed at random, as those of the next step."""
        images = prepare(self.images[chosen], self.augmentation, self.generator)
        self.given = images.contiguous(memory_format=torch.channels_last), self.labels[chosen]

    def step(self) -> tuple[float, int, int]:
        """Add this part's gradients; of its digits, the sum of losses, how many are right, all."""
        config, (images, labels) = self.config, self.given
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
        # Fused is five times as fast, but takes no weights whose state lies otherwise in memory.
        rest = torch.optim.AdamW(groups[1:], lr=config.peak_rate, betas=betas, fused=True)
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
