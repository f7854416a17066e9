"""Replaces faulty formulas inside an .xlsx file, each marked by a colour and a comment.

This module knows the parts of the package that hold cells, styles and comments, and edits only
those. It refuses to know what a formula means, and leaves every other part as it came, byte for
byte: charts, shapes, macros, printer settings and whatever else openpyxl would drop.
"""

from __future__ import annotations

import io
import math
import posixpath
import re
import sys
import textwrap
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import chain, count
from typing import Any, TypeAlias

from lxml import etree
from openpyxl.formula.translate import Translator
from openpyxl.utils.cell import (
    coordinate_to_tuple,
    get_column_letter,
    range_boundaries,
)

MARK = "FFE3C2"
"""The fill of a mended cell, a light orange on which black text reads well."""
AUTHOR = "Backprop & MNIST Explorer"

LAST_ROW, LAST_COLUMN = 1_048_576, 16_384


@dataclass(frozen=True)
class Change:
    """What one cell is to become.

    sheet, cell: the sheet's name, and "AA32". formula: without "=", e.g. "K32*(1-K32)"; None makes
    the cell the number, or the text, `value`. value: what to show beside the formula until it is
    recalculated; NaN or ∞ is #NUM!. comment: what was wrong, in plain text; None adds no comment.
    marked: whether the cell is filled with `MARK`.
    """

    sheet: str
    cell: str
    formula: str | None
    value: float | str
    comment: str | None
    marked: bool = True


def mend(
    file: bytes, changes: Sequence[Change], values: Mapping[tuple[str, str], float] = {}
) -> bytes:
    """The .xlsx (or .xlsm) `file` with the changes made; the same arguments give the same bytes.

    values: (sheet, cell) -> the new value beside a formula that stays as it is but follows from the
    changes. Cells without a formula ignore it.

    Number format, border and font of a marked cell stay. A comment that is there already stays
    above the new one; a threaded comment is left alone, and where there is one Excel shows it in
    place of ours. The file is set to recalculate when it is opened: Excel does, but LibreOffice
    trusts the values in a file that Excel wrote, so `values` should leave out none.

    Raises ValueError if a sheet does not exist or has no cells, if a cell is no cell's name, if a
    change would tear an array formula apart, or if a part of the file cannot be read.
    """
    if not changes and not values:
        return file
    package = _Package(file)
    sheets = package.sheets()
    names = dict.fromkeys([*(change.sheet for change in changes), *(name for name, _ in values)])
    for name in names:
        if name not in sheets:
            known = ", ".join(f"“{sheet}”" for sheet in sheets)
            raise ValueError(f"The file has no sheet “{name}”. It has {known}.")

    styles = _Styles(package)
    for name in names:
        sheet = _Sheet(package, package.by_id(package.workbook, sheets[name]), name)
        for (of, cell), value in values.items():
            if of == name:
                sheet.renew(_place(cell), value)
        here = [change for change in changes if change.sheet == name]
        sheet.free({_place(change.cell) for change in here})
        for change in here:
            element = sheet.replace(_place(change.cell), change.formula, change.value)
            if change.marked:
                element.set("s", str(styles.marked(int(element.get("s", 0)))))
        notes = [(_place(change.cell), change.comment) for change in here if change.comment]
        if notes:
            comments = _Comments(package, sheet)
            for place, text in notes:
                comments.add(place, text)
    package.recalculate()
    return package.zipped()


Element: TypeAlias = Any  # lxml has no types of its own
Place: TypeAlias = tuple[int, int]
"""Row and column of a cell, both from 1."""

_CELL = re.compile(r"[A-Z]{1,3}[1-9][0-9]{0,6}")


def _place(cell: str) -> Place:
    if _CELL.fullmatch(cell):
        row, column = coordinate_to_tuple(cell)
        if row <= LAST_ROW and column <= LAST_COLUMN:
            return row, column
    raise ValueError(f"“{cell}” is not the name of a cell.")


def _name(place: Place) -> str:
    row, column = place
    return f"{get_column_letter(column)}{row}"


def _shown(value: float | str) -> tuple[str | None, str]:
    """Type and text of a cell's value: a spreadsheet knows no ∞, and none nearer 0 than 2e-308."""
    if isinstance(value, str):
        return "str", value
    if not math.isfinite(value):
        return "e", "#NUM!"
    return None, repr(float(value)) if abs(value) >= sys.float_info.min else "0"


