"""The images of a run: what each epoch trains on, and what is held out of it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.mnist.data import Digits
from core.mnist.pen import drawn_digits, drawn_others
from core.mnist.recipe import ConfigError, TrainConfig


def generator(*seeds: int) -> torch.Generator:
    """A generator for each (seed, epoch, part), none of which shares a stream with another."""
    seed, epoch, part = seeds
    return torch.Generator().manual_seed((seed << 16) + (epoch << 8) + part)


def split(config: TrainConfig, digits: Digits) -> tuple[Tensor, Tensor]:
    """Indices into the training set: those trained on, and those held out for validation."""
    order = torch.randperm(len(digits.train_labels), generator=generator(config.seed, 0, 0))
    return order[config.validation :], order[: config.validation]


@dataclass(frozen=True)
class Images:
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
    def of(cls, config: TrainConfig, digits: Digits) -> Images:
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
