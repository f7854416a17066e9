"""The formulas of a table against the rules: which cells are right, wrong, or cannot be read.

find/worlds.py says whether a formula is right. What is wrong in it is for explain/.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from core.backprop.network import COLUMNS, GRADIENTS, WEIGHTS
from core.workbook.exercise.quantities import EXAMPLE, FORWARD, HELPERS
from core.workbook.file.book import Cell
from core.workbook.find.layout import Table
from core.workbook.find.reading import Reading, carried
from core.workbook.find.worlds import Worlds, finite, rounding
from core.workbook.formula.functions import Value
from core.workbook.formula.tree import Address, FormulaError, Node
from core.workbook.judge.wrong import Wrong

_HARMLESS = 10
"""Decimals: what rounding to so many cuts off changes nothing that anybody sees."""
_ALIKE = (
    ("h1", "h2", "o1", "o2"),
    ("out_h1", "out_h2", "out_o1", "out_o2"),
    WEIGHTS,
    GRADIENTS,
)
"""Columns that a person who rounds on purpose rounds alike."""


@dataclass
class Verdict:
    """What judging the formulas of a table came to.

    wrong: in the order of the epochs. judged: how many cells were. pasted: cells to be judged by
    their numbers, because they have no formula or none that can be read. unread: cell -> what in
    its formula is not known. empty: cells without content. misread: whether so much disagrees that
    the headers must mean something else.
    """

    wrong: list[Wrong] = field(default_factory=list)
    judged: int = 0
    pasted: set[tuple[str, int]] = field(default_factory=set)
    unread: dict[Address, str] = field(default_factory=dict)
    empty: list[Address] = field(default_factory=list)
    misread: bool = False


def judge_formulas(worlds: Worlds) -> Verdict:
    """The verdict on every computed cell that has a formula, or should have one."""
    columns = _Columns(worlds)
    if columns.are_misread() or _example_changes(worlds.reading):
        return Verdict(misread=True)
    columns.judge()
    _judge_example(worlds.reading, columns.verdict)
    _judge_labels(worlds.reading, columns.verdict)
    return columns.verdict


class _Columns:
    """The judge of a table's columns."""

    def __init__(self, worlds: Worlds) -> None:
        self.worlds, self.reading = worlds, worlds.reading
        self.book, self.table, self.steps = worlds.book, worlds.table, worlds.steps
        known = self.table.columns
        self.names = [n for n in (*COLUMNS, *HELPERS) if n in known and n not in EXAMPLE]
        self.rounding = _Rounding(worlds, self.names)
        self.verdict = Verdict()
        self._pasted_rows: dict[tuple[bool, int], bool] = {}

    def are_misread(self) -> bool:
        """Whether most columns of the forward pass are wrong in most of a few of their rows."""
        last = self.table.epochs - 1
        rows = sorted({0, (last + 1) // 3, 2 * (last + 1) // 3, last})
        found: list[bool] = []
        for name in self.names:
            if name not in FORWARD or self.reading.lacks(name):
                continue
            verdicts = [
                self.worlds.is_right(tree, at, name, k)
                for k in rows
                if (at := self.reading.at(name, k)) and (tree := self.book.readable(at))
                if not self.worlds.unreadable(tree, at)
            ]
            if verdicts:
                found.append(2 * sum(verdicts) < len(verdicts))
        return len(found) > 2 and 2 * sum(found) > len(found)

    def judge(self) -> None:
        """Whole columns where formulas were filled down, what is left cell by cell."""
        live = {name: self._mostly_formulas(name) for name in self.names}
        left: list[tuple[int, str]] = []
        for name in self.names:
            right = self.worlds.right_together(name)
            right -= self.rounding.odd(name, right)
            self.verdict.judged += len(right)
            left += [(k, name) for k in range(self.steps) if k not in right]
        order = {name: place for place, name in enumerate(self.names)}
        for k, name in sorted(left, key=lambda one: (one[0], order[one[1]])):
            at = self.reading.column(name)[k]
            if at is not None:
                typed = live[name] and not self._is_pasted(k, steps=name in WEIGHTS)
                self._judge_cell(Wrong(at, name, k, "formula"), live=typed)

    def _mostly_formulas(self, name: str) -> bool:
        places = self.reading.column(name)[name in WEIGHTS :]
        return 2 * sum(self._has_formula(at) for at in places) > len(places)

    def _has_formula(self, at: Address | None) -> bool:
        cell = self.book.cells.get(at) if at else None
        return cell is not None and cell.formula is not None

    def _is_pasted(self, k: int, *, steps: bool) -> bool:
        """Whether a row holds numbers where others have formulas: then it was pasted, not typed."""
        if (steps, k) not in self._pasted_rows:
            group = [name for name in self.names if (name in WEIGHTS) == steps]
            places = [self.reading.column(name)[k] for name in group]
            cells = [self.book.cells.get(at) for at in places if at]
            bare = sum(cell is not None and _is_bare(cell) for cell in cells)
            self._pasted_rows[steps, k] = len(cells) > 2 and 2 * bare > len(cells)
        return self._pasted_rows[steps, k]

    def _judge_cell(self, one: Wrong, *, live: bool) -> None:
        """`one` says which, and is what it is if its formula is wrong."""
        at, name, k = one[:3]
        cell = self.book.cells.get(at)
        if k == 0 and name in WEIGHTS:
            self._judge_start(one)
        elif cell is None:
            self.verdict.empty.append(at)
            if live:
                self._call(one, "empty")
        elif cell.formula is not None:
            self._judge_formula(one)
        elif isinstance(cell.value, str):
            self._call(one, "text")
        elif live:
            self.verdict.judged += 1
            self._call(one, "typed")
        else:
            self.verdict.pasted.add((name, k))

    def _call(self, one: Wrong, kind: str, said: str = "", right: str = "") -> None:
        self.verdict.wrong.append(one._replace(kind=kind, said=said, right=right))

    def _judge_formula(self, one: Wrong) -> None:
        at, name, k = one[:3]
        try:
            tree = self.book.tree(at)
            assert tree is not None
            self.book.asked(at)  # refuses what asks for too much
            right = self.worlds.is_right(tree, at, name, k)
        except FormulaError as why:
            if "#REF!" in self.book.formula_text(at):
                self._call(one, "deleted")
            else:
                self._leave_unread(one, str(why))
            return
        if not right and (why_not := self.worlds.unreadable(tree, at)):
            self._leave_unread(one, why_not)
        elif not right and (lacking := self.reading.lacks(name)):
            self._leave_unread(one, f"{lacking}, which has no column,")
        else:
            self.verdict.judged += 1
            if not right:
                self.verdict.wrong.append(one)
            elif self.rounding.is_odd(name, tree):
                self._call(one, "rounded", str(self.rounding.decimals(tree)[0]))

    def _leave_unread(self, one: Wrong, why: str) -> None:
        self.verdict.unread[one.at] = why
        if isinstance(self.book.cells[one.at].value, float):
            self.verdict.pasted.add((one.name, one.k))

    def _judge_start(self, one: Wrong) -> None:
        """An initial weight is any number, but a formula there must lead to one, and to its own."""
        reading, at = self.reading, one.at
        text, asked = self.book.formula_text(at), self.book.precedents(at)
        if not text:
            return
        said = ""
        if _of_another(reading, asked, one.name):
            said = f"{text} is that of another."
        elif any(_is_in(a, t, t.columns) for a in asked for t in reading.siblings):
            said = f"{text} goes on from the run before it."
        elif len(asked) > 1 and any(_is_in(a, t, t.weights) for a in asked for t in reading.others):
            self.verdict.unread[at] = "the step from another table to this one"
            return
        elif any(a in reading.known for a in asked):
            said = f"{text} takes it from the table, where nothing stands before it."
        elif not math.isfinite(finite(reading.actual.value(at))):
            said = f"{text} gives no number."
        right = reading.start_elsewhere(one.name) if said else ""
        if said and not right:
            self.verdict.unread[at] = f"the start of {reading.heading(one.name)}"
            return
        self.verdict.judged += 1
        if said:
            self._call(one, "start", said, right)


def _is_bare(cell: Cell) -> bool:
    return cell.formula is None and isinstance(cell.value, float)


class _Rounding:
    """Which formulas round where their like do not."""

    def __init__(self, worlds: Worlds, names: list[str]) -> None:
        self.worlds, self.names = worlds, names
        self._decimals: dict[int, tuple[Node, list[int]]] = {}
        self._columns: dict[str, bool] = {}

    def decimals(self, tree: Node) -> list[int]:
        """The few decimals a formula rounds to; one that was filled down is looked at once."""
        if id(tree) not in self._decimals:
            self._decimals[id(tree)] = tree, [n for n in rounding(tree) if n < _HARMLESS]
        return self._decimals[id(tree)][1]

    def is_odd(self, name: str, tree: Node) -> bool:
        """Whether a formula rounds, and that is not meant: most of its like do not."""
        return bool(self.decimals(tree)) and not self._rounds(name)

    def odd(self, name: str, epochs: set[int]) -> set[int]:
        """The epochs of these whose formula does."""
        places = self.worlds.reading.column(name)
        trees = {k: self.worlds.book.readable(places[k]) for k in epochs}
        return {k for k, tree in trees.items() if tree is not None and self.is_odd(name, tree)}

    def _rounds(self, name: str) -> bool:
        """Whether rounding is meant: a good part of the column rounds, as most of its like do."""
        alike = next((group for group in _ALIKE if name in group), (name,))
        rounds = [self._column_rounds(other) for other in alike if other in self.names]
        return self._column_rounds(name) and 2 * sum(rounds) >= len(rounds)

    def _column_rounds(self, name: str) -> bool:
        if name not in self._columns:
            places = self.worlds.reading.column(name)
            trees = [tree for tree in map(self.worlds.book.readable, places) if tree is not None]
            rounded = [tree for tree in trees if self.decimals(tree)]
            self._columns[name] = 4 * len(rounded) > len(trees)
        return self._columns[name]


def _is_in(at: Address, table: Table, names: Iterable[str]) -> bool:
    return any(at in table.places(name) for name in names)


def _of_another(reading: Reading, asked: list[Address], name: str) -> bool:
    """Whether a formula that only repeats a labelled cell repeats that of another quantity."""
    label = reading.labelled.get(asked[0]) if len(asked) == 1 else None
    return label is not None and label != name


def _example_changes(reading: Reading) -> bool:
    """Whether most inputs and targets are others in many rows: then these are no epochs."""
    names = [name for name in EXAMPLE if name in reading.table.columns]
    changing = 0
    for name in names if reading.table.epochs > 3 else ():
        values = map(reading.actual.value, reading.table.places(name))
        shown = [value for value in values if value is not None]
        usual = getattr(reading.setup, name)
        changing += sum(_same(value, usual) for value in shown) < 0.7 * len(shown)
    return changing > 1 and 2 * changing > len(names)


def _judge_example(reading: Reading, verdict: Verdict) -> None:
    """Inputs and targets are the same in every row."""
    book, table = reading.book, reading.table
    for name in (name for name in EXAMPLE if name in table.columns):
        usual, home = getattr(reading.setup, name), reading.labelled_cell(name)
        number = f"{usual!r}".removesuffix(".0")
        for k, at in enumerate(table.places(name)):
            value, asked = reading.actual.value(at), book.precedents(at)
            if at not in book.cells:
                if any(at in book.precedents(table.at(other, k)) for other in table.columns):
                    verdict.wrong.append(Wrong(at, name, k, "empty", right=number))
                continue
            verdict.judged += 1
            if home is not None and _of_another(reading, asked, name):
                said = f"{asked[0].cell}, {reading.labelled[asked[0]]}"
                right = f"={reading.fixed_reference(home)}"
                verdict.wrong.append(Wrong(at, name, k, "label", said, right))
            elif not _same(value, usual) and not carried(reading, name, k):
                kind = "text" if isinstance(value, str) else "data"
                verdict.wrong.append(Wrong(at, name, k, kind, right=number))


def _judge_labels(reading: Reading, verdict: Verdict) -> None:
    """Initial values that were typed again, and not as the labelled cells have them.

    Only where most agree: a block of labels may belong to another table.
    """
    wrong, agree = [], 0
    for name in (*EXAMPLE, *WEIGHTS):
        home = reading.labelled_cell(name)
        at = reading.table.at(name, 0) if name in reading.table.columns else None
        if home is None or at is None:
            continue
        said = reading.actual.value(home)
        if _same(said, getattr(reading.setup, name)):
            agree += 1
        elif not reading.book.formula_text(at) and math.isfinite(finite(said)):
            wrong.append((name, home, f"{said!r}".removesuffix(".0")))
    if not wrong or agree < max(2, len(wrong)):
        return
    for name, home, number in wrong:
        epochs = reading.table.epochs if name in EXAMPLE else 1
        for k, at in enumerate(reading.table.places(name)[:epochs]):
            verdict.wrong.append(Wrong(at, name, k, "labelled", home.cell, number))


def _same(value: Value, usual: float) -> bool:
    return isinstance(value, float) and math.isclose(value, usual, rel_tol=1e-9, abs_tol=1e-15)
