"""Handwritten digits as pen strokes: a check set that no network has had a say in.

Each form is one way in which people in the US or in Europe write a digit with a finger or a mouse.
The forms are written for people: one changes only where a person would be unsure of it, never
because of what a network answers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Point = tuple[float, float]
Points = npt.NDArray[np.float64]

STEP = 0.05  # between neighbouring points, as far as a hand moves between two events of a mouse


@dataclass(frozen=True)
class Form:
    """strokes: what the pen draws between touching down and lifting, in the order of writing.

    A point is (x, y), x to the right, y down, in a box of height 1.
    """

    digit: int
    strokes: tuple[tuple[Point, ...], ...]


def _form(name: str, writing: str) -> Form:
    """The form of a digit that its name begins with.

    writing: points "x y" in hundredths of the height; "," goes on smoothly, "/" turns sharply at
    the point before it, ";" lifts the pen.
    """
    return Form(int(name[0]), tuple(_stroke(stroke) for stroke in writing.split(";")))


def _stroke(writing: str) -> tuple[Point, ...]:
    parts = [
        np.array([[float(number) / 100 for number in knot.split()] for knot in part.split(",")])
        for part in writing.split("/")
    ]
    # A part begins at the corner where the one before it ended.
    starts = [parts[0][:0], *(part[-1:] for part in parts[:-1])]
    curves = [_curve(np.concatenate(both)) for both in zip(starts, parts, strict=True)]
    points = np.concatenate([curves[0], *(curve[1:] for curve in curves[1:])])
    return tuple((round(x, 4), round(y, 4)) for x, y in points.tolist())


def _curve(knots: Points) -> Points:
    """Points (N, 2) about STEP apart on the natural cubic spline through the knots."""
    gap = np.linalg.norm(np.diff(knots, axis=0), axis=1)[:, None]
    slope = np.diff(knots, axis=0) / gap
    bending = np.zeros_like(knots)  # second derivatives: none at the ends, continuous between
    left, right = gap[:-1, 0], gap[1:, 0]
    system = np.diag(2 * (left + right)) + np.diag(right[:-1], 1) + np.diag(left[1:], -1)
    bending[1:-1] = np.linalg.solve(system, 6 * np.diff(slope, axis=0))
    length = np.concatenate([[0], gap.cumsum()])
    at = np.linspace(0, length[-1], max(1, round(length[-1] / STEP)) + 1)
    i = np.searchsorted(length[1:-1], at, side="right")
    a, b, h = (length[i + 1] - at)[:, None], (at - length[i])[:, None], gap[i]
    curve: Points = (
        (bending[i] * a**3 + bending[i + 1] * b**3) / (6 * h)
        + (knots[i] / h - bending[i] * h / 6) * a
        + (knots[i + 1] / h - bending[i + 1] * h / 6) * b
    )
    return curve


_WRITING = {
    "0 round": "54 0, 26 8, 8 48, 22 88, 52 100, 82 86, 94 48, 80 12, 54 0, 40 3",
    "0 narrow": "50 0, 35 12, 27 50, 33 86, 49 100, 66 86, 73 50, 66 14, 52 1, 42 4",
    "0 slanted": "70 0, 42 14, 20 52, 16 86, 32 100, 58 86, 80 48, 86 16, 72 1, 58 4",
    "0 not quite closed": "50 3, 28 16, 16 50, 26 88, 50 100, 76 84, 84 48, 76 20, 64 8",
    "0 with overlap": "66 8, 42 2, 20 24, 14 58, 30 94, 56 98, 82 72, 86 38, 70 10, 46 0, 32 4",
    "1 bare": "51 0, 50 50, 50 100",
    "1 slanted": "60 0, 51 50, 40 100",
    "1 with flag": "28 25, 42 14, 54 0 / 54 50, 53 100",
    "1 with foot": "30 22, 44 12, 54 0 / 53 50, 53 98; 26 99, 54 98, 82 99",
    "1 European": "22 43, 40 25, 60 0 / 56 50, 50 100",
    "2 with straight base": "16 26, 26 7, 50 0, 75 12, 76 34, 52 64, 14 98 / 50 97, 88 98",
    "2 looped": "16 24, 32 4, 58 1, 76 20, 70 46, 46 76, 22 96, 9 90, 17 77, 40 83, 64 97, 90 90",
    "2 angular": "16 14, 44 3, 72 4, 76 18, 58 44, 14 97 / 50 97, 86 95",
    "2 curly": "24 32, 13 26, 20 8, 46 0, 72 12, 70 38, 42 70, 10 98 / 32 88, 58 96, 74 98, 92 84",
    "3 round": "18 16, 42 0, 70 12, 68 34, 40 47 / 72 56, 80 78, 54 99, 14 88",
    "3 with flat top": "16 3, 46 3, 78 2 / 58 22, 40 42 / 66 46, 82 68, 68 94, 40 100, 12 86",
    "3 with loop": "18 14, 46 0, 74 16, 64 38, 42 50, 35 43, 46 40, 72 56, 80 80, 54 100, 14 90",
    "3 with large base": "26 10, 48 0, 66 12, 62 30, 42 40 / 76 48, 88 72, 66 97, 36 98, 10 84",
    "4 open": "26 4, 22 30, 16 56 / 50 56, 86 54; 70 0, 67 50, 66 100",
    "4 closed": "64 0, 38 34, 10 68 / 50 68, 92 66; 64 1, 64 50, 63 100",
    "4 closed in one stroke": "84 54, 54 56, 24 58 / 40 34, 64 0 / 60 50, 52 100",
    "4 with slanted stem": "44 0, 30 32, 14 60 / 50 58, 88 54; 78 16, 64 58, 50 100",
    "4 with short stem": "58 0, 36 34, 10 66 / 50 66, 90 64; 62 38, 60 70, 57 100",
    "4 with round arm": "20 4, 17 30, 26 48, 48 52, 74 44; 76 0, 74 50, 72 100",
    "5 in one stroke": "78 2, 52 3, 28 4 / 25 24, 21 46 / 48 38, 76 52, 78 80, 52 100, 14 90",
    "5 with hat last": "30 8, 27 26, 22 44 / 46 40, 72 54, 74 84, 46 100, 14 90; 22 9, 50 4, 84 0",
    "5 with hat apart": "28 10, 22 48 / 46 43, 74 56, 74 86, 46 100, 14 92; 36 2, 60 2, 88 0",
    "5 with straight base": "80 2, 24 4 / 20 46 / 44 43, 66 46, 78 62, 70 82, 46 94, 14 98",
    "5 rounded": "84 2, 52 3, 32 8, 26 28, 28 43, 50 43, 76 58, 74 86, 46 100, 14 90",
    "6 curly": "76 14, 62 1, 38 12, 18 46, 20 82, 46 100, 74 86, 74 62, 50 51, 26 64, 19 78",
    "6 with straight stem": "62 0, 42 30, 24 60, 24 88, 48 100, 72 88, 72 66, 50 57, 28 66",
    "6 with small loop": "68 0, 42 18, 24 50, 20 80, 36 98, 58 96, 66 80, 52 69, 32 74, 22 86",
    "6 with large loop": "58 0, 34 18, 16 54, 22 88, 50 100, 78 86, 82 58, 60 40, 34 48, 18 66",
    "6 not quite closed": "66 2, 40 16, 22 50, 24 84, 48 100, 72 88, 74 68, 58 58, 42 64",
    "7 plain": "14 4, 48 3, 82 2 / 60 48, 40 100",
    "7 with bar": "14 5, 48 3, 84 2 / 62 46, 42 100; 32 54, 54 50, 80 49",
    "7 with serif": "17 22, 15 5 / 48 4, 84 3 / 62 46, 44 100",
    "7 with serif and bar": "15 20, 16 4 / 48 6, 84 2 / 60 44, 42 100; 30 52, 52 50, 76 46",
    "7 with curved stem": "12 7, 48 5, 86 3 / 60 32, 46 64, 42 100",
    "7 with wavy top": "12 16, 26 4, 50 9, 84 3 / 64 42, 50 100",
    "8 in one stroke": (
        "72 14, 50 0, 28 12, 32 34, 54 50, 76 70, 70 92, 48 100, 24 90, 22 70, 46 50, 70 32, 74 14"
    ),
    "8 of two circles": (
        "50 0, 30 8, 26 26, 38 44, 56 45, 72 32, 70 12, 47 0;"
        "50 46, 26 54, 16 76, 30 97, 58 99, 82 82, 76 58, 46 46"
    ),
    "8 with open top": (
        "68 8, 44 2, 28 18, 42 40, 70 62, 70 90, 42 100, 22 84, 34 60, 58 38, 80 10"
    ),
    "8 slanted": (
        "78 12, 62 0, 42 10, 40 30, 54 48, 64 70, 52 94, 30 100, 14 86, 26 64, 54 46, 78 28, 80 12"
    ),
    "9 with straight stem": "76 20, 54 1, 28 10, 22 34, 44 50, 68 40, 77 14 / 77 56, 76 100",
    "9 with hook": "78 20, 56 0, 28 9, 22 34, 44 50, 68 38, 78 14 / 78 58, 66 92, 40 99, 18 88",
    "9 round": "76 36, 52 52, 26 42, 22 18, 46 0, 70 10, 78 36, 68 76, 36 100",
    "9 slanted": "80 12, 60 0, 36 12, 28 34, 44 46, 68 32, 80 10 / 68 54, 54 100",
    "9 not quite closed": "58 7, 40 2, 24 18, 27 38, 46 46, 66 36, 77 4 / 76 50, 67 86, 44 100",
}

FORMS = {name: _form(name, writing) for name, writing in _WRITING.items()}
