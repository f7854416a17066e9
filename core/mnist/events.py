"""What happens in a training run, as `core.mnist.training` tells it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from core.mnist.figures import Calibration, Evaluation
from core.mnist.models import ConvNet


@dataclass(frozen=True)
class BatchDone:
    """A step has been taken. epoch, batch: from 1; loss: mean cross-entropy in nats."""

    epoch: int
    batch: int
    batches: int
    images: int
    loss: float


@dataclass(frozen=True)
class EpochDone:
    """An epoch has ended. Losses: mean cross-entropy in nats.

    The training figures are means over the epoch's digits, changed and with dropout; the others
    are those of `weights` (averaged, if the configuration averages) at the epoch's end.
    state: what `train` needs to go on from here; seconds: of training, without the evaluation.
    """

    epoch: int
    loss: float
    correct: int
    total: int
    test: Evaluation
    validation: Evaluation | None
    rate: float
    seconds: float
    weights: dict[str, Tensor]
    state: dict[str, Tensor]


@dataclass(frozen=True)
class Finished:
    """The run is over; the last epoch's network, in eval mode, is its result.

    calibration: on the images held out for validation, or None if there are none.
    """

    model: ConvNet
    calibration: Calibration | None


Event = BatchDone | EpochDone | Finished
