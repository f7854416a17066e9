"""What the process of a run does: train, and write all that happens into the run's folder."""

from __future__ import annotations

import json
import math
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.mnist import checkpoint, data, fields, run_folder
from core.mnist.data import Digits
from core.mnist.events import BatchDone, EpochDone, Event, Finished
from core.mnist.figures import Evaluation
from core.mnist.files import DISK_FULL, save_json
from core.mnist.policy import too_long
from core.mnist.recipe import ConfigError
from core.mnist.records import CheckpointError, EpochRecord, Record
from core.mnist.run_folder import RunError, State
from core.mnist.runs import read
from core.mnist.source import DataError
from core.mnist.training import train

RESUME, EVALUATION = "state.safetensors", "evaluation.json"
LOG_SECONDS = 0.4  # how often a worker writes how far it is
FAILURES = (DataError, CheckpointError, ConfigError, RunError)  # each says why in words


def carry_out(folder: Path, digits: Digits, minutes: float = math.inf) -> Iterator[Event]:
    """Train the folder's run from where it is, write all that happens, and pass it on.

    The caller holds the folder's lock. Ends early, with a line in the log, when told to stop, or
    when it has trained for so many minutes in all.
    """
    run = read(folder)
    config, deadline = run.config, time.monotonic() + 60 * minutes - run.trained
    state = None
    if (folder / RESUME).exists():
        state = checkpoint.load_tensors(folder / RESUME)
    test = _last_evaluation(folder)
    run_folder.append(folder, "started")
    losses: list[float] = []
    written = time.monotonic()
    for event in train(config, digits, state):
        match event:
            case BatchDone():
                losses.append(event.loss)
                now = time.monotonic()
                if now - written >= LOG_SECONDS or event.batch == event.batches:
                    run_folder.append(
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
                run_folder.append(folder, State.FINISHED)
        yield event
        if isinstance(event, Finished):
            return
        if (folder / run_folder.STOP).exists():
            run_folder.append(folder, State.STOPPED)
            return
        is_last = isinstance(event, EpochDone) and event.epoch == config.epochs
        if time.monotonic() > deadline and not is_last:
            run_folder.append(folder, State.STOPPED, message=too_long(minutes))
            return


def _save_epoch(folder: Path, event: EpochDone) -> None:
    """Weights, state, log, in this order: what the log tells of is there."""
    checkpoint.save_tensors(folder / f"weights-{event.epoch:02}.safetensors", event.weights)
    save_json(folder / EVALUATION, asdict(event.test))
    checkpoint.save_tensors(folder / RESUME, event.state)
    record = EpochRecord.of(event)
    run_folder.append(folder, "epoch", **vars(record))


def _last_evaluation(folder: Path) -> Evaluation | None:
    try:
        found: dict[str, Any] = json.loads((folder / EVALUATION).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return fields.read(Evaluation, found)[0]


def work(folder: Path, minutes: float = math.inf) -> Iterator[Event]:
    """What a worker does in its turn: load the digits, train, and say why if it fails.

    minutes: how long the run may train.
    """
    try:
        digits = data.load(
            read(folder).config.data,
            lambda received, total: run_folder.append(
                folder, "download", received=received, total=total
            ),
        )
        yield from carry_out(folder, digits, minutes)
    except FAILURES as error:
        run_folder.fail(folder, str(error))
        raise
    except Exception as error:
        words = _in_words(error)
        run_folder.fail(folder, words, traceback.format_exc())
        raise RunError(words) from error


def _in_words(error: Exception) -> str:
    """Why a run ended, for the person who started it.

    torch raises errors of no type of their own for too little memory: told by their text.
    """
    said = (str(error).splitlines() or [""])[0][:300]
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        return "The disk is full. Delete runs or other files, then resume this one."
    if isinstance(error, MemoryError) or "allocate memory" in said or "out of memory" in said:
        return "The memory of this machine was not enough. Take smaller batches, or fewer parts."
    return f"Training ended in an error of the program, {type(error).__name__}: {said}"
