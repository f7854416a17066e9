import pytest
import torch

from core.mnist import runs
from core.mnist.answer import SURE, Answer, answer
from core.mnist.evaluation import log_probabilities
from core.mnist.pen import drawn_digits, drawn_others
from core.mnist.sketch import to_mnist


def test_the_answer_is_the_most_probable_digit():
    found = Answer((0.01, 0.2, 0.02, 0.0, 0.7, 0.03, 0.01, 0.01, 0.01, 0.01))
    assert (found.digit, found.runner_up, found.confidence) == (4, 1, 0.7)
    assert sorted(found.ranking) == list(range(10))
    assert found.is_sure
    assert not Answer((SURE - 0.01, 0.41 + 0.01, *(0.0,) * 8)).is_sure


def test_a_temperature_changes_how_sure_and_not_what():
    model, _ = runs.load_checkpoint("published")
    image = drawn_digits(10, 123)[0][3]
    plain, hot = answer(model, image), answer(model, image, 3.0)
    wanted = log_probabilities(model, image[None])[0].exp().tolist()
    assert plain.probabilities == pytest.approx(wanted, abs=1e-6)
    assert plain.ranking == hot.ranking
    assert hot.confidence < plain.confidence


@pytest.fixture(scope="module")
def drawings():
    """Of a seed that none was trained on: digits, and what is none."""
    return drawn_digits(200, 10_007)[0], drawn_others(200, 10_007)[0]


@pytest.mark.parametrize("name", runs.checkpoints())
def test_shipped_networks_are_sure_of_digits_and_unsure_of_scribbles(name, drawings):
    model, record = runs.load_checkpoint(name)
    assert record.calibration is not None

    def sure(images: torch.Tensor) -> float:
        found = [answer(model, image, record.calibration.temperature) for image in images]
        return sum(one.is_sure for one in found) / len(found)

    digits, others = drawings
    assert sure(digits) > 0.95
    assert sure(others) < 0.1
    square = torch.full((28, 28), 255, dtype=torch.uint8)
    assert not answer(model, square, record.calibration.temperature).is_sure
    assert to_mnist(square.numpy()).shape == (28, 28)
