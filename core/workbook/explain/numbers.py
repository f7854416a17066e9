"""Wrong numbers as slips: which mistake gives the numbers that are there, if one does."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import permutations, product

import numpy as np

from core.backprop.network import COLUMNS, WEIGHTS, Array
from core.backprop.rules import in_cells
from core.workbook.explain.edits import without_a_term
from core.workbook.explain.slips import Slip
from core.workbook.file.digits import distinct
from core.workbook.find.numbers import ROOM, Numbers
from core.workbook.find.reading import Reading
from core.workbook.formula.parse import parse
from core.workbook.formula.tokens import Token, tokens
from core.workbook.formula.tree import Address, FormulaError, letters, references
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
        right = one.right or f"={reading.rule(name, k)}"
        gives = self.values[name][0]
        if not start:
            gives = self.numbers.expected(name, slice(k, k + 1))[0][0]
        number = cell.value if isinstance(cell.value, float) else math.nan
        heading = reading.heading(name)
        is_now, should_be = distinct(number, float(gives))
        if told:
            cause = f"{at.cell}, {heading}, holds {told}: {is_now} instead of {should_be}."
            return Slip(
                at, name, "values", cause, theirs, right, ("values", name, told), pasted=True
            )
        whence = "rows after it" if start else "row above" if name in WEIGHTS else "row"
        cause = f"{at.cell} is {is_now}, but from its {whence} {heading} comes to {should_be}."
        kind = "typed" if alone else "values"
        return Slip(at, name, kind, cause, theirs, right, (kind, name), pasted=True)

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
        if (above >= 0).all() and name not in WEIGHTS:
            was = self.values[name][above]
            yield f"{say(name)} of the row above", was, self.doubt[name][above]
            for weight in WEIGHTS if "η" in self.values else ():
                gradient = self.values.get(f"∂E/∂{weight}")
                if gradient is not None:
                    numbers = was - self.values["η"][above] * gradient[above]
                    unsure = self.doubt[name][above] + self.doubt[f"∂E/∂{weight}"][above] * np.abs(
                        self.values["η"][above]
                    )
                    words = f"{say(name)} of the row above minus η·{say(f'∂E/∂{weight}')}"
                    yield words, numbers, unsure + 1e-12
        if name in WEIGHTS:
            yield f"{say(name)} of the row above", self.values[name][above], np.zeros(len(above))
        at = rows - self.numbers.first(name)
        names = [n for n in (*COLUMNS, "η") if n in self.values]
        slots = {n: f"{letters(1 + i)}1" for i, n in enumerate(names)}
        columns = {Address("", 1, 1 + i): self.values[n][at] for i, n in enumerate(names)}
        unsure = {Address("", 1, 1 + i): self.doubt[n][at] for i, n in enumerate(names)}
        here = Address("", 1, 500)
        told = {text: say(n) for n, text in slots.items()}
        for words, text in _changes(in_cells(self.numbers.rules[name], slots), slots, told):
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
            yield words, np.broadcast_to(numbers, rows.shape), doubt


def _changes(rule: str, slots: dict[str, str], told: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The rule with one thing changed, and in words what was changed."""
    pieces = tokens(rule)
    yield from _other_cells(pieces, slots, told, alike=True)
    for term, shorter in without_a_term(rule):
        words = "".join(told.get(p.text, p.text) for p in tokens(term))
        yield f"what is left without {words}", shorter
    for i, piece in enumerate(pieces):
        if piece.text in ("+", "-", "*", "/"):
            for sign in "-+*/":
                if sign != piece.text:
                    words = f"what {sign} gives in place of {piece.text}"
                    yield words, _swapped(pieces, {i: sign})
    yield "the right number with the other sign", f"-({rule})"
    yield "twice the right number", f"2*({rule})"
    yield "half the right number", f"0.5*({rule})"
    for i in range(len(pieces)):
        around = [p.text for p in pieces[i - 1 : i + 2]]
        after = pieces[i + 2].text if i + 3 < len(pieces) else ""
        if i and around == ["(", "1", "-"] and after in told and pieces[i + 3].text == ")":
            dropped = _swapped(pieces, {i - 1: "", i + 3: ""})
            yield f"what is left without the brackets of 1 − {told[after]}", dropped
            gone = {i - 1: "1", i: "", i + 1: "", i + 2: "", i + 3: ""}
            words = f"the product without 1 − {told[after]}"
            yield words, _swapped(pieces, gone)
    yield from _other_cells(pieces, slots, told, alike=False)
    yield from _two_other_cells(pieces, slots, told)


def _cells(pieces: list[Token]) -> list[str]:
    return list(dict.fromkeys(piece.text for piece in pieces if piece.kind == "ref"))


def _alike(first: str, second: str) -> bool:
    """Whether two quantities are of one kind: two weights, two outputs of hidden neurons."""
    return first.rstrip("12345678") == second.rstrip("12345678")


def _other_cells(
    pieces: list[Token], slots: dict[str, str], told: dict[str, str], *, alike: bool
) -> Iterator[tuple[str, str]]:
    """Another cell in the place of one, of the same kind or of another."""
    for old in _cells(pieces):
        for new in slots.values():
            if new == old or _alike(told[new], told[old]) != alike:
                continue
            places = [i for i, p in enumerate(pieces) if p.text == old]
            words = f"what {told[new]} gives in place of {told[old]}"
            yield words, _swapped(pieces, dict.fromkeys(places, new))
            for i in places if len(places) > 1 else ():
                yield words, _swapped(pieces, {i: new})


def _two_other_cells(
    pieces: list[Token], slots: dict[str, str], told: dict[str, str]
) -> Iterator[tuple[str, str]]:
    """Others of the same kind in the places of two."""
    others = {
        old: [new for new in slots.values() if new != old and _alike(told[new], told[old])]
        for old in _cells(pieces)
    }
    for first, second in permutations(others, 2):
        if first > second:
            continue
        for a, b in product(others[first], others[second]):
            instead = {first: a, second: b}
            changed = {i: instead[p.text] for i, p in enumerate(pieces) if p.text in instead}
            words = (
                f"what {told[a]} and {told[b]} give in place of {told[first]} and {told[second]}"
            )
            yield words, _swapped(pieces, changed)


def _swapped(pieces: list[Token], changed: dict[int, str]) -> str:
    return "".join(changed.get(i, piece.text) for i, piece in enumerate(pieces))
