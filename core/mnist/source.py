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

Pixels = npt.NDArray[np.uint8]


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


def mnist_test() -> tuple[Pixels, Pixels]:
    """MNIST's test set, uint8 (10000, 28, 28), and its labels, uint8 (10000,).

    Read without torchvision, whose import takes seconds and 200 MB. Raises DataError.
    """
    raw = mnist_folder() / "MNIST" / "raw"
    try:
        images, labels = (
            np.fromfile(raw / f"t10k-{name}-ubyte", np.uint8, offset=head)
            for name, head in (("images-idx3", 16), ("labels-idx1", 8))
        )
        return images.reshape(len(labels), 28, 28), labels
    except (OSError, ValueError) as error:
        raise unreadable() from error


def test_pictures(source: str) -> Pixels:
    """The images of a test set that is available, uint8 (N, 28, 28). Raises DataError."""
    if source == "mnist":
        return mnist_test()[0]
    from core.mnist import data

    images: Pixels = data.load_test(source)[0].numpy()
    return images
