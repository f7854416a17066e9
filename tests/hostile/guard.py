"""What every hostile case is held to: what is opened meanwhile, how long it takes, what it keeps.

`watch` notes, by Python's own audit events, whatever is opened, moved or started where this app has
no business. It needs the standard library alone, so that a server under test can be watched from
its first moment on.
"""

from __future__ import annotations

import os
import signal
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).parents[2]
SECONDS, WAIT = 20, 180  # that a case may compute, and that it may take: what takes longer hangs
MEGABYTES = 400  # that a test's cases may take, together, at any moment

_PICTURES = str(ROOT / "core/mnist/photo.py")  # draws a PDF in a process of its own
_FORKS = (
    "multiprocessing.forkserver"  # the process from which those are forked that judge workbooks
)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_MOVES = ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate")
_LISTS = ("os.listdir", "os.scandir")
_STARTS = ("os.system", "os.exec", "os.posix_spawn", "os.fork", "pty.spawn")
_CONNECTS = ("socket.connect", "urllib.Request")


def _real(*places: str | Path | None) -> tuple[str, ...]:
    return tuple(os.path.realpath(place) for place in places if place)


_OWN = _real(
    *(tempfile.gettempdir(), os.environ.get("RUNS_ROOT")),
    *(Path.home() / ".cache/matplotlib", Path.home() / ".config/matplotlib"),  # Captum's
)
_LIBRARIES = _real(
    *(ROOT, os.environ.get("MNIST_ROOT"), sys.prefix, sys.base_prefix),
    *(sysconfig.get_path("stdlib"), sysconfig.get_path("platlib"), *filter(None, sys.path)),
    *("/usr/share", "/usr/lib", "/lib", "/dev/null", "/dev/urandom"),
    *(
        "/proc/self",
        "/proc/version",
        "/proc/cpuinfo",
        "/proc/meminfo",
        "/proc/stat",
        "/sys/devices",
        "/sys/fs",
    ),
    *("/etc/mime.types", "/etc/localtime", "/etc/timezone", "/etc/machine-id"),
    Path.home() / ".streamlit",  # Streamlit's own settings
)


def _below(path: str, places: tuple[str, ...]) -> bool:
    return any(path == place or path.startswith(place.rstrip("/") + "/") for place in places)


def strange(event: str, args: tuple[Any, ...]) -> str:
    """What an audit event tells of that no page of ours does, in words; empty where it is ours."""
    if event == "open":
        path, _, flags = args
        return _strange_place(path, bool(int(flags or 0) & _WRITES), "opened")
    if event in _MOVES:
        found = (_strange_place(place, True, event) for place in _moved(event, args))
        return next(filter(None, found), "")
    if event in _LISTS:
        return _strange_place(args[0] or ".", False, event)
    if event == "subprocess.Popen":
        ours = args[1] is not None and list(args[1]) == [sys.executable, "-P", _PICTURES]
        return "" if ours else f"started: {args[1]}"
    if event == "os.fork" and _FORKS in sys.orig_argv[-1]:
        return ""
    if event == "socket.connect" and _below(str(args[1]), _OWN):  # to that process, by a file
        return ""
    return f"{event}: {args}" if event in _STARTS + _CONNECTS else ""


def _moved(event: str, args: tuple[Any, ...]) -> list[Any]:
    """The places that an event changes, those below a folder that is open by their whole paths."""
    if event in ("os.rename", "os.link", "os.symlink"):
        return list(args[:2])
    folder = args[-1] if event != "os.truncate" else -1
    if folder < 0 or not isinstance(args[0], str):
        return [args[0]]
    return [os.path.join(os.readlink(f"/proc/self/fd/{folder}"), args[0])]


def _strange_place(path: Any, writes: bool, what: str) -> str:
    if not isinstance(path, str | bytes | os.PathLike):
        return ""  # a file that is open already
    real = os.path.realpath(os.fsdecode(path))
    if _below(real, _OWN) or real == "/dev/null":
        return ""
    if writes:  # Python keeps what it has compiled
        return "" if "/__pycache__/" in real or real.endswith("/__pycache__") else f"{what}: {real}"
    return "" if _below(real, _LIBRARIES) else f"{what}, to be read: {real}"


_tell: Callable[[str], object] | None = None
_hooked = False


def watch(tell: Callable[[str], object] | None) -> None:
    """Tell of each strange event from now on; None: of none. An audit hook can never be removed."""
    global _tell, _hooked
    _tell = tell
    if not _hooked:
        _hooked = True
        sys.addaudithook(_hook)


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if _tell is not None and (said := strange(event, args)):
        _tell(said)


def assert_is_sentence(said: str, most: int = 500) -> None:
    """For a person: not empty, no dump of the file, and of letters that can be sent."""
    assert 10 < len(said) < most, said[:most]
    assert said.encode()


class TooLong(BaseException):
    """No Exception: what is under test answers those."""


# The first counts what this process computes, whatever else the machine is busy with.
_TIMERS = {signal.SIGPROF: signal.ITIMER_PROF, signal.SIGALRM: signal.ITIMER_REAL}


def _ring(number: int, frame: FrameType | None) -> None:
    raise TooLong


@contextmanager
def _case(name: object) -> Iterator[None]:
    before = [signal.signal(number, _ring) for number in _TIMERS]
    for timer, seconds in zip(_TIMERS.values(), (SECONDS, WAIT), strict=True):
        signal.setitimer(timer, seconds)
    try:
        yield
    except TooLong:
        raise AssertionError(f"case {name!r} hangs: {SECONDS} s were not enough") from None
    except BaseException as error:
        error.add_note(f"case {name!r}")
        raise
    finally:
        for (number, timer), handler in zip(_TIMERS.items(), before, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, handler)


def _megabytes(which: str) -> float:
    """VmRSS or VmHWM, the memory of this process now, or the most since `_forget_the_most`."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    (line,) = (line for line in status.splitlines() if line.startswith(f"{which}:"))
    return int(line.split()[1]) / 1e3


def _forget_the_most() -> None:
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")


@contextmanager
def guard(
    megabytes: float = MEGABYTES,
) -> Iterator[Callable[[object], AbstractContextManager[None]]]:
    """Hold a test's cases to their bounds. What it yields holds one case, given its name, to its
    time; AssertionError at the end for memory, and for what was opened outside.
    """
    found: list[str] = []
    _forget_the_most()
    before = _megabytes("VmRSS")
    watch(found.append)
    try:
        yield _case
    finally:
        watch(None)
    assert not found, f"opened or started outside: {sorted(set(found))[:10]}"
    taken = _megabytes("VmHWM") - before
    assert taken < megabytes, f"{taken:.0f} MB were taken"


def watched(told: Path, place: Path) -> dict[str, str]:
    """Variables for the environment of a process of Python that writes each strange event into the
    file `told`, a line each, from its start on; so do those that it starts. place: an empty folder.
    """
    lines = [
        "import os",
        f"told = os.open({str(told)!r}, os.O_CREAT | os.O_WRONLY | os.O_APPEND)",
        "os.set_inheritable(told, False)",
        "from tests.hostile.guard import watch",
        "watch(lambda said: os.write(told, f'{said}\\n'.encode(errors='replace')))",
    ]
    (place / "sitecustomize.py").write_text("\n".join(lines), encoding="utf-8")
    return {"PYTHONPATH": os.pathsep.join([str(place), str(ROOT)])}
