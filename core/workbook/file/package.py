"""The parts of an .xlsx package, and what relates them: for reading it and for changing it."""

from __future__ import annotations

import posixpath
import re
from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import Any, NamedTuple, TypeAlias

from lxml import etree

from core.workbook.formula.tree import LAST_COLUMN, LAST_ROW, column_number

Element: TypeAlias = Any  # lxml has no types of its own

_CELL = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})")


class Relation(NamedTuple):
    """Of one part to another: its identity, its kind ("styles"), the other part, its element."""

    identity: str
    kind: str
    target: str
    element: Element


class Package(ABC):
    """Parts by their names. The source "" is the package itself."""

    @property
    @abstractmethod
    def names(self) -> Collection[str]:
        """Of all parts."""

    @abstractmethod
    def root(self, part: str) -> Element:
        """The root of a part that is XML."""

    def relations(self, source: str) -> list[Relation]:
        """What a part is related to inside the package."""
        part = relations_of(source)
        if part not in self.names:
            return []
        return [
            Relation(
                element.get("Id", ""),
                element.get("Type", "").rpartition("/")[2],
                self._target(source, element.get("Target", "")),
                element,
            )
            for element in self.root(part)
            if local(element) == "Relationship" and element.get("TargetMode") != "External"
        ]

    def related(self, source: str, kind: str) -> list[str]:
        """The parts that `source` is related to in this way."""
        found = [one.target for one in self.relations(source) if one.kind == kind]
        return list(dict.fromkeys(found))

    def _target(self, source: str, target: str) -> str:
        path = posixpath.normpath(posixpath.join("/", posixpath.dirname(source), target))
        path = path.lstrip("/")
        if path in self.names:
            return path
        # The names of parts do not tell upper from lower case.
        return next((name for name in self.names if name.lower() == path.lower()), path)


def relations_of(source: str) -> str:
    """The part that lists a part's relations."""
    folder, name = posixpath.split(source)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def parser(**options: bool) -> Any:
    """Of XML from outside: it opens no other file, and expands nothing."""
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, **options)


def local(element: Element) -> str:
    """The tag without its namespace; empty for a comment or processing instruction."""
    tag = element.tag
    return tag[tag.find("}") + 1 :] if isinstance(tag, str) else ""


def place_of(cell: str) -> tuple[int, int]:
    """Row and column of “AA32”, both from 1; ValueError for what is no cell's name."""
    match = _CELL.fullmatch(cell)
    if match:
        row, column = int(match[2]), column_number(match[1])
        if row <= LAST_ROW and column <= LAST_COLUMN:
            return row, column
    raise ValueError(f"“{cell}” is not the name of a cell.")
