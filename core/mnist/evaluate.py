"""Read the test set with a trained network: python -m core.mnist.evaluate checkpoints/published"""

# Imports torch only when there is something to read: help and a wrong argument need none.
from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from core.mnist import records
from core.mnist.recipe import DIGITS
from core.mnist.run_folder import RECORD
from core.mnist.source import DataError

if TYPE_CHECKING:
    from core.mnist.figures import Evaluation


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 done, 1 the data cannot be had, 2 bad arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m core.mnist.evaluate",
        description="Print loss, accuracy and confusion matrix of a network on the test set.",
    )
    parser.add_argument("checkpoint", type=Path, help="a folder with model.safetensors, run.json")
    parser.add_argument("--data", choices=DIGITS, help="as the run had it if not given")
    given = parser.parse_args(arguments)
    if not (given.checkpoint / RECORD).is_file():
        parser.error(f"{given.checkpoint}: {RECORD} is not there; this is no trained network.")

    from core.mnist import checkpoint, data
    from core.mnist.evaluation import evaluate

    try:
        model, record = checkpoint.load(given.checkpoint)
    except records.CheckpointError as error:
        parser.error(f"{given.checkpoint}: {error}")
    try:
        digits = data.load(given.data or record.config.data)
    except DataError as error:
        print(error, file=sys.stderr)
        return 1
    print(report(evaluate(model, digits.test_images, digits.test_labels)))
    return 0


def report(found: Evaluation) -> str:
    """Loss, accuracy and confusion matrix as text."""
    lines = [
        f"Average loss: {found.loss:.4f}, Accuracy: {found.correct}/{found.total} "
        f"({100 * found.accuracy:.2f}%)",
        "",
        "Rows: the true digit. Columns: the answer.",
        "    " + "".join(f"{digit:6}" for digit in range(len(found.confusion))),
    ]
    for digit, row in enumerate(found.confusion):
        lines.append(f"{digit:4}" + "".join(f"{count:6}" for count in row))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
