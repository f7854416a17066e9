"""Spreadsheet formulas: read into a tree, calculated, and changed token by token.

This module knows the grammar of a formula and its arithmetic. It knows no file and no network:
whoever calculates says what a cell holds. Nothing is ever run: a formula becomes a tree of numbers,
references, operators and the few functions in `FUNCTIONS`; anything else is a FormulaError.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, reduce
from typing import Any, NamedTuple

import numpy as np

MOST_CELLS = 1024
"""In one range: a column of 1,000 epochs has fewer."""
LONGEST = 8192
"""Characters in one formula, as in Excel."""
_DEEPEST = 60
_MOST_OPERATIONS = 400
"""In one formula, with those of the names in it: E_total as one formula has less than 100."""
_LONGEST_TEXT = 32_767


class FormulaError(ValueError):
    """The formula cannot be read; the message says which part."""


class Address(NamedTuple):
    """A cell: the sheet's name, and row and column counted from 1."""

    sheet: str
    row: int
    column: int

    @property
    def cell(self) -> str:
        """As a spreadsheet writes it: AA32."""
        return f"{letters(self.column)}{self.row}"


def letters(column: int) -> str:
    """Column 1 is A, 27 is AA."""
    name = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


@cache
def column_number(name: str) -> int:
    """A is 1, AA is 27."""
    return reduce(lambda number, letter: 26 * number + ord(letter) - 64, name.upper(), 0)


Value = Any
"""A float, or an array of floats; NaN is an error value. Or text."""
Cells = Callable[[Address], Value]


def number(value: Value) -> Value:
    """What arithmetic makes of a value: an empty cell is 0, text is read as a number or is NaN.

    So is a range, which has no one number.
    """
    if value is None:
        return 0.0
    if isinstance(value, list):
        return math.nan
    if isinstance(value, str):
        try:
            return float(value.strip().replace(",", "."))
        except ValueError:
            return math.nan
    return value


