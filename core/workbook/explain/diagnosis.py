"""What is wrong in a formula, in words, and the formula that is right.

The slip is found by changing the formula: the first change of a reference, an operator, a bracket
or a factor (edits.py) that makes it right in every world (judge/worlds.py) is the slip.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from core.backprop.network import COLUMNS, GRADIENTS, WEIGHTS
from core.workbook.explain.edits import Edit, Edits, without_a_term
from core.workbook.file.calculate import Calculator
from core.workbook.find.layout import EXAMPLE
from core.workbook.find.reading import HELPERS
from core.workbook.formula.parse import parse
from core.workbook.formula.tokens import make_ref, shifted, tokens
from core.workbook.formula.tree import Address, FormulaError, Node, letters, references
from core.workbook.judge.worlds import World, Worlds, finite

_SEARCHES = 2
"""So often a slip is looked for in a column, in vain, before its cells are called merely wrong."""
_TRIALS = 3_500
"""Changes tried in one table; one in a long formula counts more."""
_LOOKS = 150_000
"""Changes gone through in one table for the one that mended the row before."""
_LONGEST_MENDED = 150  # tokens: the longest formula of this exercise has 60


@dataclass(frozen=True)
class Slip:
    """A cell that is wrong given its neighbours.

    name: the quantity it should hold. kind: what sort of slip. cause: in words, with addresses.
    theirs: its formula ("=…") or number. right: the formula it should have, "=…", or a number where
    none belongs. key: equal for cells that are wrong in the same way. pasted: whether the cell is
    one of many numbers without a formula.
    """

    at: Address
    name: str
    kind: str
    cause: str
    theirs: str
    right: str
    key: tuple[object, ...]
    pasted: bool = False


class Diagnosis:
    """Says what is wrong in the cells of one table."""

    def __init__(self, worlds: Worlds) -> None:
        self.worlds, self.reading = worlds, worlds.reading
        self.book, self.table, self.steps = worlds.book, worlds.table, worlds.steps
        self.say = worlds.reading.heading
        self.failed: Counter[str] = Counter()
        self.left, self.looks = _TRIALS, _LOOKS
        self.found: dict[str, Edit] = {}
        self._filled: dict[tuple[str, int], tuple[Edit | None, Address]] = {}
        self._lacking: dict[tuple[str, int], tuple[str, Address]] = {}

    def typed(self, at: Address, name: str, k: int, written: str) -> Slip:
        """The slip of a number where a formula belongs."""
        right = self._neighbours(name, k)
        tree = self.worlds.parse(right, at)
        value, gives = self.book.cells[at].value, tree.value(at, self.reading.actual.value)
        cause = f"{at.cell} is a typed number where the rows around it calculate {self.say(name)}"
        if isinstance(value, float) and isinstance(gives, float) and math.isfinite(gives):
            if abs(value - gives) <= 1e-6 * max(abs(gives), 1e-6):
                cause += "; it is what the formula gives, but it will not follow a change"
            else:
                cause += f": {short(value)} instead of {short(gives)}"
        return self.slip(at, name, k, "typed", f"{cause}.", written, right)

    def wrong(self, tree: Node, at: Address, name: str, k: int) -> Slip:
        """The slip in a formula that is not right."""
        asked = references(tree, at)
        formula = self.book.formula(at) or ""
        if at in asked:
            cause = f"{at.cell} refers to itself, so it has no value."
            return self.slip(at, name, k, "loop", cause)
        own = [a for a in asked if self.worlds.cells().get(a, ("", 0))[0] == name]
        if own and name not in WEIGHTS:
            said = _law(name)
            cause = (
                f"{at.cell} is carried on from {own[0].cell}, as if {self.say(name)} were a "
                f"weight, where {said} calculates it from its own row."
            )
            return self.slip(at, name, k, "carried", cause)
        edit = self._edit(tree, formula, at, name, k)
        if edit is not None:
            cause = self._explain(edit, at, name, k)
            kind = "η" if edit.new_name == "η" else edit.kind
            key: tuple[object, ...] = ()
            if kind != "η":
                key = (edit.old_name, edit.old_away, edit.new_name, edit.said)
            return self.slip(at, name, k, kind, cause, right=edit.text, key=key)
        if name in WEIGHTS and [self.worlds.cells().get(a) for a in asked] == [(name, k - 1)]:
            cause = f"{at.cell} repeats {asked[0].cell}: no step is taken."
            return self.slip(at, name, k, "still", cause)
        blamed = self._blame_helper(tree, at, name, k)
        if blamed is not None:
            return blamed
        lacking = self._lacking_term(tree, at, name, k)
        if lacking:
            cause = f"{at.cell} lacks the term {lacking} that {_law(name)} adds."
            return self.slip(at, name, k, "term", cause)
        cause = f"{at.cell} does not give {self.say(name)}: {_law(name)} has another formula."
        return self.slip(at, name, k, "other", cause)

    def slip(
        self,
        at: Address,
        name: str,
        k: int,
        kind: str,
        cause: str,
        theirs: str | None = None,
        right: str | None = None,
        key: tuple[object, ...] = (),
    ) -> Slip:
        """A slip; the formula there and the right one are looked up where they are not given."""
        theirs = f"={self.book.formula_text(at)}" if theirs is None else theirs
        right = self._neighbours(name, k) if right is None else right
        return Slip(at, name, kind, cause, theirs, f"={right}", (kind, name, *key))

    def _neighbours(self, name: str, k: int) -> str:
        """The right formula as the nearest right row of the column writes it, or by the rule."""
        at = self.reading.at(name, k)
        assert at is not None
        for other in sorted(range(self.steps), key=lambda row: abs(row - k)):
            there = self.reading.at(name, other)
            if other == k or there is None or abs(other - k) > 3:
                continue
            try:
                tree, formula = self.book.tree(there), self.book.formula(there)
                if tree is None or formula is None or (other == 0 and name in WEIGHTS):
                    continue
                if self.worlds.is_right(tree, there, name, other):
                    moved = shifted(formula, at.row - there.row, at.column - there.column)
                    if self.worlds.is_right(self.worlds.parse(moved, at), at, name, k):
                        return moved
            except FormulaError:
                continue
        return self.reading.rule(name, k)

    def _edit(self, tree: Node, formula: str, at: Address, name: str, k: int) -> Edit | None:
        """What is to be changed in a formula; in one that was filled down, as where it began."""
        key = name, id(tree)
        if key in self._filled:
            edit, there = self._filled[key]
            moved = edit and _moved(edit, at.row - there.row, at.column - there.column)
            if moved is None or self._mends(moved, at, name, k):
                return moved
        edit = self._search(formula, at, name, k)
        self._filled[key] = edit, at
        return edit

    def _search(self, formula: str, at: Address, name: str, k: int) -> Edit | None:
        """The first change that makes the formula right."""
        length, last = len(tokens(formula)), self.found.get(name)
        if last is not None and length <= _LONGEST_MENDED and self.looks > 0:
            for edit in self._edits(formula, at, name, k):
                self.looks -= 1
                if edit.alike(last) and self._mends(edit, at, name, k):
                    return edit
        if self.failed[name] >= _SEARCHES or self.left < 0 or length > _LONGEST_MENDED:
            return None
        tried: set[str] = set()
        for edit in self._edits(formula, at, name, k):
            if edit.text in tried:
                continue
            tried.add(edit.text)
            if self._mends(edit, at, name, k):
                self.found[name] = edit
                return edit
        self.failed[name] += 1
        return None

    def _mends(self, edit: Edit, at: Address, name: str, k: int) -> bool:
        self.left -= 1 + len(edit.text) // 200
        try:
            return self.worlds.is_right(self.worlds.parse(edit.text, at), at, name, k)
        except FormulaError:
            return False

    def _edits(self, formula: str, at: Address, name: str, k: int) -> Iterator[Edit]:
        rate, reading = self.reading.rate, self.reading
        typed = None
        if rate is not None and rate.at is None:
            typed = f"{float(np.ravel(rate.value)[0])!r}".removesuffix(".0")
        fixed = frozenset(("η", *EXAMPLE)) - {*reading.table.columns, *reading.elsewhere}
        return Edits(self.worlds.cells(), fixed, typed).of(formula, at, self._options(name, k))

    def _options(self, name: str, k: int) -> list[tuple[str, Address]]:
        """The cells that a right formula may refer to, those of the rule first."""
        at, known = self._at(name, k), self.worlds.cells()
        rule = parse(self.reading.rule(name, k), at)
        options = {asked: known[asked][0] for asked in references(rule, at) if asked in known}
        for other in (*HELPERS, *COLUMNS, "η"):
            cell = self.reading.at(other, k - 1 if name in WEIGHTS else k)
            if other != name and cell is not None:
                options.setdefault(cell, other)
        return [(other, cell) for cell, other in options.items()]

    def _blame_helper(self, tree: Node, at: Address, name: str, k: int) -> Slip | None:
        """The slip in a column on the way, if changing one thing there makes this cell right."""
        for helper in reversed(self.worlds.behind(at)):
            formula = self.book.formula_text(helper)
            column = helper.row if self.table.across else helper.column
            key = f"column {column}"
            if self.failed[key] >= _SEARCHES or len(formula) > 1000 or self.looks < 0:
                continue
            last, tried = self.found.get(key), set[str]()
            edits = list(self._edits(formula, helper, name, k))
            self.looks -= len(edits)
            edits.sort(key=lambda edit: last is None or not edit.alike(last))
            for edit in edits:
                if edit.text in tried or self.left < 0:
                    continue
                tried.add(edit.text)
                if self._mends_helper(edit, helper, tree, at, name, k):
                    self.found[key] = edit
                    return self._helper_slip(edit, helper, name, k)
            self.failed[key] += 1
        return None

    def _mends_helper(
        self, edit: Edit, helper: Address, tree: Node, at: Address, name: str, k: int
    ) -> bool:
        self.left -= 1
        try:
            other = self.worlds.parse(edit.text, helper)
        except FormulaError:
            return False
        for world in self.worlds.drawn:
            value = other.value(helper, world.cells.value)
            cells = Calculator(self.book, {**world.given, helper: value})
            right = self.worlds.agrees(World(world.given, cells, world.state), tree, at, name, k)
            self.left -= (len(cells.known) - len(world.given)) // 10
            if not right:
                return False
        return True

    def _helper_slip(self, edit: Edit, helper: Address, name: str, k: int) -> Slip:
        """The slip; from here on the worlds hold what the helper should."""
        tree = self.worlds.parse(edit.text, helper)
        passed = [*self.worlds.behind(self._at(name, k)), helper]
        for world in (*self.worlds.drawn, *self.worlds.own):
            value = tree.value(helper, world.cells.value)
            for at in passed:
                world.cells.known.pop(at, None)
            world.cells.known[helper] = world.given[helper] = value
        column = helper.row if self.table.across else helper.column
        head = self.book.cells.get(self.table.cell(self.table.head, column))
        title = str(head.value) if head and isinstance(head.value, str) else letters(helper.column)
        cause = self._explain(edit, helper, name, k)
        theirs = f"={self.book.formula_text(helper)}"
        key = ("helper", column, edit.kind, edit.new_name)
        return Slip(helper, title[:30], edit.kind, cause, theirs, f"={edit.text}", key)

    def _lacking_term(self, tree: Node, at: Address, name: str, k: int) -> str:
        """The addend of the rule without which it gives what the formula gives; or nothing."""
        key = name, id(tree)
        if key not in self._lacking:
            self._lacking[key] = self._find_lacking_term(tree, at, name, k), at
        term, there = self._lacking[key]
        return shifted(term, at.row - there.row, at.column - there.column) if term else ""

    def _find_lacking_term(self, tree: Node, at: Address, name: str, k: int) -> str:
        for term, shorter in without_a_term(self.reading.rule(name, k)):
            if not any(piece.kind == "ref" for piece in tokens(term)):
                continue  # the 1 of 1 − out
            other = parse(shorter, at)
            pairs = [
                (finite(tree.value(at, w.cells.value)), finite(other.value(at, w.cells.value)))
                for w in (*self.worlds.drawn, *self.worlds.own)
            ]
            for world in (pairs[:2], pairs[2:]):
                if all(abs(a - b) <= 1e-9 * max(abs(b), 1e-4) for a, b in world):
                    return term
        return ""

    def _explain(self, edit: Edit, at: Address, name: str, k: int) -> str:
        law = _law(name)
        if edit.kind == "reference":
            words = (
                f"{at.cell} uses {self._cell_in_words(edit.old, at)} where {law} has "
                f"{self._cell_in_words(edit.new, at)}"
            )
            if edit.new_name == "η" and edit.also is None:
                taken = self._cell_in_words(edit.old, at).rstrip(",")
                words = f"{at.cell} takes η from {taken}; η stands in {edit.new}"
            if edit.also:
                old, new = edit.also
                words = words.rstrip(",") + (
                    f", and {self._cell_in_words(old, at)} where it has "
                    f"{self._cell_in_words(new, at)}"
                )
            return words.rstrip(",") + "."
        if edit.kind == "operator":
            return f"{at.cell} has {edit.old} where {law} has {edit.new}."
        if edit.kind == "sign":
            return f"{at.cell} has the opposite sign of what {law} gives."
        if edit.kind == "brackets":
            return f"{at.cell} has {edit.old} where {law} has {edit.new}: brackets are misplaced."
        if edit.kind == "number":
            return f"{at.cell} has the number {edit.old} where {law} has {edit.new}."
        if edit.said == "has":
            return f"{at.cell} has the factor {edit.new} once too often."
        return f"{at.cell} lacks the factor {edit.new} that {law} has."

    def _cell_in_words(self, text: str, here: Address) -> str:
        """K32, out_h1 – or what else stands in a cell outside the table."""
        at = make_ref(text, here).at(here)
        plain = text.replace("$", "")
        known = self.worlds.cells().get(at)
        if known is None:
            cell = self.book.cells.get(at)
            if cell is None:
                return f"{plain}, an empty cell,"
            if isinstance(cell.value, str):
                return f"{plain}, the text “{cell.value[:20]}”,"
            value = self.reading.actual.value(at)
            return f"{plain}, {short(value)}," if isinstance(value, float) else f"{plain}"
        name, k = known
        own = self.worlds.cells().get(here, known)[1]
        if name not in ("η", *EXAMPLE) and k not in (own, own - 1):
            return f"{plain}, {self.say(name)} of {abs(own - k)} rows away,"
        return f"{plain}, {self.say(name)},"

    def _at(self, name: str, k: int) -> Address:
        at = self.reading.at(name, k)
        assert at is not None
        return at


def _moved(edit: Edit, down: int, across: int) -> Edit | None:
    """The same change in a formula so many rows and columns away; None if it is off the sheet."""

    def there(text: str) -> str:
        return "…".join(shifted(part, down, across) for part in text.split("…"))

    try:
        also = edit.also and (there(edit.also[0]), there(edit.also[1]))
        return replace(
            edit, text=there(edit.text), old=there(edit.old), new=there(edit.new), also=also
        )
    except FormulaError:
        return None


def _law(name: str) -> str:
    if name in WEIGHTS:
        return "gradient descent"
    if name.startswith("E"):
        return "the error"
    return "the chain rule" if name in (*GRADIENTS, *HELPERS) else "the forward pass"


def short(value: float) -> str:
    """With six digits."""
    return f"{value:.6g}"
