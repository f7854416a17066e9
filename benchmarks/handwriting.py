"""How well the networks read what people draw: `python -m benchmarks.handwriting [checkpoint ...]`

Draws every form of `tests.strokes` with Chromium's own canvas, once as one draws with care
and often as hands differ, and gives the pictures to the networks as the page does. No form was
fitted to a network.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from core.mnist import checkpoint, records
from core.mnist.recipe import CLASSES
from tests.browser.handwriting import (
    PEN,
    PENS,
    Drawing,
    accuracy,
    default_drawings,
    jittered_drawings,
    read,
)
from tests.harness import chromium

BANDS = (PENS[0], 12.0, 20.0, PENS[1])


def report(model: nn.Module, careful: Sequence[Drawing], varied: Sequence[Drawing]) -> str:
    """What the network misreads of the careful drawings, and its accuracy on the varied ones."""
    misread = [
        f"{drawing.form} as {answer}"
        for drawing, answer in zip(careful, read(model, careful), strict=True)
        if answer != drawing.digit
    ]
    pairs = list(zip(varied, read(model, varied), strict=True))
    lines = [
        f"  with care: {len(careful) - len(misread)} of {len(careful)}, pen of {PEN} px",
        f"    misread: {', '.join(misread) or 'none'}",
        f"  varied: {_share(pairs)}",
    ]
    for digit in range(CLASSES):
        written = [pair for pair in pairs if pair[0].digit == digit]
        lines += [f"    {digit}: {_share(written)}"]
    for low, high in pairwise(BANDS):
        written = [pair for pair in pairs if low <= pair[0].pen < high]
        lines += [f"    pen of {low:g} to {high:g} px: {_share(written)}"]
    return "\n".join(lines)


def _share(pairs: Sequence[tuple[Drawing, int]]) -> str:
    right = accuracy([drawing for drawing, _ in pairs], [answer for _, answer in pairs])
    return f"{100 * right:.1f} % of {len(pairs)}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.handwriting", description=__doc__)
    parser.add_argument("checkpoint", nargs="*", help="of those shipped; all if none is given")
    given = parser.parse_args()
    try:
        models = {
            n: checkpoint.load_checkpoint(n)[0] for n in given.checkpoint or records.shipped()
        }
    except records.CheckpointError as error:
        parser.error(str(error))
    with chromium() as browser:
        careful, varied = default_drawings(browser), jittered_drawings(browser)
    for name, model in models.items():
        print(f"{name}, drawings read rightly", report(model, careful, varied), sep="\n")


if __name__ == "__main__":
    main()
