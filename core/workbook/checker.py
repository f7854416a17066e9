"""What is wrong in a spreadsheet of this exercise, and where.

This module asks the others in turn and puts their answers together: file/ reads, find/ finds the
tables, judge/ judges them all, explain/ finds the slips behind what is wrong, report/ words them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from core.backprop.network import WEIGHTS, Array
from core.workbook.exercise.quantities import EXAMPLE
from core.workbook.explain.curves import curve_slips
from core.workbook.explain.tables import slips_of
from core.workbook.file.book import Book, FileError
from core.workbook.file.calculate import Calculator, changed
from core.workbook.file.digits import doubt, take_text_for_numbers
from core.workbook.file.progress import Tell, part, silent
from core.workbook.file.read import read
from core.workbook.file.saved import saved_values
from core.workbook.find.helpers import with_helpers
from core.workbook.find.layout import Layout, Table
from core.workbook.find.reading import read_table
from core.workbook.find.settle import settle
from core.workbook.find.tables import find
from core.workbook.formula.tree import Address, FormulaError
from core.workbook.judge.curves import JudgedCurve, judge_curve
from core.workbook.judge.run import all_errors
from core.workbook.judge.tables import Judged, judge_table
from core.workbook.report.findings import findings_of
from core.workbook.report.notes import Notes, rounds_to, said_of_bias
from core.workbook.report.report import Finding, Report, brief, place

_MOST_CURVES = 12
"""Slips whose effect alone is calculated."""
_READ, _FOUND, _SETTLED = 0.35, 0.55, 0.75
"""Shares of the time by then, as measured with 1,000 epochs."""


def check(source: str | Path | bytes, tell: Tell = silent) -> Report:
    """Read a workbook or .csv file of this exercise, given as its path or bytes, and judge it.

    tell: is called with the share of the work that is done, for whoever waits. Raises FileError,
    with a sentence for the person who gave the file, if it cannot be read or holds no table of this
    exercise.
    """
    book = read(source, part(tell, 0, _READ))
    take_text_for_numbers(book)
    actual = Calculator(book, given=saved_values(book))
    layout = _layout(actual, tell)
    judging, todo = part(tell, _SETTLED, 1), len(layout.tables) + len(layout.curves)
    tables: list[Judged] = []
    for table in layout.tables:
        judging(len(tables) / todo)
        tables.append(judge_table(with_helpers(read_table(layout, table, actual))))
    if tables and all(one.bias for one in tables):
        raise FileError(said_of_bias(tables[0]))
    curves: list[JudgedCurve] = []
    for curve in layout.curves:
        judging((len(tables) + len(curves)) / todo)
        curves.append(judge_curve(read_table(layout, curve, actual), tables))
    return _Outcome(book, layout, actual, tables, curves).report()


def _layout(actual: Calculator, tell: Tell) -> Layout:
    layout = find(actual)
    tell(_FOUND)
    if not layout.tables and not layout.curves:
        raise FileError(
            " ".join(["No table of this exercise was found.", *layout.unread])
            if layout.unread
            else "No table of this exercise was found: no headers such as w1, out_h1, E_total, "
            "∂E/∂w1 side by side with numbers below them."
        )
    settled = settle(layout, actual)
    tell(_SETTLED)
    return settled


@dataclass
class _Outcome:
    """What is said of a file whose tables and columns have been judged."""

    book: Book
    layout: Layout
    actual: Calculator
    tables: Sequence[Judged]
    curves: Sequence[JudgedCurve]
    findings: list[Finding] = field(default_factory=list)
    follows: dict[Address, str] = field(default_factory=dict)
    notes: Notes = field(default_factory=Notes)

    def __post_init__(self) -> None:
        known = (curve for curve in self.curves if curve.known)
        self.judged: list[Judged | JudgedCurve] = [*self.tables, *known]

    def report(self) -> Report:
        """Everything, in the order in which a person reads it."""
        unread = (*self.book.unread, *self.layout.unread)
        self.notes.not_judged += [("", sentence) for sentence in unread]
        self.notes.remarks += self.book.remarks
        self._explain()
        self._say_unfound()
        self._check_against_engine()
        shown = [one for one in self.judged if not one.run.misread]
        if any(one.reading.table.sheet not in self.book.hidden for one in shown):
            self.notes.forgive(self.book.hidden)
        few = self.findings[:_MOST_CURVES]
        return Report(
            self.book,
            tuple(one.run for one in self.judged),
            (*map(self._with_curve, few), *self.findings[_MOST_CURVES:]),
            tuple(dict.fromkeys(sentence for _, sentence in self.notes.not_judged)),
            tuple(dict.fromkeys(self.notes.remarks)),
            self.follows,
        )

    def _explain(self) -> None:
        faulty: set[Table] = set()
        index = {one: k for k, one in enumerate(self.judged)}
        for table in self.tables:
            slips = [] if table.run.misread else slips_of(table)
            self.notes.of_table(table, slips)
            self.findings += findings_of(table.reading, slips, index[table])
            faulty |= {table.reading.table} if slips else set()
        followers = []
        for curve in self.curves:
            self.notes.of_curve(curve)
            slips, follows = curve_slips(curve, self.tables, faulty)
            followers += [curve] if follows else []
            self.follows |= follows
            if slips:
                self.findings += findings_of(curve.reading, slips, index[curve])
        self.notes.of_followers(followers)

    def _say_unfound(self) -> None:
        tables = {table.sheet for table in (*self.layout.tables, *self.layout.curves)}
        self.notes.remarks += [
            f"The sheet {sheet} has no table of this exercise; it was not judged."
            for sheet in self.book.sheets
            if sheet and sheet not in tables
        ]
        if self.actual.loops and not self.findings:
            said = f"Formulas that depend on themselves: {brief(sorted(self.actual.loops))}."
            self.notes.not_judged.append(("", said))

    def _check_against_engine(self) -> None:
        """Never call right, or mended, what does not come to the engine's numbers."""
        calculator = self._mended(self.findings)
        for index, one in enumerate(self.judged):
            reading, run = one.reading, one.run
            if "E_total" not in reading.table.columns and "E1" not in reading.table.columns:
                continue
            found = [finding for finding in self.findings if finding.run == index]
            after, room = all_errors(reading, calculator), self._room(one)
            cells = [reading.at("E_total", k) or reading.at("E1", k) for k in range(run.epochs)]
            filled = np.array([at in self.book.cells for at in cells])  # blanks were said
            with np.errstate(invalid="ignore"):
                apart = ~(np.abs(after - run.right) <= room) & np.isfinite(run.right) & filled
            off = np.flatnonzero(apart)
            if off.size and not (found and run.numbers) and self.follows.keys().isdisjoint(cells):
                k = int(off[0])
                at = cells[k]
                shows = f"{after[k]:.8g}" if math.isfinite(after[k]) else "no number"
                mended = " once its slips are mended" if found else ""
                said = (
                    f"{place(at) if at else run.title}: E_total is {shows}{mended}, where "
                    f"the network has {run.right[k]:.8g}. Why was not found."
                )
                self.notes.not_judged.append((reading.table.sheet, said))

    def _mended(self, findings: Sequence[Finding]) -> Calculator:
        """The book with the cells of these findings put right."""
        contents = {at: right for finding in findings for at, right in finding.changes}
        try:
            return changed(self.book, contents) if contents else self.actual
        except FormulaError:  # a formula of the file's own, too long once it stands elsewhere
            return self.actual

    def _room(self, one: Judged | JudgedCurve) -> Array:
        """How far rounded numbers may take E_total from the engine's."""
        table, run = one.reading.table, one.run
        room = 1e-8 * np.abs(run.right) + 1e-15
        for name in (*WEIGHTS, *EXAMPLE, "E_total", "E1", "E2"):
            if name in table.columns:
                cells = [self.book.cells.get(at) for at in table.places(name)]
                if any(cell and cell.formula is None for cell in cells[1:]) and name not in EXAMPLE:
                    room = room + 4 * doubt(cells)
        decimals = rounds_to(one.worlds)
        return room if decimals is None else room + (2 + run.epochs) * 10.0**-decimals

    def _with_curve(self, finding: Finding) -> Finding:
        """E_total with this slip alone: all other findings mended."""
        run = self.judged[finding.run].run
        if run.numbers or not run.has_curve:
            return finding
        calculator = self._mended([other for other in self.findings if other is not finding])
        return replace(finding, curve=all_errors(run.reading, calculator))
