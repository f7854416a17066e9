"""A trained network as files: model.safetensors beside run.json, its full record.

Nothing that can run code is ever read: weights are safetensors, records are JSON, and both are
checked against the network that the record names before they are used.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as safetensors
from torch import Tensor

from core.mnist import records
from core.mnist.files import save_json, whole
from core.mnist.models import ConvNet, build, channels_last, described, set_dropout
from core.mnist.recipe import TrainConfig
from core.mnist.records import (
    CHECKPOINTS,
    RECORD,
    WEIGHTS,
    CheckpointError,
    Record,
    checksum,
    load_record,
    shipped,
    verify,
)


def versions() -> dict[str, str]:
    """What a run's numbers depend on besides its configuration."""
    packages = {name: version(name) for name in ("torch", "torchvision", "numpy")}
    return packages | {"python": platform.python_version(), "machine": platform.machine()}


def save_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """Write a safetensors file whole or not at all. Raises OSError."""
    with whole(path) as beside:
        beside.write_bytes(safetensors(tensors))


def save(folder: Path, model: ConvNet, record: Record) -> None:
    """Write both files; the record last, so that a folder with a record is complete.

    It then says what the network is made of, and the checksum of its weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: t.contiguous() for name, t in model.state_dict().items()}
    save_tensors(folder / WEIGHTS, weights)
    told = replace(record, network=described(model), checksum=checksum(weights))
    save_json(folder / RECORD, told.to_json())


def load_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file. Raises CheckpointError."""
    if not path.is_file():
        raise CheckpointError(f"{path.name} is not there.")
    if path.stat().st_size > records.MAX_BYTES:
        raise CheckpointError(f"{path.name} is far larger than any network here; it is not read.")
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(
            f"{path.name} is damaged or no safetensors file; train the network again."
        ) from error


def fill(config: TrainConfig, found: Mapping[str, Tensor], name: str) -> ConvNet:
    """The network of `config` with these weights, in eval mode.

    name: of their file, for a CheckpointError where they are not those of such a network.
    """
    model = build(config.architecture)
    wanted = model.state_dict()
    for key, tensor in wanted.items():
        if key not in found:
            raise CheckpointError(
                f"{name} lacks “{key}”: it is not a “{config.architecture}” network."
            )
        if found[key].shape != tensor.shape or found[key].dtype != tensor.dtype:
            raise CheckpointError(
                f"{name} has “{key}” as {_described(found[key])}; "
                f"a “{config.architecture}” network has {_described(tensor)}."
            )
        if not torch.isfinite(found[key]).all():
            raise CheckpointError(f"{name} has numbers in “{key}” that are not finite.")
    if surplus := sorted(found.keys() - wanted.keys()):
        raise CheckpointError(
            f"{name} has “{surplus[0][:40]}”, which no “{config.architecture}” network has."
        )
    model.load_state_dict(dict(found))
    set_dropout(model, config.dropout)
    return channels_last(model).eval()


def _described(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) + f" {str(tensor.dtype).removeprefix('torch.')}"


def load(folder: Path) -> tuple[ConvNet, Record]:
    """A finished run's network, in eval mode, and its record. Raises CheckpointError."""
    record = load_record(folder / RECORD)
    weights = load_tensors(folder / WEIGHTS)
    model = fill(record.config, weights, WEIGHTS)
    verify(record, weights, WEIGHTS)
    return model, record


def load_checkpoint(name: str) -> tuple[ConvNet, Record]:
    """A shipped checkpoint's network, in eval mode, and its record. Raises CheckpointError."""
    if name not in shipped():
        raise CheckpointError(
            f"There is no checkpoint “{name}”; there are: {', '.join(shipped()) or 'none'}."
        )
    return load(CHECKPOINTS / name)
