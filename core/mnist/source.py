"""Where the digits are, and whether they are there. Needs no torch."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

PROJECT_FOLDER = Path(__file__).resolve().parents[2] / "data"
DOWNLOAD_BYTES = 11_594_722  # the four archives together
MNIST_FILES = {
    "train-images-idx3-ubyte": 47_040_016,
    "train-labels-idx1-ubyte": 60_008,
    "t10k-images-idx3-ubyte": 7_840_016,
    "t10k-labels-idx1-ubyte": 10_008,
}
_HEAD = 16  # bytes before the pixels of an IDX file of images


class DataError(Exception):
    """The digits cannot be had; the message says why and what to do."""


def mnist_folder() -> Path:
    """`$MNIST_ROOT` if it is set, else the project's own data folder."""
    return Path(os.environ.get("MNIST_ROOT") or PROJECT_FOLDER)


def available(source: str) -> bool:
    """Whether data.load(source) needs no download. Reads file sizes, no file."""
    if source == "uci":
        return True
    raw = mnist_folder() / "MNIST" / "raw"
    return all(
        (raw / name).is_file() and (raw / name).stat().st_size == size
        for name, size in MNIST_FILES.items()
    )


def unreadable() -> DataError:
    """What to say of MNIST's files where they cannot be read."""
    return DataError(
        f"The MNIST files in {mnist_folder() / 'MNIST' / 'raw'} cannot be read. "
        "Delete them, and they are downloaded again."
    )


def test_pictures(source: str) -> npt.NDArray[np.uint8]:
    """The images of a test set that is available, uint8 (N, 28, 28), to look at.

    MNIST's are read without torchvision, whose import takes seconds and 200 MB. Raises DataError.
    """
    if source != "mnist":
        from core.mnist import data

        images: npt.NDArray[np.uint8] = data.load_test(source)[0].numpy()
        return images
    path = mnist_folder() / "MNIST" / "raw" / "t10k-images-idx3-ubyte"
    try:
        return np.fromfile(path, np.uint8, offset=_HEAD).reshape(-1, 28, 28)
    except (OSError, ValueError) as error:
        raise unreadable() from error