def _local(element: Element) -> str:
    # A comment or processing instruction has a function for a tag.
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _child(tag: str, text: str | None = None, **attributes: str) -> Element:
    element = etree.Element(tag, attributes)
    element.text = text
    return element


def _insert_after(parent: Element, child: Element, before: Sequence[str]) -> None:
    """Adds `child` behind the last of the children that a schema wants `before` it."""
    places = [k for k, element in enumerate(parent) if _local(element) in before]
    parent.insert(places[-1] + 1 if places else 0, child)


# The package: parts, their relationships and their types.

_TRANSITIONAL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/relationships"
_CONTENT_TYPES = "[Content_Types].xml"
_TYPE = "application/vnd.openxmlformats-officedocument"

_BEFORE_CALCULATION = (
    *("fileVersion", "fileSharing", "workbookPr", "workbookProtection", "bookViews", "sheets"),
    *("functionGroups", "externalReferences", "definedNames"),
)

_HTML_BREAK = re.compile(rb"<br\s*>")


class _Package:
    """The parts of the file, and as trees those that were read or changed."""

    def __init__(self, file: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(file)) as archive:
            self.comment = archive.comment
            self.infos = {info.filename: info for info in archive.infolist()}
            try:
                self.parts = {name: archive.read(info) for name, info in self.infos.items()}
            except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as wrong:
                raise ValueError("A part of the file is damaged.") from wrong
        self.trees: dict[str, Element] = {}
        self.changed: set[str] = set()
        self.workbook = self._the_workbook()
        root = self.read(self.workbook)
        self.main = f"{{{etree.QName(root).namespace}}}"
        strict = self.main.startswith("{http://purl.oclc.org/")
        self.office = _STRICT if strict else _TRANSITIONAL

    def _the_workbook(self) -> str:
        for kind in (_TRANSITIONAL, _STRICT):
            for relation in self._relations(""):
                if relation.get("Type") == f"{kind}/officeDocument":
                    return self._target("", relation)
        raise ValueError("The file does not say where its workbook is.")

    # Trees.

    def read(self, part: str) -> Element:
        """The root of a part; to change it, ask for it by `edit`."""
        if part not in self.trees:
            if part not in self.parts:
                raise ValueError(f"The file has no part {part}, but refers to it.")
            data = self.parts[part]
            if part.lower().endswith(".vml"):
                # The captions of buttons are written in HTML, where a break need not be closed.
                data = _HTML_BREAK.sub(b"<br/>", data)
            try:
                self.trees[part] = etree.fromstring(data, _parser())
            except etree.XMLSyntaxError as error:
                raise ValueError(f"The part {part} of the file is damaged: {error}.") from error
        return self.trees[part]

    def edit(self, part: str) -> Element:
        self.changed.add(part)
        return self.read(part)

    def add(self, path: str, root: Element) -> str:
        """A new part; a {} in its path becomes the first number that is free."""
        taken = {name.lower() for name in [*self.parts, *self.trees]}
        if "{}" in path:
            path = next(p for n in count(1) if (p := path.format(n)).lower() not in taken)
        self.trees[path] = root
        self.changed.add(path)
        return path

    def zipped(self) -> bytes:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.comment = self.comment
            for name in dict.fromkeys([*self.parts, *self.trees]):
                data = self._bytes(name) if name in self.changed else self.parts[name]
                archive.writestr(self._info(name), data)
        return file.getvalue()

    def _bytes(self, part: str) -> bytes:
        tree = self.trees[part].getroottree()
        text: bytes = etree.tostring(tree, encoding="UTF-8", xml_declaration=False)
        if part.lower().endswith(".vml"):
            return text
        return b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n' + text

    def _info(self, name: str) -> zipfile.ZipInfo:
        # A fresh one: flags, extra fields and sizes of the old entry belong to its old bytes.
        old = self.infos.get(name)
        if old is None:
            new = zipfile.ZipInfo(name)
            new.compress_type = zipfile.ZIP_DEFLATED
            return new
        new = zipfile.ZipInfo(name, old.date_time)
        new.compress_type, new.create_system = old.compress_type, old.create_system
        new.external_attr, new.internal_attr = old.external_attr, old.internal_attr
        new.comment = old.comment
        return new

    # Relationships. The source "" is the package itself.

    @staticmethod
    def _rels(source: str) -> str:
        folder, name = posixpath.split(source)
        return posixpath.join(folder, "_rels", f"{name}.rels")

    def _relations(self, source: str) -> list[Element]:
        part = self._rels(source)
        if part not in self.parts and part not in self.trees:
            return []
        inside = (e for e in self.read(part) if _local(e) == "Relationship")
        return [e for e in inside if e.get("TargetMode") != "External"]

    def _target(self, source: str, relation: Element) -> str:
        target = relation.get("Target", "")
        path = posixpath.normpath(posixpath.join("/", posixpath.dirname(source), target))[1:]
        # The names of parts do not tell upper from lower case.
        same = (name for name in self.parts if name.lower() == path.lower())
        return path if path in self.parts else next(same, path)

    def related(self, source: str, kind: str) -> str | None:
        """The part that `source` is related to in this way."""
        for relation in self._relations(source):
            if relation.get("Type") in (f"{_TRANSITIONAL}/{kind}", f"{_STRICT}/{kind}"):
                return self._target(source, relation)
        return None

    def by_id(self, source: str, identity: str) -> str:
        for relation in self._relations(source):
            if relation.get("Id") == identity:
                return self._target(source, relation)
        raise ValueError(f"The part {source} of the file refers to “{identity}”, which is nowhere.")

    def relate(self, source: str, kind: str, target: str) -> str:
        """The identity of a new relationship."""
        part = self._rels(source)
        if part not in self.parts and part not in self.trees:
            empty = etree.Element(
                f"{{{_RELATIONSHIPS}}}Relationships", nsmap={None: _RELATIONSHIPS}
            )
            self.add(part, empty)
        root = self.edit(part)
        taken = {element.get("Id") for element in root}
        identity = next(i for n in count(1) if (i := f"rId{n}") not in taken)
        root.append(
            _child(
                f"{{{_RELATIONSHIPS}}}Relationship",
                Id=identity,
                Type=f"{self.office}/{kind}",
                Target=posixpath.relpath(f"/{target}", f"/{posixpath.dirname(source)}"),
            )
        )
        return identity

    def declare(self, part: str, content_type: str, *, for_extension: bool = False) -> None:
        """Says of what type a new part is, or with it all others of its extension."""
        root = self.edit(_CONTENT_TYPES)
        namespace = f"{{{etree.QName(root).namespace}}}"
        if for_extension:
            extension = posixpath.splitext(part)[1][1:]
            defaults = {
                e.get("Extension", "").lower(): e.get("ContentType")
                for e in root
                if _local(e) == "Default"
            }
            if extension not in defaults:
                new = _child(f"{namespace}Default", Extension=extension, ContentType=content_type)
                _insert_after(root, new, ["Default"])
            if defaults.get(extension, content_type) == content_type:
                return
        root.append(_child(f"{namespace}Override", PartName=f"/{part}", ContentType=content_type))

    # The workbook.

    def folder(self, path: str) -> str:
        return posixpath.join(posixpath.dirname(self.workbook), path)

    def sheets(self) -> dict[str, str]:
        """Name -> the identity of its part among those of the workbook."""
        list_of_sheets = self.read(self.workbook).find(f"{self.main}sheets")
        if list_of_sheets is None:
            raise ValueError("The workbook of the file lists no sheets.")
        return {
            element.get("name", ""): element.get(f"{{{self.office}}}id", "")
            for element in list_of_sheets
            if _local(element) == "sheet"
        }

    def recalculate(self) -> None:
        """Drops the order of calculation, in which cells may be missing now, and asks for anew."""
        chain_part = self.related(self.workbook, "calcChain")
        if chain_part is not None:
            for relation in self._relations(self.workbook):
                if self._target(self.workbook, relation) == chain_part:
                    self.edit(self._rels(self.workbook)).remove(relation)
            types = self.edit(_CONTENT_TYPES)
            for element in list(types):
                if (element.get("PartName") or "").lower() == f"/{chain_part}".lower():
                    types.remove(element)
            self.parts.pop(chain_part, None)
        root = self.edit(self.workbook)
        settings = root.find(f"{self.main}calcPr")
        if settings is None:
            settings = _child(f"{self.main}calcPr")
            _insert_after(root, settings, _BEFORE_CALCULATION)
        settings.set("fullCalcOnLoad", "1")


