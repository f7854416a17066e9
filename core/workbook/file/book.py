"""The cells of a file, and the trees of their formulas, bounded in time and memory."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from core.workbook.formula.parse import Meaning, Names, parse
from core.workbook.formula.tokens import relative, shifted
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

_MOST_FORMULAS = 3_000_000
"""Characters of all formulas that are read."""
_NODE = 5
"""Of so many characters a node of a tree is made that a cell has for itself."""
_MOST_ASKED = 700_000
"""References in all formulas, each cell of a range counted."""
_MOST_WORK = 5_000_000
"""Values that all formulas read and calculate, once each."""


class FileError(ValueError):
    """The file cannot be read; the message says why and what to do, for the person who gave it."""


class Text(NamedTuple):
    """A formula as the file has it: without "=", written for the cell at `row`, `column`.

    array: the rows and columns that it fills from that cell on, for an array formula; else None.
    """

    formula: str
    row: int
    column: int
    array: tuple[int, int] | None = None


class Cell(NamedTuple):
    """value: a float, text, or None; NaN for an error value. written: a number's digits in the
    file. Beside a formula the value is what it came to when the file was saved, None if it was
    never calculated.
    """

    value: float | str | None
    written: str = ""
    text: Text | None = None


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
    _trees: dict[tuple[object, ...], Node | FormulaError] = field(default_factory=dict)
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
        if cell is None or cell.text is None:
            return None
        text, row, column, array = cell.text
        return text if array else shifted(text, at.row - row, at.column - column)

    def formula_text(self, at: Address) -> str:
        """As `formula`, as it is stored if it cannot be read; empty for a cell without one."""
        try:
            return self.formula(at) or ""
        except FormulaError:
            text = self.cells[at].text
            return text.formula if text else ""

    def tree(self, at: Address) -> Node | None:
        """The formula of the cell, read; None if it has none. Raises FormulaError."""
        cell = self.cells.get(at)
        if cell is None or cell.text is None:
            return None
        found = self._first_tree(at, cell.text)
        if cell.text.array and not isinstance(found, FormulaError):
            found = self._element(found, at, cell.text)
        if isinstance(found, FormulaError):
            raise found
        return found

    def _first_tree(self, at: Address, text: Text) -> Node | FormulaError:
        """The formula as its first cell has it."""
        key = (at.sheet, *text)
        if key not in self._trees:
            home = Address(at.sheet, text.row, text.column)
            alike = (at.sheet, relative(text.formula, home), text.array)
            if alike not in self._trees:
                self._trees[alike] = self._parsed(text, home)
            self._trees[key] = self._trees[alike]
        return self._trees[key]

    def _parsed(self, text: Text, home: Address) -> Node | FormulaError:
        self._characters += len(text.formula)
        try:
            if self._characters > _MOST_FORMULAS:
                raise FormulaError("more formulas than are read of one file")
            return parse(text.formula, home, self.names_for(home), array=text.array is not None)
        except FormulaError as wrong:
            return wrong

    def _element(self, tree: Node, at: Address, text: Text) -> Node | FormulaError:
        """What one cell shows of an array formula; the formula itself where it fills but that."""
        if text.array == (1, 1):
            return tree
        if at not in self._trees:
            self._characters += _NODE * extent(tree).nodes
            home = Address(at.sheet, text.row, text.column)
            if self._characters > _MOST_FORMULAS:
                self._trees[at] = FormulaError("more formulas than are read of one file")
            elif is_of_own_place(tree):
                self._trees[at] = FormulaError("ROW() or COLUMN() in a formula of several cells")
            else:
                down, across = at.row - text.row, at.column - text.column
                self._trees[at] = element_of(tree, home, down, across)
        return self._trees[at]

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
