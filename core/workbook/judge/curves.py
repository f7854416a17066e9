"""Columns of E_total alone, one for each η: whether they are what descent comes to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.backprop.network import SEED, Array, descend
from core.workbook.file.digits import doubt, is_single
from core.workbook.find.numbers import ROOM
from core.workbook.find.reading import Reading
from core.workbook.find.worlds import Worlds
from core.workbook.judge.formulas import Verdict, judge_formulas
from core.workbook.judge.run import Run, errors, run_of
from core.workbook.judge.tables import Judged


@dataclass(frozen=True, eq=False)
class JudgedCurve:
    """What judging a column came to.

    host: the table whose start it shares, if there is one. published: whether its start was taken
    from the published one. known: whether there is any start; else it was not judged. wrong: the
    lines that are not what the run with its η comes to. room: by how much each may differ.
    """

    reading: Reading
    worlds: Worlds
    run: Run
    formulas: Verdict
    host: Judged | None
    published: bool
    known: bool
    wrong: tuple[int, ...]
    room: Array


def judge_curve(reading: Reading, tables: Sequence[Judged]) -> JudgedCurve:
    """The verdict on a column; the tables of the file have been judged before."""
    host = _host(reading, tables)
    if host is not None:
        reading = replace(reading, setup=host.run.setup)
    worlds = Worlds(reading)
    formulas = judge_formulas(worlds)
    given = host is not None or not reading.missing
    published = not given and not tables and _starts_as_published(reading)
    run = replace(run_of(reading), formulas=formulas.judged, numbers=len(formulas.pasted))
    table = reading.table
    cells = [reading.book.cells.get(at) for at in table.places("E_total")]
    # Roundings to single precision add up from epoch to epoch.
    drift = np.arange(table.epochs) / 4 if is_single(cells) else 0.0
    room = 1e-11 * np.abs(run.right) + (ROOM + drift) * doubt(cells)
    with np.errstate(invalid="ignore"):
        off = np.flatnonzero(~(np.abs(run.theirs - run.right) <= room) & np.isfinite(run.right))
    wrong = tuple(k for k in off.tolist() if ("E_total", k) in formulas.pasted)
    return JudgedCurve(
        *(reading, worlds, run, formulas, host, published, given or published, wrong, room)
    )


def _host(reading: Reading, tables: Sequence[Judged]) -> Judged | None:
    """The table whose start a curve shares: it asks for it, or begins with its first number, the
    right one or the one that is there. Of several the one with the curve's own η.
    """
    first, line = errors(reading, reading.actual, 0), reading.table.epoch(0)
    asked = [one for one in tables if one.reading.table in reading.elsewhere.values()]
    close = [
        one
        for one in tables
        if line < one.run.epochs
        and any(math.isclose(e[line], first, rel_tol=1e-3) for e in (one.run.right, one.run.theirs))
    ]
    said = reading.rate and reading.rate.value
    return min(asked or close, key=lambda one: one.run.first != said, default=None)


def _starts_as_published(reading: Reading) -> bool:
    """Whether a file of such columns alone begins with the published E_total."""
    first, published = errors(reading, reading.actual, 0), descend(SEED, 1.0, 1).E_total[0]
    return math.isclose(published, first, rel_tol=1e-3)
