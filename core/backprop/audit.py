"""What is wrong in a spreadsheet of this exercise, where, and a copy that is mended.

    python -m core.backprop.audit FILE.xlsx

prints the report and exits with 0 for a right sheet, 1 where there are findings or where something
could not be judged, 2 for a file that is no such sheet.

This module asks the others and puts their answers together: cells.py reads the file, tables.py
finds the table, judge.py judges formulas, pasted.py numbers without formulas, mend.py writes.
"""

from __future__ import annotations

import argparse
import math
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.backprop.cells import Book, Calculator, FileError, read
from core.backprop.diagnosis import Slip
from core.backprop.digits import decimals_of, doubt, is_single, rounded_like, take_text_for_numbers
from core.backprop.edits import quoted
from core.backprop.formula import Address, Constant, FormulaError, Node, number, parse
from core.backprop.judge import judge
from core.backprop.mend import Change, mend
from core.backprop.network import COLUMNS, SEED, WEIGHTS, Array, History, Setup, descend
from core.backprop.pasted import judge_numbers
from core.backprop.reading import Rate, Reading, rate_in_texts, read_table
from core.backprop.report import CellState, Finding, Report, Run, brief, lines, place
from core.backprop.settle import settle
from core.backprop.tables import EXAMPLE, Layout, Table, find
from core.backprop.worlds import rounding

_MOST_CURVES = 12
_CHOSEN = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 7.5, 8, 9)
"""First digits of an η that people choose."""


def audit(source: str | Path | bytes) -> Report:
    """Read a workbook or .csv file of this exercise, given as its path or bytes, and judge it.

    Raises FileError, with a sentence for the person who gave it, if it cannot be read or holds no
    table of this exercise.
    """
    book = read(source)
    take_text_for_numbers(book)
    layout = find(book)
    if not layout.tables and not layout.curves:
        raise FileError(
            "No table of this exercise was found: no headers such as w1, out_h1, E_total, ∂E/∂w1 "
            "side by side with numbers below them."
        )
    return _Audit(book, layout).report()


def mended(report: Report) -> bytes:
    """The same file with every finding's cells put right, coloured and commented.

    All else is untouched, but for the values that follow. Raises FileError for a .csv file, which
    has neither formulas nor colours, and ValueError if there is nothing to mend.
    """
    if report.book.kind != "xlsx":
        raise FileError("A .csv file holds no formulas to mend.")
    if not report.findings:
        raise ValueError("there is nothing to mend")
    contents = {at: right for finding in report.findings for at, right in finding.changes}
    comments = {
        at: _comment(report.book, finding, at)
        for finding in report.findings
        for at, _ in finding.changes
    }
    for run in report.runs:
        contents |= _right_numbers(report, run)
    return rewritten(report.book, contents, comments)


def _right_numbers(report: Report, run: Run) -> dict[Address, str]:
    """Where a table lists numbers without formulas: what the wrong ones, and all that follow from
    them, should be, with the digits of their column.
    """
    pasted = {at for f in report.findings if f.pasted for at, _ in f.changes}
    if not any(run.table is report.runs[f.run].table for f in report.findings if f.pasted):
        return {}
    cells = report.book.cells
    states = cell_states(report, run)
    everywhere = decimals_of(cells.get(state.at) for state in states)
    columns: dict[str, list[CellState]] = {}
    for state in states:
        columns.setdefault(state.quantity, []).append(state)
    numbers = {}
    for name, column in columns.items():
        own = [cells.get(state.at) for state in column]
        decimals = everywhere if len({state.value for state in column}) < 3 else 0
        for state, cell, half in zip(column, own, doubt(own), strict=True):
            if cell is None or cell.text is not None or name in EXAMPLE:
                continue
            off = state.at in pasted or abs(state.value - state.right) > half
            if off and (state.at in pasted or state.part != "slip"):
                numbers[state.at] = repr(rounded_like(state.right, own, decimals))
    return numbers


