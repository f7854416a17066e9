"""MNIST over a bad network, and over none that is one."""

import os
import time

import pytest

from core.mnist import data
from core.mnist.source import DataError, available, mnist_folder
from tests.faults import mirror

bad = pytest.mark.parametrize("answer", mirror.BAD, ids=lambda answer: answer.__name__)


def test_a_download_arrives_whole(mirrors):
    assert not available("mnist")
    digits = data.load("mnist")
    assert digits.train_images.shape == (60, 28, 28)
    assert available("mnist")
    assert [p.name for p in mnist_folder().iterdir()] == ["MNIST"]


@bad
def test_the_second_mirror_serves_what_the_first_does_not(mirrors, answer):
    mirrors[0].answer = answer
    assert data.load("mnist").test_images.shape == (20, 28, 28)


@bad
def test_a_download_that_fails_leaves_nothing_and_the_next_one_arrives(mirrors, answer):
    for one in mirrors:
        one.answer = answer
    with pytest.raises(DataError, match=r"no server sent a complete file.*UCI digits, which need"):
        data.load("mnist")
    assert not available("mnist")
    assert list(mnist_folder().iterdir()) == []
    mirrors[1].answer = mirror.whole
    assert data.load("mnist").train_images.shape == (60, 28, 28)


def test_what_broke_off_after_the_first_file_leaves_nothing(mirrors):
    def first_alone(request, content):
        good = request.path.startswith("/train-images")
        (mirror.whole if good else mirror.half_and_a_break)(request, content)

    for one in mirrors:
        one.answer = first_alone
    with pytest.raises(DataError, match="no server sent a complete file"):
        data.load("mnist")
    assert list(mnist_folder().iterdir()) == []


def test_what_a_killed_download_has_left_is_deleted_and_one_under_way_is_not(mirrors):
    killed, under_way = (mnist_folder() / f"download-{name}" for name in ("killed", "now"))
    long_ago = time.time() - data.ABANDONED - 60
    for place in (killed, under_way):
        (place / "MNIST" / "raw").mkdir(parents=True)
        part = place / "MNIST" / "raw" / "train-images-idx3-ubyte.gz"
        part.write_bytes(b"half")
        for path in (part, *part.parents[:3]):
            os.utime(path, (long_ago, long_ago))
    os.utime(under_way / "MNIST" / "raw" / "train-images-idx3-ubyte.gz")
    data.load("mnist")
    assert sorted(p.name for p in mnist_folder().iterdir()) == ["MNIST", under_way.name]


def test_a_half_file_from_elsewhere_is_not_taken_for_the_data(mirrors):
    data.load("mnist")
    data._loaded.clear()
    raw = mnist_folder() / "MNIST" / "raw" / "train-images-idx3-ubyte"
    raw.write_bytes(raw.read_bytes()[:1000])
    assert not available("mnist")
    assert data.load("mnist").train_images.shape == (60, 28, 28)
