import pytest
import torch

from core.mnist.augment import prepare
from core.mnist.data import MEAN, STD, normalised
from core.mnist.recipe import Augmentation


def drawn(images, augmentation, seed=0):
    """Pixels 0 to 255 after a random change."""
    out = prepare(images, augmentation, torch.Generator().manual_seed(seed))
    return (out[:, 0] * STD + MEAN) * 255


@pytest.fixture
def blob():
    images = torch.zeros(200, 28, 28, dtype=torch.uint8)
    images[:, 12:16, 10:18] = 200
    return images


def centres(pixels):
    axis = torch.arange(28.0)
    mass = pixels.sum((1, 2))
    return (pixels.sum(2) @ axis) / mass, (pixels.sum(1) @ axis) / mass


def test_no_change_is_plain_normalisation(blob):
    out = prepare(blob, Augmentation(), torch.Generator())
    assert torch.equal(out, normalised(blob))
    assert out.shape == (200, 1, 28, 28)


def test_shifts_stay_within_their_limit_and_differ_from_image_to_image(blob):
    rows, columns = centres(drawn(blob, Augmentation(shift=3)))
    for found, middle in ((rows, 13.5), (columns, 13.5)):
        moved = found - middle
        assert 2.5 < moved.abs().max() <= 3.01
        assert len(moved.round(decimals=3).unique()) > 150


def test_scale_changes_the_area_by_its_square(blob):
    area = drawn(blob, Augmentation(scale=0.2)).sum((1, 2)) / (200 * 32)
    assert 0.64 * 0.97 <= area.min() < 0.75
    assert 1.25 < area.max() <= 1.44 * 1.03


def test_rotation_and_shear_keep_the_area_and_the_centre(blob):
    for change in (Augmentation(rotation=30), Augmentation(shear=20)):
        pixels = drawn(blob, change)
        torch.testing.assert_close(
            pixels.sum((1, 2)), torch.full((200,), 6400.0), rtol=0.04, atol=1
        )
        rows, columns = centres(pixels)
        torch.testing.assert_close(rows, torch.full((200,), 13.5), rtol=0, atol=0.05)
        torch.testing.assert_close(columns, torch.full((200,), 13.5), rtol=0, atol=0.05)


def test_elastic_moves_pixels_by_about_its_standard_deviation():
    # Each column holds its own number, so a pixel's brightness tells where it came from.
    ramp = (torch.arange(28) * 9).to(torch.uint8).expand(300, 28, 28).contiguous()
    moved = drawn(ramp, Augmentation(elastic=0.7))[:, 6:22, 6:22] / 9 - torch.arange(6.0, 22.0)
    assert 0.4 < moved.std() < 0.8


def test_the_same_generator_draws_the_same_changes(blob):
    change = Augmentation(rotation=10, shift=2, scale=0.1, shear=5, elastic=0.5)
    assert torch.equal(drawn(blob, change, 1), drawn(blob, change, 1))
    assert not torch.equal(drawn(blob, change, 1), drawn(blob, change, 2))


def test_a_wider_pen_adds_ink_and_a_narrower_takes_some(blob):
    area = drawn(blob, Augmentation(pen=2)).sum((1, 2)) / (200 * 32)
    grown = (6 * 10) / 32  # a pixel more on each side
    assert 0.9 * grown < area.max() <= grown + 0.01
    assert (2 * 6) / 32 - 0.01 <= area.min() < 0.5


def test_a_narrow_pen_is_no_faint_one():
    thin = torch.zeros(100, 28, 28, dtype=torch.uint8)
    thin[:, 5:20, 14] = 200
    peaks = drawn(thin, Augmentation(pen=1.5)).amax((1, 2))
    torch.testing.assert_close(peaks, torch.full((100,), 200.0), rtol=0, atol=0.01)


def test_blank_paper_stays_blank():
    blank = torch.zeros(3, 28, 28, dtype=torch.uint8)
    assert drawn(blank, Augmentation(pen=1.5)).abs().max() < 1e-4
