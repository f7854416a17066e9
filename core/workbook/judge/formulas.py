"""The formulas of a table against the rules: which cells are right, wrong, or cannot be read.

worlds.py says whether a formula is right, explain/diagnosis.py what is wrong in it.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property

from core.backprop.network import COLUMNS, GRADIENTS, WEIGHTS
from core.workbook.explain.diagnosis import Diagnosis, Slip, short
from core.workbook.find.layout import EXAMPLE, FORWARD
from core.workbook.find.reading import HELPERS, Reading, carried
from core.workbook.formula.functions import Value
from core.workbook.formula.tree import Address, FormulaError, Node, references
from core.workbook.judge.worlds import Worlds, finite, rounding

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

    judged: the cells. typed: cells with a number where most of their column is formulas. pasted:
    cells to be judged by their numbers, because they have no formula or none that can be read.
    unread: cell -> what in its formula is not known. empty: cells without content. misread: whether
    so much disagrees that the headers must mean something else.
    """

    slips: list[Slip] = field(default_factory=list)
    judged: list[Address] = field(default_factory=list)
    pasted: set[tuple[str, int]] = field(default_factory=set)
    unread: dict[Address, str] = field(default_factory=dict)
    empty: list[Address] = field(default_factory=list)
    misread: bool = False


def judge(reading: Reading) -> Verdict:
    """The verdict on every computed cell that has a formula, or should have one."""
    return _Judge(reading).verdict()


