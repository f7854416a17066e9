"""The parts of a batch, side by side: the same weights, each with gradients of its own."""

from __future__ import annotations

import copy

import torch
from torch import Tensor
from torch.nn import functional as F

from core.mnist.augment import prepare
from core.mnist.models import ConvNet, Dropout
from core.mnist.pen import NO_DIGIT
from core.mnist.recipe import Augmentation, TrainConfig


class Part:
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


def sharing(model: ConvNet) -> ConvNet:
    """A copy whose parameters are the same memory, with gradients and buffers of its own."""
    twin = copy.deepcopy(model)
    for own, common in zip(twin.parameters(), model.parameters(), strict=True):
        own.data = common.data
    return twin


def gather_gradients(parts: list[Part]) -> None:
    """Add all gradients into the first part's, which the optimiser reads."""
    first = _gradients(parts[0])
    for part in parts[1:]:
        torch._foreach_add_(first, _gradients(part))
        part.model.zero_grad()


def _gradients(part: Part) -> list[Tensor]:
    return [p.grad for p in part.model.parameters() if p.grad is not None]
