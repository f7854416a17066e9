import json
from dataclasses import asdict

import pytest
import torch

from core.mnist import fields
from core.mnist.calibration import EDGES, KEPT, calibrate, calibrated, reliability, temperature
from core.mnist.figures import Calibration, calibration_error


def answers(count: int, t: float, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits that are t times as large as they should be for labels drawn from them."""
    generator = torch.Generator().manual_seed(seed)
    logits = 2.5 * torch.randn(count, 10, generator=generator)
    labels = torch.multinomial(logits.softmax(1), 1, generator=generator).flatten()
    return (logits * t).log_softmax(1), labels


@pytest.mark.parametrize("t", [0.5, 1.0, 2.5])
def test_the_temperature_is_found(t):
    assert temperature(*answers(50_000, t, 0)) == pytest.approx(t, rel=0.03)


def test_no_other_temperature_has_a_lower_loss():
    log_p, labels = answers(2_000, 1.7, 1)
    found = temperature(log_p, labels)

    def loss(t: float) -> float:
        return float(-calibrated(log_p, t).log()[range(len(labels)), labels].mean())

    assert all(loss(found) <= loss(found * factor) + 1e-6 for factor in (0.8, 0.97, 1.03, 1.25))


def test_answers_stay_and_probabilities_add_up():
    log_p, _ = answers(500, 1.0, 2)
    p = calibrated(log_p, 1.8)
    assert (p.argmax(1) == log_p.argmax(1)).all()
    assert torch.allclose(p.sum(1), torch.ones(500))
    assert torch.allclose(calibrated(log_p, 1.0), log_p.exp(), atol=1e-6)


def test_each_answer_is_in_one_bin():
    p = torch.tensor([[0.5, 0.3, 0.2], [0.95, 0.03, 0.02], [1.0, 0.0, 0.0], [0.501, 0.4, 0.099]])
    bins = reliability(p.double(), torch.tensor([0, 1, 0, 0]))
    assert sum(one.count for one in bins) == 4
    assert [one.count for one in bins if one.count] == [1, 1, 1, 1]
    assert [(one.high, one.correct) for one in bins if one.count] == [
        (0.5, 1),
        (0.6, 1),
        (0.95, 0),
        (1.0, 1),
    ]
    assert [one.low for one in bins] == list(EDGES[:-1])
    expected = (0.5 + 0.499 + 0.95 + 0) / 4
    assert calibration_error(bins) == pytest.approx(expected)


def test_calibrating_an_overconfident_network_mends_it():
    found = calibrate(answers(20_000, 2.0, 3), answers(20_000, 2.0, 4))
    assert found.held_out == 20_000
    assert calibration_error(found.after) < 0.02 < 0.1 < calibration_error(found.before)


def test_a_known_share_of_the_held_out_images_has_no_more_energy_than_the_limit():
    logits = torch.randn(2_000, 10) * 3
    labels = torch.zeros(2_000, dtype=torch.long)
    most = calibrate((logits, labels), (logits, labels)).most_energy
    by_hand = -logits.double().exp().sum(1).log()
    assert (by_hand <= most).double().mean() == pytest.approx(KEPT, abs=1 / 2_000)


def test_json_there_and_back():
    found = calibrate(answers(100, 2.0, 3), answers(100, 2.0, 4))
    assert fields.read(Calibration, json.loads(json.dumps(asdict(found)))) == (found, [])
    with pytest.raises((TypeError, KeyError)):
        fields.read(Calibration, {"temperature": 1.0})
