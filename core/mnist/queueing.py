"""Run folders seen from outside: who is alive, whose turn it is. Needs no torch.

A run that waits for its turn is a process too; without torch it takes a tenth of the memory.

A worker holds the lock of its folder as long as it lives. The operating system frees the lock
however the worker ends, so a held lock is a living worker, whatever the log says.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

PROJECT = Path(__file__).resolve().parents[2]
AT_ONCE = 1
MAX_WAITING = 4
START_SECONDS = 20.0  # a new process has so long to take its lock before it counts as dead
POLL_SECONDS = 0.5
ID = re.compile(r"\d{8}-\d{6}-[a-z0-9-]+")

LOG, STOP, LOCK, TICKET, RECORD = "log.jsonl", "stop", "lock", "ticket", "run.json"


class State(StrEnum):
    """What a run is doing. `DIED`: its process ended without a word."""

    WAITING = "waiting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"
    DIED = "crashed"
    FINISHED = "finished"

    @property
    def is_active(self) -> bool:
        return self in (State.WAITING, State.RUNNING, State.STOPPING)


def root() -> Path:
    """Where the runs are: `$RUNS_ROOT` if it is set, else the project's runs folder."""
    return Path(os.environ.get("RUNS_ROOT") or PROJECT / "runs")


def at_once() -> int:
    """How many runs may train side by side: `$RUNS_AT_ONCE` if it is set, else 1."""
    return max(1, int(os.environ.get("RUNS_AT_ONCE") or AT_ONCE))


def folders() -> list[Path]:
    """Every run's folder, the newest first."""
    if not root().is_dir():
        return []
    return sorted((p for p in root().iterdir() if ID.fullmatch(p.name)), reverse=True)


def hold(folder: Path) -> FileLock:
    """Become the folder's worker. Raises filelock.Timeout if it has one."""
    lock = FileLock(folder / LOCK)
    lock.acquire(timeout=5)  # a reader may hold it for a moment to see whether it is free
    return lock


def has_worker(folder: Path) -> bool:
    """Whether a living process holds the folder."""
    if not (folder / LOCK).exists():
        return False
    try:
        with FileLock(folder / LOCK, timeout=0):
            return False
    except (Timeout, OSError):  # OSError: the folder is being deleted
        return folder.exists()


def append(folder: Path, event: str, **values: Any) -> None:
    """Add one line to the run's log, written through to the disk's cache at once."""
    line = json.dumps({"event": event, "time": round(time.time(), 3), **values})
    with (folder / LOG).open("a", encoding="utf-8") as log:
        log.write(line + "\n")


def events(folder: Path) -> list[dict[str, Any]]:
    """The log's lines. The last one is left out while it is being written."""
    try:
        text = (folder / LOG).read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def take_ticket(folder: Path) -> None:
    """Join the end of the queue."""
    (folder / STOP).unlink(missing_ok=True)
    (folder / TICKET).write_text(f"{time.time_ns()}", encoding="ascii")
    append(folder, State.WAITING)


def state(folder: Path, log: list[dict[str, Any]] | None = None) -> State:
    """What the run is doing now; `log`: its events, if they are read already."""
    if (folder / RECORD).exists():
        return State.FINISHED
    alive = has_worker(folder)
    log = events(folder) if log is None else log
    last = str(log[-1]["event"]) if log else ""
    if alive and (folder / STOP).exists():
        return State.STOPPING
    if alive:
        return State.WAITING if last == State.WAITING else State.RUNNING
    if last == State.WAITING and time.time() - log[-1]["time"] < START_SECONDS:
        return State.WAITING
    if last in (State.STOPPED, State.FAILED):
        return State(last)
    return State.DIED


def queue() -> list[Path]:
    """The folders that train or wait, in the order in which they joined."""
    return sorted((f for f in folders() if state(f).is_active), key=_ticket)


def _ticket(folder: Path) -> tuple[int, str]:
    try:
        return int((folder / TICKET).read_text(encoding="ascii")), folder.name
    except (FileNotFoundError, ValueError):
        return 0, folder.name


def wait_for_turn(folder: Path) -> bool:
    """Return True when the folder may train, or False as soon as it is told to stop."""
    for _ in _polls():
        if (folder / STOP).exists():
            return False
        ahead = [other for other in queue() if _ticket(other) < _ticket(folder)]
        if len(ahead) < at_once():
            return True
    raise AssertionError("polling has no end")


def _polls() -> Iterator[None]:
    while True:
        yield
        time.sleep(POLL_SECONDS)
