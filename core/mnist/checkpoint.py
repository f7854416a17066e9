"""A trained network as files: model.safetensors beside run.json, its full record.

Nothing that can run code is ever read: weights are safetensors, records are JSON, and both are
checked against the network that the record names before they are used.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as safetensors
from torch import Tensor

from core.mnist import run_folder
from core.mnist.calibration import Calibration
from core.mnist.evaluation import Evaluation
from core.mnist.fields import read
from core.mnist.files import save_json, whole
from core.mnist.models import ConvNet, build, channels_last, set_dropout
from core.mnist.recipe import TrainConfig

if TYPE_CHECKING:
    from core.mnist.training import EpochDone

CHECKPOINTS = run_folder.PROJECT / "checkpoints"
WEIGHTS, RECORD = "model.safetensors", run_folder.RECORD
SEEDS = "seeds.json"  # beside a checkpoint: the figures of other seeds with the same recipe
MAX_BYTES = 10_000_000  # our largest file has 70 kB; what is far larger is not ours


class CheckpointError(Exception):
    """A checkpoint cannot be used; the message says which file and why."""


@dataclass(frozen=True)
class EpochRecord:
    """The figures of one epoch. Losses: mean cross-entropy in nats; seconds: of training alone."""

    epoch: int
    loss: float
    correct: int
    total: int
    test_loss: float
    test_correct: int
    test_total: int
    rate: float
    seconds: float
    validation_loss: float | None = None
    validation_correct: int | None = None
    validation_total: int | None = None

    def __post_init__(self) -> None:
        if self.epoch < 1 or not (0 <= self.correct <= self.total and self.total):
            raise ValueError(f"Epoch {self.epoch} has {self.correct} of {self.total} right.")
        if not (0 <= self.test_correct <= self.test_total and self.test_total):
            raise ValueError(f"Epoch {self.epoch} has {self.test_correct} of {self.test_total}.")

    @classmethod
    def of(cls, event: EpochDone) -> EpochRecord:
        held_out = event.validation
        return cls(
            epoch=event.epoch,
            loss=event.loss,
            correct=event.correct,
            total=event.total,
            test_loss=event.test.loss,
            test_correct=event.test.correct,
            test_total=event.test.total,
            rate=event.rate,
            seconds=event.seconds,
            validation_loss=held_out.loss if held_out else None,
            validation_correct=held_out.correct if held_out else None,
            validation_total=held_out.total if held_out else None,
        )

    @property
    def accuracy(self) -> float:
        """The share of training images classified correctly, 0 to 1."""
        return self.correct / self.total

    @property
    def test_accuracy(self) -> float:
        """The share of the test set classified correctly, 0 to 1."""
        return self.test_correct / self.test_total

    @property
    def validation_accuracy(self) -> float | None:
        """The share of the held-out images classified correctly, 0 to 1, if any were held out."""
        if self.validation_correct is None or not self.validation_total:
            return None
        return self.validation_correct / self.validation_total

    def line(self) -> str:
        """The line that the published notebook prints, with two decimals and the time."""
        return (
            f"Test set: Epoch:{self.epoch} Average loss: {self.test_loss:.4f}, "
            f"Accuracy: {self.test_correct}/{self.test_total} "
            f"({100 * self.test_accuracy:.2f}%), {self.seconds:.1f} s"
        )


@dataclass(frozen=True)
class Record:
    """All that is known of a finished run.

    epochs: none of a network that came without a record; test: of the last epoch's network, None
    if it was not measured; calibration: None if no image was held out. differs: what its file had
    more or less than one of this version, in words.
    """

    config: TrainConfig
    epochs: list[EpochRecord]
    test: Evaluation | None
    versions: dict[str, str] = field(default_factory=dict)
    calibration: Calibration | None = None
    differs: list[str] = field(default_factory=list, compare=False)

    @property
    def seconds(self) -> float:
        """Seconds of training, all epochs together."""
        return sum(epoch.seconds for epoch in self.epochs)

    def to_json(self) -> dict[str, Any]:
        found = asdict(self) | {"seconds": self.seconds}
        del found["differs"]
        return found

    @classmethod
    def from_json(cls, found: Any) -> Record:
        """The inverse of `to_json`. Raises KeyError or ValueError for anything else."""
        if isinstance(found, dict):
            found = {name: value for name, value in found.items() if name != "seconds"}
            found["differs"] = []  # told here, never by a file
        record, differs = read(cls, found)
        return replace(record, differs=differs)


def versions() -> dict[str, str]:
    """What a run's numbers depend on besides its configuration."""
    packages = {name: version(name) for name in ("torch", "torchvision", "numpy")}
    return packages | {"python": platform.python_version(), "machine": platform.machine()}


def save_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """Write a safetensors file whole or not at all. Raises OSError."""
    with whole(path) as beside:
        beside.write_bytes(safetensors(tensors))


def save(folder: Path, model: ConvNet, record: Record) -> None:
    """Write both files; the record last, so that a folder with a record is complete."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: t.contiguous() for name, t in model.state_dict().items()}
    save_tensors(folder / WEIGHTS, weights)
    save_json(folder / RECORD, record.to_json())


def load_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file. Raises CheckpointError."""
    if not path.is_file():
        raise CheckpointError(f"{path.name} is not there.")
    if path.stat().st_size > MAX_BYTES:
        raise CheckpointError(f"{path.name} is far larger than any network here; it is not read.")
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(
            f"{path.name} is damaged or no safetensors file; train the network again."
        ) from error


def load_record(path: Path) -> Record:
    """A run's record. Raises CheckpointError."""
    if not path.is_file():
        raise CheckpointError(f"{path.name} is not there: the run has no result yet.")
    if path.stat().st_size > MAX_BYTES:
        raise CheckpointError(f"{path.name} is far larger than any record here; it is not read.")
    return parse_record(path.read_bytes(), path.name)


def parse_record(text: str | bytes, name: str) -> Record:
    """The record that JSON holds; `name`: what to call it in a CheckpointError."""
    try:
        return Record.from_json(json.loads(text))
    except KeyError as error:
        raise CheckpointError(
            f"{name} lacks “{error.args[0]}”: it is damaged or is no record of a run."
        ) from error
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise CheckpointError(f"{name} is damaged or is no record of a run.") from error
    except ValueError as error:  # ConfigError among them
        raise CheckpointError(f"{name} cannot be used. {error}") from error


def load_model(path: Path, config: TrainConfig) -> ConvNet:
    """The network of `config` with the weights of a file, in eval mode. Raises CheckpointError."""
    return fill(config, load_tensors(path), path.name)


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
            f"{name} has “{surplus[0]}”, which no “{config.architecture}” network has."
        )
    model.load_state_dict(dict(found))
    set_dropout(model, config.dropout)
    return channels_last(model).eval()


def _described(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) + f" {str(tensor.dtype).removeprefix('torch.')}"


def load(folder: Path) -> tuple[ConvNet, Record]:
    """A finished run's network, in eval mode, and its record. Raises CheckpointError."""
    record = load_record(folder / RECORD)
    return load_model(folder / WEIGHTS, record.config), record


def shipped() -> list[str]:
    """The names of the shipped checkpoints."""
    return sorted(p.parent.name for p in CHECKPOINTS.glob(f"*/{RECORD}"))


def load_checkpoint(name: str) -> tuple[ConvNet, Record]:
    """A shipped checkpoint's network, in eval mode, and its record. Raises CheckpointError."""
    if name not in shipped():
        raise CheckpointError(
            f"There is no checkpoint “{name}”; there are: {', '.join(shipped()) or 'none'}."
        )
    return load(CHECKPOINTS / name)
