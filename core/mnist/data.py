"""Digits to train on and to test with: MNIST, or the digits bundled with scikit-learn.

Images are held once, as uint8 tensors, ink bright on dark; nothing here knows a network.
"""

from __future__ import annotations

import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from core.mnist import vision
from core.mnist.files import DISK_FULL
from core.mnist.recipe import DIGITS
from core.mnist.source import (
    DOWNLOAD_BYTES,
    MNIST_FILES,
    DataError,
    available,
    mnist_folder,
    mnist_test,
    unreadable,
)

MEAN, STD = 0.1307, 0.3081  # of MNIST's training pixels, scaled to 0…1
UCI_TEST = 360
STALLED = 30.0  # seconds without a byte after which a server is given up
ABANDONED = 20 * STALLED  # seconds without a byte after which nobody downloads there any more

_BESIDE = "download-"  # how the folders beside the place begin

Report = Callable[[int, int], None]  # bytes received, bytes in all


@dataclass(frozen=True)
class Digits:
    """A data set. Images: uint8 (N, 28, 28), 0 = paper, 255 = ink. Labels: int64 (N,), 0 to 9."""

    source: str
    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor


_loaded: dict[str, Digits] = {}
_tests: dict[str, tuple[Tensor, Tensor]] = {}
_loading = threading.Lock()  # pages of several people may ask at once


def load(source: str, report: Report | None = None) -> Digits:
    """The digits of `source`, one of recipe.DIGITS; MNIST is downloaded if it is not there.

    Read once and then shared by everyone in the process, so never to be changed in place.
    report: called about twice a second while a download runs. Raises DataError.
    """
    with _loading:
        if source not in _loaded:
            _loaded[source] = _load(source, report)
        return _loaded[source]


def load_test(source: str) -> tuple[Tensor, Tensor]:
    """The images and labels of a test set alone, of digits that are `available`. Raises DataError.

    Of MNIST these are 8 MB; all of it takes 55.
    """
    with _loading:
        if source in _loaded:
            return _loaded[source].test_images, _loaded[source].test_labels
        if source not in _tests:
            if source == "mnist":
                images, labels = map(torch.from_numpy, mnist_test())
                _tests[source] = images, labels.long()
            else:
                digits = _load(source, None)
                _tests[source] = digits.test_images, digits.test_labels
        return _tests[source]


def _load(source: str, report: Report | None) -> Digits:
    if source == "uci":
        return _uci()
    if source == "mnist":
        if not available("mnist"):
            _download(mnist_folder(), report)
        return _mnist(mnist_folder())
    raise DataError(f"“{source}” is no data set here; choose one of: {', '.join(DIGITS)}.")


def normalised(images: Tensor) -> Tensor:
    """uint8 (N, 28, 28) to what the networks take: float32 (N, 1, 28, 28), mean 0 and sd 1."""
    return images.unsqueeze(1).float().div_(255).sub_(MEAN).div_(STD)


def _mnist(folder: Path) -> Digits:
    train, test = _mnist_set(folder, train=True), _mnist_set(folder, train=False)
    return Digits("mnist", train.data, train.targets, test.data, test.targets)


def _mnist_set(folder: Path, *, train: bool) -> Any:
    """Torchvision's data set: `data` and `targets` are tensors."""
    try:
        return vision.load().datasets.MNIST(folder, train=train)
    except (RuntimeError, ValueError, OSError, AssertionError) as error:
        raise unreadable() from error


def _download(folder: Path, report: Report | None) -> None:
    """Download beside the place, verify, and only then move into place: all files or none."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        place = Path(tempfile.mkdtemp(dir=folder, prefix=_BESIDE))
    except OSError as error:
        raise DataError(
            f"MNIST belongs into {folder}, where no folder can be made: {error.strerror}. "
            "Set MNIST_ROOT to another one, or choose the UCI digits, which need none."
        ) from error
    done = threading.Event()
    watcher = threading.Thread(target=_watch, args=(place, done, report), daemon=True)
    watcher.start()
    try:
        _fetch(place)
        raw = folder / "MNIST" / "raw"
        raw.mkdir(parents=True, exist_ok=True)
        for name in MNIST_FILES:
            (place / "MNIST" / "raw" / name).replace(raw / name)
    except OSError as error:
        raise DataError(
            f"MNIST could not be written to {folder}: {error.strerror}. It takes 70 MB. Make room "
            "there, set MNIST_ROOT to another folder, or choose the UCI digits, which need none."
        ) from error
    finally:
        done.set()
        watcher.join()
        shutil.rmtree(place, ignore_errors=True)


def _sweep(folder: Path) -> None:
    """Delete what downloads have left whose process was killed."""
    for left in folder.glob(f"{_BESIDE}*"):
        with suppress(FileNotFoundError):  # it has ended meanwhile
            newest = max(part.stat().st_mtime for part in (left, *left.rglob("*")))
            if time.time() - newest > ABANDONED:
                shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _given_up_when_stalled() -> Iterator[None]:
    """Have torchvision wait no longer; its only patience is the one that new connections have."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(STALLED)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _fetch(place: Path) -> None:
    """Download and verify. Raises DataError, and OSError where the disk is full.

    torchvision asks the next mirror where a file is wrong or not there, but gives up where a
    connection breaks: the second time it asks the other one first. What is whole is not asked for
    again.
    """
    broken: Exception | None = None
    MNIST = vision.load().datasets.MNIST
    for mirrors in (MNIST.mirrors, MNIST.mirrors[::-1]):
        asking = type(MNIST.__name__, (MNIST,), {"mirrors": mirrors})
        try:
            with _given_up_when_stalled():
                asking(place, download=True)
        except RuntimeError as error:  # each mirror has been asked
            broken = error
            break
        except (OSError, HTTPException) as error:
            if isinstance(error, OSError) and error.errno in DISK_FULL:
                raise
            broken = error
        else:
            return
    raise DataError(
        "MNIST could not be downloaded: no server sent a complete file. "
        "Try again later, set MNIST_ROOT to a folder that has MNIST/raw, or choose the "
        "UCI digits, which need no download."
    ) from broken


def _watch(place: Path, done: threading.Event, report: Report | None) -> None:
    while report and not done.wait(0.5):
        received = sum(f.stat().st_size for f in place.rglob("*.gz"))
        report(min(received, DOWNLOAD_BYTES), DOWNLOAD_BYTES)


def _uci() -> Digits:
    """scikit-learn's 1,797 digits of 8×8, enlarged to MNIST's box of 20×20 inside 28×28.

    The test set is a fixed fifth, with every digit's share as in the whole.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    bundled = load_digits()
    eight = torch.from_numpy(bundled.images).float().unsqueeze(1) * (255 / 16)
    twenty = F.interpolate(eight, size=(20, 20), mode="bicubic", align_corners=False)
    images = F.pad(twenty, (4, 4, 4, 4)).squeeze(1).round().clamp(0, 255).to(torch.uint8)
    labels = torch.from_numpy(bundled.target).long()
    train, test = train_test_split(
        range(len(labels)), test_size=UCI_TEST, stratify=labels, random_state=0
    )
    return Digits("uci", images[train], labels[train], images[test], labels[test])
