"""What is broken for real, and the ways back."""

import gzip
import hashlib
import os
import random
import shutil
import struct
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from core.mnist import data, source, vision
from tests.core.mnist.prepared import end_all
from tests.faults.mirror import Mirror
from tests.faults.wire import Wire


@pytest.fixture(autouse=True)
def _nothing_trains_on():
    """What a test has started on the servers that all tests share ends with it."""
    yield
    end_all()


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A folder for runs; those that still train are stopped at the end."""
    monkeypatch.setenv("RUNS_ROOT", str(tmp_path / "runs"))
    (tmp_path / "runs").mkdir()
    yield tmp_path / "runs"
    end_all()


@pytest.fixture
def wire(address):
    """The way to the server that all tests share."""
    with Wire(address) as wire:
        yield wire


class Disk:
    """A disk whose room is given out page by page, and file by file."""

    PAGE = 4096

    def __init__(self, place: Path) -> None:
        self.place = place

    def used(self) -> tuple[int, int]:
        """Pages, and files with folders."""
        told = os.statvfs(self.place)
        return told.f_blocks - told.f_bfree, told.f_files - told.f_ffree

    def leave(self, pages: int = 10_000, files: int = 10_000) -> None:
        """Have so much room left on it, and no more."""
        pages_used, files_used = self.used()
        room = f"nr_blocks={pages_used + pages},nr_inodes={files_used + files}"
        subprocess.run(["mount", "-o", f"remount,{room}", str(self.place)], check=True)


@pytest.fixture
def disk(tmp_path, monkeypatch):
    """A small disk, on which the runs are."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "nr_blocks=10000", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no small disk can be mounted here: this needs root on Linux")
    (place / "something").write_bytes(b"A disk without a page is taken for one without an end.")
    monkeypatch.setenv("RUNS_ROOT", str(place / "runs"))
    yield Disk(place)
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def idx(*shape: int) -> bytes:
    """An IDX file, as MNIST's are, of noise that no archive makes smaller."""
    head = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)
    count = 1
    for side in shape:
        count *= side
    return head + bytes(random.Random(0).choices(range(10), k=count))  # noqa: S311


@pytest.fixture
def mirrors(tmp_path, monkeypatch):
    """Two servers of small archives in MNIST's place; how each answers can be changed."""
    MNIST = vision.load().datasets.MNIST
    contents = {
        "train-images-idx3-ubyte": idx(60, 28, 28),
        "train-labels-idx1-ubyte": idx(60),
        "t10k-images-idx3-ubyte": idx(20, 28, 28),
        "t10k-labels-idx1-ubyte": idx(20),
    }
    packed = {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in contents.items()}
    sums = [(name, hashlib.md5(c, usedforsecurity=False).hexdigest()) for name, c in packed.items()]
    found = [Mirror(packed), Mirror(packed)]
    with ExitStack() as stack:
        for mirror in found:
            stack.enter_context(mirror.open())
        monkeypatch.setattr(MNIST, "mirrors", [mirror.address for mirror in found])
        monkeypatch.setattr(MNIST, "resources", sums)
        for module in (data, source):
            monkeypatch.setattr(module, "MNIST_FILES", {n: len(c) for n, c in contents.items()})
        monkeypatch.setenv("MNIST_ROOT", str(tmp_path / "root"))
        monkeypatch.setattr(data, "STALLED", 0.5)  # seconds
        data._loaded.clear()
        yield found
        data._loaded.clear()
