"""Numbers side by side, and how many of them follow from the others.

Each number is compared with what its rule makes of those beside and above it, as far as their
digits reach: a number rounded to 4 decimals is any number within half a unit of the fourth. By the
share that follows trial.py ranks what the columns of a table may be; and judge/ judges by it those
that have no formula.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import cached_property

import numpy as np

from core.backprop.network import COLUMNS, WEIGHTS, Array
from core.backprop.rules import names_in
from core.workbook.exercise.quantities import EXAMPLE, HELPERS, rule_from, worked_out

_EPS = np.finfo(float).eps
ROOM = 1.05
"""Times what the digits leave open: half a unit that was itself rounded."""


class Numbers:
    """Quantities over the lines of a table.

    values: each with its numbers, NaN where there is none. doubt: how far the digits leave each
    open. found: what the cells of a quantity come to where that is not its value, as in a world, in
    which they hold what they should; NaN where they do not tell. All are of equal length.
    """

    def __init__(
        self,
        values: Mapping[str, Array],
        doubt: Mapping[str, Array],
        found: Mapping[str, Array] | None = None,
    ) -> None:
        self.values, self.doubt = dict(values), dict(doubt)
        self.found = found or self.values
        self.length = len(next(iter(self.values.values())))

    def having(self, name: str, value: float | Array) -> Numbers:
        """With one more quantity, whose numbers are certain."""
        values = np.broadcast_to(np.asarray(value, dtype=float), self.length).copy()
        return Numbers({**self.values, name: values}, {**self.doubt, name: np.zeros(self.length)})

    @cached_property
    def rules(self) -> dict[str, str]:
        """The rules of those that follow from others that are there, in terms of these."""
        found = {}
        for name in (*COLUMNS, *HELPERS):
            if name in self.values and name not in EXAMPLE:
                rule = rule_from(name, self.values)
                if self.values.keys() >= {*names_in(rule)}:
                    found[name] = rule
        return found

    def rule(self, name: str) -> str:
        """What a quantity follows by, in terms of these and of what no rule leads to."""
        return self.rules.get(name) or rule_from(name, self.values)

    def inputs(self, name: str) -> list[str]:
        """What a quantity is calculated from."""
        return names_in(self.rule(name))

    @staticmethod
    def first(name: str) -> int:
        """The first line in which a quantity follows from others: a weight from the line above."""
        return 1 if name in WEIGHTS else 0

    def expected(self, name: str, lines: slice) -> tuple[Array, Array]:
        """What the rule makes of the neighbours, in those lines, and how far that is certain."""
        above = slice(lines.start - self.first(name), lines.stop - self.first(name))
        state = {n: self.values[n][above] for n in self.inputs(name)}
        # All at once: first as they are, then with each input moved by its doubt.
        doubtful = [n for n in state if self.doubt[n][above].any()]
        count, length = len(doubtful) + 1, lines.stop - lines.start
        tiled = {n: np.tile(values, count) for n, values in state.items()}
        for i, n in enumerate(doubtful, start=1):
            tiled[n][i * length : (i + 1) * length] += self.doubt[n][above]
        with np.errstate(all="ignore"):
            values = np.broadcast_to(worked_out(self.rule(name), tiled), (count * length,))
            right, *moved = values.reshape(count, length).astype(float)
            doubt = 1e-10 * np.abs(right) + 4 * _EPS
            for other in moved:
                doubt = doubt + ROOM * np.abs(other - right)
        return right, doubt

    def off(self, name: str, lines: slice) -> Array:
        """Whether the numbers disagree with the rule; never where one is missing."""
        right, doubt = self.expected(name, lines)
        with np.errstate(invalid="ignore"):
            away = np.abs(self.values[name][lines] - right)
            off = away > doubt + ROOM * self.doubt[name][lines]
        return np.asarray(off & np.isfinite(right))

    def off_at(self, name: str, k: int) -> bool:
        """The same for one line."""
        return bool(self.off(name, slice(k, k + 1))[0])

    def following(self, name: str, found: Array, doubt: Array) -> tuple[int, int]:
        """How many of a column's numbers are what this quantity's rule makes of the others; and how
        many are there. Those that are open by as much as the quantity itself do not agree.
        """
        if not self.values.keys() >= {*self.inputs(name)}:
            return 0, 0
        lines = slice(self.first(name), self.length)
        right, open_by = self.expected(name, lines)
        with np.errstate(invalid="ignore"):
            open_by = open_by + ROOM * doubt[lines]
            near = np.abs(found[lines] - right) <= open_by
            told = open_by < 0.2 * np.nanmax(np.abs(right), initial=1e-300)
        there = np.isfinite(found[lines] + right)
        return int((near & told & there).sum()), int(there.sum())


def as_numbers(values: Iterable[object]) -> Array:
    """The numbers among values, NaN for all else."""
    return np.array([v if isinstance(v, float) else math.nan for v in values])
