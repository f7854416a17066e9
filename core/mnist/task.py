"""The task that the network was published for: what it demanded, and what a network meets of it.

Needs no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from core.mnist.recipe import CLASSES, MAX_EPOCHS
from core.mnist.records import Layer, Network

MAX_PARAMETERS = 20_000


@dataclass(frozen=True)
class Demand:
    """One demand of the task: what was asked, what the network has, whether that meets it.

    met: None where that cannot be known, and found is empty.
    """

    asked: str
    found: str
    met: bool | None


def demands(network: Network, dropout: float, epochs: int) -> list[Demand]:
    """What the task asked of a network, checked from its layers.

    dropout: the probability of its dropout layers; epochs: of its training, 0 where that is not
    known.
    """
    layers, kinds = network.layers, [layer.name.split("-")[0] for layer in network.layers]
    count, norms, drops = network.parameters, kinds.count("BatchNorm2d"), kinds.count("Dropout")
    pooled = _pools_globally(layers)
    last = max(k for k, kind in enumerate(kinds) if kind == "Conv2d")
    from_last, to_last = layers[last - 1].shape[0] if last else 1, layers[last].shape[0]
    equivalent = layers[last].window == 1 and to_last == CLASSES and pooled
    has_linear = "Linear" in kinds
    if has_linear:
        at = kinds.index("Linear")
        dense = f"Linear, {layers[at - 1].shape[0]} to {layers[at].shape[0]}"
    elif equivalent:
        dense = (
            f"1×1 convolution, {from_last} to {to_last}, then the mean: "
            "the same numbers as the mean and then a fully connected layer"
        )
    else:
        dense = "none"
    trained = (f"{epochs}", epochs <= MAX_EPOCHS) if epochs else ("", None)
    p = dropout if drops else 0
    return [
        Demand("fewer than 20,000 parameters", f"{count:,}", count < MAX_PARAMETERS),
        Demand("fewer than 20 epochs", *trained),
        Demand("batch normalisation", f"{norms} layers", norms > 0),
        Demand("dropout", f"{drops} layers, p = {p:g}", p > 0),
        Demand("fully connected layer", dense, has_linear or equivalent),
        Demand("global average pooling", "whole map" if pooled else "none", pooled),
    ]


def _pools_globally(layers: Sequence[Layer]) -> bool:
    """Whether an average pooling takes a map to one number that is the mean of all its pixels."""
    return any(
        layer.name.startswith("AvgPool2d") and before.shape[1:] == (layer.window,) * 2
        for before, layer in pairwise(layers)
    )
