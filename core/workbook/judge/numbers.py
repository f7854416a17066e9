"""Numbers without formulas against the rules: which do not follow from their neighbours.

Where several disagree, the fewest changes that reconcile all are the slips: a number typed over
after the rest was calculated is one slip, not one for every cell that was calculated from it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.backprop.network import COLUMNS, WEIGHTS, Array
from core.workbook.exercise.quantities import EXAMPLE, FORWARD, GRADIENT
from core.workbook.file.book import Cell
from core.workbook.file.digits import decimals_of, doubt
from core.workbook.find.numbers import Numbers, as_numbers
from core.workbook.find.reading import Reading
from core.workbook.find.worlds import finite
from core.workbook.formula.tree import Address
from core.workbook.judge.wrong import Wrong

Place = tuple[str, int]
"""A quantity and its epoch, from 0."""


@dataclass
class NumbersVerdict:
    """What judging the numbers of a table came to.

    rate: the η that the steps were taken with, where the file names none or another. vague:
    quantity -> a sentence, where too few digits are left to tell. misread: whether so much
    disagrees that the headers must mean something else. numbers: those of the table, the wrong ones
    that others were calculated before put right.
    """

    wrong: list[Wrong] = field(default_factory=list)
    judged: set[Address] = field(default_factory=set)
    vague: dict[str, str] = field(default_factory=dict)
    rate: float | None = None
    misread: bool = False
    numbers: Numbers | None = None


def judge_numbers(reading: Reading, pasted: set[Place]) -> NumbersVerdict:
    """The verdict on the cells `pasted`: (quantity, epoch from 0)."""
    if not pasted:
        return NumbersVerdict()
    numbers = _numbers_of(reading, pasted)
    rate = _rate_of_steps(reading, numbers, pasted)
    eta = reading.rate.value if rate is None and reading.rate else rate
    if eta is not None:
        numbers = numbers.having("η", eta)
    return _Judge(reading, numbers, pasted).verdict(rate)


def _numbers_of(reading: Reading, pasted: set[Place]) -> Numbers:
    """The numbers of a table; inputs and targets are those of most lines."""
    length = reading.table.steps  # of the last perhaps the weights alone
    cells = (reading.book.cells.get(at) for n, k in pasted if (at := reading.at(n, k)))
    decimals = decimals_of(cells)
    values = {n: np.full(length, float(getattr(reading.setup, n))) for n in EXAMPLE}
    open_by = {n: np.zeros(length) for n in EXAMPLE}
    for name in COLUMNS:
        places = reading.column(name)
        if name in EXAMPLE or not any(places[:2]):
            continue
        values[name] = as_numbers(reading.actual.value(at) if at else None for at in places)
        if places[0] is None and name in WEIGHTS:  # the start stands elsewhere
            values[name][0] = float(getattr(reading.setup, name))
        written = [_written(reading, at) if at else None for at in places]
        repeated = len(set(values[name].tolist())) < 3
        open_by[name] = doubt(written, decimals if repeated else 0)
    return Numbers(values, open_by)


def _written(reading: Reading, at: Address) -> Cell | None:
    """The cell; of a formula that cannot be read the number alone that was saved beside it."""
    cell = reading.book.cells.get(at)
    return cell._replace(formula=None) if cell and at in reading.actual.unread else cell


class _Judge:
    def __init__(self, reading: Reading, numbers: Numbers, pasted: set[Place]) -> None:
        self.reading, self.numbers, self.pasted = reading, numbers, pasted
        self.loose = pasted | _pasted_elsewhere(reading)
        self.length = numbers.length

    def verdict(self, rate: float | None) -> NumbersVerdict:
        verdict = NumbersVerdict(rate=rate, numbers=self.numbers)
        self._take_own_examples()
        rules = self.numbers.rules
        named = dict.fromkeys(n for n, _ in self.pasted if n in COLUMNS and n not in WEIGHTS)
        for name in (n for n in named if n not in rules):
            lacking = self.reading.lacks(name) or "what it follows from"
            said = f"{self.reading.heading(name)} cannot be judged without {lacking}"
            verdict.vague[name] = f"{said}, which has no column"
        wrong = np.zeros(self.length + 1, dtype=bool)
        mostly_off: list[bool] = []
        for name in rules:
            lines = slice(self.numbers.first(name), self.length)
            off = self.numbers.off(name, lines)
            wrong[lines] |= off & self._are_in(self.loose, name, lines)
            own = self._are_in(self.pasted, name, lines)
            if own.any() and self._is_vague(name, lines):
                said = f"{self.reading.heading(name)} is rounded too far to be judged"
                verdict.vague[name] = said
            elif own.any():
                places = zip(self.reading.column(name)[lines], own, strict=True)
                verdict.judged.update(at for at, is_own in places if at and is_own)
                if name in FORWARD:
                    mostly_off.append(2 * (off & own).sum() > own.sum())
        if len(mostly_off) > 2 and 2 * sum(mostly_off) > len(mostly_off):
            return NumbersVerdict(misread=True)
        accused = self._reconcile(list(rules), wrong)
        verdict.wrong = [
            Wrong(at, name, k, "number") for name, k in accused if (at := self.reading.at(name, k))
        ]
        for name in verdict.vague.keys() & {name for name, _ in accused}:
            verdict.vague[name] = f"But for what is called wrong, {verdict.vague[name]}"
        return verdict

    def _are_in(self, places: set[Place], name: str, lines: slice) -> Any:
        return np.array([(name, k) in places for k in range(lines.start, lines.stop)], dtype=bool)

    def _followers(self, name: str, k: int) -> list[Place]:
        """The cells whose rule uses this one."""
        found = []
        for other in self.numbers.rules:
            row = k + self.numbers.first(other)
            uses = name in self.numbers.inputs(other) and row < self.length
            if uses and (other, row) in self.loose:
                found.append((other, row))
        return found

    def _take_own_examples(self) -> None:
        """In a row with another input or target than the others, that, if its numbers follow it."""
        table, values = self.reading.table, self.numbers.values
        for name in (name for name in EXAMPLE if name in table.columns):
            for k, at in enumerate(table.places(name)):
                own = finite(self.reading.actual.value(at))
                if math.isfinite(own) and own != values[name][k]:
                    self._agrees_better(name, k, own)

    def _agrees_better(self, name: str, k: int, value: float) -> bool:
        """Whether what follows from a cell agrees better with another number, which it then has."""
        values, followers = self.numbers.values[name], self._followers(name, k)
        before, kept = self._count_off(followers), values[k]
        values[k] = value
        if self._count_off(followers) < before:
            return True
        values[k] = kept
        return False

    def _count_off(self, places: Sequence[Place]) -> int:
        return sum(self.numbers.off_at(*place) for place in places)

    def _is_vague(self, name: str, lines: slice) -> bool:
        """Whether the digits cannot tell a right column from one that is half wrong."""
        doubt = self.numbers.expected(name, lines)[1] + self.numbers.doubt[name][lines]
        size = np.nanmax(np.abs(self.numbers.values[name][lines]), initial=0.0)
        return bool(np.nanmin(doubt, initial=np.inf) > (0.2 * size or 1e-6))

    def _reconcile(self, order: list[str], wrong: Array) -> list[Place]:
        """The fewest cells to change so that all agree, found row by row in order of calculation.

        A cell that disagrees with its own rule is wrong. If the cells calculated from it agree
        better with what it should be, it was changed after them, and they are judged by that.
        """
        found = [
            (name, k)
            for k in range(self.length)
            for name in order
            if wrong[k] and (name, k) in self.loose and self._is_wrong(name, k, wrong)
        ]
        return [cell for cell in found if cell in self.pasted]

    def _is_wrong(self, name: str, k: int, wrong: Array) -> bool:
        if k < self.numbers.first(name) or not self.numbers.off_at(name, k):
            return False
        right = float(self.numbers.expected(name, slice(k, k + 1))[0][0])
        wrong[k + 1] |= self._agrees_better(name, k, right)
        return True


def _rate_of_steps(reading: Reading, numbers: Numbers, pasted: set[Place]) -> float | None:
    """η as the steps of the weights tell it, where the file says none or another; else None."""
    weights = [w for w in WEIGHTS if any((w, k) in pasted for k in range(1, numbers.length))]
    if 2 * len(weights) < len(reading.table.weights) and reading.rate is not None:
        return None  # the others' formulas tell η
    if reading.rate is not None and _fits(reading.rate.value, numbers, weights):
        return None
    return _told_by(weights, numbers)


def _fits(said: float | Array, numbers: Numbers, weights: list[str]) -> bool:
    """Whether most steps are of the size that the file's η makes them."""
    numbers = numbers.having("η", said)
    known = [w for w in weights if w in numbers.rules]
    off = [numbers.off(w, slice(1, numbers.length)) for w in known]
    return bool(np.mean(off) < 0.5) if off else True


