"""A file of cells, .xlsx or .csv: what stands in each cell, and what it comes to.

This module knows file formats and their dangers, and no network. It reads numbers, texts and
formulas, bounded in time and memory; macros, links and whatever else a file holds stay unread.
"""

from __future__ import annotations

import csv
import io
import math
import posixpath
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple

from lxml import etree

from core.backprop.formula import (
    LONGEST,
    Address,
    FormulaError,
    Meaning,
    Names,
    Node,
    Value,
    column_number,
    extent,
    letters,
    parse,
    references,
    relative,
    shifted,
    work,
)
from core.backprop.formula import element as element_of
from core.backprop.tree import is_of_own_place

MOST_BYTES = 10_000_000
"""In a file: one of this exercise has less than a tenth."""
_MOST_UNPACKED = 100_000_000
_MOST_CELLS = 200_000
_MOST_MARKS = 3_000_000
"""Signs < and = in the XML that is read: each may be an element or attribute, and take memory."""
_MOST_FORMULAS = 3_000_000
"""Characters of all formulas that are read."""
_NODE = 5
"""Of so many characters a node of a tree is made that a cell has for itself."""
_LONGEST_CHAIN = 20_000
"""Cells that depend one on the other: in 1,000 epochs there are 14,000."""
_MOST_ASKED = 700_000
"""References in all formulas, each cell of a range counted."""
_MOST_WORK = 5_000_000
"""Values that all formulas read and calculate, once each."""
_LAST_ROW, _LAST_COLUMN = 1_048_576, 16_384


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


class Calculator:
    """What the cells of a book come to, each calculated once, however deep they depend.

    given: cells whose value is settled, whatever the file says. instead: cells whose formula, or
    number, is another than the file's. A formula that cannot be read has the value that the file
    shows for it, and stands in `unread`; one that depends on itself is NaN, and stands in `loops`.
    """

    def __init__(
        self,
        book: Book,
        given: Mapping[Address, Value] | None = None,
        instead: Mapping[Address, Node | float] | None = None,
    ) -> None:
        self.book = book
        self.known: dict[Address, Value] = dict(given or {})
        self.instead = instead or {}
        self.unread: dict[Address, str] = {}
        self.loops: set[Address] = set()

    def value(self, at: Address) -> Value:
        """A float, NaN for an error, text, or None for an empty cell."""
        if at in self.known:
            return self.known[at]
        path: dict[Address, Iterator[Address]] = {}
        self._enter(at, path)
        while path:
            top = next(reversed(path))
            below = next((a for a in path[top] if a not in self.known), None)
            if below is None:
                path.pop(top)
                if top not in self.known:
                    tree = self._tree(top)
                    assert tree is not None
                    value = tree.value(top, self.known.__getitem__)
                    self.known[top] = value
            elif below in path:
                for inside in islice(reversed(path), 100):
                    self.loops.add(inside)
                    if inside == below:
                        break
                self.known[below] = math.nan
            else:
                self._enter(below, path)
        return self.known[at]

    def _enter(self, at: Address, path: dict[Address, Iterator[Address]]) -> None:
        try:
            tree = self._tree(at)
            asked = self.book.asked(at) if at not in self.instead else _asked(tree, at)
            if len(path) > _LONGEST_CHAIN:
                raise FormulaError(f"a chain of more than {_LONGEST_CHAIN:,} cells")
        except FormulaError as wrong:
            self.unread[at] = str(wrong)
            shown = self.book.cells[at].value
            self.known[at] = math.nan if shown is None else shown
            return
        if tree is None:
            cell = self.book.cells.get(at)
            own = self.instead.get(at, cell.value if cell else None)
            self.known[at] = own
        else:
            path[at] = iter(asked)

    def _tree(self, at: Address) -> Node | None:
        if at in self.instead:
            other = self.instead[at]
            return None if isinstance(other, float) else other
        return self.book.tree(at)


def _asked(tree: Node | None, at: Address) -> list[Address]:
    return [] if tree is None else references(tree, at)


def read(source: str | Path | bytes) -> Book:
    """The cells of an .xlsx (.xlsm) or .csv file, given as its path or its bytes.

    Raises FileError with a sentence for every file that is neither, is damaged, is protected by a
    password, or would take more memory than such a file ever needs.
    """
    data = source if isinstance(source, bytes) else _load(Path(source))
    if len(data) > MOST_BYTES:
        raise _too_large(len(data))
    if not data.strip():
        raise FileError("The file is empty.")
    try:
        if data.startswith(b"PK"):
            return _read_package(data)
        if data.startswith(b"\xd0\xcf\x11\xe0"):
            raise FileError(_old_format(data))
        return _read_csv(data)
    except FileError:
        raise
    except (
        *(zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError),
        *(etree.LxmlError, LookupError, ValueError),
    ) as wrong:
        raise FileError(_DAMAGED) from wrong


