"""The task that the network was published for: what it demanded, and what a network meets of it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from core.mnist.models import CLASSES, ConvNet, parameters
from core.mnist.recipe import MAX_EPOCHS

MAX_PARAMETERS = 20_000


@dataclass(frozen=True)
class Demand:
    """One demand of the task: what was asked, what the network has, whether that meets it.

    met: None where that cannot be known, and found is empty.
    """

    asked: str
    found: str
    met: bool | None


def demands(model: ConvNet, epochs: int) -> list[Demand]:
    """What the task asked of a network, checked from its modules; `epochs`: of its
    training, 0 where that is not known.
    """
    count = parameters(model)
    norms = sum(isinstance(m, nn.BatchNorm2d) for m in model)
    drops = [m.p for m in model if isinstance(m, nn.Dropout)]
    linear = [m for m in model if isinstance(m, nn.Linear)]
    pooled = _pools_globally(model)
    last = [m for m in model if isinstance(m, nn.Conv2d)][-1]
    equivalent = last.kernel_size == (1, 1) and last.out_channels == CLASSES and pooled
    if linear:
        dense = f"Linear, {linear[-1].in_features} to {linear[-1].out_features}"
    elif equivalent:
        dense = (
            f"1×1 convolution, {last.in_channels} to {last.out_channels}, then the mean: "
            "the same numbers as the mean and then a fully connected layer"
        )
    else:
        dense = "none"
    trained = (f"{epochs}", epochs <= MAX_EPOCHS) if epochs else ("", None)
    return [
        Demand("fewer than 20,000 parameters", f"{count:,}", count < MAX_PARAMETERS),
        Demand("fewer than 20 epochs", *trained),
        Demand("batch normalisation", f"{norms} layers", norms > 0),
        Demand("dropout", f"{len(drops)} layers, p = {max(drops, default=0):g}", any(drops)),
        Demand("fully connected layer", dense, bool(linear) or equivalent),
        Demand("global average pooling", "whole map" if pooled else "none", pooled),
    ]


def _pools_globally(model: ConvNet) -> bool:
    """Whether an average pooling takes a map to one number that depends on all its pixels."""
    x = torch.zeros(1, 1, 28, 28)
    mode = model.training
    model.eval()
    found = False
    for layer in model:
        before = x.detach().requires_grad_()
        x = layer(before)
        if isinstance(layer, nn.AvgPool2d | nn.AdaptiveAvgPool2d) and x.shape[2:].numel() == 1:
            (weights,) = torch.autograd.grad(x.sum(), before)
            found |= weights[0, 0].numel() > 1 and bool((weights != 0).all())
    model.train(mode)
    return found