def rewritten(
    book: Book, contents: Mapping[Address, str], comments: Mapping[Address, str]
) -> bytes:
    """The .xlsx file of `book` with other contents in some cells, and all values that follow.

    contents: cell -> its new formula ("=…") or number. comments: cell -> a note; such a cell is
    coloured.
    """
    calculator = Calculator(book, instead=_trees(book, contents))
    changes = []
    for at, content in contents.items():
        value, note = calculator.value(at), comments.get(at)
        formula = content[1:] if content.startswith("=") else None
        shown = value if isinstance(value, float | str) else math.nan
        changes.append(Change(at.sheet, at.cell, formula, shown, note, marked=note is not None))
    values = {}
    for at, cell in book.cells.items():
        if cell.text is not None and at not in contents:
            value = calculator.value(at)
            if isinstance(value, float) and value != cell.value and at not in calculator.unread:
                values[at.sheet, at.cell] = value
    try:
        return mend(book.file, changes, values)
    except ValueError as wrong:
        raise FileError(f"The file cannot be mended: {wrong}") from wrong


def cell_states(report: Report, run: Run) -> list[CellState]:
    """Every cell of a run's table that holds one of `COLUMNS`, epoch by epoch.

    If the weights after the last epoch stand there too, they are of the epoch after it.
    """
    slips = {at for finding in report.findings for at, _ in finding.changes}
    table = run.table
    right = _descent(run.setup, run.rate, table, table.steps).single_rows()[:, :: table.stride]
    actual, states = Calculator(report.book), []
    for name, rows in zip(COLUMNS, right, strict=True):
        if name not in table.columns:
            continue
        lines = table.steps if name in WEIGHTS else run.epochs
        places, rows = [table.at(name, k) for k in range(lines)], rows[:lines]
        room = 1e-7 * np.abs(rows) + 4 * doubt([report.book.cells.get(at) for at in places]) + 1e-14
        for k, at in enumerate(places):
            value, goal = actual.value(at), float(rows[k])
            number = float(value) if isinstance(value, float) else math.nan
            part = "right" if abs(number - goal) <= room[k] else "follows"
            if run.rate is None or run.misread or math.isnan(number):
                part = "unknown"
            states.append(
                CellState(
                    name, 1 + k * table.stride, at, number, goal, "slip" if at in slips else part
                )
            )
    return states


def _descent(setup: Setup, rate: float | Array | None, table: Table, lines: int) -> History:
    """The right run of as many lines, which list every `stride`th of its epochs.

    Without η there is no step to take.
    """
    steps = np.broadcast_to(0.0 if rate is None else rate, (table.epochs,))
    steps = np.pad(steps, (0, lines - table.epochs), "edge")
    steps = np.repeat(steps, table.stride)[: (lines - 1) * table.stride + 1]
    return descend(setup, steps[:, np.newaxis], len(steps))


def _comment(book: Book, finding: Finding, at: Address) -> str:
    formula = book.formula_text(at) if at in book.cells and book.cells[at].text else None
    cell = book.cells.get(at)
    was = f"={formula}" if formula else (cell.written or str(cell.value)) if cell else "nothing"
    if at.cell == finding.cells[0]:
        return f"{finding.cause}\nIt was {was}"
    return f"As in {finding.cells[0]}: {finding.cause}\nIt was {was}"


def _trees(book: Book, contents: Mapping[Address, str]) -> dict[Address, Node | float]:
    """The contents of cells as a Calculator takes them."""
    return {
        at: parse(content[1:], at, book.names_for(at))
        if content.startswith("=")
        else _number_or_text(content)
        for at, content in contents.items()
    }


def _number_or_text(content: str) -> Node | float:
    try:
        return float(content)
    except ValueError:
        return Constant(content)


