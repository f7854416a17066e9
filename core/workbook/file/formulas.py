"""The formulas of a file: one object for all the cells that a formula was filled into."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from core.workbook.formula.tokens import normalised, shifted
from core.workbook.formula.tree import Address, FormulaError, Node

MOST_CHARACTERS = 3_000_000
"""Of all formulas that are read, each of those filled down or across counted once."""


@dataclass(eq=False, slots=True)
class Formula:
    """A formula as the file has it: without "=", written for the cell `home`.

    array: the rows and columns that it fills from that cell on, for an array formula; else None.
    tree: what it was read as, once it is.
    """

    text: str
    home: Address
    array: tuple[int, int] | None = None
    tree: Node | FormulaError | None = None

    def at(self, cell: Address) -> str:
        """As a person reads it in one of its cells; those of an array formula have the same."""
        if self.array or cell == self.home:
            return self.text
        return shifted(self.text, cell.row - self.home.row, cell.column - self.home.column)


class _Above(NamedTuple):
    """The last formula of a column: how it reads in the rows below."""

    formula: Formula
    pattern: str
    marks: tuple[tuple[str, int], ...]

    def reads(self, row: int) -> str:
        text = self.pattern
        for mark, offset in self.marks:
            text = text.replace(mark, str(row + offset))
        return text


@dataclass
class Formulas:
    """Gives each cell its formula, the same object to cells into which one was filled."""

    characters: int = 0
    _known: dict[tuple[str, str], Formula] = field(default_factory=dict)
    _above: dict[tuple[str, int], _Above] = field(default_factory=dict)

    def of(self, text: str, at: Address, array: tuple[int, int] | None = None) -> Formula:
        """The formula of a cell that has this text."""
        above = self._above.get((at.sheet, at.column)) if array is None else None
        if above is not None and above.reads(at.row) == text:
            return above.formula
        self.characters += len(text)
        if self.characters > MOST_CHARACTERS:
            wrong = FormulaError("more formulas than are read of one file")
            return Formula(text, at, array, wrong)
        if array:  # what its cells show depends on where it begins
            return Formula(text, at, array)
        try:
            same, pattern, marks = normalised(text, at)
        except FormulaError as wrong:
            return Formula(text, at, None, wrong)
        formula = self._known.setdefault((at.sheet, same), Formula(text, at))
        self._above[at.sheet, at.column] = _Above(formula, pattern, marks)
        return formula
