"""E_total over two of the weights, the others as they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.backprop.network import Array, History, Setup, forward

SIZE = 100  # values a side
MARGIN = 0.15  # of the paths' extent, on each side
FARTHEST = 1e100  # of an axis from zero, where a run diverges
LEAST = 4.0  # the extent of an axis at least, in units of a weight


@dataclass(frozen=True)
class Landscape:
    """E_total on a grid. x, y: the two weights' values, shape (100,); error: shape (100, 100).

    error[j, i] is E_total at x[i] and y[j].
    """

    x: Array
    y: Array
    error: Array


def landscape(setup: Setup, across: str, up: str, x: Array, y: Array) -> Landscape:
    """E_total at `setup` with the weights `across` and `up` replaced by each pair of x and y."""
    moved = setup.moved({across: x[np.newaxis, :], up: y[:, np.newaxis]})
    error = np.broadcast_to(forward(moved).E_total, (len(y), len(x)))
    return Landscape(x, y, error)


def path_of(history: History, weight: str) -> Array:
    """A weight at each epoch of a single run."""
    return history.column(weight)


def axis_around(values: Array) -> Array:
    """`SIZE` values of an axis that shows all of `values`, in whole units: a drag keeps it still.

    values: finite, at least one.
    """
    low, high = (float(end) for end in np.clip([values.min(), values.max()], -FARTHEST, FARTHEST))
    room = max(MARGIN * (high - low), (LEAST - (high - low)) / 2)
    unit = 10.0 ** np.floor(np.log10(max(high - low, LEAST) / 2))
    return np.linspace(
        np.floor((low - room) / unit) * unit, np.ceil((high + room) / unit) * unit, SIZE
    )


def contour_levels(error: Array, count: int = 12) -> Array:
    """`count` errors between the least and the largest, evenly spread, or by their logarithm.

    The logarithm where the largest is over ten times the least: else plateaus look alike.
    """
    least, largest = float(error.min()), float(error.max())
    if largest > 10 * least > 0:
        return np.geomspace(least, largest, count + 2)[1:-1]
    return np.linspace(least, largest, count + 2)[1:-1]
