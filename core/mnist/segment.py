"""A row of digits becomes its digits: what stands apart is read apart, a digit in pieces is one.

Parts of ink that hang together are the pieces. Two of them are two digits if both are about as tall
as each other and stand beside each other, in all or in every row that both reach; any other piece
belongs to the digit it is nearest to, as the bar of a 5 does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from core.mnist.sketch import FAINT, Pixels

MOST = 12  # digits; more are no number
MOST_PIECES = 300  # nor are more pieces, of which each is compared with all others
TALL = 0.45  # of the tallest piece's height: what is lower is no digit of its own
OVERLAP = 0.25  # of the narrower's width: so far two digits may reach over each other
BESIDE = 0.7  # of the taller's height, for a digit that stands below another's roof

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Digit:
    """One digit's ink. ink: uint8 (H, W), its part of the whole; left, top: where that was."""

    ink: Pixels
    left: int
    top: int

    @property
    def width(self) -> int:
        return int(self.ink.shape[1])

    @property
    def height(self) -> int:
        return int(self.ink.shape[0])


@dataclass(frozen=True)
class _Piece:
    """Ink that hangs together: its rows and columns, and which of their pixels are its own."""

    rows: slice
    columns: slice
    mask: Mask

    @property
    def height(self) -> int:
        return int(self.rows.stop - self.rows.start)


def digits(ink: Pixels) -> list[Digit]:
    """The digits in uint8 (H, W), ink bright on dark, from left to right; none without ink."""
    strongest = int(ink.max(initial=0))
    if strongest == 0:
        return []
    labels, _ = ndimage.label(ink >= FAINT * strongest, np.ones((3, 3)))
    places = ndimage.find_objects(labels)
    pieces = [_Piece(at[0], at[1], labels[at] == number) for number, at in enumerate(places, 1)]
    groups = _grouped(pieces) if len(pieces) <= MOST_PIECES else [pieces]
    if len(groups) > MOST:
        groups = [pieces]
    return [_cut(ink, group) for group in groups]


def _grouped(pieces: Sequence[_Piece]) -> list[list[_Piece]]:
    """The pieces of each digit, the digits from left to right."""
    tallest = max(piece.height for piece in pieces)
    tall = [piece for piece in pieces if piece.height >= TALL * tallest]
    groups: list[list[_Piece]] = []
    for piece in sorted(tall, key=lambda one: one.columns.start + one.columns.stop):
        joined = [group for group in groups if not all(_are_two(one, piece) for one in group)]
        groups = [group for group in groups if group not in joined]
        groups.append([*(one for group in joined for one in group), piece])
    for piece in pieces:
        if piece.height < TALL * tallest:
            min(groups, key=lambda group: min(_distance(one, piece) for one in group)).append(piece)
    return sorted(groups, key=lambda group: min(piece.columns.start for piece in group))


def _are_two(left: _Piece, right: _Piece) -> bool:
    """Whether two tall pieces are two digits."""
    shared = min(left.columns.stop, right.columns.stop) - max(
        left.columns.start, right.columns.start
    )
    narrower = min(piece.mask.shape[1] for piece in (left, right))
    if shared <= OVERLAP * narrower:
        return True
    lower, higher = sorted((left.height, right.height))
    return lower >= BESIDE * higher and _is_beside(left, right)


def _is_beside(left: _Piece, right: _Piece) -> bool:
    """Whether in every row that both reach one's ink is left of all the other's."""
    first = max(left.rows.start, right.rows.start)
    last = min(left.rows.stop, right.rows.stop)
    if first >= last:
        return False
    ends = left.columns.stop - _first_from_the_right(left.mask[first - left.rows.start :])
    starts = right.columns.start + right.mask[first - right.rows.start :].argmax(axis=1)
    return bool((ends[: last - first] <= starts[: last - first]).all())


def _first_from_the_right(mask: Mask) -> npt.NDArray[np.int64]:
    return np.asarray(mask[:, ::-1].argmax(axis=1), np.int64)


def _distance(one: _Piece, other: _Piece) -> float:
    """Pixels between the boxes of two pieces; 0 where they meet."""
    gaps = [
        max(a.start - b.stop, b.start - a.stop, 0)
        for a, b in ((one.rows, other.rows), (one.columns, other.columns))
    ]
    return float(np.hypot(*gaps))


def _cut(ink: Pixels, group: Sequence[_Piece]) -> Digit:
    """The ink of one digit, none of its neighbours'."""
    top = min(piece.rows.start for piece in group)
    left = min(piece.columns.start for piece in group)
    bottom = max(piece.rows.stop for piece in group)
    right = max(piece.columns.stop for piece in group)
    # Faint ink around a piece, its antialiased edge, goes with it.
    own = np.zeros((bottom - top + 2, right - left + 2), bool)
    for piece in group:
        rows = slice(piece.rows.start - top + 1, piece.rows.stop - top + 1)
        columns = slice(piece.columns.start - left + 1, piece.columns.stop - left + 1)
        own[rows, columns] |= piece.mask
    own = ndimage.binary_dilation(own, np.ones((3, 3)))[1:-1, 1:-1]
    cut = ink[top:bottom, left:right] * own
    return Digit(cut.astype(np.uint8), left, top)
