"""Columns of E_total alone, one for each η: whether they are what descent comes to.

This module knows where such a column's start may stand, and which mistake gives its numbers.
"""

from __future__ import annotations

import math

import numpy as np

from core.backprop.network import SEED, Array, descend
from core.workbook.explain.diagnosis import Slip
from core.workbook.file.calculate import Calculator
from core.workbook.file.digits import distinct, doubt, is_single, rounded_like
from core.workbook.find.layout import Table
from core.workbook.find.reading import Reading, read_table
from core.workbook.formula.tokens import quoted
from core.workbook.judge.formulas import judge
from core.workbook.report.case import Case, errors, finding_of, rate_slips
from core.workbook.report.report import Finding, brief, place

_CHOSEN = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 7.5, 8, 9)
"""First digits of an η that people choose."""


class Curves:
    """The judge of such columns; the tables of the case have been judged before."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.showing: dict[str, list[Table]] = {}

    def judge(self, curve: Table) -> None:
        """Take a column into the case: its run, and what is wrong in it."""
        reading = read_table(self.case.book, self.case.layout, curve, self.case.actual)
        host = self._host(reading)
        if host is not None:
            reading.setup = self.case.runs[host].setup
        verdict = judge(reading)
        slips = list(verdict.slips)
        run = self.case.run(reading, [], len(verdict.judged), len(verdict.pasted))
        if verdict.unread:
            at = next(iter(verdict.unread))
            self.case.remarks.append(f"{at.cell}: {verdict.unread[at]} cannot be read.")
        if host is None and reading.missing and not self._starts_as_published(reading):
            self.case.not_judged.append(
                f"{place(curve.at('E_total', 0))}: which start {self._title(reading)} belongs to "
                "stands nowhere in the file."
            )
            return
        if verdict.judged and reading.elsewhere:
            slips += self._of_another_rate(reading)
        self.case.add(reading, slips, len(verdict.judged), len(verdict.pasted))
        cells = [self.case.book.cells.get(curve.at("E_total", k)) for k in range(curve.epochs)]
        # Roundings to single precision add up from epoch to epoch.
        drift = np.arange(curve.epochs) / 4 if is_single(cells) else 0.0
        room = 1e-11 * np.abs(run.right) + (1.02 + drift) * doubt(cells)
        with np.errstate(invalid="ignore"):
            off = np.flatnonzero(~(np.abs(run.theirs - run.right) <= room) & np.isfinite(run.right))
        wrong = [k for k in off.tolist() if ("E_total", k) in verdict.pasted]
        if 2 * len(wrong) > curve.epochs and (fits := self._rate_of_errors(reading, room)):
            run_index = len(self.case.runs) - 1
            self.case.findings += [
                finding_of(reading, [slip], run_index) for slip in rate_slips(reading, fits)
            ]
        elif wrong and (source := self._faulty_source(reading, host, room)):
            self._follow(reading, wrong, source)
        elif wrong:
            self.case.findings.append(self._finding(reading, wrong))

    def _host(self, reading: Reading) -> int | None:
        """The run whose start a curve shares: its first number is the run's, right or as it is."""
        first, line = errors(reading, self.case.actual, 0), reading.table.epoch(0)
        tables = self.case.layout.tables
        close = [
            i
            for i, run in enumerate(self.case.runs[: len(tables)])
            if line < run.epochs
            and any(math.isclose(e[line], first, rel_tol=1e-3) for e in (run.right, run.theirs))
        ]
        asked = [i for i, table in enumerate(tables) if table in reading.elsewhere.values()]
        return next(iter(asked or close), None)

    def _starts_as_published(self, reading: Reading) -> bool:
        """Whether a file of such columns alone begins with the published E_total."""
        first, published = errors(reading, self.case.actual, 0), descend(SEED, 1.0, 1).E_total[0]
        if self.case.layout.tables or not math.isclose(published, first, rel_tol=1e-3):
            return False
        self.case.remarks.append("The file has E_total alone; the published start was taken.")
        return True

    def _title(self, reading: Reading) -> str:
        rate = reading.table.rate
        return "the column" if rate is None else f"the column of η = {rate:g}"

    def _of_another_rate(self, reading: Reading) -> list[Slip]:
        """A column headed by one η that shows a table of another."""
        other, rate = next(iter(reading.elsewhere.values())), reading.table.rate
        if other not in self.case.layout.tables or rate is None:
            return []
        shown = self.case.runs[self.case.layout.tables.index(other)]
        if math.isnan(shown.first):
            return []
        if math.isclose(shown.first, rate, rel_tol=1e-9):
            return []
        said = f"the column shows a table with η = {shown.first:g}"
        listed = [run for run in self.case.runs[: len(self.case.layout.tables)] if run.lists_errors]
        meant = next((run for run in listed if math.isclose(run.first, rate, rel_tol=1e-9)), None)
        if meant is None:
            at = reading.table.heading("E_total")
            cause = f"{at.cell} says η = {rate:g}, but {said}."
            text = str(self.case.book.cells[at].value)
            return [Slip(at, "η", "rate", cause, text, f"{shown.first:g}", ("rate",))]
        slips = []
        for k in range(min(reading.table.epochs, meant.epochs)):
            at = reading.table.at("E_total", k)
            theirs = f"={self.case.book.formula_text(at)}"
            there = meant.table.at("E_total", k)
            right = f"={quoted(there.sheet)}!{there.cell}" if there.sheet else f"={there.cell}"
            cause = f"{at.cell} stands below η = {rate:g}, but {said}."
            slips.append(Slip(at, "E_total", "rate", cause, theirs, right, ("shown", rate)))
        return slips

    def _rate_of_errors(self, reading: Reading, room: Array) -> float | None:
        """The η, of those that people choose, whose run has the errors that the column shows."""
        said = reading.rate
        if said is None or (said.at or said.text) is None or reading.table.rate is not None:
            return None
        rates = np.array([float(f"{m}e{p}") for p in (-4, -3, -2, -1, 0) for m in _CHOSEN])
        runs = descend(reading.setup, rates, reading.table.epochs).E_total
        theirs = self.case.runs[-1].theirs[:, np.newaxis]
        with np.errstate(invalid="ignore"):
            fits = (np.abs(runs - theirs) <= room[:, np.newaxis]).all(0)
        return float(rates[fits][0]) if fits.any() else None

    def _finding(self, reading: Reading, wrong: list[int]) -> Finding:
        curve, run = reading.table, self.case.runs[-1]
        first = curve.at("E_total", wrong[0])
        shown, gives = distinct(float(run.theirs[wrong[0]]), float(run.right[wrong[0]]))
        cells = [curve.at("E_total", k) for k in wrong]
        changes = tuple((at, repr(float(run.right[k]))) for at, k in zip(cells, wrong, strict=True))
        return Finding(
            curve.sheet,
            "E_total",
            str(self.case.book.cells[curve.heading("E_total")].value),
            "curve",
            tuple(at.cell for at in cells),
            f"{first.cell} is {shown}; with η = {run.first:g} E_total comes to {gives}.",
            self.case.book.cells[first].written,
            changes[0][1],
            changes,
            len(self.case.runs) - 1,
        )

    def _follow(self, reading: Reading, wrong: list[int], source: str) -> None:
        """No slip is in a column that shows what a faulty table gives."""
        curve, run = reading.table, self.case.runs[-1]
        cells = [self.case.book.cells.get(curve.at("E_total", k)) for k in range(curve.epochs)]
        for k in wrong:
            right = rounded_like(float(run.right[k]), cells)
            self.case.follows[curve.at("E_total", k)] = repr(right)
        self.showing.setdefault(f"{curve.sheet} {source}", []).append(curve)

    def say(self) -> None:
        """Remark which columns show the numbers of a faulty table."""
        for said, curves in self.showing.items():
            source = said.removeprefix(f"{curves[0].sheet} ")
            cells = brief([curve.at("E_total", 0).cell for curve in curves])
            sheet = f"{curves[0].sheet}!" if curves[0].sheet else ""
            self.case.remarks.append(
                f"{sheet}{cells}: what begins here is what {source} gives as it stands, with its "
                "slips. It changes once they are mended."
            )

    def _faulty_source(self, reading: Reading, host: int | None, room: Array) -> str:
        """The place of a faulty table that, run with this η, gives the numbers; else nothing."""
        if host is None or not any(finding.run == host for finding in self.case.findings):
            return ""
        source, curve, wanted = self.case.readings[host], reading.table, reading.rate
        rate = source.rate
        if rate is None or wanted is None:
            return ""
        calculator = self.case.actual
        if self.case.runs[host].first != float(np.ravel(wanted.value)[0]):
            if rate.at is None or "η" in source.table.columns:
                return ""
            value = float(np.ravel(wanted.value)[0])
            calculator = Calculator(self.case.book, instead={rate.at: value})
        lines = [k for k in range(curve.epochs) if curve.epoch(k) < source.table.epochs]
        faulty = np.array([errors(source, calculator, curve.epoch(k)) for k in lines])
        off = np.abs(faulty - self.case.runs[-1].theirs[lines])
        if lines and bool((off <= 1e-9 * np.abs(faulty) + 2 * room[lines]).all()):
            return f"{source.table.sheet}!{source.table.where}".removeprefix("!")
        return ""