_TOO_MUCH = (
    f"Unpacked the file would take more than {_MOST_UNPACKED / 1e6:.0f} MB or hold more cells, far "
    "more than a workbook of this exercise. It was not read."
)
_DAMAGED = (
    "The file is damaged: it begins like a workbook, but cannot be read. Open it in a spreadsheet "
    "program and save it as .xlsx again."
)


def _too_many(where: str) -> str:
    return (
        f"The file has more than {_MOST_CELLS:,} cells, passed at {where}: more than 1,000 epochs "
        "at six learning rates take. Leave the first 1,000 epochs and try again."
    )


def refuse_lock(name: str) -> None:
    """Raise FileError if a file's name says that it is no workbook but the lock beside one."""
    if name.startswith("~$"):
        raise FileError(
            f"{name} is the lock that Excel keeps while a workbook is open. Give {name[2:]} itself."
        )


def _load(path: Path) -> bytes:
    refuse_lock(path.name)
    try:
        if path.exists() and not path.is_file():
            raise FileError(f"{path} is not a file.")
        if path.stat().st_size > MOST_BYTES:
            raise _too_large(path.stat().st_size)
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as wrong:
        raise FileError(f"{path} cannot be opened: {wrong.strerror}.") from wrong


def _too_large(size: int) -> FileError:
    return FileError(
        f"The file has {size / 1e6:.0f} MB. A workbook of this exercise has less than "
        f"one; up to {MOST_BYTES / 1e6:.0f} are read. Save the sheet with the table alone."
    )


def _old_format(data: bytes) -> str:
    if "EncryptedPackage".encode("utf-16-le") in data:
        return (
            "The workbook is protected by a password. Open it, remove the password "
            "(File, Info, Protect Workbook) and save it."
        )
    return "This is not an .xlsx workbook but an older format. Save it as .xlsx and try again."


# .xlsx


class _Package(zipfile.ZipFile):
    """A zip archive of which only so much XML is read."""

    marks = 0

    def part(self, name: str) -> _Part:
        return _Part(self, self.open(name))


@dataclass
class _Part:
    """A part of a package, open for reading."""

    package: _Package
    file: IO[bytes]

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(size)
        self.package.marks += data.count(b"<") + data.count(b"=")
        if self.package.marks > _MOST_MARKS:
            raise FileError(_TOO_MUCH)
        return data


def _read_package(data: bytes) -> Book:
    with _Package(io.BytesIO(data)) as package:
        entries = package.infolist()
        names = {entry.filename for entry in entries}
        if sum(entry.file_size for entry in entries) > _MOST_UNPACKED or len(entries) > 2000:
            raise FileError(_TOO_MUCH)
        if any(entry.flag_bits & 1 for entry in entries):
            raise FileError("The file is protected by a password. Remove it and try again.")
        usual = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        if len(names) < len(entries) or any(e.compress_type not in usual for e in entries):
            raise FileError(_DAMAGED)
        if "xl/workbook.bin" in names:
            raise FileError("This is an .xlsb workbook. Save it as .xlsx and try again.")
        if "content.xml" in names or "Index/Document.iwa" in names:
            raise FileError(
                "This is a spreadsheet, but not an .xlsx workbook. Export it as .xlsx first."
            )
        top = _related(package, "", "officeDocument")
        if not top or top[0] not in names or "xl" not in top[0]:
            raise FileError("This is a zip archive, but not an .xlsx workbook.")
        return _read_book(package, top[0], data)


def _read_book(package: _Package, part: str, data: bytes) -> Book:
    book = Book("xlsx", data)
    root = _xml(package, part)
    if _local(root) != "workbook":
        raise FileError("This is an Office document, but not a workbook.")
    if "xl/vbaProject.bin" in package.namelist():
        book.remarks.append("The file holds macros. They were not run.")
    if any(name.startswith("xl/externalLinks/") for name in package.namelist()):
        book.remarks.append("The file links to other files. They were not opened.")
    targets = {key: (kind, target) for key, kind, target in _relations(package, part)}
    parts = set(package.namelist())
    texts = _shared_texts(package, part)
    tabs: list[str] = []
    for element in root.iterfind("{*}sheets/{*}sheet"):
        tabs.append(str(element.get("name")))
        key = next((v for k, v in element.attrib.items() if k.endswith("}id")), "")
        name, (kind, target) = str(element.get("name")), targets.get(key, ("", ""))
        if name in book.sheets:
            raise FileError(_DAMAGED)
        if kind == "worksheet" and target in parts:
            parts.remove(target)  # no second sheet has it
            book.sheets.append(name)
            _read_sheet(package, target, name, texts, book)
        elif kind not in ("chartsheet", "dialogsheet"):
            book.unread.append(f"{name[:40]}: its cells are not in the file, and were not read.")
    for element in root.iterfind("{*}definedNames/{*}definedName"):
        name, tab = str(element.get("name")).casefold(), element.get("localSheetId")
        if tab is None:
            book.names[name] = element.text or ""
        elif 0 <= int(tab) < len(tabs):
            book.local_names[tabs[int(tab)], name] = element.text or ""
    return book


