"""The cells of an .xlsx file."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import product
from typing import IO, Any

from lxml import etree

from core.workbook.file.book import Book, Cell, FileError
from core.workbook.file.formulas import Formula, Formulas
from core.workbook.file.limits import DAMAGED, MOST_CELLS, MOST_UNPACKED, TOO_MUCH, too_many
from core.workbook.file.package import Element, Package, local, parser, place_of
from core.workbook.file.progress import Tell
from core.workbook.formula import numerals
from core.workbook.formula.tokens import LONGEST
from core.workbook.formula.tree import LAST_ROW, Address, letters

_MOST_MARKS = 3_000_000
"""Signs < and = in the XML that is read: each may be an element or attribute, and take memory."""


class _Package(zipfile.ZipFile, Package):
    """A zip archive of which only so much XML is read.

    tell: of the share of its bytes, unpacked, that has been read.
    """

    marks, done = 0, 0

    def __init__(self, data: bytes, tell: Tell) -> None:
        super().__init__(io.BytesIO(data))
        self.tell = tell
        self.size = sum(entry.file_size for entry in self.infolist())

    @property
    def names(self) -> Collection[str]:
        return self.NameToInfo

    def part(self, name: str) -> _Part:
        return _Part(self, self.open(name))

    def root(self, part: str) -> Element:
        root = etree.parse(self.part(part), parser()).getroot()
        if root.getroottree().docinfo.doctype:
            raise FileError(DAMAGED)
        return root


@dataclass
class _Part:
    """A part of a package, open for reading."""

    package: _Package
    file: IO[bytes]

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(size)
        package = self.package
        package.marks += data.count(b"<") + data.count(b"=")
        if package.marks > _MOST_MARKS:
            raise FileError(TOO_MUCH)
        package.done += len(data)
        package.tell(package.done / package.size)
        return data


def read_package(data: bytes, tell: Tell) -> Book:
    """The cells of a workbook; FileError for a package that is none, or too large."""
    with _Package(data, tell) as package:
        entries = package.infolist()
        names = {entry.filename for entry in entries}
        if package.size > MOST_UNPACKED or len(entries) > 2000:
            raise FileError(TOO_MUCH)
        if any(entry.flag_bits & 1 for entry in entries):
            raise FileError("The file is protected by a password. Remove it and try again.")
        usual = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        if len(names) < len(entries) or any(e.compress_type not in usual for e in entries):
            raise FileError(DAMAGED)
        if "xl/workbook.bin" in names:
            raise FileError("This is an .xlsb workbook. Save it as .xlsx and try again.")
        if "content.xml" in names or "Index/Document.iwa" in names:
            raise FileError(
                "This is a spreadsheet, but not an .xlsx workbook. Export it as .xlsx first."
            )
        top = package.related("", "officeDocument")
        if not top or top[0] not in names or "xl" not in top[0]:
            raise FileError("This is a zip archive, but not an .xlsx workbook.")
        return _read_book(package, top[0], data)


def _read_book(package: _Package, part: str, data: bytes) -> Book:
    book = Book("xlsx", data)
    root = package.root(part)
    if local(root) != "workbook":
        raise FileError("This is an Office document, but not a workbook.")
    if "xl/vbaProject.bin" in package.names:
        book.remarks.append("The file holds macros. They were not run.")
    if any(name.startswith("xl/externalLinks/") for name in package.names):
        book.remarks.append("The file links to other files. They were not opened.")
    targets = {one.identity: (one.kind, one.target) for one in package.relations(part)}
    parts = set(package.names)
    texts, formulas = _shared_texts(package, part), Formulas()
    tabs: list[str] = []
    for element in root.iterfind("{*}sheets/{*}sheet"):
        name = str(element.get("name"))
        tabs.append(name)
        key = next((v for k, v in element.attrib.items() if k.endswith("}id")), "")
        kind, target = targets.get(key, ("", ""))
        if name in book.sheets:
            raise FileError(DAMAGED)
        if kind == "worksheet" and target in parts:
            parts.remove(target)  # no second sheet has it
            book.sheets.append(name)
            if element.get("state", "visible") != "visible":
                book.hidden.add(name)
            _read_sheet(package, target, name, texts, book, formulas)
        elif kind not in ("chartsheet", "dialogsheet"):
            book.unread.append(f"{name[:40]}: its cells are not in the file, and were not read.")
    for element in root.iterfind("{*}definedNames/{*}definedName"):
        name, tab = str(element.get("name")).casefold(), element.get("localSheetId")
        if tab is None:
            book.names[name] = element.text or ""
        elif 0 <= int(tab) < len(tabs):
            book.local_names[tabs[int(tab)], name] = element.text or ""
    return book


def _shared_texts(package: _Package, part: str) -> dict[int, str]:
    tables = package.related(part, "sharedStrings")
    if not tables or tables[0] not in package.names:
        return {}
    items = package.root(tables[0]).iterfind("{*}si")
    return {number: _rich_text(item) for number, item in enumerate(items)}


def _rich_text(item: Any) -> str:
    """Its runs joined, without the readings above Japanese characters."""
    runs = [*item.iterfind("{*}t"), *item.iterfind("{*}r/{*}t")]
    return "".join(run.text or "" for run in runs)


def _read_sheet(
    package: _Package, part: str, name: str, texts: dict[int, str], book: Book, formulas: Formulas
) -> None:
    reader = _Cells(name, texts, formulas)
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
            raise FileError(DAMAGED)
        if local(element) == "mergeCell":
            _read_merged(str(element.get("ref")), name, book)
        if local(element) != "row":
            continue
        row = int(element.get("r", row + 1))
        if not 0 < row <= LAST_ROW:
            raise FileError(DAMAGED)
        if len(book.cells) > MOST_CELLS:
            raise FileError(too_many(f"row {row} of the sheet {name}"))
        book.cells.update(reader.row(element, row))
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]
    _fill(reader.arrays, name, book)
    for table in package.related(part, "table"):
        root = package.root(table)
        first = place_of(str(root.get("ref")).partition(":")[0])[1]
        columns = [str(c.get("name")) for c in root.iterfind("{*}tableColumns/{*}tableColumn")]
        if len(columns) > 500 or len(book.lists) > 100:
            continue  # formulas with their names are not judged
        for key in {str(root.get("name")), str(root.get("displayName"))}:
            book.lists[key.casefold()] = (name, first, columns)


def _fill(arrays: list[Formula], sheet: str, book: Book) -> None:
    """Give each array formula to the cells that it fills, of which only the first has it."""
    room = MOST_CELLS
    for formula in arrays:
        (rows, columns), home = formula.array or (1, 1), formula.home
        room -= rows * columns
        if room < 0:
            raise FileError(too_many(f"row {home.row} of the sheet {sheet}"))
        for down, across in product(range(rows), range(columns)):
            at = Address(sheet, home.row + down, home.column + across)
            cell = book.cells.get(at, Cell(None))
            if cell.formula is None:
                book.cells[at] = cell._replace(formula=formula)


class _Cells:
    """Reads the cells of a sheet, row by row. arrays: the array formulas among them."""

    def __init__(self, sheet: str, texts: dict[int, str], formulas: Formulas) -> None:
        self.sheet, self.texts, self.formulas = sheet, texts, formulas
        self.arrays: list[Formula] = []
        self._shared: dict[str, Formula] = {}
        self._tags = ("v", "f", "is")

    def row(self, element: Any, row: int) -> Iterator[tuple[Address, Cell]]:
        """The cells of a row that are not empty."""
        column, main = 0, element.tag[: -len("row")]
        self._tags = f"{main}v", f"{main}f", f"{main}is"
        for child in element.iterchildren(f"{main}c"):
            where, column = child.get("r"), column + 1
            if where and where != f"{letters(column)}{row}":
                line, column = place_of(where)
                if line != row:
                    raise FileError(DAMAGED)
            at = Address(self.sheet, row, column)
            cell = self._cell(child, at)
            if cell is not None:
                yield at, cell

    def _cell(self, element: Any, at: Address) -> Cell | None:
        kind, digits, formula = element.get("t", "n"), "", None
        value: float | str | None = None
        of_value, of_formula, of_text = self._tags
        for child in element:
            tag = child.tag
            if tag == of_value:
                digits = child.text or ""
            elif tag == of_formula:
                formula = self._formula(child, at)
            elif tag == of_text and kind == "inlineStr":
                value = _rich_text(child)
        if kind == "s":
            value = self.texts[int(digits)] if digits else None
        elif kind == "e":
            value = math.nan
        elif kind in ("str", "d"):
            value = digits
        elif digits and kind != "inlineStr":
            number = float(digits)
            if math.isfinite(number):
                # Python reads more than programs write: 1_000, or 0 as 1e-99999999999999999999.
                written = digits if formula else numerals.digits(digits) or repr(number)
                return Cell(number, written, formula)
            value = math.nan
        return None if value is None and formula is None else Cell(value, "", formula)

    def _formula(self, element: Any, at: Address) -> Formula:
        """Members of a shared formula have that of its first cell, where its text stands.

        The cell of an array formula is the first of those it fills, `ref`.
        """
        text, kind = (element.text or "")[: LONGEST + 1], element.get("t")
        group = element.get("si")
        if kind == "shared" and group is not None:
            if text:
                self._shared[group] = self.formulas.of(text, at)
            return self._shared.get(group) or Formula("#REF!", at)
        if kind == "dataTable":
            return Formula("DATATABLE()", at)
        if kind != "array":
            return self.formulas.of(text, at)
        first, _, last = element.get("ref", "").partition(":")
        bottom, right = place_of(last or first) if first else (at.row, at.column)
        size = max(bottom - at.row, 0) + 1, max(right - at.column, 0) + 1
        self.arrays.append(self.formulas.of(text, at, size))
        return self.arrays[-1]


def _read_merged(area: str, sheet: str, book: Book) -> None:
    first, _, last = area.partition(":")
    (top, left), (bottom, right) = place_of(first), place_of(last or first)
    if (bottom - top + 1) * (right - left + 1) > 10_000 or len(book.merged) > MOST_CELLS:
        return
    for place in product(range(top, bottom + 1), range(left, right + 1)):
        if place != (top, left):
            book.merged[Address(sheet, *place)] = Address(sheet, top, left)
