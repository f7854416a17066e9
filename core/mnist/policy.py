"""What a server lets its visitors do, from environment variables. Needs no torch.

Streamlit puts the top level of its secrets into the environment, so they may stand there as well.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from core.mnist.run_folder import CLUSTER, RunError

T = TypeVar("T")
AT_ONCE, WAITING = 1, 4
LEAST_TOKEN = 12  # characters; what is shorter can be guessed


@dataclass(frozen=True)
class Policy:
    """What visitors may do.

    training: whether they may train; at_once: how many runs train side by side; waiting: how many
    may wait besides; minutes: how long a run may train; admin: the token with which a person may
    change every run. Without one anybody may, as on a machine of one's own; cluster: the address of
    the scheduler whose workers train, empty where this machine does.
    """

    training: bool
    at_once: int
    waiting: int
    minutes: float
    admin: str
    cluster: str

    def may_change(self, owner: str, tokens: Iterable[str]) -> bool:
        """Whether who holds these tokens may stop, resume or delete a run of this owner."""
        if not self.admin:
            return True
        return any(
            hmac.compare_digest(token.encode(), self.admin.encode()) or mark(token) == owner
            for token in tokens
        )


def policy() -> Policy:
    """The server's own. Raises RunError where a variable has a value that it cannot have."""
    return Policy(
        training=_read("RUNS_TRAINING", "on", _switch),
        at_once=_read("RUNS_AT_ONCE", str(AT_ONCE), _whole(1, 999)),
        waiting=_read("RUNS_WAITING", str(WAITING), _whole(0, 999)),
        minutes=_read("RUNS_MINUTES", "inf", _minutes),
        admin=_read("RUNS_ADMIN", "", _token),
        cluster=_read(CLUSTER, "", _address),
    )


def too_long(minutes: float) -> str:
    """What is said of a run that has had all the time that a server gives it."""
    return f"It has trained for {minutes:g} minutes, the longest that this server allows a run."


def mark(token: str) -> str:
    """By what a run knows its owner, without telling the token to who reads the run's folder."""
    return hashlib.sha256(token.encode()).hexdigest()


def _read(name: str, usual: str, read: Callable[[str], T]) -> T:
    given = os.environ.get(name, "").strip() or usual
    try:
        return read(given)
    except ValueError as error:
        shown = "set" if name == "RUNS_ADMIN" else f"“{given[:30]}”"
        raise RunError(
            f"{name} is {shown}; it is {error}. Set it so, or remove it, and start the app again."
        ) from error


def _switch(given: str) -> bool:
    if given.lower() not in ("on", "off"):
        raise ValueError("“on” or “off”: whether visitors may train")
    return given.lower() == "on"


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(given: str) -> int:
        if not re.fullmatch("[0-9]{1,9}", given) or not low <= int(given) <= high:
            raise ValueError(f"a number of runs, a whole number from {low} to {high}")
        return int(given)

    return read


def _minutes(given: str) -> float:
    said = "how many minutes a run may train, a number above 0"
    try:
        minutes = float(given)
    except ValueError:
        raise ValueError(said) from None
    if math.isnan(minutes) or minutes <= 0:
        raise ValueError(said)
    return minutes


def _token(given: str) -> str:
    if 0 < len(given) < LEAST_TOKEN:
        raise ValueError(f"a secret of at least {LEAST_TOKEN} characters")
    return given


def _address(given: str) -> str:
    if given and not re.fullmatch(r"(tcp|tls)://([^/:\s]+|\[[0-9a-fA-F:]+\]):\d{1,5}", given):
        raise ValueError("the address of a Dask scheduler, as in tcp://scheduler:8786")
    return given