class _Audit:
    def __init__(self, book: Book, layout: Layout) -> None:
        self.book = book
        self.actual = Calculator(book)
        self.layout = settle(book, layout, self.actual)
        self.findings: list[Finding] = []
        self.not_judged = [*book.unread, *layout.unread]
        self.remarks = list(book.remarks)
        self.runs: list[Run] = []
        self.readings: list[Reading] = []

    def report(self) -> Report:
        for table in self.layout.tables:
            self._judge_table(table)
        for curve in self.layout.curves:
            self._judge_curve(curve)
        self._join_curves()
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
        findings = [self._with_curve(finding) for finding in self.findings[:_MOST_CURVES]]
        findings += self.findings[_MOST_CURVES:]
        return Report(
            self.book,
            tuple(self.runs),
            tuple(findings),
            tuple(dict.fromkeys(self.not_judged)),
            tuple(dict.fromkeys(self.remarks)),
        )

    # Tables.

    def _judge_table(self, table: Table) -> None:
        reading = read_table(self.book, self.layout, table, self.actual)
        verdict = judge(reading)
        if verdict.misread:
            self._say_misread(reading)
            return
        if table.stride > 1:
            verdict.pasted -= {(n, k) for n, k in verdict.pasted if n in WEIGHTS and k}
            self.not_judged.append(
                f"{table.where}: it lists every {table.stride}th epoch. Each line was judged by "
                "itself, and not the steps between them."
            )
        numbers = judge_numbers(reading, verdict.pasted)
        if numbers.misread:
            self._say_misread(reading)
            return
        slips = [*verdict.slips, *numbers.slips]
        if numbers.rate is not None:
            slips += _rate_slips(reading, numbers.rate)
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
        self._add(reading, slips, len(verdict.judged), len(numbers.judged))

    def _say_misread(self, reading: Reading) -> None:
        """Nobody gets most of a forward pass wrong: the headers mean something else."""
        table = reading.table
        place = f"{table.sheet}!{table.where}" if table.sheet else table.where
        taken = [f"{reading.heading(n)} for {n}" for n in table.columns if reading.heading(n) != n]
        words = f" It was taken {', '.join(taken[:6])}." if taken else ""
        self.not_judged.append(
            f"{place}: most of its columns do not hold what their headers seem to say, so the "
            f"table was probably misunderstood, and nothing in it is called wrong.{words}"
        )
        self._add(reading, [], 0, 0)
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
            total = "E_total" not in reading.table.columns
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

    def _add(self, reading: Reading, slips: Sequence[Slip], formulas: int, numbers: int) -> None:
        index = len(self.runs)
        groups: dict[tuple[object, ...], list[Slip]] = {}
        for slip in slips:
            groups.setdefault(slip.key, []).append(slip)
        found = [_finding(reading, group, index) for group in groups.values()]
        order = {name: k for k, name in enumerate(COLUMNS)}
        found.sort(key=lambda f: (order.get(f.quantity, 99), f.changes[0][0]))
        self.findings += found
        self.readings.append(reading)
        self.runs.append(self._run(reading, found, formulas, numbers))

    def _run(
        self, reading: Reading, findings: Sequence[Finding], formulas: int, numbers: int
    ) -> Run:
        table, rate = reading.table, reading.rate
        fixed = {at: text for finding in findings for at, text in finding.changes}
        setup = reading.setup
        for name in WEIGHTS:
            at = reading.at(name, 0)
            if at in fixed and not fixed[at].startswith("="):
                setup = replace(setup, **{name: float(fixed[at])})
        theirs = np.array([_errors(reading, self.actual, k) for k in range(table.epochs)])
        right = np.full(table.epochs, math.nan)
        known = rate is not None and bool(np.isfinite(rate.value).all())
        if not known:
            rate = None
        if known or table.epochs == 1:
            run = _descent(setup, rate.value if rate else None, table, table.epochs)
            right = run.E_total.copy()
            if run.diverged_at:
                right[run.diverged_at - 1 :] = math.nan
            right = right[:: table.stride]
        return Run(
            reading,
            setup,
            None if rate is None else rate.value,
            rate.said if rate else "",
            theirs,
            right,
            formulas,
            numbers,
            self._precision(reading),
        )

    def _precision(self, reading: Reading) -> float:
        table = reading.table
        if "E_total" not in table.columns:
            return 0.0
        cells = [self.book.cells.get(table.at("E_total", k)) for k in range(table.epochs)]
        bare = [cell for cell in cells if cell and cell.text is None]
        return float(doubt(bare).max()) if bare else 0.0

    # Columns of E_total alone.

    def _judge_curve(self, curve: Table) -> None:
        reading = read_table(self.book, self.layout, curve, self.actual)
        host = self._host(reading)
        if host is not None:
            reading.setup = self.runs[host].setup
        verdict = judge(reading)
        slips = list(verdict.slips)
        run = self._run(reading, [], len(verdict.judged), len(verdict.pasted))
        if verdict.unread:
            at = next(iter(verdict.unread))
            self.remarks.append(f"{at.cell}: {verdict.unread[at]} cannot be read.")
        if host is None and reading.missing and not self._starts_as_published(reading):
            self.not_judged.append(
                f"{place(curve.at('E_total', 0))}: which start {self._title(reading)} belongs to "
                "stands nowhere in the file."
            )
            return
        if verdict.judged and reading.elsewhere:
            slips += self._of_another_rate(reading)
        self._add(reading, slips, len(verdict.judged), len(verdict.pasted))
        cells = [self.book.cells.get(curve.at("E_total", k)) for k in range(curve.epochs)]
        # Roundings to single precision add up from epoch to epoch.
        drift = np.arange(curve.epochs) / 4 if is_single(cells) else 0.0
        room = 1e-11 * np.abs(run.right) + (1.02 + drift) * doubt(cells)
        with np.errstate(invalid="ignore"):
            off = np.flatnonzero(~(np.abs(run.theirs - run.right) <= room) & np.isfinite(run.right))
        wrong = [k for k in off.tolist() if ("E_total", k) in verdict.pasted]
        if 2 * len(wrong) > curve.epochs and (fits := self._rate_of_errors(reading, room)):
            self.findings += [
                _finding(reading, [slip], len(self.runs) - 1) for slip in _rate_slips(reading, fits)
            ]
        elif wrong:
            self.findings.append(self._curve_finding(reading, wrong, host))

    def _host(self, reading: Reading) -> int | None:
        """The run whose start a curve shares."""
        first = _errors(reading, self.actual, 0)
        runs = range(len(self.layout.tables))
        close = [i for i in runs if math.isclose(self.runs[i].right[0], first, rel_tol=1e-3)]
        asked = [i for i in runs if self.layout.tables[i] in reading.elsewhere.values()]
        return next(iter(asked or close), None)

    def _starts_as_published(self, reading: Reading) -> bool:
        """Whether a file of such columns alone begins with the published E_total."""
        first, published = _errors(reading, self.actual, 0), descend(SEED, 1.0, 1).E_total[0]
        if self.layout.tables or not math.isclose(published, first, rel_tol=1e-3):
            return False
        self.remarks.append("The file has E_total alone; the published start was taken.")
        return True

    def _title(self, reading: Reading) -> str:
        rate = reading.table.rate
        return "the column" if rate is None else f"the column of η = {rate:g}"

    def _of_another_rate(self, reading: Reading) -> list[Slip]:
        """A column headed by one η that shows a table of another."""
        other, rate = next(iter(reading.elsewhere.values())), reading.table.rate
        if other not in self.layout.tables or rate is None:
            return []
        shown = self.runs[self.layout.tables.index(other)]
        if math.isnan(shown.first):
            return []
        if math.isclose(shown.first, rate, rel_tol=1e-9):
            return []
        said = f"the column shows a table with η = {shown.first:g}"
        listed = [run for run in self.runs[: len(self.layout.tables)] if run.lists_errors]
        meant = next((run for run in listed if math.isclose(run.first, rate, rel_tol=1e-9)), None)
        if meant is None:
            at = reading.table.heading("E_total")
            cause = f"{at.cell} says η = {rate:g}, but {said}."
            text = str(self.book.cells[at].value)
            return [Slip(at, "η", "rate", cause, text, f"{shown.first:g}", ("rate",))]
        slips = []
        for k in range(min(reading.table.epochs, meant.epochs)):
            at = reading.table.at("E_total", k)
            theirs = f"={self.book.formula_text(at)}"
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
        with np.errstate(invalid="ignore"):
            fits = (np.abs(runs - self.runs[-1].theirs[:, np.newaxis]) <= room[:, np.newaxis]).all(
                0
            )
        return float(rates[fits][0]) if fits.any() else None

    def _curve_finding(self, reading: Reading, wrong: list[int], host: int | None) -> Finding:
        curve, run = reading.table, self.runs[-1]
        first = curve.at("E_total", wrong[0])
        shown, gives = _distinct(float(run.theirs[wrong[0]]), float(run.right[wrong[0]]))
        cause = f"{first.cell} is {shown}; with η = {run.first:g} E_total comes to {gives}."
        said = self._faulty_source(reading, host)
        if said:  # a number that agrees by chance is of the same faulty run
            wrong = list(range(wrong[0], curve.epochs))
        cells = [curve.at("E_total", k) for k in wrong]
        changes = tuple((at, repr(float(run.right[k]))) for at, k in zip(cells, wrong, strict=True))
        heading = self.book.cells[curve.heading("E_total")].value
        return Finding(
            curve.sheet,
            "E_total",
            str(heading),
            f"curve {said}",
            tuple(at.cell for at in cells),
            cause,
            self.book.cells[first].written,
            changes[0][1],
            changes,
            len(self.runs) - 1,
        )

    def _join_curves(self) -> None:
        """Columns that show the numbers of one faulty table are one finding."""
        joined: dict[str, Finding] = {}
        kept = []
        for finding in self.findings:
            source = finding.kind.removeprefix("curve").strip()
            if not finding.kind.startswith("curve"):
                kept.append(finding)
            elif source in joined and source:
                one = joined[source]
                joined[source] = replace(
                    one,
                    heading=f"{one.heading}, {finding.heading}",
                    cells=one.cells + finding.cells,
                    changes=one.changes + finding.changes,
                )
            else:
                cause = f"{finding.cause} The column shows {source}." if source else finding.cause
                joined[source or finding.heading] = replace(finding, kind="curve", cause=cause)
        self.findings = kept + list(joined.values())

    def _faulty_source(self, reading: Reading, host: int | None) -> str:
        """In words, if the numbers are those of a faulty table run with this η."""
        if host is None:
            return ""
        source, curve = self.readings[host], reading.table
        if not any(finding.run == host for finding in self.findings):
            return ""
        rate = source.rate
        if rate is None or rate.at is None or curve.rate is None:
            return ""
        other = Calculator(self.book, instead={rate.at: curve.rate})
        epochs = min(curve.epochs, source.table.epochs)
        faulty = np.array([_errors(source, other, k) for k in range(epochs)])
        theirs = self.runs[-1].theirs[:epochs]
        if np.allclose(faulty, theirs, rtol=1e-6, atol=0):
            place = f"{source.table.sheet}!" if source.table.sheet else ""
            return f"what {place}{source.table.where} gives as it stands, with its slips"
        return ""

    # The whole.

    def _check_against_engine(self) -> None:
        """Never call right, or mended, what does not come to the engine's numbers."""
        instead = self._try_instead(self.findings)
        calculator = Calculator(self.book, instead=instead) if instead else self.actual
        for index, (reading, run) in enumerate(zip(self.readings, self.runs, strict=True)):
            if "E_total" not in reading.table.columns and "E1" not in reading.table.columns:
                continue
            found = [finding for finding in self.findings if finding.run == index]
            after = np.array([_errors(reading, calculator, k) for k in range(run.epochs)])
            room = self._room(reading, run)
            with np.errstate(invalid="ignore"):
                off = np.flatnonzero(~(np.abs(after - run.right) <= room) & np.isfinite(run.right))
            if off.size and not (found and run.numbers):
                k = int(off[0])
                at = reading.at("E_total", k) or reading.at("E1", k)
                mended = " once its slips are mended" if found else ""
                self.not_judged.append(
                    f"{place(at) if at else run.title}: E_total is {after[k]:.8g}{mended}, where "
                    f"the network has {run.right[k]:.8g}. Why was not found."
                )

    def _try_instead(self, findings: Iterable[Finding]) -> dict[Address, Node | float]:
        contents = {at: right for finding in findings for at, right in finding.changes}
        try:
            return _trees(self.book, contents)
        except FormulaError:
            return {}

    def _room(self, reading: Reading, run: Run) -> Array:
        """How far rounded numbers may take E_total from the engine's."""
        room = 1e-8 * np.abs(run.right) + 1e-15
        for name in (*WEIGHTS, *EXAMPLE, "E_total", "E1", "E2"):
            if name in reading.table.columns:
                cells = [self.book.cells.get(reading.table.at(name, k)) for k in range(run.epochs)]
                if any(cell and cell.text is None for cell in cells[1:]) and name not in EXAMPLE:
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
        if reading is None or self.runs[finding.run].numbers:
            return finding
        others = [other for other in self.findings if other is not finding]
        calculator = Calculator(self.book, instead=self._try_instead(others))
        epochs = range(reading.table.epochs)
        return replace(finding, curve=np.array([_errors(reading, calculator, k) for k in epochs]))


