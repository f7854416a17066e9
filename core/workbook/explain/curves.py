"""Why a column of E_total is wrong: its η, the table that it shows, or a slip in that table."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np

from core.backprop.network import descend
from core.workbook.explain.formulas import explained
from core.workbook.explain.slips import Slip
from core.workbook.explain.tables import rate_slips
from core.workbook.file.calculate import Calculator
from core.workbook.file.digits import distinct, rounded_like
from core.workbook.find.layout import Table
from core.workbook.formula.tokens import quoted
from core.workbook.formula.tree import Address
from core.workbook.judge.curves import JudgedCurve
from core.workbook.judge.run import errors
from core.workbook.judge.tables import Judged

_CHOSEN = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 7.5, 8, 9)
"""First digits of an η that people choose."""


def curve_slips(
    curve: JudgedCurve, tables: Sequence[Judged], faulty: Collection[Table]
) -> tuple[list[Slip], dict[Address, str]]:
    """The slips of a column, and the right numbers of one that only shows what a faulty table
    gives.

    faulty: the tables that have slips.
    """
    slips = explained(curve.worlds, curve.formulas.wrong)
    if not curve.known:
        return [], {}
    if curve.formulas.judged and curve.reading.elsewhere:
        slips += _of_another_rate(curve, tables)
    if 2 * len(curve.wrong) > curve.run.epochs and (fits := _rate_of_errors(curve)) is not None:
        return slips + rate_slips(curve.reading, fits), {}
    if curve.wrong and shows_faulty_table(curve, faulty):
        return slips, _right_numbers(curve)
    return slips + _numbers(curve), {}


def _of_another_rate(curve: JudgedCurve, tables: Sequence[Judged]) -> list[Slip]:
    """A column headed by one η that shows a table of another."""
    table, book, rate = curve.reading.table, curve.reading.book, curve.reading.table.rate
    others = [t for t in curve.reading.elsewhere.values() if "E_total" in t.columns]
    asked = {other.at("E_total", 0) for other in others}
    listed = [one.run for one in tables if one.run.lists_errors]
    shown = next((run for run in listed if run.table.at("E_total", 0) in asked), None)
    if shown is None or rate is None or abs(shown.first - rate) <= 1e-9 * rate:
        return []
    said = f"the column shows a table with η = {shown.first:g}"
    meant = next((run for run in listed if math.isclose(run.first, rate, rel_tol=1e-9)), None)
    if meant is None:
        at = table.heading("E_total")
        cause = f"{at.cell} says η = {rate:g}, but {said}."
        text = str(book.cells[at].value)
        return [Slip(at, "η", "rate", cause, text, f"{shown.first:g}", ("rate",))]
    slips = []
    for at, there in zip(table.places("E_total"), meant.table.places("E_total"), strict=False):
        cell = there.cell if there.sheet == at.sheet else f"{quoted(there.sheet)}!{there.cell}"
        theirs, right = f"={book.formula_text(at)}", f"={cell}"
        cause = f"{at.cell} stands below η = {rate:g}, but {said}."
        slips.append(Slip(at, "E_total", "rate", cause, theirs, right, ("shown", rate)))
    return slips


def _rate_of_errors(curve: JudgedCurve) -> float | None:
    """The η, of those that people choose, whose run has the errors that the column shows."""
    reading, said = curve.reading, curve.reading.rate
    if said is None or (said.at or said.text) is None or reading.table.rate is not None:
        return None
    rates = np.array([float(f"{m}e{p}") for p in (-4, -3, -2, -1, 0) for m in _CHOSEN])
    runs = descend(reading.setup, rates, reading.table.epochs).E_total
    with np.errstate(invalid="ignore"):
        off = np.abs(runs - curve.run.theirs[:, np.newaxis])
        fits = (off <= curve.room[:, np.newaxis]).all(0)
    return float(rates[fits][0]) if fits.any() else None


def _numbers(curve: JudgedCurve) -> list[Slip]:
    book, run, slips = curve.reading.book, curve.run, []
    for k, (at, right) in zip(curve.wrong, _right_numbers(curve).items(), strict=True):
        shown, gives = distinct(float(run.theirs[k]), float(run.right[k]))
        cause = f"{at.cell} is {shown}; with η = {run.first:g} E_total comes to {gives}."
        slips.append(Slip(at, "E_total", "curve", cause, book.cells[at].written, right, ("curve",)))
    return slips


def _right_numbers(curve: JudgedCurve) -> dict[Address, str]:
    """With the digits of the column: more would judge the others."""
    places = curve.reading.table.places("E_total")
    cells = [curve.reading.book.cells.get(at) for at in places]
    right = curve.run.right
    return {places[k]: repr(rounded_like(float(right[k]), cells)) for k in curve.wrong}


def shows_faulty_table(curve: JudgedCurve, faulty: Collection[Table]) -> bool:
    """Whether the numbers are what a table with slips gives, run with the column's η."""
    if curve.host is None or curve.host.reading.table not in faulty:
        return False
    source, table, wanted = curve.host.run.reading, curve.reading.table, curve.reading.rate
    rate, calculator = source.rate, curve.reading.actual
    if rate is None or wanted is None:
        return False
    value = float(np.ravel(wanted.value)[0])
    if curve.host.run.first != value:
        if rate.at is None or "η" in source.table.columns:
            return False
        calculator = Calculator(curve.reading.book, instead={rate.at: value})
    lines = [k for k in range(table.epochs) if table.epoch(k) < source.table.epochs]
    gives = np.array([errors(source, calculator, table.epoch(k)) for k in lines])
    off = np.abs(gives - curve.run.theirs[lines])
    return bool(lines) and bool((off <= 1e-9 * np.abs(gives) + 2 * curve.room[lines]).all())
