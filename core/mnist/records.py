"""The record of a trained network: how it was trained, what it reaches, what it is made of.

A record is JSON, run.json beside the weights. It is read without torch, so that a page shows it at
once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from core.mnist import run_folder
from core.mnist.fields import read
from core.mnist.figures import Calibration, Evaluation
from core.mnist.recipe import TrainConfig

if TYPE_CHECKING:
    import numpy.typing as npt

    from core.mnist.events import EpochDone

CHECKPOINTS = run_folder.PROJECT / "checkpoints"
WEIGHTS, RECORD = "model.safetensors", run_folder.RECORD
SEEDS = "seeds.json"  # beside a checkpoint: the figures of other seeds with the same recipe
PACKED = "record"  # a record's name in the metadata of a safetensors file
LONGEST = 1e9  # seconds of an epoch: 30 years
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
        if not 0 <= self.seconds < LONGEST:
            raise ValueError(f"Epoch {self.epoch} took {self.seconds} s.")
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
class Layer:
    """One row of a network's summary.

    name: type and position, counted as torchsummary counts; shape: of the output, without the
    batch; window: the side of the patch of its input that one output value depends on, 1 for one
    value; receptive_field: of the patch of the image, in pixels.
    """

    name: str
    shape: tuple[int, ...]
    parameters: int
    window: int
    receptive_field: int


@dataclass(frozen=True)
class Network:
    """What a network is made of. layers: in their order; summary: torchinfo's, for one image."""

    layers: list[Layer]
    summary: str

    @property
    def parameters(self) -> int:
        """The number of trainable parameters."""
        return sum(layer.parameters for layer in self.layers)


@dataclass(frozen=True)
class Record:
    """All that is known of a finished run.

    epochs: none of a network that came without a record; test: of the last epoch's network, None
    if it was not measured; calibration: None if no image was held out; network: what it is made of;
    checksum: of its weights; differs: what its file had more or less than one of this version, in
    words. The last three follow from what else is there.
    """

    config: TrainConfig
    epochs: list[EpochRecord]
    test: Evaluation | None
    versions: dict[str, str] = field(default_factory=dict)
    calibration: Calibration | None = None
    network: Network | None = field(default=None, compare=False)
    checksum: str | None = field(default=None, compare=False)
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


def checksum(weights: Mapping[str, npt.ArrayLike]) -> str:
    """SHA-256 of the names and numbers of tensors."""
    found = hashlib.sha256()
    for name in sorted(weights):
        found.update(name.encode() + b"\0" + np.ascontiguousarray(weights[name]).tobytes())
    return found.hexdigest()


def verify(record: Record, weights: Mapping[str, npt.ArrayLike], name: str) -> None:
    """Raises CheckpointError where weights, of a file of that name, are not those of the record."""
    if record.checksum and record.checksum != checksum(weights):
        raise CheckpointError(
            f"{name} is damaged: its numbers are not those that were saved. Train the network "
            "again, or load another copy of it."
        )


def load_whole(folder: Path) -> tuple[Record, Network] | None:
    """The record of a folder and what the network is made of, its weights as they were saved.

    None where only the network itself can tell, checkpoint.load. Raises CheckpointError.
    """
    record = load_record(folder / RECORD)
    try:
        is_whole = record.checksum == checksum(_weights(folder))
    except CheckpointError:
        return None  # what is wrong, the network's shapes tell
    return (record, record.network) if record.network and is_whole else None


def pack(folder: Path, record: Record) -> bytes:
    """The network of a folder as one safetensors file, its record in the metadata.

    Raises CheckpointError.
    """
    return save(_weights(folder), {PACKED: json.dumps(record.to_json())})


def _weights(folder: Path) -> dict[str, npt.NDArray[Any]]:
    path = folder / WEIGHTS
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CheckpointError(f"{path.name} is far larger than any network here.")
        found: dict[str, npt.NDArray[Any]] = load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError) as error:  # the last: of a strange type
        raise CheckpointError(f"{path.name} is not there, or damaged.") from error
    return found


def shipped() -> list[str]:
    """The names of the shipped checkpoints."""
    return sorted(p.parent.name for p in CHECKPOINTS.glob(f"*/{RECORD}"))