# The tree. `value` calculates a node for the cell `here`, asking `cells` what other cells hold.


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, or text in quotes."""

    content: float | str

    def value(self, here: Address, cells: Cells) -> Value:
        return self.content

    def parts(self) -> tuple[Node, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class Ref:
    """A reference to one cell; a row or column that is not fixed is an offset from `here`."""

    sheet: str | None
    row: int
    column: int
    fixed_row: bool
    fixed_column: bool

    def at(self, here: Address) -> Address:
        """The cell it means in a formula of the cell `here`."""
        row = self.row if self.fixed_row else self.row + here.row
        column = self.column if self.fixed_column else self.column + here.column
        return Address(self.sheet or here.sheet, row, column)

    def value(self, here: Address, cells: Cells) -> Value:
        return cells(self.at(here))

    def parts(self) -> tuple[Node, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class Range:
    """All cells between two corners, row by row."""

    first: Ref
    last: Ref

    def at(self, here: Address) -> list[Address]:
        """The cells it means in a formula of the cell `here`."""
        a, b = self.first.at(here), self.last.at(here)
        rows = range(min(a.row, b.row), max(a.row, b.row) + 1)
        columns = range(min(a.column, b.column), max(a.column, b.column) + 1)
        if len(rows) * len(columns) > MOST_CELLS:
            raise FormulaError(f"a range of more than {MOST_CELLS} cells")
        return [Address(a.sheet, row, column) for row in rows for column in columns]

    def value(self, here: Address, cells: Cells) -> Value:
        return [cells(address) for address in self.at(here)]

    def parts(self) -> tuple[Node, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class Operation:
    """Two operands and what joins them."""

    sign: str
    left: Node
    right: Node

    def value(self, here: Address, cells: Cells) -> Value:
        left, right = self.left.value(here, cells), self.right.value(here, cells)
        try:
            if self.sign == "&":
                return _joined(left, right)
            return _OPERATORS[self.sign](number(left), number(right))
        except (ArithmeticError, TypeError, ValueError):
            return math.nan

    def parts(self) -> tuple[Node, ...]:
        return (self.left, self.right)


@dataclass(frozen=True, slots=True)
class Minus:
    """The operand with its sign turned."""

    operand: Node

    def value(self, here: Address, cells: Cells) -> Value:
        return -number(self.operand.value(here, cells))

    def parts(self) -> tuple[Node, ...]:
        return (self.operand,)


@dataclass(frozen=True, slots=True)
class Call:
    """One of `FUNCTIONS`."""

    name: str
    arguments: tuple[Node, ...]

    def value(self, here: Address, cells: Cells) -> Value:
        try:
            if self.name == "IF" and len(self.arguments) > 1:
                chosen = self.arguments[1 if number(self.arguments[0].value(here, cells)) else 2 :]
                return chosen[0].value(here, cells) if chosen else 0.0
            return FUNCTIONS[self.name](*(a.value(here, cells) for a in self.arguments))
        except (ArithmeticError, TypeError, ValueError):
            return math.nan

    def parts(self) -> tuple[Node, ...]:
        return self.arguments


Node = Constant | Ref | Range | Operation | Minus | Call


def _text(value: Value) -> str:
    return value if isinstance(value, str) else "" if value is None else f"{value:.15g}"


def _joined(left: Value, right: Value) -> str:
    text = _text(left) + _text(right)
    if len(text) > _LONGEST_TEXT:
        raise ValueError("longer than a cell's text may be")
    return text


def _power(base: Value, exponent: Value) -> Value:
    power = base**exponent
    return math.nan if isinstance(power, complex) else power


def _compared(compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """1.0 or 0.0: sums and powers of True would be integers, of which some fill the memory."""
    return lambda a, b: compare(a, b) * 1.0


_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    **{"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv},
    **{"^": _power, "=": _compared(operator.eq), "<>": _compared(operator.ne)},
    **{"<": _compared(operator.lt), ">": _compared(operator.gt)},
    **{"<=": _compared(operator.le), ">=": _compared(operator.ge)},
}


def _exp(x: Value) -> Value:
    return math.exp(x) if isinstance(x, float) else np.exp(x)


def _one(function: Callable[[Any], Any]) -> Callable[[Value], Value]:
    return lambda x: function(number(x))


def _numbers(arguments: Iterable[Value]) -> Iterator[Any]:
    for argument in arguments:
        if isinstance(argument, list):
            yield from (x for x in argument if x is not None and not isinstance(x, str))
        else:
            yield number(argument)


def _lists(arguments: Iterable[Value]) -> list[list[Any]]:
    return [[number(x) for x in (a if isinstance(a, list) else [a])] for a in arguments]


def _sum_of_products(*arguments: Value) -> Value:
    lists = _lists(arguments)
    return sum(reduce(operator.mul, factors) for factors in zip(*lists, strict=True))


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "EXP": _one(_exp),
    "LN": _one(math.log),
    "SQRT": _one(math.sqrt),
    "ABS": _one(abs),
    "TANH": _one(np.tanh),
    "POWER": lambda x, y: _power(number(x), number(y)),
    "SUM": lambda *a: reduce(operator.add, _numbers(a), 0.0),
    "PRODUCT": lambda *a: reduce(operator.mul, _numbers(a), 1.0),
    "SUMSQ": lambda *a: reduce(operator.add, (x * x for x in _numbers(a)), 0.0),
    "AVERAGE": lambda *a: (lambda x: sum(x) / len(x))(list(_numbers(a))),
    "SUMPRODUCT": _sum_of_products,
    "SUMXMY2": lambda *a: sum((x - y) ** 2 for x, y in zip(*_lists(a), strict=True)),
    "ROUND": lambda x, digits: round(number(x), int(number(digits))),
    "MIN": lambda *a: min(_numbers(a)),
    "MAX": lambda *a: max(_numbers(a)),
    "PI": lambda: math.pi,
    "ROW": lambda: math.nan,
    "IF": lambda condition: 1.0 if number(condition) else 0.0,
    "IFERROR": lambda x, other: other if isinstance(x, float) and math.isnan(x) else x,
    "N": _one(float),
    "VALUE": _one(float),
}

# From text to tokens.

_SHEET = r"(?:'(?:[^']|'')+'|[^\W\d][\w.]*)!"
_TOKEN = re.compile(
    rf"""(?P<space>\s+)
    |(?P<text>"(?:[^"]|"")*")
    |(?P<error>\#(?:REF!|N/A|NUM!|VALUE!|NAME\?|DIV/0!|NULL!))
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.])
    |(?P<column>(?:[^\W\d][\w.]*)?\[(?:[^\[\]]|\[[^\[\]]*\])*\])
    |(?P<call>[A-Za-z_][\w.]*)(?=\()
    |(?P<ref>(?:{_SHEET})?\$?[A-Za-z]{{1,3}}\$?[1-9]\d{{0,6}})(?![\w.(!])
    |(?P<name>(?:{_SHEET})?[^\W\d][\w.]*)
    |(?P<sign><>|<=|>=|[-+*/^&=<>%(),:;])""",
    re.VERBOSE,
)
_REF = re.compile(r"(?:(.+)!)?(\$?)([A-Za-z]+)(\$?)(\d+)")


class Token(NamedTuple):
    """A piece of a formula: what it is (a group of `_TOKEN`), and its text."""

    kind: str
    text: str


Names = Callable[[str], str]
"""What a defined name, or a column of a table as in Table1[[#This Row],[w1]], stands for."""


def no_names(name: str) -> str:
    """For formulas without names."""
    raise FormulaError(f"the name {name[:40]}")


def tokens(text: str) -> list[Token]:
    """The pieces of a formula without its "=", spaces too; FormulaError where one is none."""
    if len(text) > LONGEST:
        raise FormulaError(f"more than {LONGEST:,} characters")
    found, end = [], 0
    while end < len(text):
        match = _TOKEN.match(text, end)
        if match is None:
            raise FormulaError(f"“{text[end : end + 20]}”")
        found.append(Token(str(match.lastgroup), match[0]))
        end = match.end()
    return found


def shifted(text: str, rows: int, columns: int) -> str:
    """The formula as it reads when filled `rows` down and `columns` to the right."""

    def move(token: Token) -> str:
        if token.kind != "ref":
            return token.text
        sheet, fix_column, column, fix_row, row = _ref_parts(token.text)
        there = letters(column if fix_column else max(column + columns, 1))
        line = row if fix_row else max(row + rows, 1)
        place = f"{sheet}!" if sheet else ""
        return f"{place}{'$' * fix_column}{there}{'$' * fix_row}{line}"

    return "".join(map(move, tokens(text)))


_PLAIN_REF = re.compile(r"(?<![\w.$])(\$?)([A-Z]{1,3})(\$?)([1-9]\d{0,6})(?![\w.(!])")


def relative(text: str, here: Address) -> str:
    """The formula with offsets for references: the same for all cells it was filled into.

    Where texts or quoted names could be taken for references, it is `text` with its cell.
    """
    if any(c in text for c in "\"'["):
        return f"{here.cell}: {text}"

    def offset(match: re.Match[str]) -> str:
        fixed_column, column, fixed_row, row = match.groups()
        across = column if fixed_column else column_number(column) - here.column
        down = row if fixed_row else int(row) - here.row
        return f"{{{fixed_column}{across},{fixed_row}{down}}}"

    return _PLAIN_REF.sub(offset, text)


def _ref_parts(text: str) -> tuple[str, bool, int, bool, int]:
    match = _REF.fullmatch(text)
    assert match, text
    sheet, fix_column, column, fix_row, row = match.groups()
    return sheet or "", bool(fix_column), column_number(column), bool(fix_row), int(row)


def make_ref(text: str, here: Address) -> Ref:
    """The reference `text` in a formula of the cell `here`."""
    sheet, fix_column, column, fix_row, row = _ref_parts(text)
    if sheet.startswith("'"):
        sheet = sheet[1:-1].replace("''", "'")
    if "[" in sheet:
        raise FormulaError(f"another file, {sheet[:40]}")
    return Ref(
        sheet or None,
        row if fix_row else row - here.row,
        column if fix_column else column - here.column,
        fix_row,
        fix_column,
    )


# From tokens to the tree.

_STRENGTH = {
    **dict.fromkeys(("=", "<>", "<", ">", "<=", ">="), 1),
    **{"&": 2, "+": 3, "-": 3, "*": 4, "/": 4, "^": 5},
}


@dataclass
class _Reader:
    """Precedence climbing; as in Excel a sign binds closer than ^, and ^ goes from the left."""

    pieces: list[Token]
    here: Address
    names: Names
    next: int = 0
    depth: int = field(default=0)
    operations: int = 0

    def peek(self) -> str:
        return self.pieces[self.next].text if self.next < len(self.pieces) else ""

    def expression(self, weakest: int = 1) -> Node:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise FormulaError("brackets nested too deep")
        node = self.operand()
        while (strength := _STRENGTH.get(self.peek(), 0)) >= weakest:
            sign = self.pieces[self.next].text
            self.next += 1
            self.count()
            node = Operation(sign, node, self.expression(strength + 1))
        self.depth -= 1
        return node

    def operand(self) -> Node:
        signs = 0
        while self.peek() in ("-", "+"):
            signs += self.peek() == "-"
            self.next += 1
        node = self.atom()
        while self.peek() == "%":
            self.next += 1
            self.count()
            node = Operation("/", node, Constant(100.0))
        return Minus(node) if signs % 2 else node

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
            return self.reference(make_ref(text, self.here))
        if kind == "call":
            return self.call(text)
        if kind in ("name", "column"):
            return self.named(text)
        if text == "(":
            node = self.expression()
            self.expect(")")
            return node
        raise FormulaError(f"“{text}”")

    def reference(self, first: Ref) -> Node:
        if self.peek() != ":":
            return first
        self.next += 1
        last = self.pieces[self.next] if self.next < len(self.pieces) else Token("", "")
        if last.kind != "ref":
            raise FormulaError("a range without an end")
        self.next += 1
        return Range(first, make_ref(last.text, self.here))

    def call(self, text: str) -> Node:
        name = text.upper().removeprefix("_XLFN.")
        if name not in FUNCTIONS:
            raise FormulaError(f"the function {name[:40]}")
        self.expect("(")
        arguments: list[Node] = []
        while self.peek() != ")":
            arguments.append(self.expression())
            if self.peek() in (",", ";"):
                self.next += 1
            elif self.peek() != ")":
                raise FormulaError(f"“{self.peek()}” in {name}")
        self.next += 1
        return Call(name, tuple(arguments))

    def named(self, text: str) -> Node:
        if text.upper() in ("TRUE", "FALSE"):
            return Constant(float(text.upper() == "TRUE"))
        self.depth += 1
        self.count()
        pieces = _solid(self.names(text))
        inner = _Reader(pieces, self.here, self.names, 0, self.depth + 5, self.operations)
        node = inner.expression()
        if inner.peek():
            raise FormulaError(f"the name {text[:40]}")
        self.operations = inner.operations
        self.depth -= 1
        return node

    def count(self) -> None:
        self.operations += 1
        if self.operations > _MOST_OPERATIONS:
            raise FormulaError(f"more than {_MOST_OPERATIONS} operations")

    def expect(self, text: str) -> None:
        if self.peek() != text:
            raise FormulaError(f"“{self.peek() or 'its end'}” where “{text}” belongs")
        self.next += 1


def _solid(text: str) -> list[Token]:
    return [token for token in tokens(text) if token.kind != "space"]


def parse(text: str, here: Address, names: Names = no_names) -> Node:
    """The tree of the formula `text` (without its "=") of the cell `here`.

    Raises FormulaError for what it does not know, naming it.
    """
    reader = _Reader(_solid(text), here, names)
    node = reader.expression()
    if reader.peek():
        raise FormulaError(f"“{reader.peek()}” after its end")
    return node


def references(node: Node, here: Address) -> list[Address]:
    """Every cell that the formula of `here` asks for, in order, with repetitions."""
    if isinstance(node, Ref):
        return [node.at(here)]
    if isinstance(node, Range):
        return node.at(here)
    return [address for part in node.parts() for address in references(part, here)]