class _Judge:
    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.book, self.table = reading.book, reading.table
        self.epochs, self.steps = reading.table.epochs, reading.table.steps
        self.say = reading.heading
        self.worlds = Worlds(reading)
        self.diagnosis = Diagnosis(self.worlds)
        self._rounding: dict[str, bool] = {}
        self._roundings: dict[int, list[int]] = {}
        self._filled_down: dict[str, set[int]] = {}

    def verdict(self) -> Verdict:
        verdict = Verdict()
        columns = [name for name in (*COLUMNS, *HELPERS) if self._column(name)]
        columns = [name for name in columns if name not in EXAMPLE]
        if self._is_misread(columns):
            return Verdict(misread=True)
        live = {name: self._mostly_formulas(name) for name in columns}
        steps = [name for name in columns if name in WEIGHTS]
        others = [name for name in columns if name not in WEIGHTS]
        for k in range(self.steps):
            pasted = {
                name for group in (steps, others) if self._is_pasted(group, k) for name in group
            }
            for name in columns:
                self._judge_cell(name, k, verdict, live=live[name] and name not in pasted)
        self._judge_example(verdict)
        self._judge_labels(verdict)
        return verdict

    def _is_misread(self, columns: list[str]) -> bool:
        """Whether most columns of the forward pass are wrong in most of a few of their rows."""
        rows = sorted({0, self.epochs // 3, 2 * self.epochs // 3, self.epochs - 1})
        found: list[bool] = []
        for name in columns:
            if name not in FORWARD:
                continue
            verdicts = []
            for k in rows:
                at = self.reading.at(name, k)
                tree = self.worlds.tree(at) if at else None
                if at and tree and not self.worlds.unreadable(tree, at):
                    verdicts.append(self.worlds.is_right(tree, at, name, k))
            if verdicts and not self.reading.lacks(name):
                found.append(2 * sum(verdicts) < len(verdicts))
        return self._example_changes() or (len(found) > 2 and 2 * sum(found) > len(found))

    def _example_changes(self) -> bool:
        """Whether most inputs and targets are others in many rows: then these are no epochs."""
        names = [name for name in EXAMPLE if name in self.table.columns]
        changing = 0
        for name in names if self.epochs > 3 else ():
            cells = [self.table.at(name, k) for k in range(self.epochs)]
            shown = [v for at in cells if (v := self.reading.actual.value(at)) is not None]
            usual = getattr(self.reading.setup, name)
            changing += sum(_same(value, usual) for value in shown) < 0.7 * len(shown)
        return changing > 1 and 2 * changing > len(names)

    def _is_pasted(self, group: list[str], k: int) -> bool:
        """Whether a row holds numbers where others have formulas: then it was pasted, not typed."""
        cells = [self.book.cells.get(at) for n in group if (at := self.reading.at(n, k))]
        bare = sum(
            c is not None and c.formula is None and isinstance(c.value, float) for c in cells
        )
        return len(cells) > 2 and 2 * bare > len(cells)

    def _column(self, name: str) -> bool:
        return name in self.table.columns or name in self.reading.helpers.values()

    def _mostly_formulas(self, name: str) -> bool:
        first = 1 if name in WEIGHTS else 0
        cells = [self.reading.at(name, k) for k in range(first, self.steps)]
        formulas = [at for at in cells if at and (c := self.book.cells.get(at)) and c.formula]
        return 2 * len(formulas) > len(cells)

    @cached_property
    def _asked(self) -> set[Address]:
        """Every cell that a formula of the table asks for."""
        found: set[Address] = set()
        for at in self.worlds.cells():
            with suppress(FormulaError):
                found.update(self.book.asked(at))
        return found

    def _judge_cell(self, name: str, k: int, verdict: Verdict, *, live: bool) -> None:
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
                cause = f"{at.cell} is empty, where the rows around it calculate {self.say(name)}."
                verdict.slips.append(self.diagnosis.slip(at, name, k, "empty", cause, "nothing"))
            return
        if cell.formula is None:
            if isinstance(cell.value, str):
                cause = f"{at.cell} holds the text “{cell.value[:30]}”, which is not a number."
                verdict.slips.append(
                    self.diagnosis.slip(at, name, k, "text", cause, cell.value[:30])
                )
            elif live:
                verdict.judged.append(at)
                verdict.slips.append(self.diagnosis.typed(at, name, k, cell.written))
            else:
                verdict.pasted.add((name, k))
            return
        try:
            tree = self.book.tree(at)
            assert tree is not None
            self.book.asked(at)  # refuses what asks for too much
            right = k in self._right(name) or self.worlds.is_right(tree, at, name, k)
        except FormulaError as wrong:
            if "#REF!" in (self.book.formula_text(at) or ""):
                cause = f"{at.cell} refers to a cell that was deleted (#REF!)."
                verdict.slips.append(self.diagnosis.slip(at, name, k, "deleted", cause))
                return
            self._leave_unread(name, k, at, str(wrong), verdict)
            return
        if not right and (why := self.worlds.unreadable(tree, at)):
            self._leave_unread(name, k, at, why, verdict)
            return
        if not right and (lacking := self.reading.lacks(name)):
            self._leave_unread(name, k, at, f"{lacking}, which has no column,", verdict)
            return
        verdict.judged.append(at)
        if not right:
            verdict.slips.append(self.diagnosis.wrong(tree, at, name, k))
        elif (decimals := self._decimals(tree)) and not self._rounds(name):
            cause = (
                f"{at.cell} rounds to {decimals[0]} decimals, which the rows around it do not: "
                f"all that follows is off by what is cut off."
            )
            verdict.slips.append(self.diagnosis.slip(at, name, k, "rounded", cause))

    def _decimals(self, tree: Node) -> list[int]:
        """The few decimals a formula rounds to; one that was filled down is looked at once."""
        if id(tree) not in self._roundings:
            self._roundings[id(tree)] = [n for n in rounding(tree) if n < _HARMLESS]
        return self._roundings[id(tree)]

    def _rounds(self, name: str) -> bool:
        """Whether rounding is meant: a good part of the column rounds, as most of its like do."""
        alike = next((group for group in _ALIKE if name in group), (name,))
        rounds = [self._column_rounds(other) for other in alike if self._column(other)]
        return self._column_rounds(name) and 2 * sum(rounds) >= len(rounds)

    def _column_rounds(self, name: str) -> bool:
        if name not in self._rounding:
            cells = [self.reading.at(name, k) for k in range(self.steps)]
            trees = [tree for at in cells if at and (tree := self.worlds.tree(at)) is not None]
            rounded = [tree for tree in trees if self._decimals(tree)]
            self._rounding[name] = 4 * len(rounded) > len(trees)
        return self._rounding[name]

    def _judge_start(self, at: Address, name: str, verdict: Verdict) -> None:
        """An initial weight is any number, but a formula there must lead to one, and to its own."""
        text = self.book.formula_text(at)
        if not text:
            return
        tree = self.worlds.tree(at)
        asked = references(tree, at) if tree is not None else []
        value = self.reading.actual.value(at)
        if self._of_another(asked, name):
            self._accuse_start(at, name, f"{text} is that of another.", verdict)
        elif any(a in self.worlds.cells() for a in asked):
            said = f"{text} takes it from the table, where nothing stands before it."
            self._accuse_start(at, name, said, verdict)
        elif any(a in self._siblings for a in asked):
            said = f"{text} goes on from the run before it."
            self._accuse_start(at, name, said, verdict)
        elif len(asked) > 1 and any(a in self._other_steps for a in asked):
            verdict.unread[at] = "the step from another table to this one"
        elif not math.isfinite(finite(value)):
            self._accuse_start(at, name, f"{text} gives no number.", verdict)
        else:
            verdict.judged.append(at)

    @cached_property
    def _siblings(self) -> set[Address]:
        """The cells of the other runs below the same headers."""
        tables = self.reading.siblings
        return {t.at(name, k) for t in tables for name in t.columns for k in range(t.epochs)}

    @cached_property
    def _other_steps(self) -> set[Address]:
        """The weights of the tables elsewhere."""
        tables = self.reading.others
        return {t.at(name, k) for t in tables for name in t.weights for k in range(t.epochs)}

    def _of_another(self, asked: list[Address], name: str) -> bool:
        """Whether a formula that only repeats a labelled cell repeats that of another quantity."""
        label = self.reading.labelled.get(asked[0]) if len(asked) == 1 else None
        return label is not None and label != name

    def _accuse_start(self, at: Address, name: str, said: str, verdict: Verdict) -> None:
        right = self.reading.start_elsewhere(name)
        if not right:
            verdict.unread[at] = f"the start of {self.say(name)}"
            return
        cause = f"{at.cell} should start with {self.say(name)}, but {said}"
        theirs = f"={self.book.formula_text(at)}"
        verdict.judged.append(at)
        verdict.slips.append(Slip(at, name, "start", cause, theirs, right, ("start", name)))

    def _leave_unread(self, name: str, k: int, at: Address, why: str, verdict: Verdict) -> None:
        verdict.unread[at] = why
        if isinstance(self.book.cells[at].value, float):
            verdict.pasted.add((name, k))

    def _right(self, name: str) -> set[int]:
        """The epochs whose formulas are right, of those that are filled down."""
        if name not in self._filled_down:
            self._filled_down[name] = self.worlds.right_together(name)
        return self._filled_down[name]

    def _judge_example(self, verdict: Verdict) -> None:
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
                    if at in self._asked:
                        merged = self.book.merged.get(at)
                        why = f" (merged into {merged.cell})" if merged else ""
                        cause = (
                            f"{at.cell} is empty{why}, so formulas that use it as "
                            f"{self.say(name)} take 0 for {number}."
                        )
                        verdict.slips.append(
                            Slip(at, name, "empty", cause, "nothing", number, ("empty", name))
                        )
                    continue
                verdict.judged.append(at)
                tree, home = self.worlds.tree(at), self.reading.labelled_cell(name)
                asked_here = references(tree, at) if tree is not None else []
                if home is not None and self._of_another(asked_here, name):
                    other = self.reading.labelled[asked_here[0]]
                    cause = (
                        f"{at.cell} repeats {asked_here[0].cell}, {other}, where {self.say(name)} "
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
                elif not _same(value, usual) and not carried(self.reading, name, k):
                    formula = self.book.formula(at)
                    theirs = f"={formula}" if formula else cell.written
                    shows = f"{value:.6g}" if isinstance(value, float) else "nothing"
                    cause = (
                        f"{at.cell} holds {shows}; {self.say(name)} is {number} in the other rows."
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
            if home is None or at is None:
                continue
            said, used = reading.actual.value(home), getattr(reading.setup, name)
            if _same(said, used):
                agree += 1
            elif self.book.formula_text(at):
                continue
            elif math.isfinite(finite(said)):
                wrong.append((name, at, home, said, used))
        if not wrong or agree < max(2, len(wrong)):
            return
        for name, at, home, said, used in wrong:
            for k in range(self.epochs if name in EXAMPLE else 1):
                there = at if k == 0 else self.table.at(name, k)
                cause = (
                    f"{there.cell} holds {short(used)}, but {self.say(name)} is {short(said)} "
                    f"in {home.cell}."
                )
                number = f"{said!r}".removesuffix(".0")
                theirs = self.book.cells[there].written if there in self.book.cells else "nothing"
                key = ("labelled", name)
                verdict.slips.append(Slip(there, name, "data", cause, theirs, number, key))


def _same(value: Value, usual: float) -> bool:
    return isinstance(value, float) and math.isclose(value, usual, rel_tol=1e-9, abs_tol=1e-15)
