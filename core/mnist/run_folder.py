"""Run folders seen from outside: who is alive, whose turn it is. Needs no torch.

A run that waits for its turn is a process too; without torch it takes a tenth of the memory.

A worker holds the lock of its folder as long as it lives. The operating system frees the lock
however the worker ends, so a held lock is a living worker, whatever the log says.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

from filelock import FileLock, Timeout

from core.mnist.files import DISK_FULL

PROJECT = Path(__file__).resolve().parents[2]
START_SECONDS = 20.0  # a new process has so long to take its lock before it counts as dead
POLL_SECONDS = 0.5
DOOR_SECONDS = 10.0  # so long a starter waits while others start
ID = re.compile(r"\d{8}-\d{6}-[a-z0-9-]+")

LOG, STOP, LOCK, TICKET, RECORD = "log.jsonl", "stop", "lock", "ticket", "run.json"
CLUSTER = "RUNS_CLUSTER"  # the environment's name for the address of a cluster's scheduler
RESERVE = "reserve"  # room on the disk that is given back where the disk is full
_RESERVED = 16_384  # bytes
_DOOR, _HIDDEN = ".door", ".hidden-"  # hidden: while it is filled or deleted


class RunError(Exception):
    """A run cannot be started, resumed or deleted; the message says why and what to do."""


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


def folders() -> list[Path]:
    """Every run's folder, the newest first."""
    try:
        return sorted((p for p in root().iterdir() if ID.fullmatch(p.name)), reverse=True)
    except (FileNotFoundError, NotADirectoryError):
        return []


@contextmanager
def door() -> Iterator[None]:
    """Passed by one at a time: who starts, resumes or deletes finds nothing changed underneath.

    Raises RunError if it stays shut, or the folder of the runs cannot be made.
    """
    try:
        root().mkdir(parents=True, exist_ok=True)
        lock = FileLock(root() / _DOOR)
        lock.acquire(timeout=DOOR_SECONDS)
    except Timeout as error:
        raise RunError("Others are starting runs at this moment; try again.") from error
    except OSError as error:
        raise RunError(
            f"Runs are kept in {root()}, which cannot be written to: {error.strerror}. "
            "Set RUNS_ROOT to another folder, or make room there."
        ) from error
    try:
        yield
    finally:
        lock.release()


def hold(folder: Path) -> FileLock:
    """Become the folder's worker. Raises filelock.Timeout if it has one, RunError if it is gone."""
    if not folder.is_dir():  # the lock would make the folder
        raise gone(folder)
    lock = FileLock(folder / LOCK)
    lock.acquire(timeout=5)  # a reader may hold it for a moment to see whether it is free
    return lock


def has_worker(folder: Path) -> bool:
    """Whether a living process holds the folder."""
    try:
        with (folder / LOCK).open("rb") as lock:
            return _is_held(lock)
    except OSError:  # nobody has held it yet, or the folder is gone
        return False


if sys.platform == "win32":

    def _is_held(lock: IO[bytes]) -> bool:
        """Windows shares no lock: another reader may have it for a moment, so asked five times."""
        for _ in range(5):
            try:
                with FileLock(lock.name, timeout=0):
                    return False
            except Timeout:
                time.sleep(0.01)
        return True

else:
    import fcntl

    def _is_held(lock: IO[bytes]) -> bool:
        """Readers share the lock, a worker has it alone: no reader takes another for a worker."""
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False  # closing the file frees it


def append(folder: Path, event: str, **values: Any) -> None:
    """Add one line to the run's log, written through to the disk's cache at once.

    Where the line before was cut off, it costs that line alone.
    """
    line = json.dumps({"event": event, "time": round(time.time(), 3), **values}) + "\n"
    with (folder / LOG).open("a+b") as log:
        if log.seek(0, os.SEEK_END):
            log.seek(-1, os.SEEK_END)
            if log.read(1) != b"\n":
                line = f"\n{line}"
        log.write(line.encode())


def events(folder: Path) -> list[dict[str, Any]]:
    """The log's lines but for damaged ones. The last is left out while it is being written."""
    try:
        text = (folder / LOG).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    found = []
    for line in text[: text.rfind("\n") + 1].split("\n"):
        with suppress(ValueError, RecursionError):
            event = json.loads(line)
            if isinstance(event, dict) and isinstance(event.get("event"), str):
                found.append(event)
    return found


def fail(folder: Path, message: str, traceback: str = "") -> None:
    """Log why a run ended, and where in the code; on a full disk in the room kept for it."""
    (folder / RESERVE).unlink(missing_ok=True)
    append(folder, State.FAILED, message=message, traceback=traceback)


def ask_to_stop(folder: Path) -> None:
    """Leave word for the worker; on a full disk in the room kept for it. Raises OSError."""
    try:
        (folder / STOP).touch()
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        (folder / RESERVE).unlink(missing_ok=True)
        (folder / STOP).touch()