def _parser() -> Any:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        load_dtd=False,
        strip_cdata=False,
    )


# The cells of a sheet.

_BEFORE_LEGACY_DRAWING = (
    *("sheetPr", "dimension", "sheetViews", "sheetFormatPr", "cols", "sheetData", "sheetCalcPr"),
    *("sheetProtection", "protectedRanges", "scenarios", "autoFilter", "sortState"),
    *("dataConsolidate", "customSheetViews", "mergeCells", "phoneticPr", "conditionalFormatting"),
    *("dataValidations", "hyperlinks", "printOptions", "pageMargins", "pageSetup"),
    *("headerFooter", "rowBreaks", "colBreaks", "customProperties", "cellWatches"),
    *("ignoredErrors", "smartTags", "drawing"),
)


class _Sheet:
    """A worksheet and where its cells are. Its part counts as changed once a cell is."""

    def __init__(self, package: _Package, part: str, name: str) -> None:
        self.package, self.part, self.main = package, part, package.main
        self.root = package.read(part)
        self.data = self.root.find(f"{self.main}sheetData")
        if self.data is None:
            raise ValueError(f"The sheet “{name}” has no cells.")
        self.rows: dict[int, tuple[Element, dict[int, Element]]] = {}
        # Without an attribute r a row or cell stands behind the one before it.
        row = 0
        for element in self.data.iterchildren(f"{self.main}row"):
            row = int(element.get("r", row + 1))
            cells, column = self.rows.setdefault(row, (element, {}))[1], 0
            for cell in element.iterchildren(f"{self.main}c"):
                r = cell.get("r")
                column = coordinate_to_tuple(r)[1] if r else column + 1
                cells[column] = cell

    def _all(self) -> Iterator[tuple[Place, Element, Element]]:
        """Place, cell and formula of each cell that has one."""
        for row, (_, cells) in self.rows.items():
            for column, cell in cells.items():
                formula = cell.find(f"{self.main}f")
                if formula is not None:
                    yield (row, column), cell, formula

    def renew(self, place: Place, value: float) -> None:
        """A new value beside a formula that stays."""
        row, column = place
        cell = self.rows[row][1].get(column) if row in self.rows else None
        formula = None if cell is None else cell.find(f"{self.main}f")
        if formula is not None:
            self._write(cell, formula, value)

    def free(self, places: set[Place]) -> None:
        """Makes what is at `places` replaceable: no other cell takes its formula from there."""
        shared: dict[str, tuple[Place, str]] = {}
        for place, _, formula in self._all():
            kind = formula.get("t")
            if kind == "shared" and formula.text:
                shared.setdefault(formula.get("si", ""), (place, formula.text))
            elif kind in ("array", "dataTable") and formula.get("ref"):
                self._refuse_to_tear(formula.get("ref"), places)
        for place, _, formula in self._all():
            master = shared.get(formula.get("si", "")) if formula.get("t") == "shared" else None
            if master is not None and master[0] in places and place not in places:
                translator = Translator(f"={master[1]}", origin=_name(master[0]))
                formula.text = translator.translate_formula(_name(place))[1:]
                for attribute in ("t", "ref", "si"):
                    formula.attrib.pop(attribute, None)

    def _refuse_to_tear(self, ref: str, places: set[Place]) -> None:
        left, top, right, bottom = range_boundaries(ref)
        inside = [p for p in places if top <= p[0] <= bottom and left <= p[1] <= right]
        if 0 < len(inside) < (bottom - top + 1) * (right - left + 1):
            raise ValueError(
                f"{_name(min(inside))} belongs to the formula that {ref} have in common, and "
                "cannot be changed without the others."
            )

    def replace(self, place: Place, formula: str | None, value: float | str) -> Element:
        """The cell, with a new formula and value, or as a number or text."""
        cell = self._cell(place)
        for child in list(cell):
            if _local(child) in ("f", "v", "is"):
                cell.remove(child)
        # What described the old content: dynamic arrays, rich values.
        for attribute in ("cm", "vm"):
            cell.attrib.pop(attribute, None)
        element = None
        if formula is not None:
            element = _child(f"{self.main}f", formula)
            cell.insert(0, element)
        self._write(cell, element, value)
        return cell

    def _write(self, cell: Element, formula: Element | None, value: float | str) -> None:
        self.package.edit(self.part)
        kind, text = _shown(value)
        cell.attrib.pop("t", None)
        if kind:
            cell.set("t", kind)
        for old in ("v", "is"):
            for element in cell.findall(f"{self.main}{old}"):
                cell.remove(element)
        cell.insert(
            0 if formula is None else cell.index(formula) + 1, _child(f"{self.main}v", text)
        )

    def _cell(self, place: Place) -> Element:
        """The cell at a place, made if there is none."""
        row, column = place
        if row not in self.rows:
            element = _child(f"{self.main}row", r=str(row))
            self._insert(self.data, element, {n: e for n, (e, _) in self.rows.items()}, row)
            self.rows[row] = (element, {})
        element, cells = self.rows[row]
        if column not in cells:
            cell = _child(f"{self.main}c", r=_name(place))
            style = self._empty_style(element, column)
            if style is not None:
                cell.set("s", style)
            self._insert(element, cell, cells, column)
            cells[column] = cell
            self._widen(element, place)
        found: Element = cells[column]
        return found

    @staticmethod
    def _insert(
        parent: Element, child: Element, siblings: Mapping[int, Element], number: int
    ) -> None:
        following = min((n for n in siblings if n > number), default=None)
        if following is None:
            parent.append(child)
        else:
            siblings[following].addprevious(child)

    def _empty_style(self, row: Element, column: int) -> str | None:
        """The style that a cell without an element has: its row's, else its column's."""
        if row.get("customFormat") in ("1", "true"):
            style: str | None = row.get("s")
            return style
        for element in self.root.iterfind(f"{self.main}cols/{self.main}col"):
            if int(element.get("min", 0)) <= column <= int(element.get("max", 0)):
                style = element.get("style")
                return style
        return None

    def _widen(self, row: Element, place: Place) -> None:
        """Lets the sheet's range take in a new cell. The row's is a mere hint, and is dropped."""
        row.attrib.pop("spans", None)
        dimension = self.root.find(f"{self.main}dimension")
        if dimension is not None:
            left, top, right, bottom = range_boundaries(dimension.get("ref", "A1"))
            first = (min(top, place[0]), min(left, place[1]))
            last = (max(bottom, place[0]), max(right, place[1]))
            alone = first == last
            dimension.set("ref", _name(first) if alone else f"{_name(first)}:{_name(last)}")

    # Sizes, in pixels of a screen at 96 dpi with the usual font.

    def widths(self) -> Callable[[int], int]:
        """Index of a column, from 0 -> its width."""
        usual = self.root.find(f"{self.main}sheetFormatPr")
        # Eight digits and the padding, unless the sheet says otherwise.
        default = 9.140625 if usual is None else float(usual.get("defaultColWidth", 9.140625))
        spans = []
        for element in self.root.iterfind(f"{self.main}cols/{self.main}col"):
            shown = element.get("hidden") not in ("1", "true")
            width = float(element.get("width", default)) if shown else 0.0
            spans.append((int(element.get("min", 0)), int(element.get("max", 0)), width))
        return lambda index: int(
            7 * next((w for first, last, w in spans if first <= index + 1 <= last), default)
        )

    def heights(self) -> Callable[[int], int]:
        """Index of a row, from 0 -> its height."""
        usual = self.root.find(f"{self.main}sheetFormatPr")
        default = 15.0 if usual is None else float(usual.get("defaultRowHeight", 15.0))
        if usual is not None and usual.get("zeroHeight") in ("1", "true"):
            default = 0.0

        def height(index: int) -> int:
            row = self.rows[index + 1][0] if index + 1 in self.rows else {}
            shown = row.get("hidden") not in ("1", "true")
            return int(float(row.get("ht", default)) * 96 / 72) if shown else 0

        return height


