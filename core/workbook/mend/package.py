"""The package of an .xlsx file: its parts, their relationships and their types."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Collection
from itertools import count

from lxml import etree

from core.workbook.file.package import Element, Package, local, parser, relations_of
from core.workbook.mend.elements import child_of, insert_after

_TRANSITIONAL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/relationships"
_CONTENT_TYPES = "[Content_Types].xml"
TYPE = "application/vnd.openxmlformats-officedocument"

_BEFORE_CALCULATION = (
    *("fileVersion", "fileSharing", "workbookPr", "workbookProtection", "bookViews", "sheets"),
    *("functionGroups", "externalReferences", "definedNames"),
)

_HTML_BREAK = re.compile(rb"<br\s*>")


class Parts(Package):
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
        root = self.root(self.workbook)
        self.main = f"{{{etree.QName(root).namespace}}}"
        strict = self.main.startswith("{http://purl.oclc.org/")
        self.office = _STRICT if strict else _TRANSITIONAL

    def _the_workbook(self) -> str:
        for part in self.related("", "officeDocument"):
            return part
        raise ValueError("The file does not say where its workbook is.")

    # Trees.

    @property
    def names(self) -> Collection[str]:
        return dict.fromkeys([*self.parts, *self.trees])

    def root(self, part: str) -> Element:
        """The root of a part; to change it, ask for it by `edit`."""
        if part not in self.trees:
            if part not in self.parts:
                raise ValueError(f"The file has no part {part}, but refers to it.")
            data = self.parts[part]
            if part.lower().endswith(".vml"):
                # The captions of buttons are written in HTML, where a break need not be closed.
                data = _HTML_BREAK.sub(b"<br/>", data)
            try:
                self.trees[part] = etree.fromstring(data, parser(strip_cdata=False))
            except etree.XMLSyntaxError as error:
                raise ValueError(f"The part {part} of the file is damaged: {error}.") from error
        return self.trees[part]

    def edit(self, part: str) -> Element:
        self.changed.add(part)
        return self.root(part)

    def add(self, path: str, root: Element) -> str:
        """A new part; a {} in its path becomes the first number that is free."""
        taken = {name.lower() for name in self.names}
        if "{}" in path:
            path = next(p for n in count(1) if (p := path.format(n)).lower() not in taken)
        self.trees[path] = root
        self.changed.add(path)
        return path

    def zipped(self) -> bytes:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.comment = self.comment
            for name in self.names:
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

    def by_id(self, source: str, identity: str) -> str:
        for relation in self.relations(source):
            if relation.identity == identity:
                return relation.target
        raise ValueError(f"The part {source} of the file refers to “{identity}”, which is nowhere.")

    def relate(self, source: str, kind: str, target: str) -> str:
        """The identity of a new relationship."""
        part = relations_of(source)
        if part not in self.names:
            empty = etree.Element(
                f"{{{_RELATIONSHIPS}}}Relationships", nsmap={None: _RELATIONSHIPS}
            )
            self.add(part, empty)
        root = self.edit(part)
        taken = {element.get("Id") for element in root}
        identity = next(i for n in count(1) if (i := f"rId{n}") not in taken)
        root.append(
            child_of(
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
                if local(e) == "Default"
            }
            if extension not in defaults:
                new = child_of(f"{namespace}Default", Extension=extension, ContentType=content_type)
                insert_after(root, new, ["Default"])
            if defaults.get(extension, content_type) == content_type:
                return
        root.append(child_of(f"{namespace}Override", PartName=f"/{part}", ContentType=content_type))

    # The workbook.

    def folder(self, path: str) -> str:
        return posixpath.join(posixpath.dirname(self.workbook), path)

    def sheets(self) -> dict[str, str]:
        """Name -> the identity of its part among those of the workbook."""
        list_of_sheets = self.root(self.workbook).find(f"{self.main}sheets")
        if list_of_sheets is None:
            raise ValueError("The workbook of the file lists no sheets.")
        return {
            element.get("name", ""): element.get(f"{{{self.office}}}id", "")
            for element in list_of_sheets
            if local(element) == "sheet"
        }

    def recalculate(self) -> None:
        """Drops the order of calculation, in which cells may be missing now, and asks for anew."""
        for chain_part in self.related(self.workbook, "calcChain"):
            for relation in self.relations(self.workbook):
                if relation.target == chain_part:
                    self.edit(relations_of(self.workbook)).remove(relation.element)
            types = self.edit(_CONTENT_TYPES)
            for element in list(types):
                if (element.get("PartName") or "").lower() == f"/{chain_part}".lower():
                    types.remove(element)
            self.parts.pop(chain_part, None)
        root = self.edit(self.workbook)
        settings = root.find(f"{self.main}calcPr")
        if settings is None:
            settings = child_of(f"{self.main}calcPr")
            insert_after(root, settings, _BEFORE_CALCULATION)
        settings.set("fullCalcOnLoad", "1")
