import threading

import pytest
import torch

from core.mnist import data, source
from core.mnist.source import DOWNLOAD_BYTES, DataError, available

needs_mnist = pytest.mark.skipif(
    not available("mnist"), reason="MNIST is not here: set MNIST_ROOT to see this run"
)


def test_uci_digits_are_bundled_scaled_and_split_evenly():
    digits = data.load("uci")
    assert digits.train_images.shape == (1437, 28, 28)
    assert digits.test_images.shape == (360, 28, 28)
    assert digits.train_images.dtype == torch.uint8
    assert digits.train_labels.dtype == torch.int64
    shares = torch.bincount(digits.train_labels) / 1437 - torch.bincount(digits.test_labels) / 360
    assert shares.abs().max() < 0.002
    border = digits.train_images.clone()
    border[:, 4:24, 4:24] = 0
    assert border.max() == 0
    assert digits.train_images.max() == 255


def test_digits_are_held_once():
    assert data.load("uci") is data.load("uci")


def test_uci_pictures_belong_to_their_labels():
    """The enlarged picture, made small again, is the bundled one."""
    from sklearn.datasets import load_digits

    bundled = load_digits()
    found = torch.cat([data.load("uci").train_images, data.load("uci").test_images])
    labels = torch.cat([data.load("uci").train_labels, data.load("uci").test_labels])
    small = torch.nn.functional.adaptive_avg_pool2d(
        found[:, 4:24, 4:24].float().unsqueeze(1), 8
    ).flatten(1)
    original = torch.from_numpy(bundled.images).float().flatten(1)
    nearest = torch.cdist(small, original * 255 / 16).argmin(1)
    agree = torch.from_numpy(bundled.target)[nearest] == labels
    assert agree.float().mean() > 0.995


def test_an_unknown_source_is_refused():
    with pytest.raises(DataError, match="choose one of: mnist, uci"):
        data.load("cifar")


@needs_mnist
def test_mnist_is_all_there():
    digits = data.load("mnist")
    assert digits.train_images.shape == (60_000, 28, 28)
    assert digits.test_images.shape == (10_000, 28, 28)
    assert digits.train_labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    pixels = digits.train_images.double() / 255
    assert pixels.mean().item() == pytest.approx(data.MEAN, abs=1e-4)
    assert pixels.std().item() == pytest.approx(data.STD, abs=1e-4)


@needs_mnist
def test_pictures_to_look_at_are_the_test_set():
    images, labels = source.mnist_test()
    digits = data.load("mnist")
    assert (images == digits.test_images.numpy()).all()
    assert (labels == digits.test_labels.numpy()).all()
    assert (source.test_pictures("mnist") == images).all()


def test_pictures_of_the_uci_digits_are_their_test_set():
    assert (source.test_pictures("uci") == data.load("uci").test_images.numpy()).all()


def test_a_damaged_file_of_pictures_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path))
    with pytest.raises(DataError, match="cannot be read"):
        source.test_pictures("mnist")
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "t10k-images-idx3-ubyte").write_bytes(bytes(1000))
    with pytest.raises(DataError, match="cannot be read"):
        source.test_pictures("mnist")


def test_a_download_reports_how_far_it_is(tmp_path, monkeypatch):
    """The folder grows while the watcher looks."""
    told = []
    done = threading.Event()
    (tmp_path / "some.gz").write_bytes(bytes(1000))

    def report(received, total):
        told.append((received, total))
        done.set()

    data._watch(tmp_path, done, report)
    assert told == [(1000, DOWNLOAD_BYTES)]


@pytest.mark.skipif(
    not available("mnist"), reason="MNIST is not here: set MNIST_ROOT to see this run"
)
def test_the_test_set_is_read_without_the_training_images(monkeypatch):
    monkeypatch.setattr(data, "_loaded", {})
    monkeypatch.setattr(data, "_tests", {})
    images, labels = data.load_test("mnist")
    assert (images.shape, labels.shape) == ((10_000, 28, 28), (10_000,))
    assert data._loaded == {}
    assert images.untyped_storage().nbytes() == 7_840_000
    whole = data.load("mnist")
    assert torch.equal(whole.test_images, images)
    assert torch.equal(whole.test_labels, labels)
    assert data.load_test("mnist")[0] is whole.test_images


def test_a_place_for_mnist_that_can_be_no_folder_is_a_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("I am a file.")
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path / "file" / "data"))
    monkeypatch.setattr(data, "_loaded", {})
    with pytest.raises(DataError, match=r"no folder can be made: Not a directory\. Set MNIST_ROOT"):
        data.load("mnist")
