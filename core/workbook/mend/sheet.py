"""The cells of one sheet, changed in place."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from openpyxl.formula.translate import Translator
from openpyxl.utils.cell import range_boundaries

from core.workbook.file.package import Element, place_of
from core.workbook.formula.tree import Address
from core.workbook.mend.package import Parts, child_of

Place: TypeAlias = tuple[int, int]
"""Row and column of a cell, both from 1."""


def name_of(place: Place) -> str:
    """“AA32” of a place."""
    return Address("", *place).cell


class Sheet:
    """A worksheet and where its cells are. Its part counts as changed once a cell is."""

    def __init__(self, package: Parts, part: str, name: str) -> None:
        self.package, self.part, self.main = package, part, package.main
        self.root = package.root(part)
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
                column = place_of(r)[1] if r else column + 1
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
                translator = Translator(f"={master[1]}", origin=name_of(master[0]))
                formula.text = translator.translate_formula(name_of(place))[1:]
                for attribute in ("t", "ref", "si"):
                    formula.attrib.pop(attribute, None)

    def _refuse_to_tear(self, ref: str, places: set[Place]) -> None:
        left, top, right, bottom = range_boundaries(ref)
        inside = [p for p in places if top <= p[0] <= bottom and left <= p[1] <= right]
        if 0 < len(inside) < (bottom - top + 1) * (right - left + 1):
            raise ValueError(
                f"{name_of(min(inside))} belongs to the formula that {ref} have in common, and "
                "cannot be changed without the others."
            )

    def replace(self, place: Place, formula: str | None, value: float | str) -> Element:
        """The cell, with a new formula and value, or as a number or text."""
        cell = self._cell(place)
        for old in cell.findall(f"{self.main}f"):
            cell.remove(old)
        # What described the old content: dynamic arrays, rich values.
        for attribute in ("cm", "vm"):
            cell.attrib.pop(attribute, None)
        element = None
        if formula is not None:
            element = child_of(f"{self.main}f", formula)
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
            0 if formula is None else cell.index(formula) + 1, child_of(f"{self.main}v", text)
        )

    def _cell(self, place: Place) -> Element:
        """The cell at a place, made if there is none."""
        row, column = place
        if row not in self.rows:
            element = child_of(f"{self.main}row", r=str(row))
            self._insert(self.data, element, {n: e for n, (e, _) in self.rows.items()}, row)
            self.rows[row] = (element, {})
        element, cells = self.rows[row]
        if column not in cells:
            # A cell without an element has the style of its column.
            styles = (e.get("style", "0") for columns, e in self._columns() if column in columns)
            cell = child_of(f"{self.main}c", r=name_of(place), s=next(styles, "0"))
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

    def _columns(self) -> list[tuple[range, Element]]:
        """The columns, from 1, that the sheet gives a style or width, and where it does."""
        columns = self.root.iterfind(f"{self.main}cols/{self.main}col")
        return [(range(int(e.get("min", 0)), int(e.get("max", 0)) + 1), e) for e in columns]

    def _widen(self, row: Element, place: Place) -> None:
        """Lets the sheet's range take in a new cell. The row's is a mere hint, and is dropped."""
        row.attrib.pop("spans", None)
        dimension = self.root.find(f"{self.main}dimension")
        if dimension is not None:
            left, top, right, bottom = range_boundaries(dimension.get("ref", "A1"))
            first = (min(top, place[0]), min(left, place[1]))
            last = (max(bottom, place[0]), max(right, place[1]))
            alone = first == last
            dimension.set("ref", name_of(first) if alone else f"{name_of(first)}:{name_of(last)}")

    # Sizes, in pixels of a screen at 96 dpi with the usual font.

    def widths(self) -> Callable[[int], int]:
        """Index of a column, from 0 -> its width."""
        usual = self.root.find(f"{self.main}sheetFormatPr")
        # Eight digits and the padding, unless the sheet says otherwise.
        default = 9.140625 if usual is None else float(usual.get("defaultColWidth", 9.140625))
        widths = [(columns, _size(e, "width", default)) for columns, e in self._columns()]
        return lambda index: int(
            7 * next((width for columns, width in widths if index + 1 in columns), default)
        )

    def heights(self) -> Callable[[int], int]:
        """Index of a row, from 0 -> its height."""
        usual = self.root.find(f"{self.main}sheetFormatPr")
        default = 15.0 if usual is None else float(usual.get("defaultRowHeight", 15.0))
        heights = {row: _size(e, "ht", default) for row, (e, _) in self.rows.items()}
        return lambda index: int(heights.get(index + 1, default) * 96 / 72)


def _size(line: Element, name: str, default: float) -> float:
    """Of a row or column, in the unit of the file."""
    return 0.0 if line.get("hidden") in ("1", "true") else float(line.get(name, default))


def _shown(value: float | str) -> tuple[str | None, str]:
    """Type and text of a cell's value: a spreadsheet knows no ∞, and none nearer 0 than 2e-308."""
    if isinstance(value, str):
        return "str", value
    if not math.isfinite(value):
        return "e", "#NUM!"
    return None, repr(float(value)) if abs(value) >= sys.float_info.min else "0"
