"""What is wrong in a spreadsheet of this exercise, and where.

This module asks the others and puts their answers together: file/ reads, find/ finds the table,
judge/ judges formulas, numbers without formulas and columns of E_total, explain/ finds the slips.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.backprop.network import SEED, WEIGHTS, Array
from core.workbook.explain.diagnosis import Slip
from core.workbook.file.book import FileError
from core.workbook.file.calculate import Calculator
from core.workbook.file.digits import doubt, take_text_for_numbers
from core.workbook.file.read import read
from core.workbook.find.biases import bias_in
from core.workbook.find.layout import EXAMPLE, Table
from core.workbook.find.reading import Rate, Reading, rate_in_texts, read_table
from core.workbook.find.tables import find
from core.workbook.formula.functions import number
from core.workbook.formula.tree import Address, FormulaError, Node
from core.workbook.judge.curves import Curves
from core.workbook.judge.formulas import judge
from core.workbook.judge.numbers import judge_numbers
from core.workbook.judge.worlds import rounding
from core.workbook.mend.repair import trees
from core.workbook.report.case import Case, errors, rate_slips
from core.workbook.report.report import Finding, Report, Run, brief, place

_MOST_CURVES = 12


def check(source: str | Path | bytes) -> Report:
    """Read a workbook or .csv file of this exercise, given as its path or bytes, and judge it.

    Raises FileError, with a sentence for the person who gave it, if it cannot be read or holds no
    table of this exercise.
    """
    book = read(source)
    take_text_for_numbers(book)
    layout = find(book)
    if not layout.tables and not layout.curves:
        raise FileError(
            " ".join(["No table of this exercise was found.", *layout.unread])
            if layout.unread
            else "No table of this exercise was found: no headers such as w1, out_h1, E_total, "
            "∂E/∂w1 side by side with numbers below them."
        )
    return _Check(book, layout).report()


class _Check(Case):
    biased: list[str]

    def report(self) -> Report:
        self.biased = []
        drafts: list[str] = []  # what is said of hidden sheets
        for table in self.layout.tables:
            said = len(self.not_judged)
            self._judge_table(table)
            if table.sheet in self.book.hidden:
                drafts += self.not_judged[said:]
        if self.biased and len(self.biased) == len(self.layout.tables):
            raise FileError(self.biased[0])
        curves = Curves(self)
        for curve in self.layout.curves:
            said = len(self.not_judged)
            curves.judge(curve)
            if curve.sheet in self.book.hidden:
                drafts += self.not_judged[said:]
        curves.say()
        for sheet in self.book.sheets:
            tables = (*self.layout.tables, *self.layout.curves)
            if sheet and sheet not in {table.sheet for table in tables}:
                self.remarks.append(
                    f"The sheet {sheet} has no table of this exercise; it was not judged."
                )
        if self.actual.loops and not self.findings:
            cells = sorted(at.cell for at in self.actual.loops)
            self.not_judged.append(f"Formulas that depend on themselves: {brief(cells)}.")
        self._check_against_engine()
        self._forgive(drafts)
        findings = [self._with_curve(finding) for finding in self.findings[:_MOST_CURVES]]
        findings += self.findings[_MOST_CURVES:]
        return Report(
            self.book,
            tuple(self.runs),
            tuple(findings),
            tuple(dict.fromkeys(self.not_judged)),
            tuple(dict.fromkeys(self.remarks)),
            self.follows,
        )

    # Tables.

    def _judge_table(self, table: Table) -> None:
        reading = read_table(self.book, self.layout, table, self.actual)
        if bias := bias_in(reading):
            self._say_biased(reading, *bias)
            return
        verdict = judge(reading)
        if verdict.misread:
            self._say_misread(reading)
            return
        if table.listed:
            verdict.pasted -= {(n, k) for n, k in verdict.pasted if n in WEIGHTS and k}
            self.not_judged.append(
                f"{table.where}: it lists {table.in_words}. Each line was judged by itself, and "
                "not the steps between them."
            )
        numbers = judge_numbers(reading, verdict.pasted)
        if numbers.misread:
            self._say_misread(reading)
            return
        slips = [*verdict.slips, *numbers.slips]
        if numbers.rate is not None:
            slips += rate_slips(reading, numbers.rate)
            at = reading.rate.at if reading.rate else None
            reading.rate = Rate(numbers.rate, at, "the steps of its weights")
        slips += self._rate_as_text(reading)
        slips += [] if numbers.rate is not None else _rate_told_otherwise(reading)
        unread: dict[str, list[Address]] = {}
        for at, why in verdict.unread.items():
            if at not in numbers.judged:
                unread.setdefault(why, []).append(at)
        for why, places in unread.items():
            sheet = f"{table.sheet}!" if table.sheet else ""
            cells = brief([at.cell for at in places])
            self.not_judged.append(f"{sheet}{cells}: {why} cannot be read.")
        by_value = [at for at in verdict.unread if at in numbers.judged]
        if by_value:
            why = verdict.unread[by_value[0]]
            cells = brief([at.cell for at in by_value])
            self.remarks.append(f"{cells}: {why} cannot be read; judged by the values shown.")
        slipped = {slip.at for slip in slips}
        blank = [at for at in verdict.empty if at not in slipped]
        if blank:
            cells = brief([at.cell for at in blank])
            self.not_judged.append(f"{table.sheet or 'The file'}: nothing stands in {cells}.")
        self.not_judged += [f"{sentence}." for sentence in numbers.vague.values()]
        self._say_missing(reading)
        self.add(reading, slips, len(verdict.judged), len(numbers.judged))

    def _say_biased(self, reading: Reading, name: str, value: float, at: Address) -> None:
        """A network with biases is another exercise."""
        self.biased.append(
            f"Its network has a bias, {name[:30]} = {value:g} in {place(at)}. That is not this "
            "exercise, whose network has none, so none of its cells was called right or wrong."
        )
        self.not_judged.append(f"{reading.table.title}: {self.biased[-1]}")
        self._add_unjudged(reading)

    def _say_misread(self, reading: Reading) -> None:
        """Nobody gets most of a forward pass wrong: the headers mean something else."""
        table = reading.table
        taken = [f"{reading.heading(n)} for {n}" for n in table.columns if reading.heading(n) != n]
        words = f" It was taken {', '.join(taken[:6])}." if taken else ""
        self.not_judged.append(
            f"{table.title}: most of its columns do not hold what their headers seem to say, so "
            f"the table was probably misunderstood, and nothing in it is called wrong.{words}"
        )
        self._add_unjudged(reading)

    def _add_unjudged(self, reading: Reading) -> None:
        self.add(reading, [], 0, 0)
        self.runs[-1] = replace(self.runs[-1], misread=True)

    def _rate_as_text(self, reading: Reading) -> list[Slip]:
        """Text such as "0.5" works in most programs; "0,5" in some countries only."""
        at = reading.rate.at if reading.rate else None
        text = self.actual.value(at) if at else None
        if at is None or not isinstance(text, str):
            return []
        try:
            float(text)
        except ValueError:
            cause = f"{at.cell} holds η as the text “{text[:30]}”, which is not a number."
            right = repr(float(number(text))).removesuffix(".0")
            return [Slip(at, "η", "text", cause, text[:30], right, ("text", "η"))]
        self.remarks.append(
            f"{at.cell} holds η as text. Formulas take it for a number; some programs do not."
        )
        return []

    def _say_missing(self, reading: Reading) -> None:
        unnamed = reading.unnamed()
        if unnamed:
            total = "E_total" not in {*reading.table.columns, *reading.elsewhere}
            (self.not_judged if total else self.remarks).append(
                f"{reading.table.where}: what these columns are was not recognised, so they were "
                f"not judged: {', '.join(unnamed[:12])}."
            )
        if (decimals := self._rounding(reading)) is not None:
            self.remarks.append(
                f"{reading.table.where}: the formulas round to {decimals} decimals, so the run "
                "drifts from the exact one."
            )
        if reading.missing and not reading.elsewhere:
            names = ", ".join(reading.missing)
            numbers = ", ".join(f"{getattr(SEED, name):g}" for name in reading.missing)
            self.remarks.append(
                f"{reading.table.where}: the file does not tell {names}; taken as published: "
                f"{numbers}."
            )
        steps = [w for w in WEIGHTS if w in reading.table.columns]
        rate = reading.rate
        if rate is None and steps and reading.table.epochs > 1:
            self.not_judged.append(
                f"{reading.table.where}: η stands nowhere and cannot be read from the steps."
            )
        if rate is not None and not np.isfinite(rate.value).all():
            self.not_judged.append(f"{reading.table.where}: η, from {rate.said}, is no number.")

    # The whole.

    def _forgive(self, drafts: Sequence[str]) -> None:
        """What a hidden sheet leaves unfinished is no fault of the sheets that are shown."""
        if all(run.misread or run.table.sheet in self.book.hidden for run in self.runs):
            return
        names = tuple(f"{sheet}{mark}" for sheet in self.book.hidden for mark in "!:")
        kept = [s for s in self.not_judged if s not in drafts and not s.startswith(names)]
        forgiven = [sentence for sentence in self.not_judged if sentence not in kept]
        self.not_judged = kept
        self.remarks += [f"On a hidden sheet: {sentence}" for sentence in forgiven]

    def _check_against_engine(self) -> None:
        """Never call right, or mended, what does not come to the engine's numbers."""
        instead = self._try_instead(self.findings)
        calculator = Calculator(self.book, instead=instead) if instead else self.actual
        for index, (reading, run) in enumerate(zip(self.readings, self.runs, strict=True)):
            if "E_total" not in reading.table.columns and "E1" not in reading.table.columns:
                continue
            found = [finding for finding in self.findings if finding.run == index]
            after = np.array([errors(reading, calculator, k) for k in range(run.epochs)])
            room = self._room(reading, run)
            cells = [reading.at("E_total", k) or reading.at("E1", k) for k in range(run.epochs)]
            if not self.follows.keys().isdisjoint(cells):
                continue
            filled = np.array([at in self.book.cells for at in cells])  # blanks were said
            with np.errstate(invalid="ignore"):
                apart = ~(np.abs(after - run.right) <= room) & np.isfinite(run.right) & filled
            off = np.flatnonzero(apart)
            if off.size and not (found and run.numbers):
                k = int(off[0])
                at = cells[k]
                shows = f"{after[k]:.8g}" if math.isfinite(after[k]) else "no number"
                mended = " once its slips are mended" if found else ""
                self.not_judged.append(
                    f"{place(at) if at else run.title}: E_total is {shows}{mended}, where "
                    f"the network has {run.right[k]:.8g}. Why was not found."
                )

    def _try_instead(self, findings: Iterable[Finding]) -> dict[Address, Node | float]:
        contents = {at: right for finding in findings for at, right in finding.changes}
        try:
            return trees(self.book, contents)
        except FormulaError:
            return {}

    def _room(self, reading: Reading, run: Run) -> Array:
        """How far rounded numbers may take E_total from the engine's."""
        room = 1e-8 * np.abs(run.right) + 1e-15
        for name in (*WEIGHTS, *EXAMPLE, "E_total", "E1", "E2"):
            if name in reading.table.columns:
                cells = [self.book.cells.get(reading.table.at(name, k)) for k in range(run.epochs)]
                if any(cell and cell.formula is None for cell in cells[1:]) and name not in EXAMPLE:
                    room = room + 4 * doubt(cells)
        decimals = self._rounding(reading)
        return room if decimals is None else room + (2 + run.epochs) * 10.0**-decimals

    def _rounding(self, reading: Reading) -> int | None:
        """The decimals that the table's own formulas round to, if they do."""
        found = []
        for name in reading.table.columns:
            try:
                tree = self.book.tree(reading.table.at(name, reading.table.epochs - 1))
            except FormulaError:
                continue
            found += rounding(tree) if tree is not None else []
        return min(found, default=None)

    def _with_curve(self, finding: Finding) -> Finding:
        """E_total with this slip alone: all other findings mended."""
        reading = self.readings[finding.run] if finding.run < len(self.readings) else None
        if (
            reading is None
            or self.runs[finding.run].numbers
            or not self.runs[finding.run].has_curve
        ):
            return finding
        others = [other for other in self.findings if other is not finding]
        calculator = Calculator(self.book, instead=self._try_instead(others))
        epochs = range(reading.table.epochs)
        return replace(finding, curve=np.array([errors(reading, calculator, k) for k in epochs]))


def _rate_told_otherwise(reading: Reading) -> list[Slip]:
    """η is typed into the formulas, and a text above them says another."""
    used, told = reading.rate, rate_in_texts(reading)
    if used is None or used.at or used.text or told is None or told.text is None:
        return []
    value, said = float(np.ravel(used.value)[0]), float(np.ravel(told.value)[0])
    if math.isclose(value, said, rel_tol=1e-9) or reading.table.rate is not None:
        return []
    return rate_slips(replace(reading, rate=told), value)