# The styles of the cells.

_NO_STYLES = {
    "fonts": '<font><sz val="11"/><name val="Calibri"/><family val="2"/></font>',
    "fills": '<fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill>',
    "borders": "<border><left/><right/><top/><bottom/><diagonal/></border>",
    "cellStyleXfs": '<xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>',
    "cellXfs": '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>',
    "cellStyles": '<cellStyle name="Normal" xfId="0" builtinId="0"/>',
}
"""Section of styles.xml -> what it needs to hold; in the order in which the sections stand."""


class _Styles:
    """The looks of cells, of which each is cloned once when it is first marked."""

    def __init__(self, package: _Package) -> None:
        self.package, self.main = package, package.main
        self.fill: str | None = None
        self.clones: dict[int, int] = {}

    def marked(self, style: int) -> int:
        """The number of the style that differs from `style` by the mark alone."""
        if style in self.clones.values():
            return style
        if style not in self.clones:
            root = self._root()
            styles = self._section(root, "cellXfs")
            known = styles.findall(f"{self.main}xf")
            clone = deepcopy(known[style if style < len(known) else 0])
            if self.fill is None:
                self.fill = str(self._append(self._section(root, "fills"), self._mark()))
            clone.set("fillId", self.fill)
            clone.set("applyFill", "1")
            # It would turn the formula into text as soon as somebody edits it.
            clone.attrib.pop("quotePrefix", None)
            self.clones[style] = self._append(styles, clone)
        return self.clones[style]

    def _root(self) -> Element:
        part = self.package.related(self.package.workbook, "styles")
        if part is None:
            namespace = self.main[1:-1]
            root = etree.Element(f"{self.main}styleSheet", nsmap={None: namespace})
            part = self.package.add(self.package.folder("styles.xml"), root)
            self.package.relate(self.package.workbook, "styles", part)
            self.package.declare(part, f"{_TYPE}.spreadsheetml.styles+xml")
        root = self.package.edit(part)
        if root.find(f"{self.main}cellXfs") is None:
            # The style that is made up for it counts on the other sections.
            for name in _NO_STYLES:
                self._section(root, name)
        return root

    def _section(self, root: Element, name: str) -> Element:
        section = root.find(f"{self.main}{name}")
        if section is None or len(section) == 0:
            if section is not None:
                root.remove(section)
            text = f'<{name} xmlns="{self.main[1:-1]}">{_NO_STYLES[name]}</{name}>'
            section = etree.fromstring(text)
            section.set("count", str(len(section)))
            names = list(_NO_STYLES)
            _insert_after(root, section, ["numFmts", *names[: names.index(name)]])
        return section

    def _mark(self) -> Element:
        fill = _child(f"{self.main}fill")
        pattern = etree.SubElement(fill, f"{self.main}patternFill", patternType="solid")
        pattern.append(_child(f"{self.main}fgColor", rgb=f"FF{MARK}"))
        pattern.append(_child(f"{self.main}bgColor", indexed="64"))
        return fill

    @staticmethod
    def _append(section: Element, child: Element) -> int:
        children = section.findall(child.tag)
        section.insert(section.index(children[-1]) + 1 if children else 0, child)
        section.set("count", str(len(children) + 1))
        return len(children)


