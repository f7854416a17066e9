"""Runs: started as processes of their own, followed by reading their folders.

A run is a folder: config.json, log.jsonl (only ever appended to), the weights after each epoch,
state.safetensors to go on from, and at the end the two files of a checkpoint. The page that shows
a run and the process that trains share nothing else.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from core.mnist import cluster, fields, run_folder, source
from core.mnist.files import save_json
from core.mnist.policy import policy, too_long
from core.mnist.recipe import ConfigError, TrainConfig
from core.mnist.records import EpochRecord
from core.mnist.run_folder import RunError, State

T = TypeVar("T")
CONFIG = "config.json"
LOADED, FOREIGN = "loaded", "foreign"  # titles of runs from elsewhere; FOREIGN: without a record
NO_TRAINING = "Training is switched off on this server."
MAX_BYTES = 150_000_000  # of all runs together; a run of 19 epochs takes 2 MB


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
    traceback: where in the code; differs: what its files have more or less than today's, in words;
    downloaded: the share of the data that has come, while it comes; ahead: runs before it in
    the queue; owner: the mark of who may change it, empty where nobody in particular may.
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
    traceback: str = ""
    differs: tuple[str, ...] = ()
    owner: str = ""

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
        return last if last and last.epoch > self.done else None

    @property
    def done(self) -> int:
        """How many epochs are complete; of one whose line is damaged the log knows no figures."""
        return self.epochs[-1].epoch if self.epochs else 0

    @property
    def trained(self) -> float:
        """Seconds of training, those of its complete epochs."""
        return sum(epoch.seconds for epoch in self.epochs)

    @property
    def share_done(self) -> float:
        """Of all batches, 0 to 1."""
        if self.state is State.FINISHED:
            return 1.0
        epoch = self.now.batch / self.now.batches if self.now else 0.0
        return (self.done + epoch) / self.config.epochs

    @property
    def seconds_left(self) -> float | None:
        """Training time to come at the present speed, or None before there is one."""
        left = self.config.epochs * (1 - self.share_done)
        if self.epochs:
            return left * self.trained / len(self.epochs)
        if self.now:
            images = self.now.batches * self.config.batch_size
            return left * images / self.now.images_per_second
        return None


def read(folder: Path, queued: list[Path] | None = None) -> Run:
    """The run as its folder shows it now. Raises RunError if it is none, or gone.

    queued: the queue, if it has been looked at already.
    """
    try:
        written = (folder / run_folder.RECORD).stat().st_mtime_ns
    except OSError:
        return _read(folder, queued)
    return _read_finished(folder, written)


@lru_cache(maxsize=256)
def _read_finished(folder: Path, written: int) -> Run:
    return _read(folder, [])


def _read(folder: Path, queued: list[Path] | None) -> Run:
    try:
        found = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        config, differs = fields.read(TrainConfig, found["config"])
        title, owner = str(found["title"]), str(found.get("owner", ""))
    except (OSError, ValueError, KeyError, TypeError, RecursionError, ConfigError) as error:
        if not folder.is_dir():
            raise run_folder.gone(folder) from error
        raise RunError(f"The run {folder.name} cannot be read; delete it.") from error
    log = run_folder.events(folder)
    state = run_folder.state(folder, log)
    told = _Told(differs)
    for line in log:
        told.take(str(line["event"]), {n: v for n, v in line.items() if n not in ("event", "time")})
    for epoch in range(1, max(told.epochs, default=0)):
        if epoch not in told.epochs:
            told.differs.append(f"The line of epoch {epoch} in its log is damaged.")
    ahead = 0
    if state is State.WAITING:
        queued = run_folder.queue() if queued is None else queued
        ahead = queued.index(folder) if folder in queued else 0
    return Run(
        folder,
        config,
        title,
        state,
        epochs=sorted(told.epochs.values(), key=lambda e: e.epoch),
        progress=told.progress,
        message=told.message,
        downloaded=told.downloaded,
        ahead=ahead,
        traceback=told.traceback,
        differs=tuple(dict.fromkeys(told.differs)),
        owner=owner,
    )


class _Told:
    """What a log tells, taken line by line. differs: what its lines have more or less, in words."""

    def __init__(self, differs: list[str]) -> None:
        self.differs = differs
        self.epochs: dict[int, EpochRecord] = {}
        self.progress: list[Progress] = []
        self.message = self.traceback = ""
        self.downloaded: float | None = None

    def take(self, event: str, values: dict[str, Any]) -> None:
        """One line; one that lacks what it should say is passed over, and that is said."""
        try:
            self._take(event, values)
        except KeyError as error:
            self.differs.append(f"A line “{event}” of its log lacks “{error.args[0]}”.")
        except (TypeError, ValueError, ZeroDivisionError):
            self.differs.append(f"A line “{event}” of its log cannot be read.")

    def _take(self, event: str, values: dict[str, Any]) -> None:
        match event:
            case "epoch":
                record = self._read(EpochRecord, values)
                self.epochs[record.epoch] = record
            case "batch":
                self.progress.append(self._read(Progress, values))
            case "download":
                self.downloaded = values["received"] / values["total"]
            case _:
                self.downloaded = None
                self.message = str(values.get("message", ""))
                self.traceback = str(values.get("traceback", ""))
                if event == "started":  # what was begun of an epoch is done again
                    done = max(self.epochs, default=0)
                    self.progress = [p for p in self.progress if p.epoch <= done]

    def _read(self, kind: type[T], values: dict[str, Any]) -> T:
        found, differs = fields.read(kind, values)
        self.differs += differs
        return found


def every() -> list[Run]:
    """All runs, the newest first; folders that cannot be read are left out."""
    queued = run_folder.queue()
    found = []
    for folder in run_folder.folders():
        try:
            found.append(read(folder, queued))
        except RunError:
            continue
    return found


def enter(config: TrainConfig, title: str, owner: str = "", *, for_cluster: bool = False) -> Path:
    """A new run that has joined the queue, for whoever trains it; the oldest make room for it.

    owner: the mark of who may change it; for_cluster: a cluster's workers train it. Raises RunError
    if the queue is full or nothing can be written.
    """
    with run_folder.door():
        _check_room()
        _make_room()
        folder = _create(config, {"title": title, "owner": owner})
        try:
            run_folder.take_ticket(folder, for_cluster=for_cluster)
        except RunError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return folder


def add(
    config: TrainConfig, title: str, digest: str, fill: Callable[[Path], None], owner: str = ""
) -> Path:
    """A run that was trained elsewhere, written whole by `fill`; the oldest make room for it.

    title: LOADED or FOREIGN; digest: of its file: where there is one of the same, that is the
    answer; owner: the mark of who may delete it. Raises RunError if it cannot be written.
    """
    with run_folder.door():
        for folder in run_folder.folders():
            if _digest(folder) == digest:
                return folder
        _make_room()
        return _create(config, {"title": title, "digest": digest, "owner": owner}, fill)


def _digest(folder: Path) -> str | None:
    try:
        found: dict[str, str] = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        return found.get("digest")
    except (OSError, ValueError, AttributeError, RecursionError):
        return None


def _create(
    config: TrainConfig, more: dict[str, str], fill: Callable[[Path], None] | None = None
) -> Path:
    """A new folder with its configuration, in the lists only once it is complete."""
    hidden = run_folder.hidden()
    try:
        hidden.mkdir()
        save_json(hidden / CONFIG, {**more, "config": config.to_json()})
        if fill:
            fill(hidden)
        folder = _free(config)
        hidden.rename(folder)
    except OSError as error:
        shutil.rmtree(hidden, ignore_errors=True)
        raise RunError(
            f"The run cannot be written to {run_folder.root()}: {error.strerror}."
        ) from error
    return folder


def _free(config: TrainConfig) -> Path:
    """A name that no other run has; called by one at a time."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    names = (f"{stamp}-{config.architecture}-{number}" for number in itertools.count(1))
    return next(folder for name in names if not (folder := run_folder.root() / name).exists())


