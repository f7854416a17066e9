"""The styles of the cells."""

from __future__ import annotations

from copy import deepcopy

from lxml import etree

from core.workbook.file.package import Element
from core.workbook.mend.package import TYPE, Parts, insert_before

MARK = "FFE3C2"
"""The fill of a mended cell, a light orange on which black text reads well."""

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
_AFTER_STYLES = ("dxfs", "tableStyles", "colors", "extLst")


class Styles:
    """The looks of cells, of which each is cloned once when it is first marked."""

    def __init__(self, package: Parts) -> None:
        self.package, self.main = package, package.main
        self.fill: str | None = None
        self.clones: dict[int, int] = {}

    def marked(self, style: int) -> int:
        """The number of the style that differs from `style` by the mark alone."""
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
        part = next(iter(self.package.related(self.package.workbook, "styles")), None)
        if part is None:
            namespace = self.main[1:-1]
            root = etree.Element(f"{self.main}styleSheet", nsmap={None: namespace})
            part = self.package.add(self.package.folder("styles.xml"), root)
            self.package.relate(self.package.workbook, "styles", part)
            self.package.declare(part, f"{TYPE}.spreadsheetml.styles+xml")
        root = self.package.edit(part)
        if root.find(f"{self.main}cellXfs") is None:
            # The style that is made up for it counts on the other sections.
            for name in _NO_STYLES:
                self._section(root, name)
        return root

    def _section(self, root: Element, name: str) -> Element:
        section = root.find(f"{self.main}{name}")
        if section is None or not len(section):
            if section is not None:
                root.remove(section)
            text = f'<{name} xmlns="{self.main[1:-1]}">{_NO_STYLES[name]}</{name}>'
            section = etree.fromstring(text)
            section.set("count", str(len(section)))
            names = list(_NO_STYLES)
            insert_before(root, section, [*names[names.index(name) :], *_AFTER_STYLES])
        return section

    def _mark(self) -> Element:
        colours = f'<fgColor rgb="FF{MARK}"/><bgColor indexed="64"/>'
        pattern = f'<patternFill patternType="solid">{colours}</patternFill>'
        return etree.fromstring(f'<fill xmlns="{self.main[1:-1]}">{pattern}</fill>')

    @staticmethod
    def _append(section: Element, child: Element) -> int:
        children = section.findall(child.tag)
        section.insert(section.index(children[-1]) + 1 if children else 0, child)
        section.set("count", str(len(children) + 1))
        return len(children)
