"""How the networks read people's pen strokes: python -m benchmarks.strokes FOLDER

FOLDER holds digits.json, and letters.json where there are drawings that are no digit; each a list
of {"label": …, "strokes": [[[x, y], …], …]}, the longer side 0 to 1, y down. Strokes are drawn with
a round pen on a canvas as the sketch page's, and read as it reads them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.mnist import checkpoint, records
from core.mnist.answer import answers
from core.mnist.pen import Points, inked
from core.mnist.segment import digits
from core.mnist.sketch import to_mnist

PENS, USUAL = (8, 18, 28), 18  # px
LENGTH = 180  # px, of a drawing's longer side


def drawings(path: Path) -> tuple[list[list[Points]], list[Any]]:
    """The strokes of a file, in px, and its labels."""
    found = json.loads(path.read_text(encoding="utf-8"))
    strokes = [[_line(stroke) for stroke in one["strokes"]] for one in found]
    return strokes, [one["label"] for one in found]


def _line(stroke: Sequence[Sequence[float]]) -> Points:
    points = LENGTH * np.asarray(stroke, float)
    return points if len(points) > 1 else np.repeat(points, 2, axis=0)  # a dot


def images(strokes: Sequence[Sequence[Points]], pen: float) -> Tensor:
    """The drawings, each as one image of MNIST's, uint8 (N, 28, 28)."""
    drawn = [to_mnist(inked(one, pen / 2)) for one in strokes]
    return torch.from_numpy(np.stack(drawn))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.strokes", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("checkpoint", nargs="*", help="names of shipped networks; all if none")
    given = parser.parse_args()
    if not (given.folder / "digits.json").is_file():
        parser.error(f"{given.folder} holds no digits.json")
    strokes, labels = drawings(given.folder / "digits.json")
    split = {pen: sum(len(digits(inked(one, pen / 2))) != 1 for one in strokes) for pen in PENS}
    pens = _each(PENS)
    print(f"{len(strokes)} digits; pen of {pens} px; taken for several: {_each(split.values())}")
    others = given.folder / "letters.json"
    letters = drawings(others)[0] if others.is_file() else []
    for name in given.checkpoint or records.shipped():
        try:
            model, record = checkpoint.load_checkpoint(name)
        except records.CheckpointError as error:
            parser.error(str(error))
        found = {pen: answers(model, images(strokes, pen), record.calibration) for pen in PENS}
        right = {
            pen: [a.digit == label for a, label in zip(found[pen], labels, strict=True)]
            for pen in PENS
        }
        shares = _each(f"{100 * sum(right[pen]) / len(labels):.1f}" for pen in PENS)
        sure = [a.is_sure for a in found[USUAL]]
        wrong = sum(s and not r for s, r in zip(sure, right[USUAL], strict=True))
        line = f"{name}: digits right {shares} %; sure of {100 * sum(sure) / len(sure):.1f} %, "
        line += f"wrong and sure {wrong}"
        if letters:
            drawn = answers(model, images(letters, USUAL), record.calibration)
            on_letters = [a.is_sure for a in drawn]
            line += f"; sure of letters {100 * sum(on_letters) / len(on_letters):.1f} %"
        print(line, flush=True)


def _each(values: Any) -> str:
    return " / ".join(map(str, values))


if __name__ == "__main__":
    main()