def _errors(reading: Reading, calculator: Calculator, k: int) -> float:
    """E_total of epoch k as the cells come to it; NaN if they show no number."""
    at = reading.at("E_total", k)
    if at is not None:
        value = calculator.value(at)
        return float(value) if isinstance(value, float) else math.nan
    parts = [reading.at(name, k) for name in ("E1", "E2")]
    values = [calculator.value(part) if part else None for part in parts]
    return sum(v if isinstance(v, float) else math.nan for v in values)


def _finding(reading: Reading, group: Sequence[Slip], run: int) -> Finding:
    first = group[0]
    return Finding(
        first.at.sheet,
        first.name,
        reading.heading(first.name),
        first.kind,
        tuple(slip.at.cell for slip in group),
        first.cause,
        first.theirs,
        first.right,
        tuple((slip.at, slip.right) for slip in group),
        run,
        first.pasted,
    )


def _rate_slips(reading: Reading, found: float) -> list[Slip]:
    """η says one thing, and the steps another: in its cell or text, or in all of its column."""
    table, said = reading.table, reading.rate
    at = None if said is None else said.at or said.text
    if said is None or at is None:
        return []
    value = float(np.ravel(said.value)[0])
    theirs, right = f"{value:g}", repr(found)
    cells = [table.at("η", k) for k in range(table.epochs)] if "η" in table.columns else [at]
    if said.text:
        theirs = str(reading.book.cells[at].value)
        right = re.sub(r"\d*[.,]?\d+(?:[eE]-?\d+)?(?=\D*$)", f"{found:g}", theirs)
    cause = f"{at.cell} says η = {value:g}, but the weights move as with η = {found:g}."
    return [Slip(c, "η", "rate", cause, theirs, right, ("rate",)) for c in cells]


