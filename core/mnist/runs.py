"""Runs: started as processes of their own, followed by reading their folders.

A run is a folder: config.json, log.jsonl (only ever appended to), the weights after each epoch,
state.safetensors to go on from, and at the end the two files of a checkpoint. The page that shows
a run and the process that trains share nothing else.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.mnist import checkpoint, data, queueing
from core.mnist.checkpoint import CheckpointError, EpochRecord, Record
from core.mnist.data import Digits
from core.mnist.evaluation import Evaluation
from core.mnist.models import ConvNet
from core.mnist.queueing import State
from core.mnist.training import (
    BatchDone,
    ConfigError,
    EpochDone,
    Event,
    Finished,
    TrainConfig,
    train,
)

CHECKPOINTS = queueing.PROJECT / "checkpoints"
CONFIG, RESUME, EVALUATION = "config.json", "state.safetensors", "evaluation.json"
SEEDS = "seeds.json"  # beside a checkpoint: the figures of other seeds with the same recipe
MAX_BYTES = 150_000_000  # of all runs together; a run of 19 epochs takes 2 MB
LOG_SECONDS = 0.4  # how often a worker writes how far it is


class RunError(Exception):
    """A run cannot be started, resumed or deleted; the message says why and what to do."""


FAILURES = (data.DataError, CheckpointError, ConfigError, RunError)  # each says why in words


@dataclass(frozen=True)
class Progress:
    """How far an epoch was at some moment. loss: mean since the moment before."""

    epoch: int
    batch: int
    batches: int
    loss: float
    images_per_second: float


@dataclass(frozen=True)
class Run:
    """A run as its folder showed it when it was read.

    progress: moments of the epochs so far and of the one that runs; message: why it failed;
    downloaded: the share of the data that has come, while it comes; ahead: runs before it in
    the queue.
    """

    folder: Path
    config: TrainConfig
    title: str
    state: State
    epochs: list[EpochRecord]
    progress: list[Progress]
    message: str
    downloaded: float | None
    ahead: int

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def is_resumable(self) -> bool:
        return self.state in (State.STOPPED, State.DIED, State.FAILED)

    @property
    def now(self) -> Progress | None:
        """How far the epoch is that runs now; None between epochs and when nothing runs."""
        last = self.progress[-1] if self.progress else None
        return last if last and last.epoch > len(self.epochs) else None

    @property
    def share_done(self) -> float:
        """Of all batches, 0 to 1."""
        if self.state is State.FINISHED:
            return 1.0
        epoch = self.now.batch / self.now.batches if self.now else 0.0
        return (len(self.epochs) + epoch) / self.config.epochs

    @property
    def seconds_left(self) -> float | None:
        """Training time to come at the present speed, or None before there is one."""
        left = self.config.epochs * (1 - self.share_done)
        if self.epochs:
            return left * sum(e.seconds for e in self.epochs) / len(self.epochs)
        if self.now:
            images = self.now.batches * self.config.batch_size
            return left * images / self.now.images_per_second
        return None


def checkpoints() -> list[str]:
    """The names of the shipped checkpoints."""
    return sorted(p.parent.name for p in CHECKPOINTS.glob(f"*/{checkpoint.RECORD}"))


def load_checkpoint(name: str) -> tuple[ConvNet, Record]:
    """A shipped checkpoint's network, in eval mode, and its record. Raises CheckpointError."""
    if name not in checkpoints():
        raise CheckpointError(
            f"There is no checkpoint “{name}”; there are: {', '.join(checkpoints()) or 'none'}."
        )
    return checkpoint.load(CHECKPOINTS / name)


def read(folder: Path, queued: list[Path] | None = None) -> Run:
    """The run as its folder shows it now. Raises RunError if it is none.

    queued: the queue, if it has been looked at already.
    """
    record = folder / queueing.RECORD
    if record.exists():
        return _read_finished(folder, record.stat().st_mtime_ns)
    return _read(folder, queued)


@lru_cache(maxsize=256)
def _read_finished(folder: Path, written: int) -> Run:
    return _read(folder, [])


def _read(folder: Path, queued: list[Path] | None) -> Run:
    try:
        found = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        config = TrainConfig.from_json(found["config"])
        log = queueing.events(folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"The run {folder.name} cannot be read; delete it.") from error
    state = queueing.state(folder, log)
    epochs: dict[int, EpochRecord] = {}
    progress: list[Progress] = []
    message, downloaded = "", None
    for line in log:
        kind, values = line["event"], {k: line[k] for k in line.keys() - {"event", "time"}}
        if kind == "epoch":
            record = EpochRecord(**values)
            epochs[record.epoch] = record
        elif kind == "batch":
            progress.append(Progress(**values))
        elif kind == "download":
            downloaded = values["received"] / values["total"]
        else:
            downloaded = None
            message = values.get("message", "")
            if kind == "started":  # what was begun of an epoch is done again
                progress = [p for p in progress if p.epoch <= len(epochs)]
    ahead = 0
    if state is State.WAITING:
        queued = queueing.queue() if queued is None else queued
        ahead = queued.index(folder) if folder in queued else 0
    return Run(
        folder,
        config,
        str(found["title"]),
        state,
        sorted(epochs.values(), key=lambda e: e.epoch),
        progress,
        message,
        downloaded,
        ahead,
    )


def every() -> list[Run]:
    """All runs, the newest first; folders that cannot be read are left out."""
    queued = queueing.queue()
    found = []
    for folder in queueing.folders():
        try:
            found.append(read(folder, queued))
        except RunError:
            continue
    return found