def start(config: TrainConfig, title: str, owner: str = "") -> Path:
    """Train in a process of its own or by the cluster, in turn. Raises RunError if that may not be
    now.
    """
    allowed = policy()
    if not allowed.training:
        raise RunError(NO_TRAINING)
    if allowed.cluster:
        cluster.keep(allowed.cluster)
    folder = enter(config, title, owner, for_cluster=bool(allowed.cluster))
    if not allowed.cluster:
        _spawn(folder)
    return folder


def resume(folder: Path) -> None:
    """Go on from the end of the last whole epoch, in turn. Raises RunError."""
    allowed = policy()
    with run_folder.door():
        run = read(folder)
        if not run.is_resumable:
            raise RunError(f"This run is {run.state}; only a run that has stopped can go on.")
        if not allowed.training:
            raise RunError(NO_TRAINING)
        if run.trained >= 60 * allowed.minutes:
            raise RunError(too_long(allowed.minutes))
        if allowed.cluster:
            cluster.keep(allowed.cluster)
        _check_room()
        run_folder.take_ticket(folder, for_cluster=bool(allowed.cluster))
    if not allowed.cluster:
        _spawn(folder)


def stop(folder: Path) -> None:
    """Ask the worker to end after the batch it is at. Raises RunError if the run is gone."""
    try:
        if run_folder.state(folder).is_active:
            run_folder.ask_to_stop(folder)
    except OSError as error:
        raise RunError(
            f"The run {folder.name} cannot be told to stop: {error.strerror}."
        ) from error
    if not folder.is_dir():
        raise run_folder.gone(folder)