# Comments: a text in one part, and in another the box in which it is shown.

_VML, _OFFICE, _EXCEL = (
    "urn:schemas-microsoft-com:vml",
    "urn:schemas-microsoft-com:office:office",
    "urn:schemas-microsoft-com:office:excel",
)
_VML_NAMES = f'xmlns:v="{_VML}" xmlns:o="{_OFFICE}" xmlns:x="{_EXCEL}"'
_BLOCK = 1024  # so many numbers for shapes a drawing reserves at a time

_LAYOUT = """<xml {names}><o:shapelayout v:ext="edit">\
<o:idmap v:ext="edit" data="{block}"/></o:shapelayout></xml>"""

_BOX_TYPE = """<v:shapetype {names} id="_x0000_t202" coordsize="21600,21600" o:spt="202" \
path="m,l,21600r21600,l21600,xe"><v:stroke joinstyle="miter"/>\
<v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>"""

_BOX = """<v:shape {names} id="_x0000_s{number}" type="#_x0000_t202" style="position:absolute;\
margin-left:59.25pt;margin-top:1.5pt;width:{width}pt;height:{height}pt;z-index:{order};\
visibility:hidden" fillcolor="#ffffe1" o:insetmode="auto"><v:fill color2="#ffffe1"/>\
<v:shadow on="t" color="black" obscured="t"/><v:path o:connecttype="none"/>\
<v:textbox style="mso-direction-alt:auto"><div style="text-align:left"></div></v:textbox>\
<x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/><x:Anchor>{anchor}</x:Anchor>\
<x:AutoFill>False</x:AutoFill><x:Row>{row}</x:Row><x:Column>{column}</x:Column></x:ClientData>\
</v:shape>"""

