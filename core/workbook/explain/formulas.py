"""Wrong cells of a table as slips: what a person did there, and what should stand there."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from core.backprop.network import WEIGHTS
from core.workbook.exercise.quantities import EXAMPLE
from core.workbook.explain.edits import Edit
from core.workbook.explain.search import Search
from core.workbook.explain.slips import Slip, law, short
from core.workbook.explain.wording import Wording
from core.workbook.find.worlds import Worlds
from core.workbook.formula.tokens import shifted
from core.workbook.formula.tree import Address, Node, letters, references
from core.workbook.judge.wrong import Wrong


def explained(worlds: Worlds, wrong: Sequence[Wrong]) -> list[Slip]:
    """The slips in the formulas of a table: fewer than wrong cells, where a helper's is behind."""
    return list(_Explanation(worlds).slips(wrong))


class _Explanation:
    def __init__(self, worlds: Worlds) -> None:
        self.worlds, self.reading = worlds, worlds.reading
        self.book, self.table, self.say = worlds.book, worlds.table, worlds.reading.heading
        self.search, self.wording = Search(worlds), Wording(worlds.reading)
        self.mended: set[Address] = set()

    def slips(self, wrong: Sequence[Wrong]) -> Iterator[Slip]:
        """In the order of the wrong cells."""
        for one in wrong:
            match one.kind:
                case "formula":
                    tree = self.book.tree(one.at)
                    assert tree is not None
                    # It may be right by now: a helper that it follows from has been blamed.
                    follows = self.mended and self.worlds.is_right(tree, *one[:3])
                    if not follows:
                        yield self._formula(tree, one)
                case "typed":
                    yield self._typed(one)
                case "start" | "label" | "data" | "labelled":
                    yield self._given(one)
                case _:
                    yield self._plain(one)

    def _plain(self, one: Wrong) -> Slip:
        """An empty cell, text, a reference that is gone, a formula that rounds."""
        at, say, theirs = one.at, self.say(one.name), None
        match one.kind:
            case "empty":
                theirs, merged = "nothing", self.book.merged.get(at)
                why = f" (merged into {merged.cell})" if merged else ""
                told = f"where the rows around it calculate {say}"
                if one.name in EXAMPLE:
                    told = f"so formulas that use it as {say} take 0 for {one.right}"
                cause = f"is empty{why}, {told}."
            case "text":
                theirs = str(self.reading.actual.value(at))[:30]
                cause = f"holds the text “{theirs}”, which is not a number."
            case "deleted":
                cause = "refers to a cell that was deleted (#REF!)."
            case _:
                cause = (
                    f"rounds to {one.said} decimals, which the rows around it do not: all that "
                    "follows is off by what is cut off."
                )
        return self._slip(one, one.kind, f"{at.cell} {cause}", theirs, one.right or None)

    def _given(self, one: Wrong) -> Slip:
        """An initial weight, input or target."""
        at, name, say, kind = one.at, one.name, self.say(one.name), one.kind
        cell, formula = self.book.cells.get(at), self.book.formula_text(at)
        theirs = f"={formula}" if formula else cell.written if cell else "nothing"
        value, home = self.reading.actual.value(at), self.reading.labelled_cell(name)
        shows = short(value) if isinstance(value, float) else "nothing"
        if kind == "start":
            cause = f"should start with {say}, but {one.said}"
        elif kind == "label":
            cause = f"repeats {one.said}, where {say} stands in {home.cell if home else 'another'}."
        elif kind == "data":
            cause = f"holds {shows}; {say} is {one.right} in the other rows."
        else:
            cause = f"holds {shows}, but {say} is {short(float(one.right))} in {one.said}."
        of = {"label": "reference", "labelled": "data"}.get(kind, kind)
        return Slip(at, name, of, f"{at.cell} {cause}", theirs, one.right, (kind, name))

    def _typed(self, one: Wrong) -> Slip:
        """A number where a formula belongs."""
        at, name = one.at, one.name
        right, cell = self._neighbours(name, one.k), self.book.cells[at]
        tree = self.worlds.parse(right, at)
        value, gives = cell.value, tree.value(at, self.reading.actual.value)
        cause = f"{at.cell} is a typed number where the rows around it calculate {self.say(name)}"
        if isinstance(value, float) and isinstance(gives, float) and math.isfinite(gives):
            if abs(value - gives) <= 1e-6 * max(abs(gives), 1e-6):
                cause += "; it is what the formula gives, but it will not follow a change"
            else:
                cause += f": {short(value)} instead of {short(gives)}"
        return self._slip(one, "typed", f"{cause}.", cell.written, f"={right}")

    def _formula(self, tree: Node, one: Wrong) -> Slip:
        """A formula that is not right."""
        at, name, k = one.at, one.name, one.k
        asked, known = references(tree, at), self.reading.known
        if at in asked:
            return self._slip(one, "loop", f"{at.cell} refers to itself, so it has no value.")
        own = [a for a in asked if known.get(a, ("", 0))[0] == name]
        if own and name not in WEIGHTS:
            cause = (
                f"{at.cell} is carried on from {own[0].cell}, as if {self.say(name)} were a "
                f"weight, where {law(name)} calculates it from its own row."
            )
            return self._slip(one, "carried", cause)
        edit = self.search.edit(tree, at, name, k)
        if edit is not None:
            kind = "η" if edit.new_name == "η" else edit.kind
            key: tuple[object, ...] = ()
            if kind != "η":
                key = (edit.old_name, edit.old_away, edit.new_name, edit.said)
            cause = self.wording.of(edit, at, name)
            return self._slip(one, kind, cause, right=f"={edit.text}", key=key)
        if name in WEIGHTS and [known.get(a) for a in asked] == [(name, k - 1)]:
            cause = f"{at.cell} repeats {asked[0].cell}: no step is taken."
            return self._slip(one, "still", cause)
        blamed = self.search.helper(tree, at, name, k)
        if blamed is not None:
            return self._helper(*blamed, name)
        lacking = self.search.lacking_term(tree, at, name, k)
        if lacking:
            cause = f"{at.cell} lacks the term {lacking} that {law(name)} adds."
            return self._slip(one, "term", cause)
        cause = f"{at.cell} does not give {self.say(name)}: {law(name)} has another formula."
        return self._slip(one, "other", cause)

    def _helper(self, edit: Edit, helper: Address, name: str) -> Slip:
        """The slip in a column on the way; from here on the worlds hold what it should."""
        self.mended.add(helper)
        self.worlds = self.worlds.with_helper(helper, self.worlds.parse(edit.text, helper))
        self.search.worlds = self.worlds
        column = helper.row if self.table.across else helper.column
        head = self.book.cells.get(self.table.cell(self.table.head, column))
        title = str(head.value) if head and isinstance(head.value, str) else letters(helper.column)
        cause, theirs = self.wording.of(edit, helper, name), self.book.formula_text(helper)
        key = ("helper", column, edit.kind, edit.new_name)
        return Slip(helper, title[:30], edit.kind, cause, f"={theirs}", f"={edit.text}", key)

    def _slip(
        self,
        one: Wrong,
        kind: str,
        cause: str,
        theirs: str | None = None,
        right: str | None = None,
        key: tuple[object, ...] = (),
    ) -> Slip:
        """A slip; the formula there and the right one are looked up where they are not given."""
        theirs = f"={self.book.formula_text(one.at)}" if theirs is None else theirs
        right = f"={self._neighbours(one.name, one.k)}" if right is None else right
        return Slip(one.at, one.name, kind, cause, theirs, right, (kind, one.name, *key))

    def _neighbours(self, name: str, k: int) -> str:
        """The right formula as the nearest right row of the column writes it, or by the rule."""
        at = self.reading.at(name, k)
        assert at is not None
        rows = range(int(name in WEIGHTS), self.table.steps)
        for other in (row for away in (1, 2, 3) for row in (k - away, k + away) if row in rows):
            there = self.reading.at(name, other)
            tree = self.book.readable(there)
            if there and tree and self.worlds.is_right(tree, there, name, other):
                down, across = at.row - there.row, at.column - there.column
                moved = shifted(self.book.formula_text(there), down, across)
                if self.worlds.is_right(self.worlds.parse(moved, at), at, name, k):
                    return moved
        return self.reading.rule(name, k)
