"""The package of an .xlsx file: its parts, their relationships and their types."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Collection, Sequence
from itertools import count

from lxml import etree

from core.workbook.file.package import Element, Package, local, parser, relations_of

_TRANSITIONAL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/relationships"
_CONTENT_TYPES = "[Content_Types].xml"
TYPE = "application/vnd.openxmlformats-officedocument"

_AFTER_CALCULATION = (
    *("oleSize", "customWorkbookViews", "pivotCaches", "smartTagPr", "smartTagTypes"),
    *("webPublishing", "fileRecoveryPr", "webPublishObjects", "extLst"),
)

_OF_AN_ENTRY = (
    *("date_time", "compress_type", "create_system", "external_attr", "internal_attr", "comment"),
)
_HTML_BREAK = re.compile(rb"<br\s*>")


def child_of(tag: str, text: str | None = None, **attributes: str) -> Element:
    """A new element."""
    element = etree.Element(tag, attributes)
    element.text = text
    return element


def insert_before(parent: Element, child: Element, following: Sequence[str]) -> None:
    """Adds `child` before the first of the children that a schema wants behind it."""
    places = (k for k, element in enumerate(parent) if local(element) in following)
    parent.insert(next(places, len(parent)), child)


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
        self.workbook = self.related("", "officeDocument")[0]
        root = self.root(self.workbook)
        self.main = f"{{{etree.QName(root).namespace}}}"
        strict = self.main.startswith("{http://purl.oclc.org/")
        self.office = _STRICT if strict else _TRANSITIONAL

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
        new = zipfile.ZipInfo(name)
        new.compress_type = zipfile.ZIP_DEFLATED
        for attribute in _OF_AN_ENTRY if name in self.infos else ():
            setattr(new, attribute, getattr(self.infos[name], attribute))
        return new

    def by_id(self, source: str, identity: str) -> str:
        targets = {one.identity: one.target for one in self.relations(source)}
        if identity in targets:
            return targets[identity]
        raise ValueError(f"The part {source} of the file refers to “{identity}”, which is nowhere.")

    def relate(self, source: str, kind: str, target: str) -> str:
        """The identity of a new relationship."""
        part = relations_of(source)
        if part not in self.names:
            names = {None: _RELATIONSHIPS}
            self.add(part, etree.Element(f"{{{_RELATIONSHIPS}}}Relationships", nsmap=names))
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

    def declare(self, part: str, content_type: str) -> None:
        """Says of what type a new part is."""
        root = self.edit(_CONTENT_TYPES)
        namespace = f"{{{etree.QName(root).namespace}}}"
        root.append(child_of(f"{namespace}Override", PartName=f"/{part}", ContentType=content_type))

    # The workbook.

    def folder(self, path: str) -> str:
        return posixpath.join(posixpath.dirname(self.workbook), path)

    def sheets(self) -> dict[str, str]:
        """Name -> the identity of its part among those of the workbook."""
        sheets = self.root(self.workbook).iterfind(f"{self.main}sheets/{self.main}sheet")
        return {e.get("name", ""): e.get(f"{{{self.office}}}id", "") for e in sheets}

    def recalculate(self) -> None:
        """Drops the order of calculation, in which cells may be missing now, and asks for anew."""
        for chain in self.relations(self.workbook):
            if chain.kind == "calcChain":
                self.edit(relations_of(self.workbook)).remove(chain.element)
                types = self.edit(_CONTENT_TYPES)
                for element in list(types):
                    if (element.get("PartName") or "").lower() == f"/{chain.target}".lower():
                        types.remove(element)
                self.parts.pop(chain.target, None)
        root = self.edit(self.workbook)
        settings = root.find(f"{self.main}calcPr")
        if settings is None:
            settings = child_of(f"{self.main}calcPr")
            insert_before(root, settings, _AFTER_CALCULATION)
        settings.set("fullCalcOnLoad", "1")
