"""What the cells of a book come to."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from core.workbook.file.book import Book
from core.workbook.formula import numerals
from core.workbook.formula.functions import Value
from core.workbook.formula.parse import parse
from core.workbook.formula.tree import Address, Constant, FormulaError, Node, references

_LONGEST_CHAIN = 20_000
"""Cells that depend one on the other: in 1,000 epochs there are 14,000."""


class Calculator:
    """What the cells of a book come to, each calculated once, however deep they depend.

    given: says the value of a cell that is settled, whatever the file says; None of all others.
    instead: cells whose formula, or number, is another than the file's. A formula that cannot be
    read has the value that the file shows for it, and stands in `unread`; one that depends on
    itself is NaN, and stands in `loops`.
    """

    def __init__(
        self,
        book: Book,
        given: Callable[[Address], Value | None] = lambda _: None,
        instead: Mapping[Address, Node | float] | None = None,
    ) -> None:
        self.book = book
        self.known: dict[Address, Value] = {}
        self.given = given
        self.instead = instead or {}
        self.unread: dict[Address, str] = {}
        self.loops: set[Address] = set()

    def value(self, at: Address) -> Value:
        """A float, NaN for an error, text, or None for an empty cell."""
        if at in self.known:
            return self.known[at]
        given = self.given(at)
        if given is not None:
            return given
        path: dict[Address, tuple[Node, Iterator[Address]]] = {}
        self._enter(at, path)
        while path:
            top, (tree, asked) = next(reversed(path.items()))
            below = next((a for a in asked if a not in self.known), None)
            if below is None:
                path.pop(top)
                if top not in self.known:
                    self.known[top] = tree.value(top, self.known.__getitem__)
            elif below in path:
                for inside in islice(reversed(path), 100):
                    self.loops.add(inside)
                    if inside == below:
                        break
                self.known[below] = math.nan
            else:
                self._enter(below, path)
        return self.known[at]

    def _enter(self, at: Address, path: dict[Address, tuple[Node, Iterator[Address]]]) -> None:
        given = self.given(at)
        if given is not None:
            self.known[at] = given
            return
        cell, own = self.book.cells.get(at), self.instead.get(at)
        try:
            tree = self.book.tree(at) if own is None else own
            if tree is None or isinstance(tree, float):
                self.known[at] = cell.value if tree is None and cell else tree
                return
            if len(path) > _LONGEST_CHAIN:
                raise FormulaError(f"a chain of more than {_LONGEST_CHAIN:,} cells")
            path[at] = tree, iter(self.book.asked(at) if own is None else references(tree, at))
        except FormulaError as wrong:
            self.unread[at] = str(wrong)
            self.known[at] = math.nan if cell is None or cell.value is None else cell.value


def changed(book: Book, contents: Mapping[Address, str]) -> Calculator:
    """With other contents in some cells, each a formula ("=…"), number or text.

    Raises FormulaError for a formula that cannot be read.
    """

    def content(text: str, at: Address) -> Node | float:
        if text.startswith("="):
            return parse(text[1:], at, book.names_for(at))
        number = numerals.value(text)
        return Constant(text) if math.isnan(number) else number

    return Calculator(book, instead={at: content(text, at) for at, text in contents.items()})
