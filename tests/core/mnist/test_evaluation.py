import math
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from sklearn import metrics
from torch.nn import functional as F

from core.mnist import fields
from core.mnist.evaluation import evaluate, judge
from core.mnist.figures import Evaluation, confused_pairs, scores
from core.mnist.models import build


@pytest.fixture(scope="module")
def answers():
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 10, (500,), generator=generator)
    logits = torch.randn(500, 10, generator=generator) + 2 * F.one_hot(labels, 10)
    return F.log_softmax(logits, dim=1), labels


def test_the_figures_are_those_of_scikit_learn(answers):
    log_p, labels = answers
    found = judge(log_p, labels)
    guessed = log_p.argmax(1)
    assert found.confusion == metrics.confusion_matrix(labels, guessed).tolist()
    assert found.accuracy == metrics.accuracy_score(labels, guessed)
    assert found.loss == pytest.approx(
        metrics.log_loss(labels, log_p.double().softmax(1)), rel=1e-5
    )
    expected = metrics.precision_recall_fscore_support(labels, guessed)
    mine = [(s.precision, s.recall, s.f1, s.support) for s in scores(found.confusion)]
    np.testing.assert_allclose(np.array(mine).T, expected)


def test_every_misread_digit_is_listed_with_its_probabilities(answers):
    log_p, labels = answers
    found = judge(log_p, labels)
    assert len(found.misread) == found.total - found.correct > 0
    for one in found.misread:
        assert one.label == labels[one.index] != one.prediction
        assert one.prediction == max(range(10), key=one.probabilities.__getitem__)
        assert sum(one.probabilities) == pytest.approx(1, abs=1e-5)


def test_pairs_are_sorted_by_how_often_they_are_confused(answers):
    found = judge(*answers)
    pairs = confused_pairs(found.confusion)
    assert [n for *_, n in pairs] == sorted((n for *_, n in pairs), reverse=True)
    assert sum(n for *_, n in pairs) == found.total - found.correct


def test_a_digit_that_never_occurs_has_no_scores():
    matrix = [[0] * 10 for _ in range(10)]
    matrix[3][3] = 4
    assert math.isnan(scores(matrix)[0].recall)
    assert scores(matrix)[3].f1 == 1


def test_an_evaluation_survives_json_and_leaves_the_model_as_it_was(answers):
    found = judge(*answers)
    assert fields.read(Evaluation, asdict(found)) == (found, [])
    model = build("compact").train()
    images = torch.randint(0, 256, (1203, 28, 28), dtype=torch.uint8)
    assert evaluate(model, images, torch.zeros(1203, dtype=torch.int64)).total == 1203
    assert model.training


def test_figures_that_contradict_each_other_are_refused(answers):
    found = judge(*answers)
    for change in (
        {"correct": found.correct + 1},
        {"total": found.total + 1},
        {"misread": found.misread[1:]},
        {"confusion": found.confusion[1:]},
        {"confusion": [[-1] * 10] * 10},
    ):
        with pytest.raises(ValueError, match=r"confusion matrix|misread digits"):
            replace(found, **change)