def _local(element: Any) -> str:
    return str(etree.QName(element).localname)


def _parser() -> Any:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


def _xml(package: _Package, part: str) -> Any:
    root = etree.parse(package.part(part), _parser()).getroot()
    if root.getroottree().docinfo.doctype:
        raise FileError(_DAMAGED)
    return root


def _relations(package: _Package, part: str) -> list[tuple[str, str, str]]:
    """Of a part: the id, the kind and the part it names, of each of its relations."""
    folder, name = posixpath.split(part)
    place = posixpath.join(folder, "_rels", f"{name}.rels")
    if place not in package.namelist():
        return []
    found = []
    for element in _xml(package, place):
        if element.get("TargetMode") == "External" or not isinstance(element.tag, str):
            continue
        target = posixpath.normpath(posixpath.join("/", folder, element.get("Target", "")))
        kind = element.get("Type", "").rpartition("/")[2]
        found.append((element.get("Id", ""), kind, target.lstrip("/")))
    return found


def _related(package: _Package, part: str, wanted: str) -> list[str]:
    found = [target for _, kind, target in _relations(package, part) if kind == wanted]
    return list(dict.fromkeys(found))


def _shared_texts(package: _Package, part: str) -> list[str]:
    tables = _related(package, part, "sharedStrings")
    if not tables or tables[0] not in package.namelist():
        return []
    return [_rich_text(item) for item in _xml(package, tables[0]).iterfind("{*}si")]


def _rich_text(item: Any) -> str:
    """Its runs joined, without the readings above Japanese characters."""
    runs = [*item.iterfind("{*}t"), *item.iterfind("{*}r/{*}t")]
    return "".join(run.text or "" for run in runs)


_CELL = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})")


def _position(name: str) -> tuple[int, int]:
    match = _CELL.fullmatch(name)
    if not match:
        raise FileError(_DAMAGED)
    row, column = int(match[2]), column_number(match[1])
    if row > _LAST_ROW or column > _LAST_COLUMN:
        raise FileError(_DAMAGED)
    return row, column


def _read_sheet(package: _Package, part: str, name: str, texts: list[str], book: Book) -> None:
    shared: dict[str, Text] = {}
    arrays: list[Text] = []
    row = 0
    events = etree.iterparse(
        package.part(part),
        tag=("{*}worksheet", "{*}row", "{*}mergeCell"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
    )
    for _, element in events:
        if element.getroottree().docinfo.doctype:
            raise FileError(_DAMAGED)
        if _local(element) == "mergeCell":
            _read_merged(str(element.get("ref")), name, book)
        if _local(element) != "row":
            continue
        row = int(element.get("r", row + 1))
        if not 0 < row <= _LAST_ROW:
            raise FileError(_DAMAGED)
        if len(book.cells) > _MOST_CELLS:
            raise FileError(_too_many(f"row {row} of the sheet {name}"))
        column = 0
        for child in element.iterfind("{*}c"):
            where = child.get("r")
            line, column = _position(where) if where else (row, column + 1)
            if line != row or column > _LAST_COLUMN:
                raise FileError(_DAMAGED)
            cell = _read_cell(child, (row, column), texts, shared)
            if cell is not None:
                book.cells[Address(name, row, column)] = cell
                if cell.text and cell.text.array:
                    arrays.append(cell.text)
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]
    _fill(arrays, name, book)
    for table in _related(package, part, "table"):
        root = _xml(package, table)
        first = _position(str(root.get("ref")).partition(":")[0])[1]
        columns = [str(c.get("name")) for c in root.iterfind("{*}tableColumns/{*}tableColumn")]
        if len(columns) > 500 or len(book.lists) > 100:
            continue  # formulas with their names are not judged
        for key in {str(root.get("name")), str(root.get("displayName"))}:
            book.lists[key.casefold()] = (name, first, columns)


def _fill(arrays: list[Text], sheet: str, book: Book) -> None:
    """Give each array formula to the cells that it fills, of which only the first has it."""
    room = _MOST_CELLS
    for text in arrays:
        rows, columns = text.array or (1, 1)
        room -= rows * columns
        if room < 0:
            raise FileError(_too_many(f"row {text.row} of the sheet {sheet}"))
        for row in range(text.row, text.row + rows):
            for column in range(text.column, text.column + columns):
                at = Address(sheet, row, column)
                cell = book.cells.get(at, Cell(None))
                if cell.text is None:
                    book.cells[at] = cell._replace(text=text)


