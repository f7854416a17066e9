"""Formulas as text: cut into tokens, and changed token by token."""

from __future__ import annotations

import re
from typing import NamedTuple

from core.workbook.formula.tree import Address, FormulaError, Ref, column_number, letters

LONGEST = 8192
"""Characters in one formula, as in Excel."""
_SHEET = r"(?:'(?:[^']|'')+'|[^\W\d][\w.]*)!"
_TOKEN = re.compile(
    rf"""(?P<space>\s+)
    |(?P<text>"(?:[^"]|"")*")
    |(?P<error>\#(?:REF!|N/A|NUM!|VALUE!|NAME\?|DIV/0!|NULL!))
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.])
    |(?P<column>(?:[^\W\d][\w.]*)?\[(?:[^\[\]]|\[[^\[\]]*\])*\])
    |(?P<call>[^\W\d][\w.]*)(?=\()
    |(?P<ref>(?:{_SHEET})?\$?[A-Za-z]{{1,3}}\$?[1-9]\d{{0,6}})(?![\w.(!])
    |(?P<name>(?:{_SHEET})?[^\W\d][\w.]*)
    |(?P<sign><>|<=|>=|[-+*/^&=<>%(),:;@])""",
    re.VERBOSE,
)
_REF = re.compile(r"(?:(.+)!)?(\$?)([A-Za-z]+)(\$?)(\d+)")


class Token(NamedTuple):
    """A piece of a formula: what it is (a group of `_TOKEN`), and its text."""

    kind: str
    text: str


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
        sheet, fix_column, column, fix_row, row = ref_parts(token.text)
        there = letters(column if fix_column else max(column + columns, 1))
        line = row if fix_row else max(row + rows, 1)
        place = f"{sheet}!" if sheet else ""
        return f"{place}{'$' * fix_column}{there}{'$' * fix_row}{line}"

    return "".join(map(move, tokens(text)))


_MARK = 0xE000
"""The first of the private signs that stand for rows in a pattern."""


def normalised(text: str, here: Address) -> tuple[str, str, tuple[tuple[str, int], ...]]:
    """The formula of a cell as all cells have it into which it is filled; and as a pattern for
    those below: a text with marks for rows, and the marks, each with its offset from their row.

    A formula that depends on its own row in other ways is its own cell's. Raises FormulaError.
    """
    same, pattern = [], []
    marks: dict[int, str] = {}
    for token in tokens(text):
        if token.kind != "ref":
            same.append(f"{token.text}{here.cell}" if token.kind == "column" else token.text)
            pattern.append(token.text)
            continue
        sheet, fix_column, column, fix_row, row = ref_parts(token.text)
        across = column if fix_column else column - here.column
        down = row if fix_row else row - here.row
        same.append(f"{sheet}{{{'$' * fix_column}{across},{'$' * fix_row}{down}}}")
        mark = str(row) if fix_row else marks.setdefault(down, chr(_MARK + len(marks)))
        pattern.append(token.text[: len(token.text) - len(str(row))] + mark)
    return "".join(same), "".join(pattern), tuple((mark, down) for down, mark in marks.items())


def ref_parts(text: str) -> tuple[str, bool, int, bool, int]:
    """Sheet, whether the column is fixed, the column, whether the row is, and the row."""
    match = _REF.fullmatch(text)
    assert match, text
    sheet, fix_column, column, fix_row, row = match.groups()
    return sheet or "", bool(fix_column), column_number(column), bool(fix_row), int(row)


def make_ref(text: str, here: Address) -> Ref:
    """The reference `text` in a formula of the cell `here`."""
    sheet, fix_column, column, fix_row, row = ref_parts(text)
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


def quoted(sheet: str) -> str:
    """The name of a sheet as a formula writes it."""
    return "'" + sheet.replace("'", "''") + "'"
