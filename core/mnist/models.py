"""The networks: how each is built, and what its layers are.

A network takes normalised images, float32 (N, 1, 28, 28), and gives logits, (N, 10). Every 3×3
convolution is followed by ReLU and then batch normalisation, as in the published network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
import torchinfo
from torch import Tensor, nn
from torch.nn import functional as F

from core.mnist.recipe import CLASSES, DROPOUT, NETWORK_NOTES
from core.mnist.records import Layer, Network


class Dropout(nn.Dropout):
    """nn.Dropout that draws from a generator of its own when given one.

    torch's dropout draws from the process's one generator; parts of a batch that run in threads
    would draw in a different order each time, and no run could be repeated.
    """

    generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.generator is None or not self.training or self.p == 0:
            return super().forward(x)
        # 16 random bits decide on one activation: bernoulli_ takes four times as long, and p is
        # met to 1/65,536.
        bits = torch.empty(-(-x.numel() // 4), dtype=torch.int64)
        bits.random_(-(2**63), None, generator=self.generator)
        drawn = bits.view(torch.int16)[: x.numel()]
        kept = (drawn >= round(self.p * 65_536) - 32_768).to(x.dtype).div_(1 - self.p)
        n, c, h, w = x.shape
        return x * kept.view(n, h, w, c).permute(0, 3, 1, 2)  # channels last, as x is


class ConvNet(nn.Sequential):
    """Layers in a row; the ReLU after each 3×3 convolution is applied here."""

    def forward(self, x: Tensor) -> Tensor:
        for layer in self:
            x = layer(x)
            if _is_feature_convolution(layer):
                x = F.relu(x)
        return x.flatten(1)


@dataclass(frozen=True)
class Architecture:
    """description: a sentence; build: a new network with random weights."""

    description: str
    build: Callable[[], ConvNet]


def _is_feature_convolution(layer: nn.Module) -> bool:
    return isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3)


def _convolutions(*channels: int) -> Iterator[nn.Module]:
    for before, after in pairwise(channels):
        yield nn.Conv2d(before, after, 3)
        yield nn.BatchNorm2d(after)


def _features(first: tuple[int, ...], second: tuple[int, ...], last: int) -> list[nn.Module]:
    """28×28 to 3×3: three convolutions, pooling, three convolutions, one more to `last` maps."""
    return [
        *_convolutions(1, *first),
        nn.MaxPool2d(2),
        Dropout(DROPOUT),
        *_convolutions(first[-1], *second),
        Dropout(DROPOUT),
        *_convolutions(second[-1], last),
    ]


def _convolution_head(maps: int) -> list[nn.Module]:
    # The map is 3×3, so a window of 3 pools globally. The published notebook pooled 2×2 of it.
    return [nn.Conv2d(maps, CLASSES, 1), nn.AvgPool2d(3)]


def _linear_head(maps: int) -> list[nn.Module]:
    return [nn.AvgPool2d(3), nn.Flatten(), nn.Linear(maps, CLASSES)]


PUBLISHED = ((8, 16, 16), (16, 16, 16), 32)
COMPACT = ((8, 8, 8), (12, 12, 12), 24)

# Their names, titles and notes are declared where a recipe chooses one, core.mnist.recipe.
_BUILDERS: dict[str, Callable[[], ConvNet]] = {
    "published": lambda: ConvNet(*_features(*PUBLISHED), *_convolution_head(32)),
    "fc-head": lambda: ConvNet(*_features(*PUBLISHED), *_linear_head(32)),
    "compact": lambda: ConvNet(*_features(*COMPACT), *_convolution_head(24)),
}
ARCHITECTURES = {name: Architecture(NETWORK_NOTES[name], new) for name, new in _BUILDERS.items()}


def build(name: str) -> ConvNet:
    """A new network of that name, random weights from torch's generator. Raises ValueError."""
    if name not in ARCHITECTURES:
        raise ValueError(f"“{name}” is no network here; choose one of: {', '.join(ARCHITECTURES)}.")
    return ARCHITECTURES[name].build()


def parameters(model: nn.Module) -> int:
    """The number of trainable parameters."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def summary(model: ConvNet) -> str:
    """The summary by torchinfo for one image of 28×28."""
    found = torchinfo.summary(
        model,
        input_size=(1, 1, 28, 28),
        col_names=("output_size", "num_params", "mult_adds"),
        col_width=17,
        depth=1,
        verbose=0,
    )
    # torchinfo prints its unit as the name of an enum's member, and one that does not fit.
    return str(found).replace("(Units.MEGABYTES)", "(M)")


def layers(model: ConvNet) -> list[Layer]:
    """Every layer with its output shape, parameters and receptive field, read from the modules.

    The receptive field r grows by (k − 1)·j at a window of k, and the step between neighbouring
    outputs, j, by the stride (Araujo, Norris and Sim, 2019, "Computing Receptive Fields").
    """
    rows = []
    x = torch.zeros(1, 1, 28, 28)
    field, jump = 1, 1
    mode = model.training
    model.eval()
    with torch.inference_mode():
        for position, layer in enumerate(model, 1):
            x = layer(x)
            window = 1
            if isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
                window, stride = _side(layer.kernel_size), _side(layer.stride)
                field, jump = field + (window - 1) * jump, jump * stride
            name, shape = f"{type(layer).__name__}-{position}", tuple(x.shape[1:])
            rows.append(Layer(name, shape, parameters(layer), window, min(field, 28)))
    model.train(mode)
    return rows


def described(model: ConvNet) -> Network:
    """What a network is made of, as its record has it."""
    return Network(layers(model), summary(model))


def _side(size: int | tuple[int, ...]) -> int:
    return size if isinstance(size, int) else size[0]


def channels_last(model: ConvNet) -> ConvNet:
    """The same network with its weights laid out as the faster convolutions want them."""
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return model


def set_dropout(model: nn.Module, p: float) -> None:
    """Set the probability of every dropout layer."""
    for layer in model.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = p
