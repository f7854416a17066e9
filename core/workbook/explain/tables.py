"""The slips of a judged table: in its formulas, its numbers and what it says of η."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np

from core.workbook.explain.formulas import explained
from core.workbook.explain.numbers import explained_numbers
from core.workbook.explain.slips import Slip
from core.workbook.find.reading import Reading, rate_in_texts
from core.workbook.formula.functions import number
from core.workbook.formula.numerals import UNSIGNED, WITH_POINT
from core.workbook.judge.tables import Judged


def slips_of(judged: Judged) -> list[Slip]:
    """All slips of a table."""
    reading, verdict = judged.reading, judged.numbers
    slips = explained(judged.worlds, judged.formulas.wrong)
    if verdict.numbers is not None:
        slips += explained_numbers(reading, verdict.numbers, verdict.wrong)
    if verdict.rate is not None:
        slips += rate_slips(reading, verdict.rate)
    slips += _rate_as_text(reading)
    if verdict.rate is None:
        slips += _rate_told_otherwise(reading)
    return slips


def rate_slips(reading: Reading, found: float) -> list[Slip]:
    """η says one thing, and the steps another: in its cell or text, or in all of its column."""
    table, said = reading.table, reading.rate
    at = None if said is None else said.at or said.text
    if said is None or at is None:
        return []
    value = float(np.ravel(said.value)[0])
    theirs, right = f"{value:g}", repr(found)
    cells = table.places("η") if "η" in table.columns else [at]
    if said.text:
        theirs = str(reading.book.cells[at].value)
        right = re.sub(rf"{UNSIGNED}(?=[^0-9]*$)", f"{found:g}", theirs)
    cause = f"{at.cell} says η = {value:g}, but the weights move as with η = {found:g}."
    return [Slip(c, "η", "rate", cause, theirs, right, ("rate",)) for c in cells]


def rate_text(reading: Reading) -> str:
    """The text that the cell of η holds in place of a number; or ""."""
    at = reading.rate.at if reading.rate else None
    text = reading.actual.value(at) if at else None
    return text if isinstance(text, str) else ""


def is_number(text: str) -> bool:
    """Whether every program takes a text for a number: "0.5" yes, "0,5" in some countries only."""
    return re.fullmatch(WITH_POINT, text.strip()) is not None


def _rate_as_text(reading: Reading) -> list[Slip]:
    text, at = rate_text(reading), reading.rate.at if reading.rate else None
    if not text or at is None or is_number(text):
        return []
    cause = f"{at.cell} holds η as the text “{text[:30]}”, which is not a number."
    right = repr(float(number(text))).removesuffix(".0")
    return [Slip(at, "η", "text", cause, text[:30], right, ("text", "η"))]


def _rate_told_otherwise(reading: Reading) -> list[Slip]:
    """η is typed into the formulas, and a text above them says another."""
    used, told = reading.rate, rate_in_texts(reading)
    if used is None or used.at or used.text or told is None or told.text is None:
        return []
    value, said = float(np.ravel(used.value)[0]), float(np.ravel(told.value)[0])
    if math.isclose(value, said, rel_tol=1e-9) or reading.table.rate is not None:
        return []
    return rate_slips(replace(reading, rate=told), value)
