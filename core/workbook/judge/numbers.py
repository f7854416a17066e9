"""Numbers without formulas against the rules: which do not follow from their neighbours.

Each number is compared with what its rule makes of the numbers beside and above it, as far as their
digits reach: a number rounded to 4 decimals is any number within half a unit of the fourth. Where
several disagree, the fewest changes that reconcile all are the slips: a number typed over after
the rest was calculated is one slip, not one for every cell that was calculated from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from core.backprop.network import COLUMNS, WEIGHTS, Array
from core.backprop.rules import TABLE_RULES, TABLE_STEPS, in_cells, names_in
from core.workbook.explain.diagnosis import Slip
from core.workbook.explain.edits import without_a_term
from core.workbook.file.book import Cell
from core.workbook.file.digits import decimals_of, distinct, doubt
from core.workbook.find.layout import EXAMPLE, FORWARD
from core.workbook.find.reading import Reading, expanded, followed
from core.workbook.formula.parse import parse
from core.workbook.formula.tokens import Token, tokens
from core.workbook.formula.tree import Address, FormulaError, letters, references

_EPS = np.finfo(float).eps
_GUESSES = 5000
"""So many slips are tried on the numbers of one table."""
_FAR = 50
"""Times what the digits of the right number leave open."""


@dataclass
class Numbers:
    """What judging the numbers of a table came to.

    rate: the η that the steps were taken with, where the file names none or another. vague:
    quantity -> a sentence, where too few digits are left to tell. misread: whether so much
    disagrees that the headers must mean something else.
    """

    slips: list[Slip] = field(default_factory=list)
    judged: list[Address] = field(default_factory=list)
    vague: dict[str, str] = field(default_factory=dict)
    rate: float | None = None
    misread: bool = False


def judge_numbers(reading: Reading, pasted: set[tuple[str, int]]) -> Numbers:
    """The verdict on the cells `pasted`: (quantity, epoch from 0)."""
    return _Numbers(reading, pasted).verdict() if pasted else Numbers()


class _Numbers:
    def __init__(self, reading: Reading, pasted: set[tuple[str, int]]) -> None:
        self.reading, self.pasted = reading, pasted
        self.loose = pasted | _pasted_elsewhere(reading)
        self.left = _GUESSES
        self.epochs = reading.table.steps  # of the last perhaps the weights alone
        self.values: dict[str, Array] = {}
        self.doubt: dict[str, Array] = {}
        cells = (reading.book.cells.get(at) for n, k in pasted if (at := reading.at(n, k)))
        self._decimals = decimals_of(cells)
        for name in COLUMNS:
            if (reading.at(name, 0) or reading.at(name, 1)) and name not in EXAMPLE:
                self._take(name)
        for name in EXAMPLE:
            self.values[name] = np.full(self.epochs, float(getattr(reading.setup, name)))
            self.doubt[name] = np.zeros(self.epochs)
        self.known = frozenset((*self.values, "η"))
        self.rules = {
            name: expanded(TABLE_STEPS.get(name) or TABLE_RULES[name], self.known)
            for name in self.values
            if name not in EXAMPLE
        }
        # What follows from a weight that stands nowhere cannot be judged.
        self.rules = {n: r for n, r in self.rules.items() if self.known.issuperset(names_in(r))}

    def _take(self, name: str) -> None:
        cells = [self.reading.at(name, k) for k in range(self.epochs)]
        values = [self.reading.value(name, k) for k in range(self.epochs)]
        numbers = [v if isinstance(v, float) else math.nan for v in values]
        if cells[0] is None and name in WEIGHTS:  # the start stands elsewhere
            numbers[0] = float(getattr(self.reading.setup, name))
        self.values[name] = np.array(numbers)
        column = [self._written(at) if at else None for at in cells]
        self.doubt[name] = doubt(column, self._decimals if len(set(numbers)) < 3 else 0)

    def _written(self, at: Address) -> Cell | None:
        """The cell; of a formula that cannot be read the number alone that was saved beside it."""
        cell = self.reading.book.cells.get(at)
        return cell._replace(formula=None) if cell and at in self.reading.actual.unread else cell

    # Rules, by number.

    def _inputs(self, name: str) -> list[str]:
        return names_in(self.rules[name])

    def _shift(self, name: str) -> int:
        return 1 if name in WEIGHTS else 0

    def _expected(self, name: str, k: slice) -> tuple[Array, Array]:
        """What the rule makes of the neighbours, in the epochs `k`, and how far that is certain."""
        above = slice(k.start - self._shift(name), k.stop - self._shift(name))
        state = {n: self.values[n][above] for n in self._inputs(name)}
        rule = TABLE_STEPS.get(name) or TABLE_RULES[name]
        # All at once: first as they are, then with each input moved by its doubt.
        count, length = len(state) + 1, k.stop - k.start
        tiled = {n: np.tile(values, count) for n, values in state.items()}
        for i, n in enumerate(state, start=1):
            tiled[n][i * length : (i + 1) * length] += self.doubt[n][above]
        with np.errstate(all="ignore"):
            values = np.broadcast_to(followed(rule, tiled), (count * length,))
            right, *moved = values.reshape(count, length).astype(float)
            doubt = 1e-10 * np.abs(right) + 4 * _EPS
            for other in moved:
                doubt = doubt + 1.05 * np.abs(other - right)
        return right, doubt

    def _off(self, name: str, k: slice) -> Array:
        """Whether the numbers disagree with the rule; never where one is missing."""
        right, doubt = self._expected(name, k)
        with np.errstate(invalid="ignore"):
            away = np.abs(self.values[name][k] - right)
            off = away > doubt + 1.02 * self.doubt[name][k]
        return np.asarray(off & np.isfinite(right))

    def _off_at(self, name: str, k: int) -> bool:
        return bool(self._off(name, slice(k, k + 1))[0])

    def _followers(self, name: str, k: int) -> list[tuple[str, int]]:
        """The cells whose rule uses this one."""
        found = []
        for other in self.rules:
            row = k + self._shift(other)
            if name in self._inputs(other) and row < self.epochs and (other, row) in self.loose:
                found.append((other, row))
        return found

    # The verdict.

    def verdict(self) -> Numbers:
        verdict = Numbers()
        self._settle_rate(verdict)
        if "η" not in self.values:  # then no step can be judged
            self.rules = {n: rule for n, rule in self.rules.items() if n not in WEIGHTS}
        self._take_own_examples()
        order = [name for name in COLUMNS if name in self.rules]
        for name in dict.fromkeys(
            n for n, _ in self.pasted if n in COLUMNS and n not in (*self.rules, *WEIGHTS)
        ):
            lacking = self.reading.lacks(name) or "what it follows from"
            said = f"{self.reading.heading(name)} cannot be judged without {lacking}"
            verdict.vague[name] = f"{said}, which has no column"
        wrong = np.zeros(self.epochs + 1, dtype=bool)
        mostly_off: dict[str, bool] = {}
        for name in order:
            first = self._shift(name)
            rows = [k for k in range(first, self.epochs) if (name, k) in self.pasted]
            off = self._off(name, slice(first, self.epochs))
            loose = np.array(
                [(name, k) in self.loose for k in range(first, self.epochs)], dtype=bool
            )
            wrong[first : self.epochs] |= off & loose
            if not rows:
                continue
            vague = self._say_vague(name, first)
            if vague:
                verdict.vague[name] = vague
            else:
                verdict.judged += [at for k in rows if (at := self.reading.at(name, k))]
            own = np.array(
                [(name, k) in self.pasted for k in range(first, self.epochs)], dtype=bool
            )
            if name in FORWARD and not vague:
                mostly_off[name] = 2 * (off & own).sum() > own.sum()
        if len(mostly_off) > 2 and 2 * sum(mostly_off.values()) > len(mostly_off):
            return Numbers(misread=True)
        accused = self._reconcile(order, wrong)
        verdict.slips += self._explained(accused)
        for name in verdict.vague.keys() & {name for name, _ in accused}:
            verdict.vague[name] = f"But for what is called wrong, {verdict.vague[name]}"
        return verdict

    def _take_own_examples(self) -> None:
        """In a row with another input or target than the others, that, if its numbers follow it."""
        for name in EXAMPLE:
            for k in range(self.reading.table.epochs if name in self.reading.table.columns else 0):
                own, kept = self.reading.value(name, k), self.values[name][k]
                if not isinstance(own, float) or not math.isfinite(own) or own == kept:
                    continue
                followers = self._followers(name, k)
                before = sum(self._off_at(*follower) for follower in followers)
                self.values[name][k] = own
                if sum(self._off_at(*follower) for follower in followers) >= before:
                    self.values[name][k] = kept

    def _say_vague(self, name: str, first: int) -> str:
        """A sentence if the digits cannot tell a right column from one that is half wrong."""
        _, doubt = self._expected(name, slice(first, self.epochs))
        doubt = doubt + self.doubt[name][first:]
        size = np.nanmax(np.abs(self.values[name][first:]), initial=0.0)
        if np.nanmin(doubt, initial=np.inf) > 0.2 * size and size > 0:
            return f"{self.reading.heading(name)} is rounded too far to be judged"
        if size == 0 and np.nanmin(doubt, initial=np.inf) > 1e-6:
            return f"{self.reading.heading(name)} is rounded to 0 and cannot be judged"
        return ""

    def _reconcile(self, order: list[str], wrong: Array) -> list[tuple[str, int]]:
        """The fewest cells to change so that all agree, found row by row in order of calculation.

        A cell that disagrees with its own rule is wrong. If the cells calculated from it agree
        better with what it should be, it was changed after them, and they are judged by that.
        """
        found = [
            (name, k)
            for k in range(self.epochs)
            for name in order
            if wrong[k] and (name, k) in self.loose and self._is_wrong(name, k, wrong)
        ]
        return [cell for cell in found if cell in self.pasted]

    def _is_wrong(self, name: str, k: int, wrong: Array) -> bool:
        start = k == 0 and name in WEIGHTS
        if start:
            right = self._start_from_second(name)
        elif not self._off_at(name, k):
            return False
        else:
            right = float(self._expected(name, slice(k, k + 1))[0][0])
        followers = self._followers(name, k)
        before = sum(self._off_at(*follower) for follower in followers)
        if start and (before < 2 or not math.isfinite(right)):
            return False
        kept = self.values[name][k]
        self.values[name][k] = right
        after = sum(self._off_at(*follower) for follower in followers)
        if start and after:
            self.values[name][k] = kept
            return False
        if after >= before:
            self.values[name][k] = kept
        else:
            wrong[k + 1] = True
        return True

    def _start_from_second(self, name: str) -> float:
        """An initial weight as the second row implies it."""
        gradient = f"∂E/∂{name}"
        if self.epochs < 2 or "η" not in self.values or gradient not in self.values:
            return math.nan
        step = self.values["η"][0] * self.values[gradient][0]
        return float(self.values[name][1] + step)

    # η

    def _settle_rate(self, verdict: Numbers) -> None:
        said = self.reading.rate
        if said is not None:
            self.values["η"] = np.broadcast_to(
                np.asarray(said.value, dtype=float), (self.epochs,)
            ).copy()
        steps = [w for w in WEIGHTS if any((w, k) in self.pasted for k in range(1, self.epochs))]
        if 2 * len(steps) < len(self.reading.table.weights) and said is not None:
            steps = []  # the others' formulas tell η
        steps = [w for w in steps if w in self.rules]
        found = self._rate_of_steps(steps)
        if found is not None and (said is None or not self._rate_fits(steps)):
            verdict.rate = found
            self.values["η"] = np.full(self.epochs, found)
        if "η" in self.values:
            self.doubt["η"] = np.zeros(self.epochs)

    def _rate_fits(self, steps: list[str]) -> bool:
        """Whether most steps are of the size that the file's η makes them."""
        self.doubt["η"] = np.zeros(self.epochs)
        off = [self._off(w, slice(1, self.epochs)) for w in steps]
        return bool(np.mean(off) < 0.5) if off else True

    def _rate_of_steps(self, steps: list[str]) -> float | None:
        """η from (w of one row − w of the next) / ∂E/∂w, by the steps that tell it best."""
        ratios: list[float] = []
        doubts: list[float] = []
        for weight in steps:
            gradient = self.values.get(f"∂E/∂{weight}")
            if gradient is None or self.epochs < 2:
                continue
            g, w = gradient[:-1], self.values[weight]
            with np.errstate(all="ignore"):
                ratio = (w[:-1] - w[1:]) / g
                unsure = self.doubt[weight][:-1] + self.doubt[weight][1:]
                unsure = (unsure + np.abs(ratio) * self.doubt[f"∂E/∂{weight}"][:-1]) / np.abs(g)
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
        for digits in range(1, 9):
            near = float(f"{rate:.{digits}g}")
            if abs(near - rate) <= 3 * spread:
                return near
        return rate

    # What is wrong.

    def _explained(self, accused: list[tuple[str, int]]) -> Iterator[Slip]:
        by_name: dict[str, list[int]] = {}
        for name, k in accused:
            by_name.setdefault(name, []).append(k)
        for name, rows in by_name.items():
            told = self._explanation(name, rows)
            for k in rows:
                at = self.reading.at(name, k)
                assert at is not None
                yield self._slip(at, name, k, told, alone=len(rows) == 1)

    def _slip(self, at: Address, name: str, k: int, told: str, *, alone: bool) -> Slip:
        reading = self.reading
        cell = reading.book.cells[at]
        theirs = cell.written or str(cell.value)
        start = k == 0 and name in WEIGHTS
        right = f"{self.values[name][0]:.12g}" if start else f"={reading.rule(name, k)}"
        gives = self.values[name][0] if start else self._expected(name, slice(k, k + 1))[0][0]
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
        rows = [k for k in rows if k >= self._shift(name)]
        if not rows:
            return ""
        theirs = np.array([self.reading.value(name, k) for k in rows], dtype=float)
        room = self.doubt[name][rows] * 1.02
        about = (
            room + self._expected(name, slice(rows[0], rows[-1] + 1))[1][np.array(rows) - rows[0]]
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
        at = rows - self._shift(name)
        names = [n for n in (*COLUMNS, "η") if n in self.values]
        slots = {n: f"{letters(1 + i)}1" for i, n in enumerate(names)}
        columns = {Address("", 1, 1 + i): self.values[n][at] for i, n in enumerate(names)}
        unsure = {Address("", 1, 1 + i): self.doubt[n][at] for i, n in enumerate(names)}
        here = Address("", 1, 500)
        told = {text: say(n) for n, text in slots.items()}
        for words, text in _changes(in_cells(self.rules[name], slots), slots, told):
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


def _pasted_elsewhere(reading: Reading) -> set[tuple[str, int]]:
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


def _changes(rule: str, slots: dict[str, str], told: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The rule with one thing changed, and in words what was changed."""
    pieces = tokens(rule)
    own = list(dict.fromkeys(p.text for p in pieces if p.kind == "ref"))

    def kind(slot: str) -> str:
        return told[slot].rstrip("12345678")

    def other_cells(*, alike: bool) -> Iterator[tuple[str, str]]:
        for old in own:
            for new in slots.values():
                if new == old or (kind(new) == kind(old)) != alike:
                    continue
                places = [i for i, p in enumerate(pieces) if p.text == old]
                words = f"what {told[new]} gives in place of {told[old]}"
                yield words, _swapped(pieces, dict.fromkeys(places, new))
                for i in places if len(places) > 1 else ():
                    yield words, _swapped(pieces, {i: new})

    yield from other_cells(alike=True)
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
    yield from other_cells(alike=False)
    for first in own:
        for second in own:
            for a in slots.values():
                for b in slots.values():
                    alike = kind(a) == kind(first) and kind(b) == kind(second)
                    if first < second and alike and a != first and b != second:
                        changed = {i: a for i, p in enumerate(pieces) if p.text == first}
                        changed |= {i: b for i, p in enumerate(pieces) if p.text == second}
                        words = (
                            f"what {told[a]} and {told[b]} give in place of {told[first]} "
                            f"and {told[second]}"
                        )
                        yield words, _swapped(pieces, changed)


def _swapped(pieces: list[Token], changed: dict[int, str]) -> str:
    return "".join(changed.get(i, piece.text) for i, piece in enumerate(pieces))
