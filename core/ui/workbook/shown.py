"""What the page shows of a checked workbook: small enough to stay in a session without its book."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.backprop.network import Setup
from core.ui.workbook.charts import (
    curves_data,
    difference_data,
    map_data,
    several,
    shown_epochs,
)
from core.ui.workbook.checking import checked
from core.ui.workbook.words import in_words
from core.workbook.file.progress import Tell
from core.workbook.judge.run import Run
from core.workbook.report.report import Finding, Report, effect
from core.workbook.report.states import cell_states

if TYPE_CHECKING:
    import pyarrow as pa

Data = dict[str, "pa.Table"]


@dataclass(frozen=True)
class Picture:
    """One table of the file, as data sets ready to draw.

    label: what a list of tables calls it. slips: how many findings it has. curves: E_total in the
    file and right, `alone` with each slip alone; difference: what the slips add. cells: the map of
    so many `rows`. Each is None where there is nothing to draw.
    """

    label: str
    caption: str
    slips: int
    alone: bool
    curves: Data | None
    difference: Data | None
    cells: Data | None
    rows: int


@dataclass(frozen=True)
class Checked:
    """A checked file. effects: what each finding does, in words.

    copy: the file mended, or why there is none, or "". start: setup, η and epochs of
    its first table, where they are known.
    """

    name: str
    verdict: str
    right: bool
    findings: tuple[Finding, ...]
    effects: tuple[str, ...]
    pictures: tuple[Picture, ...]
    not_judged: tuple[str, ...]
    remarks: tuple[str, ...]
    copy: bytes | str
    start: tuple[Setup, float, int] | None


def checked_and_shown(name: str, file: bytes, tell: Tell) -> Checked:
    """Check the file `name`; what the page shows of it. Raises FileError."""
    return shown(name, *checked(name, file, tell))


def shown(name: str, report: Report, copy: bytes | str) -> Checked:
    """What the page shows of a report on the file `name`."""
    runs, findings = report.runs, report.findings
    first = runs[0] if runs else None
    return Checked(
        name,
        report.verdict,
        report.right,
        tuple(replace(finding, curve=None) for finding in findings),
        tuple(_effect(finding, runs[finding.run]) for finding in findings),
        tuple(_picture(report, index) for index in range(len(runs))),
        report.not_judged,
        report.remarks,
        copy,
        None if first is None or first.rate is None else (first.setup, first.first, first.epochs),
    )


def _effect(finding: Finding, run: Run) -> str:
    if finding.curve is None or run.epochs < 2:
        return ""
    return effect(float(finding.curve[-1]), float(run.right[-1]))


def _picture(report: Report, index: int) -> Picture:
    run = report.runs[index]
    mine = [(n, f) for n, f in enumerate(report.findings, start=1) if f.run == index]
    drawn = run.has_curve and not run.misread
    states = [] if run.misread or len(run.table.columns) < 2 else cell_states(report, run)
    return Picture(
        _label(run, len(mine)),
        _caption(run),
        len(mine),
        several(mine),
        curves_data(run, mine) if drawn else None,
        difference_data(run) if drawn and run.is_off else None,
        map_data(run, states) if states else None,
        len(shown_epochs(states)),
    )


def _caption(run: Run) -> str:
    eta = "η unknown" if run.rate is None else f"η = {run.first:g}, from {run.rate_said}"
    ends = f" E_total ends at {run.theirs[-1]:.6g}, the right one at {run.right[-1]:.6g}."
    return (
        f"{run.title}: {run.table.in_words}, {eta}. Start: {in_words(run.setup.numbers)}."
        f"{ends if run.has_curve and not run.misread else ''}"
    )


def _label(run: Run, slips: int) -> str:
    count = "1 slip" if slips == 1 else f"{slips} slips"
    if not slips:
        count = "off because of a slip elsewhere" if run.is_off else "right"
    eta = "" if run.rate is None else f", η = {run.first:g}"
    return f"{run.title}{eta}: {count}"
