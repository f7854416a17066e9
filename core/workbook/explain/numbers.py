"""Wrong numbers as slips: which mistake gives the numbers that are there, if one does."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from core.backprop.network import COLUMNS, GRADIENTS, WEIGHTS, Array
from core.backprop.rules import in_cells
from core.workbook.explain.changes import changes
from core.workbook.explain.slips import Slip
from core.workbook.file.digits import distinct
from core.workbook.find.numbers import ROOM, Numbers
from core.workbook.find.reading import Reading
from core.workbook.formula.parse import parse
from core.workbook.formula.tree import Address, FormulaError, references
from core.workbook.judge.wrong import Wrong

_EPS = np.finfo(float).eps
_GUESSES = 5000
"""So many slips are tried on the numbers of one table."""
_FAR = 50
"""Times what the digits of the right number leave open."""


def explained_numbers(reading: Reading, numbers: Numbers, wrong: Sequence[Wrong]) -> list[Slip]:
    """The slips in the numbers of a table, column by column."""
    return list(_Explanation(reading, numbers).slips(wrong))


class _Explanation:
    def __init__(self, reading: Reading, numbers: Numbers) -> None:
        self.reading, self.numbers = reading, numbers
        self.values, self.doubt = numbers.values, numbers.doubt
        self.left = _GUESSES

    def slips(self, wrong: Sequence[Wrong]) -> Iterator[Slip]:
        """Those of one column are explained together."""
        by_name: dict[str, list[Wrong]] = {}
        for one in wrong:
            by_name.setdefault(one.name, []).append(one)
        for name, ones in by_name.items():
            told = self._explanation(name, [one.k for one in ones])
            for one in ones:
                yield self._slip(one, told, alone=len(ones) == 1)

    def _slip(self, one: Wrong, told: str, *, alone: bool) -> Slip:
        (at, name, k), reading = one[:3], self.reading
        cell = reading.book.cells[at]
        theirs = cell.written or str(cell.value)
        start = k == 0 and name in WEIGHTS
        right, heading = one.right or f"={reading.rule(name, k)}", reading.heading(name)
        rule = self.values[name] if start else self.numbers.expected(name, slice(k, k + 1))[0]
        number = cell.value if isinstance(cell.value, float) else math.nan
        is_now, should_be = distinct(number, float(rule[0]))
        if told:
            kind, key = "values", ("values", name, told)
            cause = f"{at.cell}, {heading}, holds {told}: {is_now} instead of {should_be}."
        else:
            kind = "typed" if alone else "values"
            key = (kind, name, "")
            whence = "rows after it" if start else "row above" if name in WEIGHTS else "row"
            cause = f"{at.cell} is {is_now}, but from its {whence} {heading} comes to {should_be}."
        return Slip(at, name, kind, cause, theirs, right, key, pasted=True)

    def _explanation(self, name: str, rows: list[int]) -> str:
        """In words what slip gives these numbers, if one gives all of them; else nothing."""
        rows = [k for k in rows if k >= self.numbers.first(name)]
        if not rows:
            return ""
        theirs = np.array([self.reading.value(name, k) for k in rows], dtype=float)
        room = ROOM * self.doubt[name][rows]
        about = (
            room
            + self.numbers.expected(name, slice(rows[0], rows[-1] + 1))[1][np.array(rows) - rows[0]]
        )

        def is_far(numbers: Array) -> bool:
            """Whether no digits that are cut off make so much of a difference."""
            return bool((np.abs(numbers - theirs) > _FAR * about).any())

        for words, numbers, unsure in self._guesses(name, np.array(rows), is_far):
            with np.errstate(invalid="ignore"):
                fits = np.abs(numbers - theirs) <= room + unsure
            if fits.all():
                return words
        return ""

    def _guesses(
        self, name: str, rows: Array, is_far: Callable[[Array], bool]
    ) -> Iterator[tuple[str, Array, Array]]:
        """What known slips give in those rows: in words, the numbers, how far they are certain.

        But for the first few, those alone that are not far from the numbers that are there.
        """
        say = self.reading.heading
        above = rows - 1
        if (above >= 0).all():
            words = f"{say(name)} of the row above"
            was, doubt = self.values[name][above], self.doubt[name][above]
            yield words, was, doubt * (name not in WEIGHTS)
            for gradient in GRADIENTS if "η" in self.values and name not in WEIGHTS else ():
                if gradient in self.values:
                    rate, step = self.values["η"][above], self.values[gradient][above]
                    unsure = doubt + self.doubt[gradient][above] * np.abs(rate) + 1e-12
                    yield f"{words} minus η·{say(gradient)}", was - rate * step, unsure
        yield from self._edited(name, rows - self.numbers.first(name), is_far)

    def _edited(
        self, name: str, at: Array, is_far: Callable[[Array], bool]
    ) -> Iterator[tuple[str, Array, Array]]:
        """What the rule gives with one thing changed, in lines `at` of what it is made of."""
        used = self.numbers.inputs(name)
        others = [n for n in (*COLUMNS, "η") if n in self.values and n not in used]
        cells = {n: Address("", 1, 1 + i) for i, n in enumerate([*used, *others])}
        columns = {cell: self.values[n][at] for n, cell in cells.items()}
        unsure = {cell: self.doubt[n][at] for n, cell in cells.items()}
        here = Address("", 1, 500)
        rule = in_cells(self.numbers.rules[name], {n: cell.cell for n, cell in cells.items()})
        told = {cell.cell: self.reading.heading(n) for n, cell in cells.items()}
        for words, text in changes(rule, here, cells, told):
            self.left -= 1 + len(text) // 40
            if self.left < 0:
                return
            try:
                tree = parse(text, here)
                with np.errstate(all="ignore"):
                    numbers = np.asarray(tree.value(here, columns.__getitem__), dtype=float)
                    if is_far(numbers):
                        continue
                    doubt = 1e-10 * np.abs(numbers) + 4 * _EPS
                    for asked in dict.fromkeys(references(tree, here)):
                        moved = {**columns, asked: columns[asked] + unsure[asked]}
                        more = np.asarray(tree.value(here, moved.__getitem__)) - numbers
                        doubt = doubt + np.abs(more)
            except FormulaError:
                continue
            yield words, np.broadcast_to(numbers, at.shape), doubt
