"""The change that makes a wrong formula right: the slip is what it changes.

Of all changes of one thing (edits.py) the first with which the formula gives the right number in
every world (find/worlds.py) is taken; in columns that were filled down the same in every row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
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
        rate, typed = self.reading.rate, None
        if rate is not None and rate.at is None:
            typed = f"{float(np.ravel(rate.value)[0])!r}".removesuffix(".0")
        fixed = frozenset(("η", *EXAMPLE)) - {*self.table.columns, *self.reading.elsewhere}
        self.edits = Edits(self.reading.known, fixed, typed)
        self.left, self.looks = _TRIALS, _LOOKS
        self.found: dict[str, Edit] = {}
        self._filled: dict[tuple[str, int], tuple[Edit | None, Address]] = {}
        self._lacking: dict[tuple[str, int], tuple[str, Address]] = {}

    def edit(self, tree: Node, at: Address, name: str, k: int) -> Edit | None:
        """What is to be changed in a formula; in one that was filled down, as where it began."""

        def is_right(other: Node) -> bool:
            return self.worlds.is_right(other, at, name, k)

        key = name, id(tree)
        if key in self._filled:
            edit, there = self._filled[key]
            moved = edit and _moved(edit, at.row - there.row, at.column - there.column)
            if moved is None or self._mends(moved, at, is_right):
                return moved
        edit = self._search(name, self._candidates(name, at, name, k), at, is_right)
        self._filled[key] = edit, at
        return edit

    def helper(self, tree: Node, at: Address, name: str, k: int) -> tuple[Edit, Address] | None:
        """The slip in a column on the way, if changing one thing there makes this cell right."""
        for helper in reversed(self.worlds.behind(at)):

            def is_right(other: Node, helper: Address = helper) -> bool:
                right = self.left >= 0
                for world in self.worlds.with_helper(helper, other).drawn if right else ():
                    right = right and world.agrees(tree, at, name, k)
                    self.left -= len(world.cells.known) // 10
                return right

            column = f"column {helper.row if self.table.across else helper.column}"
            edits = self._candidates(column, helper, name, k)
            if (edit := self._search(column, edits, helper, is_right)) is not None:
                return edit, helper
        return None

    def _search(
        self, column: str, edits: Iterator[Edit], at: Address, is_right: Callable[[Node], bool]
    ) -> Edit | None:
        """The first change that makes the formula right."""
        for edit in edits:
            if self._mends(edit, at, is_right):
                self.found[column] = edit
                return edit
        return None

    def _mends(self, edit: Edit, at: Address, is_right: Callable[[Node], bool]) -> bool:
        self.left -= 1 + len(edit.text) // 200
        try:
            return is_right(self.worlds.parse(edit.text, at))
        except FormulaError:
            return False

    def _candidates(self, column: str, at: Address, name: str, k: int) -> Iterator[Edit]:
        """The changes of a cell's formula, those like the last found in the column first."""
        formula = self.book.formula_text(at)
        if len(tokens(formula)) > _LONGEST_MENDED:
            return
        last, tried, options = self.found.get(column), set[str](), self._options(name, k)
        if last is not None and self.looks > 0:
            for edit in self.edits.of(formula, at, options):
                self.looks -= 1
                if edit.alike(last):
                    yield edit
        if self.failed[column] >= _SEARCHES or self.left < 0:
            return
        for edit in self.edits.of(formula, at, options):
            if edit.text not in tried:
                tried.add(edit.text)
                yield edit
        self.failed[column] += 1

    def _options(self, name: str, k: int) -> list[tuple[str, Address]]:
        """The cells that a right formula may refer to, those of the rule first."""
        at, known = self.reading.at(name, k), self.reading.known
        assert at is not None
        rule = parse(self.reading.rule(name, k), at)
        options = {asked: known[asked][0] for asked in references(rule, at) if asked in known}
        for other in (*HELPERS, *COLUMNS, "η"):
            cell = self.reading.at(other, k - 1 if name in WEIGHTS else k)
            if other != name and cell is not None:
                options.setdefault(cell, other)
        return [(other, cell) for cell, other in options.items()]

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
            for worlds in (self.worlds.drawn, self.worlds.own):
                values = ((t.value(at, w.cells.value) for t in (tree, other)) for w in worlds)
                if all(is_near(*map(finite, pair)) for pair in values):
                    return term
        return ""


def _moved(edit: Edit, down: int, across: int) -> Edit:
    """The same change in a formula so many rows and columns away."""

    def there(text: str) -> str:
        return "…".join(shifted(part, down, across) for part in text.split("…"))

    text, old, new = map(there, (edit.text, edit.old, edit.new))
    also = edit.also and (there(edit.also[0]), there(edit.also[1]))
    return replace(edit, text=text, old=old, new=new, also=also)