def _read_cell(
    element: Any, at: tuple[int, int], texts: list[str], shared: dict[str, Text]
) -> Cell | None:
    formula, content = element.find("{*}f"), element.find("{*}v")
    kind, digits = element.get("t", "n"), "" if content is None else content.text or ""
    value: float | str | None = None
    if kind == "s":
        value = texts[_index(digits)] if digits else None
    elif kind == "inlineStr":
        inside = element.find("{*}is")
        value = None if inside is None else _rich_text(inside)
    elif kind == "e":
        value = math.nan
    elif kind in ("str", "d"):
        value = digits
    elif digits:
        value = float(digits) if math.isfinite(float(digits)) else math.nan
    text = None if formula is None else _read_formula(formula, at, shared)
    if value is None and text is None:
        return None
    written = digits if isinstance(value, float) and math.isfinite(value) else ""
    return Cell(value, written, text)


def _index(digits: str) -> int:
    if int(digits) < 0:
        raise FileError(_DAMAGED)
    return int(digits)


def _read_formula(element: Any, at: tuple[int, int], shared: dict[str, Text]) -> Text:
    """Members of a shared formula point to the text of its first cell.

    The cell of an array formula is the first of those it fills, `ref`.
    """
    own, group = (element.text or "")[: LONGEST + 1], element.get("si")
    if element.get("t") == "shared" and group is not None:
        if own:
            shared[group] = Text(own, *at)
        return shared.get(group, Text("#REF!", *at))
    if element.get("t") == "dataTable":
        return Text("DATATABLE()", *at)
    if element.get("t") == "array":
        first, _, last = element.get("ref", "").partition(":")
        bottom, right = _position(last or first) if first else at
        return Text(own, *at, (max(bottom - at[0], 0) + 1, max(right - at[1], 0) + 1))
    return Text(own, *at)


def _read_merged(area: str, sheet: str, book: Book) -> None:
    first, _, last = area.partition(":")
    (top, left), (bottom, right) = _position(first), _position(last or first)
    if (bottom - top + 1) * (right - left + 1) > 10_000 or len(book.merged) > _MOST_CELLS:
        return
    for row in range(top, bottom + 1):
        for column in range(left, right + 1):
            if (row, column) != (top, left):
                book.merged[Address(sheet, row, column)] = Address(sheet, top, left)


# .csv


def _read_csv(data: bytes) -> Book:
    text = _decoded(data)
    lines = text[:200_000].splitlines()
    blank = _separated_by_blanks(lines[:50])
    if not blank and not any(c in line for line in lines[:50] for c in ",;\t|"):
        raise FileError("This is neither an .xlsx workbook nor a .csv file with several columns.")
    comma = max(",;\t|", key=lambda c: sum(line.count(c) for line in lines[:50]))
    if comma == "," and sum(line.count(";") for line in lines[:50]) >= 20:
        comma = ";"  # the commas are in the numbers: 0,05
    if blank:
        comma = " "
    book = Book("csv", data, sheets=[""])
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=comma, skipinitialspace=blank > 0)
    try:
        for row, fields in enumerate(rows, start=1):
            if blank:
                fields = [*[""] * (blank - len(fields)), *filter(None, fields)]
            if len(book.cells) > _MOST_CELLS or row > _LAST_ROW:
                raise FileError(_too_many(f"line {row}"))
            for column, content in enumerate(fields[:_LAST_COLUMN], start=1):
                cell = _csv_cell(content.strip(), comma, row, column)
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
    others = sum(any(c in line for c in ",;\t|") for line in lines)
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


def _csv_cell(content: str, comma: str, row: int, column: int) -> Cell | None:
    if not content:
        return None
    if content.startswith("=") and len(content) > 1:
        return Cell(None, "", Text(content[1 : LONGEST + 2], row, column))
    digits = content.replace("\N{MINUS SIGN}", "-")
    if comma != "," and re.fullmatch(r"[-+]?\d*,\d+(?:[eE][-+]?\d+| ?%)?", digits):
        digits = digits.replace(",", ".")
    if percent := re.fullmatch(r"([-+]?\d*\.?\d+) ?%", digits):
        digits = str(Decimal(percent[1]).scaleb(-2))
    try:
        value = float(digits) if not set(digits) & set("_nN") else None
    except ValueError:
        value = None
    if value is None or not math.isfinite(value):
        return Cell(math.nan if re.fullmatch(r"#[A-Z0-9/]+[!?]?", content) else content)
    return Cell(value, digits)
