"""What is said of a file besides findings: what could not be judged, what else is worth knowing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.backprop.network import SEED
from core.workbook.explain.slips import Slip
from core.workbook.explain.tables import is_number, rate_text
from core.workbook.find.reading import Reading
from core.workbook.find.worlds import Worlds, rounding
from core.workbook.formula.tree import Address
from core.workbook.judge.curves import JudgedCurve
from core.workbook.judge.tables import Judged
from core.workbook.report.report import brief, place


@dataclass
class Notes:
    """Sentences. not_judged: with the sheet that each is about, "" for the whole file."""

    not_judged: list[tuple[str, str]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def of_table(self, judged: Judged, slips: Sequence[Slip]) -> None:
        """What is said of a table."""
        reading, table = judged.reading, judged.reading.table
        if judged.bias or judged.misread:
            said = said_of_bias(judged) if judged.bias else _said_of_misread(reading)
            self._leave(table.sheet, f"{table.title}: {said}")
            return
        if table.listed:
            said = "Each line was judged by itself, and not the steps between them."
            self._leave(table.sheet, f"{table.where}: it lists {table.in_words}. {said}")
        if (text := rate_text(reading)) and is_number(text) and reading.rate and reading.rate.at:
            said = "holds η as text. Formulas take it for a number; some programs do not."
            self.remarks.append(f"{reading.rate.at.cell} {said}")
        self._of_unread(judged)
        slipped = {slip.at for slip in slips}
        blank = [at for at in judged.formulas.empty if at not in slipped]
        if blank:
            where = table.sheet or "The file"
            self._leave(table.sheet, f"{where}: nothing stands in {brief(blank)}.")
        for sentence in judged.numbers.vague.values():
            self._leave(table.sheet, f"{sentence}.")
        self._of_missing(judged)

    def _leave(self, sheet: str, sentence: str) -> None:
        self.not_judged.append((sheet, sentence))

    def _of_unread(self, judged: Judged) -> None:
        sheet, unread = judged.reading.table.sheet, judged.formulas.unread
        reasons: dict[str, list[Address]] = {}
        for at, why in unread.items():
            if at not in judged.numbers.judged:
                reasons.setdefault(why, []).append(at)
        for why, places in reasons.items():
            where = f"{sheet}!" if sheet else ""
            self._leave(sheet, f"{where}{brief(places)}: {why} cannot be read.")
        by_value = [at for at in unread if at in judged.numbers.judged]
        if by_value:
            said = f"{unread[by_value[0]]} cannot be read; judged by the values shown."
            self.remarks.append(f"{brief(by_value)}: {said}")

    def _of_missing(self, judged: Judged) -> None:
        reading, table, rate = judged.reading, judged.reading.table, judged.run.reading.rate
        unnamed = reading.unnamed()
        if unnamed:
            said = (
                f"{table.where}: these columns were not judged, as what they are was not "
                f"recognised or is not told by formulas: {', '.join(unnamed[:12])}."
            )
            if "E_total" in {*table.columns, *reading.elsewhere}:
                self.remarks.append(said)
            else:
                self._leave(table.sheet, said)
        if (decimals := rounds_to(judged.worlds)) is not None:
            said = f"{table.where}: the formulas round to {decimals} decimals"
            self.remarks.append(f"{said}, so the run drifts from the exact one.")
        if reading.missing and not reading.elsewhere:
            names = ", ".join(reading.missing)
            numbers = ", ".join(f"{getattr(SEED, name):g}" for name in reading.missing)
            self.remarks.append(
                f"{table.where}: the file does not tell {names}; taken as published: {numbers}."
            )
        if rate is None and table.weights and table.epochs > 1:
            said = f"{table.where}: η stands nowhere and cannot be read from the steps."
            self._leave(table.sheet, said)
        if rate is not None and not np.isfinite(rate.value).all():
            self._leave(table.sheet, f"{table.where}: η, from {rate.said}, is no number.")

    def of_curve(self, curve: JudgedCurve) -> None:
        """What is said of a column of E_total."""
        unread, table = curve.formulas.unread, curve.reading.table
        if unread:
            at = next(iter(unread))
            self.remarks.append(f"{at.cell}: {unread[at]} cannot be read.")
        if curve.published:
            self.remarks.append("The file has E_total alone; the published start was taken.")
        if not curve.known:
            title = "the column" if table.rate is None else f"the column of η = {table.rate:g}"
            said = f"which start {title} belongs to stands nowhere in the file."
            self._leave(table.sheet, f"{place(table.at('E_total', 0))}: {said}")

    def of_followers(self, curves: Sequence[JudgedCurve]) -> None:
        """Which columns show the numbers of a faulty table."""
        showing: dict[tuple[str, str], list[Address]] = {}
        for curve in curves:
            assert curve.host is not None
            table, host = curve.reading.table, curve.host.reading.table
            key = table.sheet, f"{host.sheet}!{host.where}".removeprefix("!")
            showing.setdefault(key, []).append(table.at("E_total", 0))
        for (sheet, source), places in showing.items():
            where = f"{sheet}!" if sheet else ""
            self.remarks.append(
                f"{where}{brief(places)}: what begins here is what {source} gives as it stands, "
                "with its slips. It changes once they are mended."
            )

    def forgive(self, hidden: Collection[str]) -> None:
        """What a hidden sheet leaves unfinished is no fault of the sheets that are shown."""
        names = tuple(f"{sheet}{mark}" for sheet in hidden for mark in "!:")
        forgiven = [one for one in self.not_judged if one[0] in hidden or one[1].startswith(names)]
        self.not_judged = [one for one in self.not_judged if one not in forgiven]
        self.remarks += [f"On a hidden sheet: {sentence}" for _, sentence in forgiven]


def said_of_bias(judged: Judged) -> str:
    """A network with biases is another exercise."""
    assert judged.bias
    name, value, at = judged.bias
    return (
        f"Its network has a bias, {name[:30]} = {value:g} in {place(at)}. That is not this "
        "exercise, whose network has none, so none of its cells was called right or wrong."
    )


def _said_of_misread(reading: Reading) -> str:
    """Nobody gets most of a forward pass wrong: the headers mean something else."""
    names = [n for n in reading.table.columns if reading.heading(n) != n]
    taken = [f"{reading.heading(n)} for {n}" for n in names]
    words = f" It was taken {', '.join(taken[:6])}." if taken else ""
    return (
        "most of its columns do not hold what their headers seem to say, so "
        f"the table was probably misunderstood, and nothing in it is called wrong.{words}"
    )


def rounds_to(worlds: Worlds) -> int | None:
    """The decimals that the table's own formulas round to, if they do."""
    table = worlds.table
    trees = (worlds.book.readable(table.at(name, table.epochs - 1)) for name in table.columns)
    return min((n for tree in trees if tree is not None for n in rounding(tree)), default=None)