def _told_by(weights: list[str], numbers: Numbers) -> float | None:
    """η from (w of one row − w of the next) / ∂E/∂w, by the steps that tell it best."""
    ratios: list[float] = []
    doubts: list[float] = []
    values, open_by = numbers.values, numbers.doubt
    for weight in (w for w in weights if GRADIENT[w] in values):
        g, w = values[GRADIENT[weight]][:-1], values[weight]
        with np.errstate(all="ignore"):
            ratio = (w[:-1] - w[1:]) / g
            unsure = open_by[weight][:-1] + open_by[weight][1:]
            unsure = (unsure + np.abs(ratio) * open_by[GRADIENT[weight]][:-1]) / np.abs(g)
        good = np.isfinite(ratio) & np.isfinite(unsure)
        ratios += ratio[good].tolist()
        doubts += unsure[good].tolist()
    if not ratios:
        return None
    order = np.argsort(doubts)[: max(len(doubts) // 2, 1)]
    rate = float(np.median(np.array(ratios)[order]))
    spread = max(float(np.median(np.array(doubts)[order])), 1e-9 * abs(rate))
    if rate <= 0:
        return None  # steps uphill: their sign is wrong, not η
    nears = (float(f"{rate:.{digits}g}") for digits in range(1, 9))
    return next((near for near in nears if abs(near - rate) <= 3 * spread), rate)


def _pasted_elsewhere(reading: Reading) -> set[Place]:
    """The numbers without formulas of other tables that this one follows from.

    They are accused where they stand; here they only explain.
    """
    cells = {
        (name, k): reading.book.cells.get(at)
        for name, table in reading.elsewhere.items()
        for k in range(min(table.epochs, reading.table.epochs))
        if (at := reading.at(name, k))
    }
    return {place for place, cell in cells.items() if cell and cell.formula is None}
