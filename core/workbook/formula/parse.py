"""Formulas, read into trees.

Nothing is ever run: a formula becomes a tree (tree.py) of numbers, references, operators and the
few functions in functions.py; anything else is a FormulaError.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from core.workbook.formula.functions import FUNCTIONS, OF_AREAS, OF_ARRAYS
from core.workbook.formula.tokens import LONGEST, Token, make_ref, ref_parts, tokens
from core.workbook.formula.tree import (
    LAST_COLUMN,
    LAST_ROW,
    Address,
    Call,
    Constant,
    FormulaError,
    Indexed,
    Measure,
    Minus,
    Node,
    Operation,
    Range,
    Ref,
    is_known,
    one,
    single,
    work,
)

_DEEPEST = 60
_MOST = {"operations": 400, "characters with the names in it": LONGEST}
"""In one formula, with those of the names in it: E_total as one has less than 100 operations."""
_MOST_WORK = 50_000
"""Values that are read and calculated for the value of one formula."""


class Meaning(NamedTuple):
    """What a name stands for: a formula without "=", as the cell `home` would have it."""

    text: str
    home: Address


Names = Callable[[str], Meaning]
"""What a defined name, or a column of a table as in Table1[[#This Row],[w1]], stands for."""


def no_names(name: str) -> Meaning:
    """For formulas without names."""
    raise FormulaError(f"the name {name[:40]}")


_STRENGTH = {
    **dict.fromkeys(("=", "<>", "<", ">", "<=", ">="), 1),
    **{"&": 2, "+": 3, "-": 3, "*": 4, "/": 4, "^": 5},
}


@dataclass
class _Reader:
    """Precedence climbing; as in Excel a sign binds closer than ^, and ^ goes from the left.

    arrays: whether it reads what is calculated with areas (an array formula, or an argument of
    SUMPRODUCT); elsewhere an area gives one value where one is wanted (`single`). counted: what all
    parts of the formula take together.
    """

    pieces: list[Token]
    here: Address
    names: Names
    arrays: bool
    counted: Counter[str] = field(default_factory=Counter)
    depth: int = 0
    next: int = 0

    def count(self, what: str = "operations", more: int = 1) -> None:
        self.counted[what] += more
        if self.counted[what] > _MOST[what]:
            raise FormulaError(f"more than {_MOST[what]:,} {what}")

    def peek(self) -> str:
        return self.pieces[self.next].text if self.next < len(self.pieces) else ""

    def whole(self) -> Node:
        """All pieces as one expression."""
        node = self.expression()
        if self.peek():
            raise FormulaError(f"“{self.peek()}” after its end")
        return node

    def expression(self, weakest: int = 1) -> Node:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise FormulaError("brackets nested too deep")
        node = self.operand()
        while (strength := _STRENGTH.get(self.peek(), 0)) >= weakest:
            sign = self.pieces[self.next].text
            self.next += 1
            self.count()
            right = self.expression(strength + 1)
            node = Operation(sign, self.of_one(node), self.of_one(right))
        self.depth -= 1
        return node

    def of_one(self, node: Node) -> Node:
        """A node where one value is wanted."""
        return node if self.arrays else single(node)

    def operand(self) -> Node:
        taken = ""
        while self.peek() in ("-", "+", "@"):
            taken += self.peek()
            self.next += 1
        signs = taken.count("-")
        node = self.atom()
        if taken.endswith("@"):
            node = one(single(node))
        while self.peek() == "%":
            self.next += 1
            self.count()
            node = Operation("/", self.of_one(node), Constant(100.0))
        return Minus(self.of_one(node)) if signs % 2 else node

    def atom(self) -> Node:
        if self.next >= len(self.pieces):
            raise FormulaError("an end where a number is missing")
        kind, text = self.pieces[self.next]
        self.next += 1
        if kind == "number":
            return Constant(float(text))
        if kind == "text":
            return Constant(text[1:-1].replace('""', '"'))
        if kind == "ref":
            return self.reference(text)
        if kind == "call":
            return self.call(text)
        if kind in ("name", "column"):
            return self.named(text)
        if text == "(":
            node = self.expression()
            self.expect(")")
            return node
        raise FormulaError(f"“{text}”")

    def reference(self, text: str) -> Node:
        _, _, column, _, row = ref_parts(text)
        if row > LAST_ROW or column > LAST_COLUMN:
            return self.named(text)  # XFE1 is no cell, so it may be a name
        start = make_ref(text, self.here)
        if self.peek() != ":":
            return start
        self.next += 1
        last = self.pieces[self.next] if self.next < len(self.pieces) else Token("", "")
        if last.kind != "ref":
            raise FormulaError("a range without an end")
        self.next += 1
        return Range(start, make_ref(last.text, self.here))

    def call(self, text: str) -> Node:
        name = text.upper().removeprefix("_XLFN.")
        self.count()
        if name in _OF_PLACES:
            return self.of_place(name)
        if name == "SINGLE":
            return one(single(self.atom()))
        if name not in (*FUNCTIONS, "IFS"):
            raise FormulaError(f"the function {name[:40]}")
        arguments = self.arguments(name, arrays=name in OF_ARRAYS)
        if name == "IFS":
            return self.conditions(arguments)
        return Call(name, self.fitting(name, arguments))

    def arguments(self, name: str, *, arrays: bool = False) -> list[Node]:
        """Those of a function; one that is left out, as in IF(A1,,1), is 0."""
        self.expect("(")
        outside, self.arrays = self.arrays, self.arrays or arrays
        found: list[Node] = []
        while self.peek() != ")":
            left_out = self.peek() in (",", ";")
            found.append(Constant(0.0) if left_out else self.expression())
            if self.peek() in (",", ";"):
                self.next += 1
                found += [Constant(0.0)] if self.peek() == ")" else []
            elif self.peek() != ")":
                raise FormulaError(f"“{self.peek()}” in {name}")
        self.next += 1
        self.arrays = outside
        return found

    def fitting(self, name: str, arguments: list[Node]) -> tuple[Node, ...]:
        """As the function takes them: areas whole, or one value."""
        if name in OF_AREAS:
            return tuple(arguments)
        if name == "IF":  # `single` goes into its branches where one value is wanted
            return (*map(self.of_one, arguments[:1]), *arguments[1:])
        return tuple(map(self.of_one, arguments))

    def conditions(self, arguments: list[Node]) -> Node:
        """IFS as IF in IF; without a condition that holds it is #N/A."""
        node: Node = Constant(math.nan)
        if self.depth + len(arguments) // 2 > _DEEPEST:
            raise FormulaError("conditions nested too deep")
        for condition, then in reversed(list(zip(arguments[::2], arguments[1::2], strict=False))):
            self.count()
            node = Call("IF", (self.of_one(condition), then, node))
        return node

    def of_place(self, name: str) -> Node:
        """INDEX, ROW, COLUMN, ROWS or COLUMNS."""
        place, *by = self.arguments(name, arrays=True) or (None,)
        if not isinstance(place, _OF_PLACES[name]) or len(by) > 2 * (name == "INDEX"):
            raise FormulaError(f"the function {name} of other than a range and numbers")
        if name != "INDEX":
            return Measure(name, place)
        if not by or not all(map(is_known, by)):
            raise FormulaError(f"the function {name} by what cells hold")
        return Indexed(place, tuple(by))

    def named(self, text: str) -> Node:
        if text.upper() in ("TRUE", "FALSE"):
            return Constant(float(text.upper() == "TRUE"))
        meaning = self.names(text)
        pieces = _solid(meaning.text)
        self.count()
        self.count("characters with the names in it", len(pieces))
        # Names are always calculated as array formulas.
        inner = _Reader(pieces, meaning.home, self.names, True, self.counted, self.depth + 6)
        return inner.whole()

    def expect(self, text: str) -> None:
        if self.peek() != text:
            raise FormulaError(f"“{self.peek() or 'its end'}” where “{text}” belongs")
        self.next += 1


_OF_PLACES = {
    **dict.fromkeys(("ROW", "COLUMN"), Ref | None),
    **dict.fromkeys(("ROWS", "COLUMNS", "INDEX"), Ref | Range | Indexed),
}
"""Functions of where cells are, and of what."""


def _solid(text: str) -> list[Token]:
    return [token for token in tokens(text) if token.kind != "space"]


def parse(text: str, here: Address, names: Names = no_names, *, array: bool = False) -> Node:
    """The tree of the formula `text` (without its "=") of the cell `here`.

    array: whether the file has it as an array formula; else where one value is wanted a range gives
    its cell of the own row or column. Raises FormulaError for what it does not know, naming it.
    """
    reader = _Reader(_solid(text), here, names, array)
    node = one(reader.of_one(reader.whole()))
    if work(node, here) > _MOST_WORK:
        raise FormulaError(f"more than {_MOST_WORK:,} values")
    return node
