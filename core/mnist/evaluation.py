"""How well a network reads digits: loss, accuracy, confusion matrix, and the digits it misread."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.mnist.data import normalised
from core.mnist.figures import Evaluation, Misread
from core.mnist.recipe import CLASSES

BATCH = 500


def logits(model: nn.Module, images: Tensor) -> Tensor:
    """What the network gives in eval mode, float32 (N, 10), for uint8 images (N, 28, 28)."""
    mode = model.training
    model.eval()
    with torch.inference_mode():
        parts = [model(as_input(part)).float() for part in images.split(BATCH)]
    model.train(mode)
    return torch.cat(parts)


def log_probabilities(model: nn.Module, images: Tensor) -> Tensor:
    """log-softmax of the logits, float32 (N, 10), of uint8 images (N, 28, 28)."""
    return F.log_softmax(logits(model, images), dim=1)


def as_input(images: Tensor) -> Tensor:
    """uint8 (N, 28, 28) to normalised float32 (N, 1, 28, 28), channels last."""
    return normalised(images).contiguous(memory_format=torch.channels_last)


def evaluate(model: nn.Module, images: Tensor, labels: Tensor) -> Evaluation:
    """Read every image, uint8 (N, 28, 28), in float32 and compare with its label, int64 (N,)."""
    return judge(log_probabilities(model, images), labels)


def judge(log_p: Tensor, labels: Tensor) -> Evaluation:
    """The evaluation of answers already given: log-probabilities (N, 10), labels (N,)."""
    answers = log_p.argmax(1)
    confusion = torch.bincount(labels * CLASSES + answers, minlength=CLASSES**2)
    wrong = (answers != labels).nonzero().flatten()
    misread = [
        Misread(int(i), int(labels[i]), int(answers[i]), log_p[i].exp().tolist()) for i in wrong
    ]
    return Evaluation(
        loss=float(F.nll_loss(log_p, labels)),
        correct=len(labels) - len(wrong),
        total=len(labels),
        confusion=confusion.view(CLASSES, CLASSES).tolist(),
        misread=misread,
    )
