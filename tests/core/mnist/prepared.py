"""Run folders as a worker leaves them, without the training; and waiting for those that train."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from core.mnist import run_folder, runs
from core.mnist.files import save_json
from core.mnist.recipe import TrainConfig
from core.mnist.run_folder import State

QUICK = TrainConfig(architecture="compact", data="uci", epochs=2, batch_size=256)
LONG = replace(QUICK, epochs=19, batch_size=8)
PATIENCE = 90  # seconds


def finished(folder: Path, size: int = 1000) -> Path:
    """A run that is over, its record of `size` bytes."""
    folder.mkdir()
    save_json(folder / runs.CONFIG, {"title": "fast", "config": QUICK.to_json()})
    (folder / run_folder.RECORD).write_bytes(bytes(size))
    return folder


def stopped(folder: Path, epochs: int = 1, data: str = "uci") -> Path:
    """A run that was stopped after so many epochs."""
    config = QUICK.with_values({"data": data})
    folder.mkdir()
    save_json(folder / runs.CONFIG, {"title": "fast", "config": config.to_json()})
    log: list[dict[str, object]] = [{"event": "waiting"}, {"event": "started"}]
    figures = {"loss": 0.5, "correct": 900, "total": 1000, "test_loss": 0.4, "test_correct": 300}
    for epoch in range(1, epochs + 1):
        more = {"test_total": 360, "rate": 0.01, "seconds": 1.5}
        log.append({"event": "epoch", "epoch": epoch, **figures, **more})
    log.append({"event": "stopped"})
    lines = [json.dumps({"time": 1.0, **line}) for line in log]
    (folder / run_folder.LOG).write_text("\n".join(lines) + "\n")
    (folder / run_folder.LOCK).touch()
    (folder / run_folder.STOP).touch()
    return folder


def wait(condition: Callable[[], object]) -> None:
    """Until it holds, or for so long that what waits for it says what the runs have come to."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, [
            (f.name, run_folder.events(f)) for f in run_folder.folders()
        ]
        time.sleep(0.05)


def end_all() -> None:
    """Stop every run, and wait until none trains."""
    for folder in run_folder.folders():
        runs.stop(folder)
    wait(lambda: not run_folder.queue())


def state(folder: Path) -> State:
    return runs.read(folder).state
