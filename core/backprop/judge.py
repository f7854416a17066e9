"""Formulas of a table against the rules: which are wrong, what is wrong in them, how to mend them.

A formula is right if it gives the right number whatever stands in the table. So it is calculated in
worlds: tables with weights, inputs, targets and η drawn at random, in which every cell holds what
the right network (network.py) would have there. One cell's slip cannot touch another's verdict,
numbers that happen to agree cannot hide it, and any correct algebra passes.

What is wrong is found by changing the formula: the first change of a reference, an operator, a
bracket or a factor that makes it right in every world is the slip.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations, product

import numpy as np

from core.backprop.cells import Calculator
from core.backprop.formula import (
    Address,
    Call,
    Constant,
    FormulaError,
    Minus,
    Node,
    Operation,
    Token,
    Value,
    letters,
    make_ref,
    parse,
    references,
    shifted,
    tokens,
)
from core.backprop.network import COLUMNS, GRADIENTS, WEIGHTS, Setup
from core.backprop.reading import HELPERS, Reading, State, state_of
from core.backprop.tables import EXAMPLE

_SEARCHES = 2
"""So often a slip is looked for in a column, in vain, before its cells are called merely wrong."""
_TRIALS = 30_000
"""Changes tried in one table; one in a formula of many tokens counts more."""
_LONGEST_MENDED = 150  # tokens: the longest formula of this exercise has 60
_MOST_BEHIND = 200
"""Cells between a formula and the table that are looked at."""


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


@dataclass
class World:
    """Numbers that the right network puts into the cells.

    given: the cells of the table. cells: calculates all others from them.
    """

    given: dict[Address, Value]
    cells: Calculator
    state: State

    def expected(self, name: str, k: int) -> float:
        """What the cell should come to; a weight from the row above."""
        if name in WEIGHTS:
            step = self.state["η"] * self.of(f"∂E/∂{name}", k - 1)
            return float(self.of(name, k - 1) - step)
        return self.of(name, k)

    def of(self, name: str, k: int) -> float:
        """A quantity of epoch k."""
        values = np.asarray(self.state[name])
        return float(values[k]) if values.ndim else float(values)


@dataclass
class Verdict:
    """What judging the formulas of a table came to.

    judged: the cells. typed: cells with a number where most of their column is formulas. pasted:
    cells to be judged by their numbers, because they have no formula or none that can be read.
    unread: cell -> what in its formula is not known. empty: cells without content.
    """

    slips: list[Slip] = field(default_factory=list)
    judged: list[Address] = field(default_factory=list)
    pasted: set[tuple[str, int]] = field(default_factory=set)
    unread: dict[Address, str] = field(default_factory=dict)
    empty: list[Address] = field(default_factory=list)


def judge(reading: Reading) -> Verdict:
    """The verdict on every computed cell that has a formula, or should have one."""
    return _Judge(reading).verdict()


class _Judge:
    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.book, self.table = reading.book, reading.table
        self.epochs = reading.table.epochs
        self._known: dict[Address, tuple[str, int]] = {}
        self.drawn = [self._world(np.random.default_rng(0), drawn=True)]
        self._name_helpers()
        rng = np.random.default_rng(7)
        self.drawn = [self._world(rng, drawn=True) for _ in range(2)]
        self.failed: Counter[str] = Counter()
        self.left = _TRIALS
        self.found: dict[str, _Edit] = {}

    # The worlds.

    @cached_property
    def own(self) -> list[World]:
        """Worlds with the file's own inputs, targets and η."""
        rng = np.random.default_rng(8)
        return [self._world(rng, drawn=False) for _ in range(2)]

    def _world(self, rng: np.random.Generator, *, drawn: bool) -> World:
        """drawn: inputs, targets and η by chance, else the file's; weights always by chance."""
        reading, setup, rate = self.reading, self.reading.setup, self.reading.rate
        epochs = max([self.epochs, *(t.epochs for t in reading.elsewhere.values())])
        example = {name: getattr(setup, name) for name in EXAMPLE}
        eta = 1.0 if rate is None else float(np.ravel(rate.value)[0])
        if drawn:
            example = dict(zip(EXAMPLE, rng.uniform(0.2, 0.9, 4).tolist(), strict=True))
            eta = float(rng.uniform(0.3, 1.7))
        weights = dict(zip(WEIGHTS, rng.uniform(-1.5, 1.5, (8, epochs)), strict=True))
        state = state_of(Setup(**example, **weights), eta)
        given: dict[Address, Value] = {}
        world = World(given, Calculator(self.book), state)
        for name in (*COLUMNS, *HELPERS, "η"):
            for k in range(epochs if name in self._moving() else 1):
                at = reading.at(name, k) if k < self.epochs or name in reading.elsewhere else None
                if at is not None:
                    given[at] = world.of(name, k)
        for at, name in reading.labelled.items():
            same = name in EXAMPLE and reading.actual.value(at) == getattr(setup, name)
            if same and name in self.table.columns:
                given.setdefault(at, world.of(name, 0))
        world.cells.known.update(given)
        return world

    def _moving(self) -> set[str]:
        places = {*self.table.columns, *self.reading.elsewhere, *self.reading.helpers.values()}
        return places - {"epoch"}

    def _name_helpers(self) -> None:
        """What the columns hold that have no header of the table's, where most rows agree on it."""
        table, world = self.table, self.drawn[0]
        named: dict[int, str] = {}
        for column in self._columns_on_the_way():
            cells = [table.cell(line, column) for line in table.lines]
            values = np.array([_finite(world.cells.value(at)) for at in cells])
            for name in HELPERS:
                right = np.atleast_1d(world.state[name])[: len(cells)]
                agree = np.abs(values - right) <= 1e-9 * np.maximum(np.abs(right), 1e-3)
                if 2 * agree.sum() > len(cells) or (len(cells) < 3 and agree.any()):
                    named[column] = name
                    break
        for column in self._turned(named):
            named[column] = table.hints[column]
        for column, name in table.hints.items():
            if column not in named and self._needed(column):
                named[column] = name
        self.reading.helpers = named
        self._known.clear()
        self.__dict__.pop("own", None)  # drawn before the helpers had names

    def _columns_on_the_way(self) -> list[int]:
        """The columns that the table's formulas go through, besides its own."""
        found: dict[int, None] = {}
        for k in range(min(2, self.epochs)):
            for name in self.table.columns:
                behind = self._behind(self.table.at(name, k))
                found |= dict.fromkeys(at.row if self.table.across else at.column for at in behind)
        return sorted(found)

    def _turned(self, named: Mapping[int, str]) -> list[int]:
        """Columns with the opposite sign of their header's, unless all their like have it."""
        hints = self.table.hints
        turned = [c for c, name in hints.items() if named.get(c) == f"−{name}"]
        alike = [c for c, name in hints.items() if name in ("∂E/∂o1", "∂E/∂o2")]
        return [] if set(alike) <= set(turned) else turned

    def _needed(self, column: int) -> bool:
        """Whether a gradient that asks for the column is wrong as it stands."""
        table = self.table
        for name in GRADIENTS:
            at = self.reading.at(name, 0)
            if at is None or name not in table.columns:
                continue
            try:
                tree = self.book.tree(at)
                asks = tree is not None and table.cell(table.lines[0], column) in references(
                    tree, at
                )
                if tree is not None and asks and not self.is_right(tree, at, name, 0):
                    return True
            except FormulaError:
                continue
        return False

    def is_right(self, tree: Node, at: Address, name: str, k: int) -> bool:
        """Whether a formula gives the right number in every world.

        If it holds numbers of its own (a target typed into it, say), in those with the file's.
        """
        tree = unrounded(tree)
        if all(self._agrees(world, tree, at, name, k) for world in self.drawn):
            return True
        if not references(tree, at):
            return self._is_own_number(tree, at, name, k)
        if not self._holds_numbers(tree, at, name):
            return False
        return all(self._agrees(world, tree, at, name, k) for world in self.own)

    def _is_own_number(self, tree: Node, at: Address, name: str, k: int) -> bool:
        """Whether a formula of numbers alone gives what the row it stands in gives."""
        right = self._parse(self.reading.rule(name, k), at)
        value, gives = (_finite(t.value(at, self.reading.actual.value)) for t in (tree, right))
        return abs(value - gives) <= 1e-9 * max(abs(gives), 1e-4)

    def _agrees(self, world: World, tree: Node, at: Address, name: str, k: int) -> bool:
        value = _finite(tree.value(at, world.cells.value))
        right = world.expected(name, k)
        return abs(value - right) <= 1e-9 * max(abs(right), 1e-4)

    def _holds_numbers(self, tree: Node, at: Address, name: str) -> bool:
        reading = self.reading
        if name in WEIGHTS and (reading.rate is None or reading.rate.at is None):
            return True
        if any(reading.at(n, 0) is None for n in EXAMPLE):
            return True
        if any(number not in (0.0, 0.5, 1.0, 2.0) for number in _numbers(tree)):
            return True
        given, seen, todo = self.drawn[0].cells, set[Address](), list(references(tree, at))
        while todo:
            asked = todo.pop()
            if asked in seen or self._settled(asked):
                continue
            if len(seen) > _MOST_BEHIND:
                return True
            seen.add(asked)
            inner = given.instead.get(asked) or self._tree(asked)
            if inner is None or isinstance(inner, float):
                return True
            todo += references(inner, asked)
        return False

    def _settled(self, at: Address) -> bool:
        """Whether a world says what the cell holds, rather than the file."""
        return at in self._cells()

    def _cells(self) -> dict[Address, tuple[str, int]]:
        """Every cell of the table, and of those it refers to: its quantity and epoch."""
        if not self._known:
            reading = self.reading
            for name in (*COLUMNS, *HELPERS, "η"):
                for k in range(self.epochs):
                    at = reading.at(name, k)
                    if at is not None:
                        self._known.setdefault(at, (name, k))
            for at, name in reading.labelled.items():
                if name in EXAMPLE and reading.actual.value(at) == getattr(reading.setup, name):
                    self._known.setdefault(at, (name, 0))
        return self._known

    def _tree(self, at: Address) -> Node | None:
        try:
            return self.book.tree(at)
        except FormulaError:
            return None

    # The verdict.

    def verdict(self) -> Verdict:
        verdict = Verdict()
        columns = [name for name in (*COLUMNS, *HELPERS) if self._column(name)]
        columns = [name for name in columns if name not in EXAMPLE]
        live = {name: self._mostly_formulas(name) for name in columns}
        asked: set[Address] = set()
        for k in range(self.epochs):
            for name in columns:
                self._judge_cell(name, k, verdict, asked, live=live[name])
        self._judge_example(verdict, asked)
        self._judge_labels(verdict)
        return verdict

    def _column(self, name: str) -> bool:
        return name in self.table.columns or name in self.reading.helpers.values()

    def _mostly_formulas(self, name: str) -> bool:
        first = 1 if name in WEIGHTS else 0
        cells = [self.reading.at(name, k) for k in range(first, self.epochs)]
        formulas = [at for at in cells if at and (c := self.book.cells.get(at)) and c.text]
        return 2 * len(formulas) > len(cells)

    def _judge_cell(
        self, name: str, k: int, verdict: Verdict, asked: set[Address], *, live: bool
    ) -> None:
        at = self.reading.at(name, k)
        if at is None:
            return
        if k == 0 and name in WEIGHTS:
            self._judge_start(at, name, verdict)
            return
        cell = self.book.cells.get(at)
        if cell is None:
            verdict.empty.append(at)
            if live:
                cause = f"{at.cell} is empty, where the rows around it calculate {self._say(name)}."
                verdict.slips.append(self._slip(at, name, k, "empty", cause, "nothing"))
            return
        if cell.text is None:
            if isinstance(cell.value, str):
                cause = f"{at.cell} holds the text “{cell.value[:30]}”, which is not a number."
                verdict.slips.append(self._slip(at, name, k, "text", cause, cell.value[:30]))
            elif live:
                verdict.judged.append(at)
                verdict.slips.append(self._typed(at, name, k, cell.written))
            else:
                verdict.pasted.add((name, k))
            return
        try:
            tree = self.book.tree(at)
            assert tree is not None
            asked.update(self.book.asked(at))
            right = self.is_right(tree, at, name, k)
        except FormulaError as wrong:
            if "#REF!" in (self.book.formula_text(at) or ""):
                cause = f"{at.cell} refers to a cell that was deleted (#REF!)."
                verdict.slips.append(self._slip(at, name, k, "deleted", cause))
                return
            self._leave_unread(name, k, at, str(wrong), verdict)
            return
        if not right and (why := self._unreadable(tree, at)):
            self._leave_unread(name, k, at, why, verdict)
            return
        verdict.judged.append(at)
        if not right:
            verdict.slips.append(self._diagnose(tree, at, name, k))

    def _judge_start(self, at: Address, name: str, verdict: Verdict) -> None:
        """An initial weight is any number, but a formula there must lead to one, and to its own."""
        text = self.book.formula_text(at)
        if not text:
            return
        tree = self._tree(at)
        asked = references(tree, at) if tree is not None else []
        value = self.reading.actual.value(at)
        if self._of_another(asked, name):
            self._accuse_start(at, name, f"{text} is that of another.", verdict)
        elif any(a in self._cells() for a in asked):
            said = f"{text} takes it from the table, where nothing stands before it."
            self._accuse_start(at, name, said, verdict)
        elif not math.isfinite(_finite(value)):
            self._accuse_start(at, name, f"{text} gives no number.", verdict)
        else:
            verdict.judged.append(at)

    def _of_another(self, asked: list[Address], name: str) -> bool:
        """Whether a formula that only repeats a labelled cell repeats that of another quantity."""
        label = self.reading.labelled.get(asked[0]) if len(asked) == 1 else None
        return label is not None and label != name

    def _accuse_start(self, at: Address, name: str, said: str, verdict: Verdict) -> None:
        home = self.reading.labelled_cell(name)
        if home is None:
            verdict.unread[at] = f"the start of {self._say(name)}"
            return
        cause = f"{at.cell} should start with {self._say(name)}, but {said}"
        right = self.reading.fixed_reference(home)
        verdict.judged.append(at)
        verdict.slips.append(self._slip(at, name, 0, "start", cause, right=right))

    def _unreadable(self, tree: Node, at: Address) -> str | None:
        """What could not be read in the cells behind a formula that are no cells of the table."""
        unread = self.drawn[0].cells.unread
        todo, seen = list(references(tree, at)), set[Address]()
        while todo and unread and len(seen) <= _MOST_BEHIND:
            asked = todo.pop()
            if asked in unread:
                return f"{unread[asked]} in {asked.cell}"
            if asked in seen or self._settled(asked):
                continue
            seen.add(asked)
            inner = self._tree(asked)
            todo += references(inner, asked) if inner is not None else []
        return None

    def _leave_unread(self, name: str, k: int, at: Address, why: str, verdict: Verdict) -> None:
        verdict.unread[at] = why
        if isinstance(self.book.cells[at].value, float):
            verdict.pasted.add((name, k))

    def _judge_example(self, verdict: Verdict, asked: set[Address]) -> None:
        """Inputs and targets are the same in every row."""
        for name in EXAMPLE:
            if name not in self.table.columns:
                continue
            usual = getattr(self.reading.setup, name)
            for k in range(self.epochs):
                at = self.table.at(name, k)
                value, cell = self.reading.actual.value(at), self.book.cells.get(at)
                number = f"{usual!r}".removesuffix(".0")
                if cell is None:
                    if at in asked:
                        merged = self.book.merged.get(at)
                        why = f" (merged into {merged.cell})" if merged else ""
                        cause = (
                            f"{at.cell} is empty{why}, so formulas that use it as "
                            f"{self._say(name)} take 0 for {number}."
                        )
                        verdict.slips.append(
                            Slip(at, name, "empty", cause, "nothing", number, ("empty", name))
                        )
                    continue
                verdict.judged.append(at)
                tree, home = self._tree(at), self.reading.labelled_cell(name)
                asked_here = references(tree, at) if tree is not None else []
                if home is not None and self._of_another(asked_here, name):
                    other = self.reading.labelled[asked_here[0]]
                    cause = (
                        f"{at.cell} repeats {asked_here[0].cell}, {other}, where {self._say(name)} "
                        f"stands in {home.cell}."
                    )
                    theirs = f"={self.book.formula_text(at)}"
                    right = f"={self.reading.fixed_reference(home)}"
                    key = ("label", name)
                    verdict.slips.append(Slip(at, name, "reference", cause, theirs, right, key))
                elif isinstance(value, str):
                    cause = f"{at.cell} holds the text “{value[:30]}”, which is not a number."
                    slip = Slip(at, name, "text", cause, value[:30], number, ("text", name))
                    verdict.slips.append(slip)
                elif not _same(value, usual):
                    formula = self.book.formula(at)
                    theirs = f"={formula}" if formula else cell.written
                    shows = f"{value:.6g}" if isinstance(value, float) else "nothing"
                    cause = (
                        f"{at.cell} holds {shows}; {self._say(name)} is {number} in the other rows."
                    )
                    slip = Slip(at, name, "data", cause, theirs, number, ("data", name))
                    verdict.slips.append(slip)

    def _judge_labels(self, verdict: Verdict) -> None:
        """Initial values that were typed again, and not as the labelled cells have them.

        Only where most agree: a block of labels may belong to another table.
        """
        reading, wrong, agree = self.reading, [], 0
        for name in (*EXAMPLE, *WEIGHTS):
            home = reading.labelled_cell(name)
            at = reading.table.at(name, 0) if name in self.table.columns else None
            if home is None or at is None or self.book.formula_text(at):
                continue
            said, used = reading.actual.value(home), getattr(reading.setup, name)
            if _same(said, used):
                agree += 1
            elif isinstance(said, float):
                wrong.append((name, at, home, said, used))
        if not wrong or agree < max(2, len(wrong)):
            return
        for name, at, home, said, used in wrong:
            for k in range(self.epochs if name in EXAMPLE else 1):
                there = at if k == 0 else self.table.at(name, k)
                cause = (
                    f"{there.cell} holds {_short(used)}, but {self._say(name)} is {_short(said)} "
                    f"in {home.cell}."
                )
                number = f"{said!r}".removesuffix(".0")
                theirs = self.book.cells[there].written if there in self.book.cells else "nothing"
                key = ("labelled", name)
                verdict.slips.append(Slip(there, name, "data", cause, theirs, number, key))

    def _say(self, name: str) -> str:
        return self.reading.heading(name)

    # What is wrong.

    def _slip(
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
        theirs = f"={self.book.formula_text(at)}" if theirs is None else theirs
        right = self._neighbours(name, k) if right is None else right
        return Slip(at, name, kind, cause, theirs, f"={right}", (kind, name, *key))

    def _neighbours(self, name: str, k: int) -> str:
        """The right formula as the nearest right row of the column writes it, or by the rule."""
        at = self.reading.at(name, k)
        assert at is not None
        for other in sorted(range(self.epochs), key=lambda row: abs(row - k)):
            there = self.reading.at(name, other)
            if other == k or there is None or abs(other - k) > 3:
                continue
            try:
                tree, formula = self.book.tree(there), self.book.formula(there)
                if tree is None or formula is None or (other == 0 and name in WEIGHTS):
                    continue
                if self.is_right(tree, there, name, other):
                    moved = shifted(formula, at.row - there.row, at.column - there.column)
                    if self.is_right(self._parse(moved, at), at, name, k):
                        return moved
            except FormulaError:
                continue
        return self.reading.rule(name, k)

    def _parse(self, text: str, at: Address) -> Node:
        return parse(text, at, self.book.names_for(at))

    def _typed(self, at: Address, name: str, k: int, written: str) -> Slip:
        right = self._neighbours(name, k)
        tree = self._parse(right, at)
        value, gives = self.book.cells[at].value, tree.value(at, self.reading.actual.value)
        cause = f"{at.cell} is a typed number where the rows around it calculate {self._say(name)}"
        if isinstance(value, float) and isinstance(gives, float) and math.isfinite(gives):
            if abs(value - gives) <= 1e-6 * max(abs(gives), 1e-6):
                cause += "; it is what the formula gives, but it will not follow a change"
            else:
                cause += f": {_short(value)} instead of {_short(gives)}"
        return self._slip(at, name, k, "typed", f"{cause}.", written, right)

    def _diagnose(self, tree: Node, at: Address, name: str, k: int) -> Slip:
        asked = references(tree, at)
        formula = self.book.formula(at) or ""
        if at in asked:
            cause = f"{at.cell} refers to itself, so it has no value."
            return self._slip(at, name, k, "loop", cause)
        own = [a for a in asked if self._cells().get(a, ("", 0))[0] == name]
        if own and name not in WEIGHTS:
            said = self._law(name)
            cause = (
                f"{at.cell} is carried on from {own[0].cell}, as if {self._say(name)} were a "
                f"weight, where {said} calculates it from its own row."
            )
            return self._slip(at, name, k, "carried", cause)
        edit = self._search(formula, at, name, k)
        if edit is not None:
            cause = self._explain(edit, at, name, k)
            kind = "η" if edit.new_name == "η" else edit.kind
            key: tuple[object, ...] = ()
            if kind != "η":
                key = (edit.old_name, edit.old_away, edit.new_name, edit.said)
            return self._slip(at, name, k, kind, cause, right=edit.text, key=key)
        if name in WEIGHTS and [self._cells().get(a) for a in asked] == [(name, k - 1)]:
            cause = f"{at.cell} repeats {asked[0].cell}: no step is taken."
            return self._slip(at, name, k, "still", cause)
        blamed = self._blame_helper(tree, at, name, k)
        if blamed is not None:
            return blamed
        lacking = self._lacking_term(tree, at, name, k)
        if lacking:
            cause = f"{at.cell} lacks the term {lacking} that {self._law(name)} adds."
            return self._slip(at, name, k, "term", cause)
        cause = f"{at.cell} does not give {self._say(name)}: {self._law(name)} has another formula."
        return self._slip(at, name, k, "other", cause)

    def _blame_helper(self, tree: Node, at: Address, name: str, k: int) -> Slip | None:
        """The slip in a column on the way, if changing one thing there makes this cell right."""
        for helper in reversed(self._behind(at)):
            formula = self.book.formula_text(helper)
            column = helper.row if self.table.across else helper.column
            key = f"column {column}"
            if self.failed[key] >= _SEARCHES or len(formula) > 1000:
                continue
            last, tried = self.found.get(key), set[str]()
            edits = list(self._edits(tokens(formula), helper, name, k))
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

    def _behind(self, at: Address) -> list[Address]:
        """The cells with formulas, here or a row above, that lead a formula to the table's."""
        found: list[Address] = []
        todo = list(self._asked(at))
        while todo and len(found) <= _MOST_BEHIND:
            asked = todo.pop(0)
            away = at.column - asked.column if self.table.across else at.row - asked.row
            other = asked.sheet != at.sheet or away not in (0, 1)
            if asked in found or self._settled(asked) or other:
                continue
            if self._tree(asked) is not None:
                found.append(asked)
                todo += self._asked(asked)
        return found

    def _asked(self, at: Address) -> list[Address]:
        try:
            return self.book.asked(at)
        except FormulaError:
            return []

    def _mends_helper(
        self, edit: _Edit, helper: Address, tree: Node, at: Address, name: str, k: int
    ) -> bool:
        self.left -= 1
        try:
            other = self._parse(edit.text, helper)
        except FormulaError:
            return False
        for world in self.drawn:
            value = other.value(helper, world.cells.value)
            cells = Calculator(self.book, {**world.given, helper: value})
            if not self._agrees(World(world.given, cells, world.state), tree, at, name, k):
                return False
        return True

    def _helper_slip(self, edit: _Edit, helper: Address, name: str, k: int) -> Slip:
        """The slip; from here on the worlds hold what the helper should."""
        tree = self._parse(edit.text, helper)
        passed = [*self._behind(self._at(name, k)), helper]
        for world in (*self.drawn, *self.own):
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
        for term, shorter in without_a_term(self.reading.rule(name, k)):
            other = parse(shorter, at)
            pairs = [
                (_finite(tree.value(at, w.cells.value)), _finite(other.value(at, w.cells.value)))
                for w in (*self.drawn, *self.own)
            ]
            for world in (pairs[:2], pairs[2:]):
                if all(abs(a - b) <= 1e-9 * max(abs(b), 1e-4) for a, b in world):
                    return term
        return ""

    def _law(self, name: str) -> str:
        if name in WEIGHTS:
            return "gradient descent"
        if name.startswith("E"):
            return "the error"
        return "the chain rule" if name in (*GRADIENTS, *HELPERS) else "the forward pass"

    def _search(self, formula: str, at: Address, name: str, k: int) -> _Edit | None:
        """The first change that makes the formula right."""
        pieces = tokens(formula)
        last = self.found.get(name)
        if last is not None and len(pieces) <= _LONGEST_MENDED:
            for edit in self._edits(pieces, at, name, k):
                if edit.alike(last) and self._mends(edit, at, name, k):
                    return edit
        if self.failed[name] >= _SEARCHES or self.left < 0 or len(pieces) > _LONGEST_MENDED:
            return None
        tried: set[str] = set()
        for edit in self._edits(pieces, at, name, k):
            if edit.text in tried:
                continue
            tried.add(edit.text)
            if self._mends(edit, at, name, k):
                self.found[name] = edit
                return edit
        self.failed[name] += 1
        return None

    def _mends(self, edit: _Edit, at: Address, name: str, k: int) -> bool:
        self.left -= 1 + len(edit.text) // 200
        try:
            return self.is_right(self._parse(edit.text, at), at, name, k)
        except FormulaError:
            return False

    def _edits(self, pieces: list[Token], at: Address, name: str, k: int) -> Iterator[_Edit]:
        """Changes of one thing, the likeliest first; at last of two references at once."""
        options = list(self._options(name, k))
        yield from self._other_references(pieces, at, options)
        yield from _other_signs(pieces)
        yield from _other_brackets(pieces)
        yield from self._other_numbers(pieces)
        yield from self._other_factors(pieces, options)
        yield from self._two_references(pieces, at, options)

    def _options(self, name: str, k: int) -> Iterator[tuple[str, int, Address]]:
        """The cells that a right formula may refer to, those of the rule first."""
        row = k - 1 if name in WEIGHTS else k
        needed = tokens_of_rule(self.reading.rule(name, k), self._at(name, k))
        known = self._cells()
        for at in needed:
            if at in known:
                yield (*known[at], at)
        for other in (*HELPERS, *COLUMNS, "η"):
            cell = self.reading.at(other, row)
            if other != name and cell is not None and cell not in needed:
                yield other, row, cell

    def _at(self, name: str, k: int) -> Address:
        at = self.reading.at(name, k)
        assert at is not None
        return at

    def _other_references(
        self, pieces: list[Token], at: Address, options: list[tuple[str, int, Address]]
    ) -> Iterator[_Edit]:
        olds = list(dict.fromkeys(p.text for p in pieces if p.kind == "ref"))
        for new_name, _, new in options:
            for old in olds:
                if make_ref(old, at).at(at) == new:
                    continue
                text = self._written(new, new_name, old, at)
                everywhere = [i for i, p in enumerate(pieces) if p.text == old]
                for places in (everywhere, *([i] for i in everywhere if len(everywhere) > 1)):
                    changed = dict.fromkeys(places, text)
                    yield self._reference_edit(pieces, changed, old, text, new_name, at)

    def _reference_edit(
        self,
        pieces: list[Token],
        changed: Mapping[int, str],
        old: str,
        new: str,
        new_name: str,
        at: Address,
    ) -> _Edit:
        there = make_ref(old, at).at(at)
        name, _ = self._cells().get(there, ("", 0))
        away = there.row - at.row if name else 0
        return _Edit(
            _joined(pieces, changed),
            "reference",
            old=old,
            new=new,
            old_name=name,
            new_name=new_name,
            old_away=away,
        )

    def _written(self, new: Address, name: str, old: str, at: Address) -> str:
        """The new reference as its formula would write it, with the $ of the old one."""
        fixed = re.match(r"(?:.*!)?(\$?)[A-Za-z]+(\$?)", old)
        assert fixed
        text = new.cell
        if name == "η" and "η" not in self.table.columns:
            text = re.sub(r"([A-Z]+)(\d+)", r"$\1$\2", text)
        elif fixed[1] and not fixed[2]:
            text = f"${text}"
        if new.sheet != at.sheet:
            sheet = new.sheet.replace("'", "''")
            text = f"'{sheet}'!{text}"
        return text

    def _other_numbers(self, pieces: list[Token]) -> Iterator[_Edit]:
        rate = self.reading.rate
        numbers = ["0.5", "1", "2"]
        if rate is not None and rate.at is None:
            numbers.insert(0, f"{float(np.ravel(rate.value)[0])!r}".removesuffix(".0"))
        for i, piece in enumerate(pieces):
            if piece.kind == "number":
                for number in numbers:
                    text = _joined(pieces, {i: number})
                    yield _Edit(text, "number", old=piece.text, new=number)

    def _other_factors(
        self, pieces: list[Token], options: list[tuple[str, int, Address]]
    ) -> Iterator[_Edit]:
        whole = _joined(pieces, {})
        yield _Edit(f"-({whole})", "sign", said="all of it")
        factors = ["0.5", "2"]
        for _, _, at in options[:12]:
            factors += [at.cell, f"(1-{at.cell})", f"{at.cell}*(1-{at.cell})"]
        for factor in factors:
            yield _Edit(f"({whole})*{factor}", "factor", new=factor, said="lacks")
            yield _Edit(f"({whole})/({factor})", "factor", new=factor, said="has")
        solid = [i for i, p in enumerate(pieces) if p.kind in ("ref", "number")]
        for i in solid:
            for factor in factors[2:]:
                changed = {i: f"{pieces[i].text}*{factor}"}
                yield _Edit(_joined(pieces, changed), "factor", new=factor, said="lacks")

    def _two_references(
        self, pieces: list[Token], at: Address, options: list[tuple[str, int, Address]]
    ) -> Iterator[_Edit]:
        olds = {
            p.text: _kind(self._cells().get(make_ref(p.text, at).at(at), ("", 0))[0])
            for p in pieces
            if p.kind == "ref"
        }
        for pair in combinations(olds, 2):
            alike = [[o for o in options if _kind(o[0]) == olds[old]][:8] for old in pair]
            for (name_a, _, a), (name_b, _, b) in product(*alike):
                changed: dict[int, str] = {}
                for old, new_name, new in ((pair[0], name_a, a), (pair[1], name_b, b)):
                    text = self._written(new, new_name, old, at)
                    changed |= {i: text for i, p in enumerate(pieces) if p.text == old}
                edit = self._reference_edit(
                    pieces, changed, pair[0], self._written(a, name_a, pair[0], at), name_a, at
                )
                other = self._written(b, name_b, pair[1], at)
                second, _ = self._cells().get(make_ref(pair[1], at).at(at), ("", 0))
                edit.said = f"{second}→{name_b}"
                edit.also = (pair[1], other, name_b)
                yield edit

    # In words.

    def _explain(self, edit: _Edit, at: Address, name: str, k: int) -> str:
        law = self._law(name)
        if edit.kind == "reference":
            words = (
                f"{at.cell} uses {self._cell_in_words(edit.old, at)} where {law} has "
                f"{self._cell_in_words(edit.new, at)}"
            )
            if edit.new_name == "η" and edit.also is None:
                taken = self._cell_in_words(edit.old, at).rstrip(",")
                words = f"{at.cell} takes η from {taken}; η stands in {edit.new}"
            if edit.also:
                old, new, _ = edit.also
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
        known = self._cells().get(at)
        if known is None:
            cell = self.book.cells.get(at)
            if cell is None:
                return f"{plain}, an empty cell,"
            if isinstance(cell.value, str):
                return f"{plain}, the text “{cell.value[:20]}”,"
            value = self.reading.actual.value(at)
            return f"{plain}, {_short(value)}," if isinstance(value, float) else f"{plain}"
        name, _ = known
        line = at.column if self.table.across else at.row
        own = here.column if self.table.across else here.row
        if name not in ("η", *EXAMPLE) and line not in (own, own - 1):
            return f"{plain}, {self._say(name)} of {abs(own - line)} rows away,"
        return f"{plain}, {self._say(name)},"


@dataclass
class _Edit:
    """A change of a formula: the new text, and what was changed, for the sentence about it."""

    text: str
    kind: str
    old: str = ""
    new: str = ""
    old_name: str = ""
    new_name: str = ""
    old_away: int = 0
    said: str = ""
    also: tuple[str, str, str] | None = None

    def alike(self, other: _Edit) -> bool:
        """Whether it is the same slip as in another row."""
        same = (self.kind, self.new_name, self.said) == (other.kind, other.new_name, other.said)
        return same and (self.kind != "reference" or self.old_name == other.old_name)


def tokens_of_rule(rule: str, at: Address) -> list[Address]:
    """The cells that a rule in cells asks for, each once."""
    return list(dict.fromkeys(references(parse(rule, at), at)))


def _kind(name: str) -> str:
    """Alike for w1 … w8, for out_o1 and out_o2, and so on."""
    return name.rstrip("12345678")


def _joined(pieces: list[Token], changed: Mapping[int, str]) -> str:
    return "".join(changed.get(i, piece.text) for i, piece in enumerate(pieces))


def _other_signs(pieces: list[Token]) -> Iterator[_Edit]:
    for i, piece in enumerate(pieces):
        if piece.text not in ("+", "-", "*", "/", "^"):
            continue
        old = _around(pieces, i, piece.text)
        for sign in "-+*/^":
            if sign != piece.text:
                new = _around(pieces, i, sign)
                yield _Edit(
                    _joined(pieces, {i: sign}), "operator", old, new, said=f"{piece.text}{sign}"
                )


def _around(pieces: list[Token], i: int, sign: str) -> str:
    """The operator with its neighbours, as far as they are single cells or numbers."""
    left = pieces[i - 1].text if i and pieces[i - 1].kind in ("ref", "number") else "…"
    after = pieces[i + 1] if i + 1 < len(pieces) else None
    right = after.text if after and after.kind in ("ref", "number") else "…"
    return f"{left}{sign}{right}"


def _other_brackets(pieces: list[Token]) -> Iterator[_Edit]:
    """Brackets set around two or three operands that stand side by side, or one pair dropped."""
    solid = [i for i, p in enumerate(pieces) if p.kind != "space"]
    starts = [
        i for i in solid if pieces[i].kind in ("ref", "number", "call") or pieces[i].text == "("
    ]
    ends = [i for i in solid if pieces[i].kind in ("ref", "number") or pieces[i].text == ")"]
    for i in starts:
        for j in ends:
            inside = [p.text for p in pieces[i : j + 1]]
            if 1 < j - i < 40 and inside.count("(") == inside.count(")"):
                changed = {i: f"({pieces[i].text}", j: f"{pieces[j].text})"}
                inner = "".join(inside)
                yield _Edit(_joined(pieces, changed), "brackets", inner, f"({inner})", said="in")
    opened: list[int] = []
    for i, piece in enumerate(pieces):
        if piece.text == "(":
            opened.append(i)
        elif piece.text == ")" and opened:
            first = opened.pop()
            if first == 0 or pieces[first - 1].kind != "call":
                inner = "".join(p.text for p in pieces[first + 1 : i])
                changed = {first: "", i: ""}
                yield _Edit(_joined(pieces, changed), "brackets", f"({inner})", inner, said="out")


def unrounded(tree: Node) -> Node:
    """The tree without ROUND: what it rounds is right or wrong before."""
    match tree:
        case Call("ROUND", (inner, _)):
            return unrounded(inner)
        case Call(name, arguments):
            return Call(name, tuple(map(unrounded, arguments)))
        case Operation(sign, left, right):
            return Operation(sign, unrounded(left), unrounded(right))
        case Minus(operand):
            return Minus(unrounded(operand))
    return tree


def rounding(tree: Node) -> list[int]:
    """The decimals of each ROUND in a tree."""
    found = [n for part in tree.parts() for n in rounding(part)]
    match tree:
        case Call("ROUND", (_, Constant(float(decimals)))):
            found.append(int(decimals))
    return found


def without_a_term(rule: str) -> Iterator[tuple[str, str]]:
    """Each addend of a rule, and the rule without it."""
    pieces = tokens(rule)
    for i, piece in enumerate(pieces):
        if piece.text not in "+-" or not i or pieces[i - 1].text in "(+-*/^":
            continue
        first, last = _reach(pieces, i, -1), _reach(pieces, i, 1)
        for start, end in ((first, i), (i, last)):
            inside = "".join(p.text for p in pieces[start : end + 1]).strip("+-")
            yield inside, _joined(pieces, dict.fromkeys(range(start, end + 1), ""))


def _reach(pieces: list[Token], i: int, step: int) -> int:
    """How far the operand of the + or − at `i` goes to the left (−1) or right (1)."""
    depth, last = 0, i
    at = i + step
    while 0 <= at < len(pieces):
        text = pieces[at].text
        depth += (text == "(") - (text == ")")
        if depth * step < 0 or (depth == 0 and text in ("+", "-", ",")):
            break
        last = at
        at += step
    return last


def _numbers(tree: Node) -> Iterator[float]:
    if isinstance(tree, Constant) and isinstance(tree.content, float):
        yield tree.content
    for part in tree.parts():
        yield from _numbers(part)


def _finite(value: Value) -> float:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else math.nan


def _same(value: Value, usual: float) -> bool:
    return isinstance(value, float) and math.isclose(value, usual, rel_tol=1e-9, abs_tol=1e-15)


def _short(value: float) -> str:
    return f"{value:.6g}"