# Tahoma of 9 points, in pixels.
_LETTER, _LINE, _PADDING = 6.6, 15, 16
_LETTERS_A_LINE = 56

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class _Comments:
    """The comments of a sheet: those that it has, and ours."""

    def __init__(self, package: _Package, sheet: _Sheet) -> None:
        self.package, self.sheet, self.main = package, sheet, package.main
        self.widths, self.heights = sheet.widths(), sheet.heights()
        part = package.related(sheet.part, "comments")
        if part is None:
            part = self._new_texts()
        self.root = package.edit(part)
        self.list = self._section("commentList", ["authors"])
        self.author = self._our_author()

        identity = sheet.root.find(f"{self.main}legacyDrawing")
        if identity is None:
            self.drawing = package.edit(self._new_drawing())
            # A spreadsheet shows no comment without a box, so theirs need one too.
            for comment in self.list.findall(f"{self.main}comment"):
                self._box(_reference(comment), _plain(comment))
        else:
            target = package.by_id(sheet.part, identity.get(f"{{{package.office}}}id", ""))
            self.drawing = package.edit(target)

    def add(self, place: Place, text: str) -> None:
        """Writes `text` to the comment of a cell, below what is there."""
        text = _UNPRINTABLE.sub("", text.replace("\r\n", "\n"))
        comment = next(
            (c for c in self.list.findall(f"{self.main}comment") if _reference(c) == place), None
        )
        if comment is None:
            comment = etree.SubElement(
                self.list,
                f"{self.main}comment",
                {"ref": _name(place), "authorId": self.author, "shapeId": "0"},
            )
            body = etree.SubElement(comment, f"{self.main}text")
            body.append(self._run(text))
        else:
            body = comment.find(f"{self.main}text")
            if body is None:
                body = _child(f"{self.main}text")
                comment.insert(0, body)
            for plain in body.findall(f"{self.main}t"):
                run = _child(f"{self.main}r")
                plain.addprevious(run)
                run.append(plain)
            # The comment's author remains theirs, so ours is named.
            runs = [self._run(f"\n\n{AUTHOR}:\n", bold=True), self._run(text)]
            for run in runs:
                _insert_after(body, run, ["r"])
        self._box(place, _plain(comment))

    # Texts.

    def _new_texts(self) -> str:
        root = etree.Element(f"{self.main}comments", nsmap={None: self.main[1:-1]})
        part = self.package.add(self.package.folder("comments{}.xml"), root)
        self.package.relate(self.sheet.part, "comments", part)
        self.package.declare(part, f"{_TYPE}.spreadsheetml.comments+xml")
        return part

    def _section(self, name: str, before: Sequence[str]) -> Element:
        section = self.root.find(f"{self.main}{name}")
        if section is None:
            section = _child(f"{self.main}{name}")
            _insert_after(self.root, section, before)
        return section

    def _our_author(self) -> str:
        authors = self._section("authors", [])
        names = [author.text for author in authors.findall(f"{self.main}author")]
        if AUTHOR not in names:
            authors.append(_child(f"{self.main}author", AUTHOR))
            names.append(AUTHOR)
        return str(names.index(AUTHOR))

    def _run(self, text: str, *, bold: bool = False) -> Element:
        run = _child(f"{self.main}r")
        look = etree.SubElement(run, f"{self.main}rPr")
        if bold:
            look.append(_child(f"{self.main}b"))
        look.append(_child(f"{self.main}sz", val="9"))
        look.append(_child(f"{self.main}color", indexed="81"))
        look.append(_child(f"{self.main}rFont", val="Tahoma"))
        look.append(_child(f"{self.main}family", val="2"))
        words = etree.SubElement(run, f"{self.main}t")
        words.text = text
        words.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
        return run

    # Boxes.

    def _new_drawing(self) -> str:
        """The part of a new drawing, to which the sheet refers."""
        block = max(self._all_blocks(), default=0) + 1
        text = _LAYOUT.format(names=_VML_NAMES, block=block)
        path = self.package.folder("drawings/vmlDrawing{}.vml")
        part = self.package.add(path, etree.fromstring(text))
        self.package.declare(part, f"{_TYPE}.vmlDrawing", for_extension=True)
        office = self.package.office
        names = {None: self.main[1:-1], "r": office}
        reference = etree.Element(f"{self.main}legacyDrawing", nsmap=names)
        identity = self.package.relate(self.sheet.part, "vmlDrawing", part)
        reference.set(f"{{{office}}}id", identity)
        _insert_after(self.sheet.root, reference, _BEFORE_LEGACY_DRAWING)
        return part

    def _box(self, place: Place, text: str) -> None:
        """Gives the comment of a cell a box in which `text` can be read."""
        row, column = place[0] - 1, place[1] - 1
        width, height = _size(text)
        for data in self.drawing.iter(f"{{{_EXCEL}}}ClientData"):
            texts = [data.findtext(f"{{{_EXCEL}}}{name}", "-1") for name in ("Row", "Column")]
            if data.get("ObjectType") == "Note" and [int(t) for t in texts] == [row, column]:
                self._enlarge(data, width, height)
                return
        # As Excel places it: right of the cell, and a little above its top.
        start = (column + 1, 15, max(row - 1, 0), 10 if row else 2)
        shapes = list(self.drawing.iter(f"{{{_VML}}}shapetype"))
        if not any(shape.get("id") == "_x0000_t202" for shape in shapes):
            self.drawing.append(etree.fromstring(_BOX_TYPE.format(names=_VML_NAMES)))
        box = _BOX.format(
            names=_VML_NAMES,
            number=self._free_number(),
            order=1 + sum(1 for _ in self.drawing.iter(f"{{{_VML}}}shape")),
            **{"width": width * 3 / 4, "height": height * 3 / 4},
            anchor=", ".join(map(str, self._anchor(start, width, height))),
            **{"row": row, "column": column},
        )
        self.drawing.append(etree.fromstring(box))

    def _anchor(
        self, start: tuple[int, int, int, int], width: int, height: int
    ) -> tuple[int, int, int, int, int, int, int, int]:
        """Left column and pixels into it, top row and pixels, then the same right and bottom."""
        left, left_in, top, top_in = start
        left = min(left, LAST_COLUMN - 1)
        right, right_in = _walk(left, left_in + width, self.widths, LAST_COLUMN - 1)
        bottom, bottom_in = _walk(top, top_in + height, self.heights, LAST_ROW - 1)
        return left, left_in, top, top_in, right, right_in, bottom, bottom_in

    def _enlarge(self, data: Element, width: int, height: int) -> None:
        element = data.find(f"{{{_EXCEL}}}Anchor")
        numbers = [int(n) for n in re.findall(r"-?\d+", "" if element is None else element.text)]
        if len(numbers) != 8:
            return  # A box that its style places, not its cells.
        left, left_in, top, top_in, *end = numbers
        _, _, _, _, *wanted = self._anchor((left, left_in, top, top_in), width, height)
        right, bottom = max(end[:2], wanted[:2]), max(end[2:], wanted[2:])
        element.text = ", ".join(map(str, [left, left_in, top, top_in, *right, *bottom]))

    def _free_number(self) -> int:
        """A number that no shape of the drawing has, in a block that is the drawing's own."""
        taken = {
            int(number)
            for shape in self.drawing.iter(f"{{{_VML}}}shape")
            for value in shape.attrib.values()
            for number in re.findall(r"\A_x0000_s(\d+)\Z", value)
        }
        own = sorted(_blocks(self.drawing)) or [1]
        more = count(max(self._all_blocks(), default=1) + 1)
        free = (
            number
            for block in chain(own, more)
            for number in range(block * _BLOCK + 1, (block + 1) * _BLOCK)
            if number not in taken
        )
        number = next(free)
        if number // _BLOCK not in own:
            for element in self.drawing.iter(f"{{{_OFFICE}}}idmap"):
                element.set("data", f"{element.get('data')},{number // _BLOCK}")
        return number

    def _all_blocks(self) -> set[int]:
        """The blocks that the drawings of all sheets have reserved."""
        taken: set[int] = set()
        for part in {*self.package.parts, *self.package.trees}:
            if part in self.package.trees:
                taken |= _blocks(self.package.trees[part])
            elif part.lower().endswith(".vml"):
                # Not as a tree: what is damaged in another sheet is no hindrance in this one.
                maps = re.findall(rb"idmap\b[^>]*\bdata=[\"']([^\"']*)", self.package.parts[part])
                taken |= {int(n) for data in maps for n in re.findall(rb"\d+", data)}
        return taken


