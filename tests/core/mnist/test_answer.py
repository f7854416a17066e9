from dataclasses import replace

import numpy as np
import pytest
import torch

from core.mnist import checkpoint, records
from core.mnist.answer import SURE, Answer, answer
from core.mnist.calibration import energy
from core.mnist.evaluation import log_probabilities, logits
from core.mnist.figures import Calibration
from core.mnist.pen import drawn_digits, drawn_others, inked
from core.mnist.sketch import to_mnist

HOT = Calibration(3.0, 1, [], [])


def test_the_answer_is_the_most_probable_digit():
    found = Answer((0.01, 0.2, 0.02, 0.0, 0.7, 0.03, 0.01, 0.01, 0.01, 0.01))
    assert (found.digit, found.runner_up, found.confidence) == (4, 1, 0.7)
    assert sorted(found.ranking) == list(range(10))
    assert found.is_sure
    assert not Answer((SURE - 0.01, 0.41 + 0.01, *(0.0,) * 8)).is_sure


def test_a_temperature_changes_how_sure_and_not_what():
    model, _ = checkpoint.load_checkpoint("published")
    image = drawn_digits(10, 123)[0][3]
    plain, hot = answer(model, image), answer(model, image, HOT)
    wanted = log_probabilities(model, image[None])[0].exp().tolist()
    assert plain.probabilities == pytest.approx(wanted, abs=1e-6)
    assert plain.ranking == hot.ranking
    assert hot.confidence < plain.confidence


def test_an_image_of_more_energy_than_digits_have_is_not_sure_however_probable():
    model, record = checkpoint.load_checkpoint("published")
    image = drawn_digits(10, 123)[0][3]
    its_energy = float(energy(logits(model, image[None]).double()))
    for most, is_sure in ((its_energy + 0.01, True), (its_energy - 0.01, False), (None, True)):
        found = answer(model, image, replace(record.calibration, most_energy=most))
        assert found.confidence > 0.99
        assert (found.is_like_digit, found.is_sure) == (is_sure, is_sure)


@pytest.fixture(scope="module")
def drawings():
    """Of a seed that none was trained on: digits, and what is none."""
    return drawn_digits(200, 10_007)[0], drawn_others(200, 10_007)[0]


@pytest.mark.parametrize("name", records.shipped())
def test_shipped_networks_are_sure_of_digits_and_unsure_of_scribbles(name, drawings):
    model, record = checkpoint.load_checkpoint(name)
    assert record.calibration is not None

    def sure(images: torch.Tensor) -> float:
        found = [answer(model, image, record.calibration) for image in images]
        return sum(one.is_sure for one in found) / len(found)

    digits, others = drawings
    assert sure(digits) > 0.9
    assert sure(others) < 0.05
    square = torch.full((28, 28), 255, dtype=torch.uint8)
    assert not answer(model, square, record.calibration).is_sure
    assert to_mnist(square.numpy()).shape == (28, 28)


def arc(x, y, radius, begin, end):
    turn = np.linspace(begin, end, 30)
    return np.stack([x + radius * np.cos(turn), y + radius * np.sin(turn)], axis=1)


def heart():
    """The usual curve: x = sin³ t, y a sum of cosines."""
    t = np.linspace(0, 2 * np.pi, 60)
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return 0.5 + np.stack([16 * np.sin(t) ** 3, -y], axis=1) / 34


def pentagram():
    turn = 4 * np.pi * np.arange(6) / 5
    return 0.5 + 0.5 * np.stack([np.sin(turn), -np.cos(turn)], axis=1)


SHAPES = {
    "heart": [heart()],
    "star": [pentagram()],
    "tick": [[(0, 0.55), (0.35, 1), (1, 0)]],
    "smiley": [
        arc(0.5, 0.5, 0.5, 0, 2 * np.pi),
        [(0.33, 0.35), (0.33, 0.4)],
        [(0.67, 0.35), (0.67, 0.4)],
        arc(0.5, 0.5, 0.28, 0.3, np.pi - 0.3),
    ],
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", records.shipped())
def test_no_network_is_sure_of_a_shape_with_any_pen(name, shape):
    model, record = checkpoint.load_checkpoint(name)
    for pen in (8, 18, 28):
        ink = inked([180 * np.array(stroke) for stroke in SHAPES[shape]], pen / 2)
        found = answer(model, torch.from_numpy(to_mnist(ink)), record.calibration)
        assert not found.is_sure, (pen, found.digit, found.confidence)
