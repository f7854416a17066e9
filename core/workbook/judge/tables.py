"""A table of the exercise, judged: its formulas, its numbers without formulas, and its η."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from core.backprop.network import WEIGHTS
from core.workbook.find.biases import bias_in
from core.workbook.find.reading import Rate, Reading
from core.workbook.find.worlds import Worlds
from core.workbook.formula.tree import Address
from core.workbook.judge.formulas import Verdict, judge_formulas
from core.workbook.judge.numbers import NumbersVerdict, judge_numbers
from core.workbook.judge.run import Run, run_of


@dataclass(frozen=True, eq=False)
class Judged:
    """What judging a table came to.

    bias: name, value and cell of a bias, where the network has one: then it is another exercise.
    misread: whether so much disagrees that its headers must mean something else. run: its descent.
    """

    reading: Reading
    worlds: Worlds
    run: Run
    formulas: Verdict = field(default_factory=Verdict)
    numbers: NumbersVerdict = field(default_factory=NumbersVerdict)
    bias: tuple[str, float, Address] | None = None
    misread: bool = False


def judge_table(reading: Reading) -> Judged:
    """The verdict on every cell of a table."""
    worlds = Worlds(reading)
    if bias := bias_in(reading):
        return Judged(reading, worlds, replace(run_of(reading), misread=True), bias=bias)
    formulas = judge_formulas(worlds)
    if reading.table.listed:
        formulas.pasted -= {(n, k) for n, k in formulas.pasted if n in WEIGHTS and k}
    numbers = NumbersVerdict() if formulas.misread else judge_numbers(reading, formulas.pasted)
    if formulas.misread or numbers.misread:
        return Judged(reading, worlds, replace(run_of(reading), misread=True), misread=True)
    mended = reading
    if numbers.rate is not None:
        at = reading.rate.at if reading.rate else None
        mended = replace(reading, rate=Rate(numbers.rate, at, "the steps of its weights"))
    wrong = [*formulas.wrong, *numbers.wrong]
    start = {one.name: one.right for one in wrong if one.name in WEIGHTS and one.k == 0}
    known = {name: float(right) for name, right in start.items() if right and right[0] != "="}
    run = replace(run_of(mended, known), formulas=formulas.judged, numbers=len(numbers.judged))
    return Judged(reading, worlds, run, formulas, numbers)
