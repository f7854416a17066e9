"""The cells of a .csv file, whatever separates them."""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter

from core.workbook.file.book import Book, Cell, FileError
from core.workbook.file.formulas import Formulas
from core.workbook.file.limits import MOST_CELLS, too_many
from core.workbook.formula import numerals
from core.workbook.formula.tokens import LONGEST
from core.workbook.formula.tree import LAST_COLUMN, LAST_ROW, Address

_COMMAS = ",;\t|"


def read_csv(data: bytes) -> Book:
    """The cells of a text file; FileError for one that is no table."""
    text = _decoded(data)
    lines = text[:200_000].splitlines()[:50]
    blank, count = _separated_by_blanks(lines), Counter("".join(lines))
    comma = " " if blank else max(_COMMAS, key=count.__getitem__)
    if not count[comma]:
        raise FileError("This is neither an .xlsx workbook nor a .csv file with several columns.")
    if comma == "," and count[";"] >= 20:
        comma = ";"  # the commas are in the numbers: 0,05
    book, formulas = Book("csv", data, sheets=[""]), Formulas()
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=comma, skipinitialspace=blank > 0)
    try:
        for row, fields in enumerate(rows, start=1):
            if blank:
                fields = [*[""] * (blank - len(fields)), *filter(None, fields)]
            if len(book.cells) > MOST_CELLS or row > LAST_ROW:
                raise FileError(too_many(f"line {row}"))
            for column, content in enumerate(fields[:LAST_COLUMN], start=1):
                cell = _csv_cell(content.strip(), comma, Address("", row, column), formulas)
                if cell is not None:
                    book.cells[Address("", row, column)] = cell
    except csv.Error as wrong:
        raise FileError(f"The .csv file cannot be read: {wrong}.") from wrong
    return book


def _separated_by_blanks(lines: list[str]) -> int:
    """How many fields most lines have between blanks, if there are many and no other separator.

    R writes the names of the columns without one for the names of the rows.
    """
    counts = Counter(len(line.split()) for line in lines if not line.startswith(("#", "%")))
    fields, often = max(counts.items(), key=lambda item: item[1], default=(0, 0))
    others = sum(any(c in line for c in _COMMAS) for line in lines)
    return fields if fields > 4 and 2 * often > len(lines) and 4 * others < len(lines) else 0


def _decoded(data: bytes) -> str:
    for encoding in ("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeError:
            continue
        if "\0" not in text and sum(not c.isprintable() for c in text[:2000] if c > "\r") < 20:
            return text
    raise FileError("This is neither an .xlsx workbook nor a .csv file.")


def _csv_cell(content: str, comma: str, at: Address, formulas: Formulas) -> Cell | None:
    if not content:
        return None
    if content.startswith("=") and len(content) > 1:
        return Cell(None, "", formulas.of(content[1 : LONGEST + 2], at))
    digits = numerals.digits(content) if comma != "," or "," not in content else None
    if digits is None or math.isinf(float(digits)):
        return Cell(math.nan if re.fullmatch(r"#[A-Z0-9/]+[!?]?", content) else content)
    return Cell(float(digits), digits)