def take_ticket(folder: Path, *, for_cluster: bool = False) -> None:
    """Join the end of the queue. Raises RunError if the run is gone or the disk full.

    for_cluster: no process of this machine waits with the run; whoever keeps the cluster does.
    """
    try:
        (folder / STOP).unlink(missing_ok=True)
        (folder / RESERVE).write_bytes(bytes(_RESERVED))
        (folder / TICKET).write_text(f"{_next_ticket()}", encoding="ascii")
        uptime = round(time.monotonic(), 3)
        append(folder, State.WAITING, cluster=for_cluster, uptime=uptime)
    except OSError as error:
        if not folder.is_dir():
            raise gone(folder) from error
        raise RunError(f"The run {folder.name} cannot be written: {error.strerror}.") from error


def gone(folder: Path) -> RunError:
    """What to raise for a run whose folder is not there."""
    return RunError(f"The run {folder.name} has been deleted.")


def remove(folder: Path) -> None:
    """Delete a run that no worker holds: out of sight at once, then file by file.

    Raises RunError if there is a worker or the folder is gone.
    """
    if not folder.is_dir():  # the lock would make the folder
        raise gone(folder)
    out_of_sight = hidden()
    try:
        lock = FileLock(folder / LOCK)
        lock.acquire(timeout=0)
        if sys.platform == "win32":  # which renames no folder with an open file in it
            lock.release()
        try:
            folder.rename(out_of_sight)
        finally:
            lock.release()
    except Timeout as error:
        raise RunError("This run is not over; stop it first.") from error
    except OSError as error:
        if not folder.is_dir():
            raise gone(folder) from error
        raise RunError(f"The run {folder.name} is in use; try again.") from error
    shutil.rmtree(out_of_sight, ignore_errors=True)


def hidden() -> Path:
    """A name for a folder that is in no list, while it is filled or deleted."""
    return root() / f"{_HIDDEN}{secrets.token_hex(8)}"


def sweep() -> None:
    """Delete what is left of folders whose filling or deletion was cut off; behind the door."""
    for left in root().glob(f"{_HIDDEN}*"):
        shutil.rmtree(left, ignore_errors=True)


def state(folder: Path, log: list[dict[str, Any]] | None = None) -> State:
    """What the run is doing now; `log`: its events, if they are read already."""
    if (folder / RECORD).exists():
        return State.FINISHED
    alive = has_worker(folder)
    log = events(folder) if log is None else log
    last = str(log[-1]["event"]) if log else ""
    if not alive and last in (State.STOPPED, State.FAILED):
        return State(last)
    is_kept = is_for_cluster(log)
    if (alive or is_kept) and (folder / STOP).exists():
        return State.STOPPING
    if alive:
        return State.WAITING if last == State.WAITING else State.RUNNING
    if is_kept or (last == State.WAITING and _is_new(log[-1])):
        return State.WAITING
    return State.DIED


def is_for_cluster(log: list[dict[str, Any]]) -> bool:
    """Whether the run waits for the workers of a cluster as long as it has none: this server has
    one, and the run joined the queue for it.
    """
    joined = [event for event in log if event["event"] == State.WAITING]
    return bool(os.environ.get(CLUSTER) and joined and joined[-1].get("cluster") is True)


def _is_new(event: dict[str, Any]) -> bool:
    """Whether it was written a moment ago, by the time of day or by the clock that nobody sets."""
    clocks = {"time": time.time(), "uptime": time.monotonic()}
    told = {name: event.get(name) for name in clocks}
    return any(
        isinstance(then, int | float) and abs(clocks[name] - then) < START_SECONDS
        for name, then in told.items()
    )


def queue() -> list[Path]:
    """The folders that train or wait, in the order in which they joined."""
    return sorted((f for f in folders() if state(f).is_active), key=ticket)


def _next_ticket() -> int:
    """Nanoseconds, but more than any before: where the clock is set back, the order stays."""
    return max([time.time_ns(), *(1 + ticket(folder)[0] for folder in folders())])


def ticket(folder: Path) -> tuple[int, str]:
    """Its place in the queue: the lowest is first."""
    try:
        return int((folder / TICKET).read_text(encoding="ascii")), folder.name
    except (OSError, ValueError):
        return 0, folder.name


def ahead(folder: Path) -> int:
    """How many runs have joined the queue before this one, and are not over."""
    return sum(ticket(other) < ticket(folder) for other in queue())


def wait_for_turn(folder: Path, at_once: int) -> bool:
    """Return True when the folder may train, or False as soon as it is told to stop.

    at_once: how many may train side by side.
    """
    for _ in _polls():
        if (folder / STOP).exists():
            return False
        if ahead(folder) < at_once:
            return True
    raise AssertionError("polling has no end")


def _polls() -> Iterator[None]:
    while True:
        yield
        time.sleep(POLL_SECONDS)
