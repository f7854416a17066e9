"""The change that makes a wrong formula right: the slip is what it changes.

Of all changes of one thing (edits.py) the first with which the formula gives the right number in
every world (find/worlds.py) is taken; in columns that were filled down the same in every row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from core.backprop.network import COLUMNS, WEIGHTS
from core.workbook.exercise.quantities import EXAMPLE, HELPERS
from core.workbook.explain.edits import Edit, Edits, without_a_term
from core.workbook.find.worlds import Worlds, finite, is_near
from core.workbook.formula.parse import parse
from core.workbook.formula.tokens import shifted, tokens
from core.workbook.formula.tree import Address, FormulaError, Node, references

_SEARCHES = 2
"""So often a slip is looked for in a column, in vain, before its cells are called merely wrong."""
_TRIALS = 3_500
"""Changes tried in one table; one in a long formula counts more."""
_LOOKS = 150_000
"""Changes gone through in one table for the one that mended the row before."""
_LONGEST_MENDED = 150  # tokens: the longest formula of this exercise has 60


class Search:
    """Finds what is to be changed in the formulas of one table, within a budget.

    worlds: in which a formula is to be right; another where a helper's slip has been found.
    """

    def __init__(self, worlds: Worlds) -> None:
        self.worlds, self.reading = worlds, worlds.reading
        self.book, self.table = worlds.book, worlds.table
        self.failed: Counter[str] = Counter()
        self.left, self.looks = _TRIALS, _LOOKS
        self.found: dict[str, Edit] = {}
        self._filled: dict[tuple[str, int], tuple[Edit | None, Address]] = {}
        self._lacking: dict[tuple[str, int], tuple[str, Address]] = {}

    def edit(self, tree: Node, formula: str, at: Address, name: str, k: int) -> Edit | None:
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
        return Edits(self.reading.known, fixed, typed).of(formula, at, self._options(name, k))

    def _options(self, name: str, k: int) -> list[tuple[str, Address]]:
        """The cells that a right formula may refer to, those of the rule first."""
        at, known = self._at(name, k), self.reading.known
        rule = parse(self.reading.rule(name, k), at)
        options = {asked: known[asked][0] for asked in references(rule, at) if asked in known}
        for other in (*HELPERS, *COLUMNS, "η"):
            cell = self.reading.at(other, k - 1 if name in WEIGHTS else k)
            if other != name and cell is not None:
                options.setdefault(cell, other)
        return [(other, cell) for cell, other in options.items()]

    def helper(self, tree: Node, at: Address, name: str, k: int) -> tuple[Edit, Address] | None:
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
                    return edit, helper
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
        for world in self.worlds.with_helper(helper, other).drawn:
            right = world.agrees(tree, at, name, k)
            self.left -= len(world.cells.known) // 10
            if not right:
                return False
        return True

    def lacking_term(self, tree: Node, at: Address, name: str, k: int) -> str:
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
                if all(is_near(a, b) for a, b in world):
                    return term
        return ""

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
