"""Comments: a text in one part, and in another the box in which it is shown."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Callable, Sequence
from itertools import chain, count

from lxml import etree
from openpyxl.utils.cell import coordinate_to_tuple

from core.workbook.file.package import Element, local
from core.workbook.formula.tree import LAST_COLUMN, LAST_ROW
from core.workbook.mend.elements import Place, child_of, insert_after, name_of
from core.workbook.mend.package import TYPE, Parts
from core.workbook.mend.sheet import Sheet

AUTHOR = "Backprop & MNIST Explorer"

_BEFORE_LEGACY_DRAWING = (
    *("sheetPr", "dimension", "sheetViews", "sheetFormatPr", "cols", "sheetData", "sheetCalcPr"),
    *("sheetProtection", "protectedRanges", "scenarios", "autoFilter", "sortState"),
    *("dataConsolidate", "customSheetViews", "mergeCells", "phoneticPr", "conditionalFormatting"),
    *("dataValidations", "hyperlinks", "printOptions", "pageMargins", "pageSetup"),
    *("headerFooter", "rowBreaks", "colBreaks", "customProperties", "cellWatches"),
    *("ignoredErrors", "smartTags", "drawing"),
)


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


class Comments:
    """The comments of a sheet: those that it has, and ours."""

    def __init__(self, package: Parts, sheet: Sheet) -> None:
        self.package, self.sheet, self.main = package, sheet, package.main
        self.widths, self.heights = sheet.widths(), sheet.heights()
        part = next(iter(package.related(sheet.part, "comments")), None)
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
                {"ref": name_of(place), "authorId": self.author, "shapeId": "0"},
            )
            body = etree.SubElement(comment, f"{self.main}text")
            body.append(self._run(text))
        else:
            body = comment.find(f"{self.main}text")
            if body is None:
                body = child_of(f"{self.main}text")
                comment.insert(0, body)
            for plain in body.findall(f"{self.main}t"):
                run = child_of(f"{self.main}r")
                plain.addprevious(run)
                run.append(plain)
            # The comment's author remains theirs, so ours is named.
            runs = [self._run(f"\n\n{AUTHOR}:\n", bold=True), self._run(text)]
            for run in runs:
                insert_after(body, run, ["r"])
        self._box(place, _plain(comment))

    # Texts.

    def _new_texts(self) -> str:
        root = etree.Element(f"{self.main}comments", nsmap={None: self.main[1:-1]})
        part = self.package.add(self.package.folder("comments{}.xml"), root)
        self.package.relate(self.sheet.part, "comments", part)
        self.package.declare(part, f"{TYPE}.spreadsheetml.comments+xml")
        return part

    def _section(self, name: str, before: Sequence[str]) -> Element:
        section = self.root.find(f"{self.main}{name}")
        if section is None:
            section = child_of(f"{self.main}{name}")
            insert_after(self.root, section, before)
        return section

    def _our_author(self) -> str:
        authors = self._section("authors", [])
        names = [author.text for author in authors.findall(f"{self.main}author")]
        if AUTHOR not in names:
            authors.append(child_of(f"{self.main}author", AUTHOR))
            names.append(AUTHOR)
        return str(names.index(AUTHOR))

    def _run(self, text: str, *, bold: bool = False) -> Element:
        run = child_of(f"{self.main}r")
        look = etree.SubElement(run, f"{self.main}rPr")
        if bold:
            look.append(child_of(f"{self.main}b"))
        look.append(child_of(f"{self.main}sz", val="9"))
        look.append(child_of(f"{self.main}color", indexed="81"))
        look.append(child_of(f"{self.main}rFont", val="Tahoma"))
        look.append(child_of(f"{self.main}family", val="2"))
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
        self.package.declare(part, f"{TYPE}.vmlDrawing", for_extension=True)
        office = self.package.office
        names = {None: self.main[1:-1], "r": office}
        reference = etree.Element(f"{self.main}legacyDrawing", nsmap=names)
        identity = self.package.relate(self.sheet.part, "vmlDrawing", part)
        reference.set(f"{{{office}}}id", identity)
        insert_after(self.sheet.root, reference, _BEFORE_LEGACY_DRAWING)
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
    return "".join(e.text or "" for e in comment.iter() if local(e) == "t")


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
