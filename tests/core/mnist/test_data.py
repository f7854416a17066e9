import gzip
import hashlib
import http.server
import struct
import threading
from functools import partial

import pytest
import torch

from core.mnist import data, source, vision
from core.mnist.source import DOWNLOAD_BYTES, DataError, available, mnist_folder

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


def idx(*shape):
    """An IDX file of zeros, as MNIST's are."""
    head = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)
    return head + bytes(torch.Size(shape).numel())


@pytest.fixture
def mirrors(tmp_path, monkeypatch):
    """Two servers of small archives in MNIST's place; what each file holds can be changed."""
    MNIST = vision.load().datasets.MNIST
    contents = {
        "train-images-idx3-ubyte": idx(6, 28, 28),
        "train-labels-idx1-ubyte": idx(6),
        "t10k-images-idx3-ubyte": idx(2, 28, 28),
        "t10k-labels-idx1-ubyte": idx(2),
    }
    resources, folders, addresses, servers = [], [], [], []
    for number in range(2):
        folder = tmp_path / f"mirror{number}"
        folder.mkdir()
        for name, content in contents.items():
            (folder / f"{name}.gz").write_bytes(gzip.compress(content, mtime=0))
        folders.append(folder)
        handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        addresses.append(f"http://127.0.0.1:{server.server_port}/")
    for name, content in contents.items():
        packed = gzip.compress(content, mtime=0)
        resources.append((f"{name}.gz", hashlib.md5(packed, usedforsecurity=False).hexdigest()))
    monkeypatch.setattr(MNIST, "mirrors", addresses)
    monkeypatch.setattr(MNIST, "resources", resources)
    for module in (data, source):
        monkeypatch.setattr(module, "MNIST_FILES", {n: len(c) for n, c in contents.items()})
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path / "root"))
    data._loaded.clear()
    yield folders
    data._loaded.clear()
    for server in servers:
        server.shutdown()


def test_a_download_arrives_whole(mirrors):
    assert not available("mnist")
    digits = data.load("mnist")
    assert digits.train_images.shape == (6, 28, 28)
    assert available("mnist")
    assert [p.name for p in mnist_folder().iterdir()] == ["MNIST"]


def test_the_second_mirror_serves_what_the_first_has_damaged(mirrors):
    (mirrors[0] / "t10k-images-idx3-ubyte.gz").write_bytes(b"half of a fi")
    (mirrors[0] / "train-labels-idx1-ubyte.gz").unlink()
    assert data.load("mnist").test_images.shape == (2, 28, 28)


def test_a_download_that_fails_leaves_nothing_and_names_the_choices(mirrors):
    for folder in mirrors:
        (folder / "t10k-labels-idx1-ubyte.gz").write_bytes(b"half of a fi")
    with pytest.raises(DataError, match="UCI digits, which need no download"):
        data.load("mnist")
    assert not available("mnist")
    assert list(mnist_folder().rglob("*ubyte*")) == []


def test_a_half_file_from_elsewhere_is_not_taken_for_the_data(mirrors):
    data.load("mnist")
    data._loaded.clear()
    raw = mnist_folder() / "MNIST" / "raw" / "train-images-idx3-ubyte"
    raw.write_bytes(raw.read_bytes()[:1000])
    assert not available("mnist")
    assert data.load("mnist").train_images.shape == (6, 28, 28)


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
