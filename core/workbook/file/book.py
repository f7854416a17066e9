"""The cells of a file, and the trees of their formulas, bounded in time and memory."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from core.workbook.file.formulas import MOST_CHARACTERS, Formula
from core.workbook.formula.parse import Meaning, Names, parse
from core.workbook.formula.tree import (
    Address,
    FormulaError,
    Node,
    extent,
    is_of_own_place,
    letters,
    references,
    work,
)
from core.workbook.formula.tree import element as element_of

_NODE = 5
"""Of so many characters a node of a tree is made that a cell has for itself."""
_MOST_ASKED = 700_000
"""References in all formulas, each cell of a range counted."""
_MOST_WORK = 5_000_000
"""Values that all formulas read and calculate, once each."""


class FileError(ValueError):
    """The file cannot be read; the message says why and what to do, for the person who gave it."""


class Cell(NamedTuple):
    """value: a float, text, or None; NaN for an error value. written: a number's digits in the
    file. Beside a formula the value is what it came to when the file was saved, None if it was
    never calculated.
    """

    value: float | str | None
    written: str = ""
    formula: Formula | None = None


@dataclass
class Book:
    """All sheets of a file.

    cells: address -> its cell, for every cell that is not empty. merged: the cells that a merged
    range covers -> its first cell. names: defined name -> formula, as the cell A1 would have it.
    local_names: sheet and name -> formula, for names of one sheet, which come first there. lists:
    name of an Excel table -> its sheet, first column, and the names of its columns. unread:
    sentences about sheets whose cells are not in the file. remarks: about what else was left alone.
    hidden: the sheets that are not shown.
    """

    kind: str
    file: bytes
    sheets: list[str] = field(default_factory=list)
    cells: dict[Address, Cell] = field(default_factory=dict)
    merged: dict[Address, Address] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    local_names: dict[tuple[str, str], str] = field(default_factory=dict)
    lists: dict[str, tuple[str, int, list[str]]] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    _elements: dict[Address, Node | FormulaError] = field(default_factory=dict)
    _asked: dict[Address, list[Address]] = field(default_factory=dict)
    _works: dict[int, int] = field(default_factory=dict)
    _characters: int = 0
    _references: int = 0
    _work: int = 0

    def formula(self, at: Address) -> str | None:
        """The formula of the cell as a person reads it there, without "="; None if it has none.

        Every cell that an array formula fills has the same.
        """
        cell = self.cells.get(at)
        return None if cell is None or cell.formula is None else cell.formula.at(at)

    def formula_text(self, at: Address) -> str:
        """As `formula`, as it is stored if it cannot be read; empty for a cell without one."""
        try:
            return self.formula(at) or ""
        except FormulaError:
            formula = self.cells[at].formula
            return formula.text if formula else ""

    def text(self, at: Address) -> str:
        """The text in the cell; empty if there is none."""
        cell = self.cells.get(at)
        return cell.value if cell and isinstance(cell.value, str) else ""

    def tree(self, at: Address) -> Node | None:
        """The formula of the cell, read; None if it has none. Raises FormulaError."""
        cell = self.cells.get(at)
        if cell is None or cell.formula is None:
            return None
        found = self._read(cell.formula)
        if cell.formula.array and not isinstance(found, FormulaError):
            found = self._element(found, at, cell.formula)
        if isinstance(found, FormulaError):
            raise found
        return found

    def readable(self, at: Address | None) -> Node | None:
        """As `tree`; None too for a formula that cannot be read."""
        try:
            return None if at is None else self.tree(at)
        except FormulaError:
            return None

    def _read(self, formula: Formula) -> Node | FormulaError:
        """The formula as its first cell has it."""
        if formula.tree is None:
            home, array = formula.home, formula.array is not None
            try:
                formula.tree = parse(formula.text, home, self.names_for(home), array=array)
            except FormulaError as wrong:
                formula.tree = wrong
        return formula.tree

    def _element(self, tree: Node, at: Address, formula: Formula) -> Node | FormulaError:
        """What one cell shows of an array formula; the formula itself where it fills but that."""
        if formula.array == (1, 1):
            return tree
        if at not in self._elements:
            home = formula.home
            self._characters += _NODE * extent(tree).nodes
            if self._characters > MOST_CHARACTERS:
                self._elements[at] = FormulaError("more formulas than are read of one file")
            elif is_of_own_place(tree):
                self._elements[at] = FormulaError("ROW() or COLUMN() in a formula of several cells")
            else:
                down, across = at.row - home.row, at.column - home.column
                self._elements[at] = element_of(tree, home, down, across)
        return self._elements[at]

    def asked(self, at: Address) -> list[Address]:
        """The cells that the formula of the cell refers to. Raises FormulaError."""
        if at not in self._asked:
            tree = self.tree(at)
            if tree is not None and self._references > _MOST_ASKED:
                raise FormulaError("more references than are followed in one file")
            if tree is not None:
                self._charge(tree, at)
            found = [] if tree is None else list(dict.fromkeys(references(tree, at)))
            self._references += len(found)
            self._asked[at] = found
        return self._asked[at]

    def precedents(self, at: Address) -> list[Address]:
        """As `asked`; none of a formula that cannot be read."""
        try:
            return self.asked(at)
        except FormulaError:
            return []

    def trail(
        self, cells: Iterable[Address], leads_on: Callable[[Address], bool]
    ) -> Iterator[Address]:
        """The cells, each once, and those that the ones which lead on refer to, and so on."""
        todo, seen = [*cells], set[Address]()
        for at in todo:
            if at not in seen:
                seen.add(at)
                yield at
                todo += self.precedents(at) if leads_on(at) else ()

    def _charge(self, tree: Node, at: Address) -> None:
        """Count what calculating a tree takes; once for all cells that share it."""
        if id(tree) not in self._works:
            self._works[id(tree)] = work(tree, at)
        self._work += self._works[id(tree)]
        if self._work > _MOST_WORK:
            raise FormulaError("more values than are calculated for one file")

    def names_for(self, here: Address) -> Names:
        """How `parse` looks names up for a formula of the cell `here`."""

        def look(name: str) -> Meaning:
            if "[" in name:
                return Meaning(self._list_cell(name, here), here)
            sheet, _, plain = name.rpartition("!")
            sheet = sheet[1:-1].replace("''", "'") if sheet.startswith("'") else sheet
            plain = plain.casefold()
            text = self.local_names.get((sheet or here.sheet, plain), self.names.get(plain))
            if text is None:
                raise FormulaError(f"the name {name[:40]}")
            return Meaning(text, Address(here.sheet, 1, 1))

        return look

    def _list_cell(self, name: str, here: Address) -> str:
        """The cell that a column of an Excel table is in this row: Table1[[#This Row],[w1]]."""
        parts = re.fullmatch(r"([^\[]*)\[(?:\[#This Row\],|@)?\[?([^\[\]#@]+)\]?\]", name)
        if parts:
            for table, (sheet, first, columns) in self.lists.items():
                if parts[1].casefold() in ("", table) and parts[2] in columns:
                    column = letters(first + columns.index(parts[2]))
                    return f"'{sheet.replace(chr(39), chr(39) * 2)}'!${column}{here.row}"
        raise FormulaError(name[:40])
