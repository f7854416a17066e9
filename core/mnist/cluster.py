"""Where one machine is not enough: the workers of a Dask cluster train the runs.

The folders of the runs stay the only truth, shared by every machine. Each server of the app keeps
the cluster: a thread looks at the queue and hands the scheduler what is first in it, as many runs
as there are workers' threads. A run is one task, named after its folder and its place in the queue,
so however many servers hand it over, it is trained once. What a server, the scheduler or a worker
forgets when it ends is seen in the folders, and handed over again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from core.mnist import run_folder
from core.mnist.policy import policy
from core.mnist.run_folder import RunError, State

if TYPE_CHECKING:
    from distributed import Client, Future

_log = logging.getLogger(__name__)
_UNREACHED = "No machine to train on can be reached at this moment. What waits starts when one can."
_CONNECT = "5s"  # so long a scheduler is waited for, before that is told and tried anew


def keep(address: str) -> Keeper:
    """The keeper of the cluster in this process. Raises RunError where Dask is not installed."""
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise RunError(
            f"{run_folder.CLUSTER} is set, but Dask is not installed here. Install "
            "requirements-cluster.txt, or remove the variable, and start the app again."
        ) from error
    return _keeper(address)


@lru_cache(maxsize=1)
def _keeper(address: str) -> Keeper:
    keeper = Keeper(address)
    threading.Thread(target=keeper.stay, name="keeper of the cluster", daemon=True).start()
    return keeper


class Keeper:
    """Sees that what the queue holds for the cluster is known to its scheduler.

    problem: why nothing can be handed over at this moment, in words; empty if it can.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.problem = ""
        self._client: Client | None = None
        self._tasks: dict[str, Future[None]] = {}

    def stay(self) -> None:
        """Look at the queue for as long as the process lives."""
        while True:
            try:
                self.look()
            except Exception as error:  # whatever it is, what waits is to go on once it is over
                if not self.problem:
                    _log.warning("the cluster at %s takes no runs: %r", self.address, error)
                self.problem = _UNREACHED
            time.sleep(run_folder.POLL_SECONDS)

    def look(self) -> None:
        """Hand over what is first in the queue, and end what is to end.

        Raises OSError, or what else Dask raises, where the scheduler cannot be reached.
        """
        queue = run_folder.queue()
        waiting = [folder for folder in queue if _is_without_worker(folder)]
        stopped = [folder for folder in waiting if (folder / run_folder.STOP).exists()]
        for folder in stopped:
            _end(folder, lambda folder: run_folder.append(folder, State.STOPPED))
        if len(waiting) == len(stopped):
            self.problem = ""
            return
        client = self._connected()
        places = sum(client.nthreads().values())
        self.problem = "" if places else _UNREACHED
        first = {f"{f.name}-{run_folder.ticket(f)[0]}": f for f in queue[:places]}
        self._tasks = {key: task for key, task in self._tasks.items() if key in first}
        for key, folder in first.items():
            if folder in waiting:
                self._hand_over(client, key, folder)

    def _hand_over(self, client: Client, key: str, folder: Path) -> None:
        """Have the scheduler know this task; where it ended in an error, say it of the run."""
        from distributed import fire_and_forget

        task = self._tasks.get(key)
        if task is None or task.status in ("cancelled", "lost"):
            task = client.submit(train, folder.name, policy().minutes, key=key)
            fire_and_forget(task)  # it goes on when this server ends
            self._tasks[key] = task
        elif task.status in ("error", "finished"):
            error = task.exception() if task.status == "error" else "it ended without a word"
            words = f"The cluster could not train it: {error}"
            _end(folder, lambda folder: run_folder.fail(folder, words))

    def _connected(self) -> Client:
        from distributed import Client

        if self._client is None or self._client.status in ("closing", "closed"):
            self._client = Client(self.address, timeout=_CONNECT, set_as_default=False)
        return self._client


def _is_without_worker(folder: Path) -> bool:
    log = run_folder.events(folder)
    return run_folder.is_for_cluster(log) and not run_folder.has_worker(folder)


def _end(folder: Path, write: Callable[[Path], None]) -> None:
    """Write the last word on a run, unless a worker or another server has been quicker."""
    with suppress(Timeout, RunError), run_folder.hold(folder):
        if not _is_over(folder):
            write(folder)


def _is_over(folder: Path) -> bool:
    """Whether a run that waited for this process's lock has been ended by another."""
    log = run_folder.events(folder)
    is_ended = bool(log) and log[-1]["event"] in (State.STOPPED, State.FAILED)
    return is_ended or (folder / run_folder.RECORD).exists()


def train(name: str, minutes: float) -> None:
    """The task: train the run of this name, from where it is. Raises RunError.

    Called in a worker of the cluster. One that the scheduler has lost may still be at it, and is
    waited for.
    """
    folder = run_folder.root() / name
    if not folder.is_dir():
        raise RunError(
            f"{name} is not in {run_folder.root()} of the worker. Servers and workers must share "
            "the folder that RUNS_ROOT names."
        )
    with _held(folder):
        if _is_over(folder):
            return
        if (folder / run_folder.STOP).exists():
            run_folder.append(folder, State.STOPPED)
            return
        from core.mnist import worker

        with suppress(*worker.FAILURES):  # they stand in the run's log
            for _ in worker.work(folder, minutes):
                pass


def _held(folder: Path) -> FileLock:
    while True:
        with suppress(Timeout):
            return run_folder.hold(folder)