def delete(folder: Path) -> None:
    """Delete a run that is over. Raises RunError if it trains or waits, or is gone already."""
    with run_folder.door():
        if run_folder.state(folder).is_active:
            raise RunError("This run is not over; stop it first.")
        run_folder.remove(folder)


def _check_room() -> None:
    allowed = policy()
    if len(run_folder.queue()) >= allowed.at_once + allowed.waiting:
        raise RunError(
            f"The queue is full: {allowed.waiting} runs are waiting. Try again when one has ended."
        )


def _make_room() -> None:
    """Delete the oldest ended runs until all runs together keep within MAX_BYTES."""
    run_folder.sweep()
    sizes = {folder: _size(folder) for folder in run_folder.folders()}
    for folder in reversed(list(sizes)):
        if sum(sizes.values()) <= MAX_BYTES:
            return
        if not run_folder.state(folder).is_active:
            with suppress(RunError):  # in use: a younger one makes room instead
                run_folder.remove(folder)
                del sizes[folder]


def _size(folder: Path) -> int:
    """Bytes of its files, as far as they stay while they are counted."""
    size = 0
    with suppress(OSError):
        for file in folder.iterdir():
            with suppress(OSError):
                size += file.stat().st_size
    return size


def _spawn(folder: Path) -> None:
    """Start a worker that outlives the server: on Windows detached, elsewhere in a new session.

    Raises RunError where the system starts none; the run has failed then.
    """
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
        apart = {"creationflags": flags}
    try:
        with (folder / "output.txt").open("ab") as output:
            subprocess.Popen(  # noqa: S603 — our own module, and a folder that we made
                [sys.executable, "-m", "core.mnist.train", "--worker", str(folder.resolve())],
                cwd=run_folder.PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                **apart,
                env=_environment(),
            )
    except OSError as error:
        if not folder.is_dir():
            raise run_folder.gone(folder) from error
        words = f"No process could be started for the run: {error.strerror}."
        run_folder.fail(folder, words)
        raise RunError(words) from error


def _environment() -> dict[str, str]:
    """A worker's: the folders are told whole, as it starts in another one than we may have.

    Its threads do not spin while they wait for each other, which would keep the pages waiting too.
    """
    return (
        {"OMP_WAIT_POLICY": "PASSIVE"}
        | os.environ
        | {
            "RUNS_ROOT": str(run_folder.root().resolve()),
            "MNIST_ROOT": str(source.mnist_folder().resolve()),
        }
    )
