"""The recipe, from top to bottom: how a network learns to read digits.

`train` yields what happens; it prints nothing and writes nothing. What a run does follows from its
configuration alone: every random number comes from generators seeded with (seed, epoch, part), so
a run that stops at an epoch's end and goes on later is the unbroken run.

What a step is made of lies beside it: `images` (what an epoch trains on), `augment` (how images
are changed), `parts` (the gradients of a batch), `descent` (the step itself, and the average).
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from core.mnist.calibration import calibrate
from core.mnist.data import Digits
from core.mnist.descent import Descent, copied, settled
from core.mnist.evaluation import evaluate, logits
from core.mnist.events import BatchDone, EpochDone, Event, Finished
from core.mnist.figures import Calibration
from core.mnist.images import Images, generator
from core.mnist.models import ConvNet
from core.mnist.parts import Part, gather_gradients, sharing
from core.mnist.recipe import Augmentation, TrainConfig

FINAL_SHARE = 0.001  # one-cycle ends at this share of the peak rate


def train(
    config: TrainConfig, digits: Digits, state: Mapping[str, Tensor] | None = None
) -> Iterator[Event]:
    """Train a new network, or go on from the `state` of an EpochDone of the same configuration.

    Closing the generator stops the run after the batch it is at. Raises ConfigError if the
    data are too few for one batch, or to hold so many out.
    """
    images, descent = Images.of(config, digits), Descent(config)
    done = descent.restore(state) if state else 0
    network = None
    steps = _Steps(config, images, descent)
    with steps.threads():
        for epoch in range(done + 1, config.epochs + 1):
            trained = yield from steps.epoch(epoch)
            network = settled(descent.result, images.plain, config)
            yield EpochDone(
                epoch=epoch,
                **vars(trained),
                test=evaluate(network, *images.test),
                validation=evaluate(network, *images.held_out) if config.validation else None,
                weights=copied(network.state_dict()),
                state=descent.state(epoch),
            )
    if network is None:  # resumed after the last epoch
        network = settled(descent.result, images.plain, config)
    yield Finished(network, _calibration(network, images) if config.validation else None)


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


@dataclass(frozen=True)
class _Trained:
    """An epoch's training figures: mean loss in nats, digits right and all, last rate, seconds."""

    loss: float
    correct: int
    total: int
    rate: float
    seconds: float


class _Steps:
    """The steps of a run: each part of a batch gives its gradients, then the weights move."""

    def __init__(self, config: TrainConfig, images: Images, descent: Descent) -> None:
        self.config, self.images, self.descent = config, images, descent
        self.batches = len(images.of_epoch(config.epochs)) // config.batch_size
        self.parts = [Part(descent.model, images.all, config)]
        for _ in range(config.parts - 1):
            self.parts.append(Part(sharing(descent.model), images.all, config))

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
        is_plain = epoch > config.epochs - config.plain_epochs
        augmentation = Augmentation() if is_plain else config.augmentation
        for number, part in enumerate(self.parts, 1):
            part.begin(generator(config.seed, epoch, number), augmentation)
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

    def _batches(self, epoch: int) -> Iterator[Tensor]:
        """Indices of each batch's images; the few that fill no batch are left out."""
        order = self.images.of_epoch(epoch)
        shuffler = generator(self.config.seed, epoch, 0)
        shuffled = order[torch.randperm(len(order), generator=shuffler)]
        whole = shuffled[: self.batches * self.config.batch_size]
        return iter(whole.split(self.config.batch_size))

    def _step(self, rate: float, following: Tensor | None) -> tuple[float, int, int]:
        """Gradients of all parts, then a step; of the digits: summed loss, how many right, all.

        following: the next batch, which the other cores prepare while one takes the step.
        """
        self.descent.model.zero_grad()
        answers = list(self.pool.map(Part.step, self.parts))
        gather_gradients(self.parts)
        # In a thread of the pool: this one's idle helpers would spin on the parts' cores.
        moved = self.pool.submit(self.descent.step, rate)
        if following is not None:
            self._prepare(following)
        moved.result()
        loss, correct, total = map(sum, zip(*answers, strict=True))
        return loss, correct, total

    def _prepare(self, chosen: Tensor) -> None:
        """Give each part its share of a batch."""
        deque(self.pool.map(Part.prepare, self.parts, chosen.tensor_split(len(self.parts))), 0)


def _calibration(model: ConvNet, images: Images) -> Calibration:
    """Of the logits, on the images held out; told on the test images too."""
    held_out, test = (
        (logits(model, given), labels) for given, labels in (images.held_out, images.test)
    )
    return calibrate(held_out, test)