def _reference(comment: Element) -> Place:
    row, column = coordinate_to_tuple(comment.get("ref", "A1").replace("$", ""))
    return row, column


def _plain(comment: Element) -> str:
    """The text of a comment without its looks."""
    return "".join(e.text or "" for e in comment.iter() if _local(e) == "t")


def _size(text: str) -> tuple[int, int]:
    """Width and height in pixels of a box in which a text can be read."""
    lines = [
        wrapped
        for line in text.split("\n")
        for wrapped in (textwrap.wrap(line, _LETTERS_A_LINE) or [""])
    ]
    letters = max(20, *(len(line) for line in lines))
    # One line to spare, for a font that runs wider than this one.
    return math.ceil(letters * _LETTER) + _PADDING, (len(lines) + 1) * _LINE + _PADDING


def _walk(start: int, length: int, size: Callable[[int], int], last: int) -> tuple[int, int]:
    """Where one gets in columns (or rows) of such sizes: the index, and the pixels into it."""
    while start < last and length >= size(start):
        length -= size(start)
        start += 1
    return start, min(length, size(start))


def _blocks(drawing: Element) -> set[int]:
    """The blocks of numbers that a drawing has reserved for its shapes."""
    maps = drawing.iter(f"{{{_OFFICE}}}idmap")
    return {int(n) for element in maps for n in re.findall(r"\d+", element.get("data", ""))}
