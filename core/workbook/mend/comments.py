"""Comments: a text in one part, and in another the box in which it is shown."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, count

from lxml import etree
from openpyxl.comments.shape_writer import ShapeWriter, excelns, officens, vmlns

from core.workbook.file.package import Element, local, place_of
from core.workbook.formula.tree import LAST_COLUMN, LAST_ROW
from core.workbook.mend.package import TYPE, Parts, child_of, insert_before
from core.workbook.mend.sheet import Place, Sheet, name_of

AUTHOR = "Backprop & MNIST Explorer"

_AFTER_LEGACY_DRAWING = (
    *("legacyDrawingHF", "drawingHF", "picture", "oleObjects", "controls", "webPublishItems"),
    *("tableParts", "extLst"),
)
_BLOCK = 1024  # so many numbers for shapes a drawing reserves at a time

_RUN = """<r xmlns="{main}"><rPr>{bold}<sz val="9"/><color indexed="81"/><rFont val="Tahoma"/>\
<family val="2"/></rPr><t xml:space="preserve"/></r>"""

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
        self.root = package.edit(part or self._new_texts())
        self.list = self._section("commentList", ["extLst"])
        self.author = self._our_author()
        self.known = {
            place_of(comment.get("ref", "").replace("$", "")): comment
            for comment in self.list.findall(f"{self.main}comment")
        }
        identity = sheet.root.find(f"{self.main}legacyDrawing")
        if identity is None:
            drawing = self._new_drawing()
        else:
            drawing = package.by_id(sheet.part, identity.get(f"{{{package.office}}}id", ""))
        self.drawing = package.edit(drawing)
        row, column = f"{{{excelns}}}Row", f"{{{excelns}}}Column"
        self.notes = {
            (int(note.findtext(row, "-1")) + 1, int(note.findtext(column, "-1")) + 1): note
            for note in self.drawing.iter(f"{{{excelns}}}ClientData")
            if note.get("ObjectType") == "Note"
        }
        self.numbers = self._free_numbers()

    def add(self, place: Place, text: str) -> None:
        """Writes `text` to the comment of a cell, below what is there."""
        text = _UNPRINTABLE.sub("", text.replace("\r\n", "\n"))
        comment = self.known.get(place)
        if comment is None:
            attributes = {"ref": name_of(place), "authorId": self.author, "shapeId": "0"}
            comment = etree.SubElement(self.list, f"{self.main}comment", attributes)
            etree.SubElement(comment, f"{self.main}text").append(self._run(text))
        else:
            body = comment.find(f"{self.main}text")
            if body is None:
                body = etree.SubElement(comment, f"{self.main}text")
            for plain in body.findall(f"{self.main}t"):
                run = child_of(f"{self.main}r")
                plain.addprevious(run)
                run.append(plain)
            # The comment's author remains theirs, so ours is named.
            for run in (self._run(f"\n\n{AUTHOR}:\n", bold=True), self._run(text)):
                insert_before(body, run, ["rPh", "phoneticPr"])
        words = "".join(e.text or "" for e in comment.iter() if local(e) == "t")
        self._show(place, *_size(words))

    # Texts.

    def _new_texts(self) -> str:
        root = etree.Element(f"{self.main}comments", nsmap={None: self.main[1:-1]})
        part = self.package.add(self.package.folder("comments{}.xml"), root)
        self.package.relate(self.sheet.part, "comments", part)
        self.package.declare(part, f"{TYPE}.spreadsheetml.comments+xml")
        return part

    def _section(self, name: str, following: Sequence[str]) -> Element:
        section = self.root.find(f"{self.main}{name}")
        if section is None:
            section = child_of(f"{self.main}{name}")
            insert_before(self.root, section, following)
        return section

    def _our_author(self) -> str:
        authors = self._section("authors", ["commentList"])
        names = [author.text for author in authors.findall(f"{self.main}author")]
        if AUTHOR not in names:
            authors.append(child_of(f"{self.main}author", AUTHOR))
            names.append(AUTHOR)
        return str(names.index(AUTHOR))

    def _run(self, text: str, *, bold: bool = False) -> Element:
        run = etree.fromstring(_RUN.format(main=self.main[1:-1], bold="<b/>" * bold))
        run[-1].text = text
        return run

    # Boxes.

    def _new_drawing(self) -> str:
        """The part of a new drawing, to which the sheet refers."""
        block = max(self._all_blocks(), default=0) + 1
        root = etree.Element("xml", nsmap={"v": vmlns, "o": officens, "x": excelns})
        ShapeWriter(()).add_comment_shapetype(root)
        root[0][0].set("data", str(block))
        part = self.package.add(self.package.folder("drawings/vmlDrawing{}.vml"), root)
        self.package.declare(part, f"{TYPE}.vmlDrawing")
        office = self.package.office
        names = {None: self.main[1:-1], "r": office}
        reference = etree.Element(f"{self.main}legacyDrawing", nsmap=names)
        identity = self.package.relate(self.sheet.part, "vmlDrawing", part)
        reference.set(f"{{{office}}}id", identity)
        insert_before(self.sheet.root, reference, _AFTER_LEGACY_DRAWING)
        return part

    def _show(self, place: Place, width: int, height: int) -> None:
        """Gives the comment of a cell a box of at least this size in pixels."""
        note = self.notes.get(place)
        if note is None:
            note = self.notes[place] = self._new_note(place, width, height)
        anchor = note.find(f"{{{excelns}}}Anchor")
        numbers = [int(n) for n in re.findall(r"-?\d+", "" if anchor is None else anchor.text)]
        if len(numbers) != 8:
            return  # A box that its style places, not its cells.
        # Left column and pixels into it, top row and pixels, then the same right and bottom.
        left, left_in, top, top_in, *end = numbers
        right = _walk(left, left_in + width, self.widths, LAST_COLUMN - 1)
        bottom = _walk(top, top_in + height, self.heights, LAST_ROW - 1)
        ends = max(tuple(end[:2]), right), max(tuple(end[2:]), bottom)
        anchor.text = ", ".join(map(str, [*numbers[:4], *chain(*ends)]))

    def _new_note(self, place: Place, width: int, height: int) -> Element:
        """As Excel places it: right of the cell, and a little above its top."""
        if self.drawing.find(f"{{{vmlns}}}shapetype[@id='_x0000_t202']") is None:
            kinds = etree.Element("xml")
            ShapeWriter(()).add_comment_shapetype(kinds)
            self.drawing.append(kinds[1])
        number = next(self.numbers)
        ShapeWriter(()).add_comment_shape(self.drawing, number, name_of(place), height, width)
        note = self.drawing[-1].find(f"{{{excelns}}}ClientData")
        (row, column), anchor = place, child_of(f"{{{excelns}}}Anchor")
        start = min(column, LAST_COLUMN - 1), 15, max(row - 2, 0), 10 if row > 1 else 2
        anchor.text = ", ".join(map(str, (*start, 0, 0, 0, 0)))
        note.insert(2, anchor)
        return note

    def _free_numbers(self) -> Iterator[int]:
        """Numbers that no shape of the drawing has, in blocks that are the drawing's own."""
        shapes = self.drawing.iter(f"{{{vmlns}}}shape")
        names = " ".join(value for shape in shapes for value in shape.attrib.values())
        taken = {int(number) for number in re.findall(r"\b_x0000_s(\d+)\b", names)}
        own = sorted(_blocks(self.drawing)) or [1]
        for block in chain(own, count(max(self._all_blocks(), default=1) + 1)):
            if block not in own:
                for element in self.drawing.iter(f"{{{officens}}}idmap"):
                    element.set("data", f"{element.get('data')},{block}")
            numbers = range(block * _BLOCK + 1, (block + 1) * _BLOCK)
            yield from (number for number in numbers if number not in taken)

    def _all_blocks(self) -> set[int]:
        """The blocks that the drawings of all sheets have reserved."""
        taken: set[int] = set()
        for part in self.package.names:
            if part in self.package.trees:
                taken |= _blocks(self.package.trees[part])
            elif part.lower().endswith(".vml"):
                # Not as a tree: what is damaged in another sheet is no hindrance in this one.
                maps = re.findall(rb"idmap\b[^>]*\bdata=[\"']([^\"']*)", self.package.parts[part])
                taken |= {int(n) for data in maps for n in re.findall(rb"\d+", data)}
        return taken


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
    maps = drawing.iter(f"{{{officens}}}idmap")
    return {int(n) for element in maps for n in re.findall(r"\d+", element.get("data", ""))}