def create(config: TrainConfig, title: str) -> Path:
    """A new run's folder, not started; the oldest ended runs make room for it."""
    _make_room()
    stamp = time.strftime("%Y%m%d-%H%M%S")
    for number in range(1, 1000):
        folder = queueing.root() / f"{stamp}-{config.architecture}-{number}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        checkpoint.save_json(folder / CONFIG, {"title": title, "config": config.to_json()})
        return folder
    raise RunError("Too many runs were started in this second; try again.")


def start(config: TrainConfig, title: str) -> Path:
    """Train in a process of its own, in turn. Raises RunError if the queue is full."""
    _check_room()
    folder = create(config, title)
    _spawn(folder)
    return folder


def resume(folder: Path) -> None:
    """Go on from the end of the last whole epoch, in turn. Raises RunError."""
    run = read(folder)
    if not run.is_resumable:
        raise RunError(f"This run is {run.state}; only a run that has stopped can go on.")
    _check_room()
    _spawn(folder)


def stop(folder: Path) -> None:
    """Ask the worker to end after the batch it is at."""
    if queueing.state(folder).is_active:
        (folder / queueing.STOP).touch()


def delete(folder: Path) -> None:
    """Delete a run that is over. Raises RunError if it trains or waits."""
    if queueing.state(folder).is_active:
        raise RunError("This run is not over; stop it first.")
    shutil.rmtree(folder, ignore_errors=True)


def _check_room() -> None:
    if len(queueing.queue()) >= queueing.at_once() + queueing.MAX_WAITING:
        raise RunError(
            f"The queue is full: {queueing.MAX_WAITING} runs are waiting. "
            "Try again when one has ended."
        )


def _make_room() -> None:
    """Delete the oldest ended runs until all runs together keep within MAX_BYTES."""
    sizes = {
        folder: sum(f.stat().st_size for f in folder.glob("*")) for folder in queueing.folders()
    }
    for folder in reversed(queueing.folders()):
        if sum(sizes.values()) <= MAX_BYTES:
            return
        if not queueing.state(folder).is_active:
            shutil.rmtree(folder, ignore_errors=True)
            del sizes[folder]


def _spawn(folder: Path) -> None:
    queueing.take_ticket(folder)
    with (folder / "output.txt").open("ab") as output:
        subprocess.Popen(  # noqa: S603 — our own module, and a folder that we made
            [sys.executable, "-m", "core.mnist.train", "--worker", str(folder.resolve())],
            cwd=queueing.PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # the run outlives the server
            env=os.environ | _absolute_folders(),
        )


def _absolute_folders() -> dict[str, str]:
    """The folders as a worker must be told of them: it starts in another one than we may have."""
    return {
        "RUNS_ROOT": str(queueing.root().resolve()),
        "MNIST_ROOT": str(data.mnist_folder().resolve()),
    }


def carry_out(folder: Path, digits: Digits) -> Iterator[Event]:
    """Train the folder's run from where it is, write all that happens, and pass it on.

    The caller holds the folder's lock. Ends early, with a line in the log, when told to stop.
    """
    config = read(folder).config
    state = None
    if (folder / RESUME).exists():
        state = checkpoint.load_tensors(folder / RESUME)
    test = _last_evaluation(folder)
    queueing.append(folder, "started")
    losses: list[float] = []
    written = time.monotonic()
    for event in train(config, digits, state):
        match event:
            case BatchDone():
                losses.append(event.loss)
                now = time.monotonic()
                if now - written >= LOG_SECONDS or event.batch == event.batches:
                    queueing.append(
                        folder,
                        "batch",
                        epoch=event.epoch,
                        batch=event.batch,
                        batches=event.batches,
                        loss=sum(losses) / len(losses),
                        images_per_second=len(losses) * event.images / (now - written),
                    )
                    losses, written = [], now
            case EpochDone():
                test = event.test
                _save_epoch(folder, event)
                losses, written = [], time.monotonic()
            case Finished():
                if test is None:
                    raise RunError("The run has no evaluation of its last epoch; delete it.")
                epochs = read(folder).epochs
                record = Record(config, epochs, test, checkpoint.versions(), event.calibration)
                checkpoint.save(folder, event.model, record)
                queueing.append(folder, State.FINISHED)
        yield event
        if not isinstance(event, Finished) and (folder / queueing.STOP).exists():
            queueing.append(folder, State.STOPPED)
            return


def _save_epoch(folder: Path, event: EpochDone) -> None:
    """Weights, state, log, in this order: what the log tells of is there."""
    checkpoint.save_tensors(folder / f"weights-{event.epoch:02}.safetensors", event.weights)
    checkpoint.save_json(folder / EVALUATION, event.test.to_json())
    checkpoint.save_tensors(folder / RESUME, event.state)
    record = EpochRecord.of(event)
    queueing.append(folder, "epoch", **vars(record))


def _last_evaluation(folder: Path) -> Evaluation | None:
    try:
        found: dict[str, Any] = json.loads((folder / EVALUATION).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return Evaluation.from_json(found)


def work(folder: Path) -> Iterator[Event]:
    """What a worker does in its turn: load the digits, train, and say why if it fails."""
    try:
        digits = data.load(
            read(folder).config.data,
            lambda received, total: queueing.append(
                folder, "download", received=received, total=total
            ),
        )
        yield from carry_out(folder, digits)
    except FAILURES as error:
        queueing.append(folder, State.FAILED, message=str(error))
        raise