def _rate_told_otherwise(reading: Reading) -> list[Slip]:
    """η is typed into the formulas, and a text above them says another."""
    used, told = reading.rate, rate_in_texts(reading)
    if used is None or used.at or used.text or told is None or told.text is None:
        return []
    value, said = float(np.ravel(used.value)[0]), float(np.ravel(told.value)[0])
    if math.isclose(value, said, rel_tol=1e-9) or reading.table.rate is not None:
        return []
    return _rate_slips(replace(reading, rate=told), value)


def _distinct(a: float, b: float) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to see that they differ."""
    for digits in range(6, 17):
        if f"{a:.{digits}g}" != f"{b:.{digits}g}":
            break
    return f"{a:.{digits}g}", f"{b:.{digits}g}"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the result is the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m core.backprop.audit",
        description="Find what is wrong in a spreadsheet of the 2-2-2 network.",
    )
    parser.add_argument("file", type=Path, help=".xlsx or .csv")
    parser.add_argument("--mend", type=Path, metavar="COPY", help="write a mended copy here")
    chosen = parser.parse_args(arguments)
    try:
        report = audit(chosen.file)
        print("\n".join(lines(report)))
        if chosen.mend and report.findings:
            chosen.mend.write_bytes(mended(report))
    except FileError as wrong:
        print(wrong, file=sys.stderr)
        return 2
    return 0 if report.right else 1


if __name__ == "__main__":
    sys.exit(main())
