"""A faulty workbook to try the audit on: the published start, with the slips most copies have."""

from __future__ import annotations

from functools import cache

from core.backprop.network import SEED
from core.workbook.export import workbook
from core.workbook.file.calculate import Calculator
from core.workbook.file.read import read
from core.workbook.find.tables import find
from core.workbook.formula.tree import Address
from core.workbook.mend.repair import rewritten

EPOCHS = 50


@cache
def faulty_workbook() -> bytes:
    """∂E/∂w3 and ∂E/∂w4 with out_h1(1 − out_h1), and h1 carried on from row 2 as if a weight."""
    book = read(workbook(SEED, 1.0, EPOCHS))
    table = find(Calculator(book)).tables[0]
    contents = {}
    for k in range(EPOCHS):
        right, wrong = table.at("out_h2", k).cell, table.at("out_h1", k).cell
        for name in ("∂E/∂w3", "∂E/∂w4"):
            at = table.at(name, k)
            slope = f"{right}*(1-{right})"
            formula = book.formula(at) or ""
            contents[at] = f"={formula.replace(slope, slope.replace(right, wrong))}"
        if k:
            step: Address = table.at("w5", k)
            h1, above = table.at("h1", k), table.at("h1", k - 1)
            weight = table.at("w5", k - 1).cell
            contents[h1] = f"={(book.formula(step) or '').replace(weight, above.cell)}"
    return rewritten(book, contents, {})
