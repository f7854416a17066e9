"""The weights in training: how they take a step, their average, and what is kept to go on later."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, update_bn

from core.mnist.evaluation import BATCH, as_input
from core.mnist.models import ConvNet, build, channels_last, set_dropout
from core.mnist.recipe import TrainConfig

Tensors = tuple[Tensor, ...] | list[Tensor]


class Descent:
    """A network on its way down: its weights, their average, and the optimisers.

    result: what the run is judged by, the average of the weights if the configuration averages.
    """

    def __init__(self, config: TrainConfig) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.model = channels_last(build(config.architecture))
        set_dropout(self.model, config.dropout)
        self.averaged = _averaged(self.model, config)
        self.optimisers = _optimisers(self.model, config)

    @property
    def result(self) -> ConvNet:
        return self.averaged.module if self.averaged else self.model  # type: ignore[return-value]

    def step(self, rate: float) -> None:
        """Take a step of size `rate` along the gradients, and let the average follow."""
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
        return copied(found)

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


def settled(model: ConvNet, plain: Tensor, config: TrainConfig) -> ConvNet:
    """A copy in eval mode; with `settling`, its statistics are those of `plain` images.

    Training meets changed images and drops activations, so what batch normalisation has counted
    by then is slightly off for the images that the network will read.
    """
    network = copy.deepcopy(model).eval()
    if config.settling:
        set_dropout(network, 0.0)
        update_bn((as_input(part) for part in plain.split(BATCH)), network)
        set_dropout(network, config.dropout)
    return network.eval()


def copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors in memory of their own."""
    return {name: t.detach().clone().contiguous() for name, t in tensors.items()}


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
