"""Replaces faulty formulas inside an .xlsx file, each marked by a colour and a comment.

Only the parts of the package that hold cells, styles and comments are edited. What a formula means
is not known here, and every other part stays as it came, byte for byte: charts, shapes, macros,
printer settings and whatever else openpyxl would drop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.workbook.file.package import place_of
from core.workbook.mend.comments import Comments
from core.workbook.mend.package import Parts
from core.workbook.mend.sheet import Sheet
from core.workbook.mend.styles import Styles


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
    package = Parts(file)
    sheets = package.sheets()
    names = dict.fromkeys([*(change.sheet for change in changes), *(name for name, _ in values)])
    for name in names:
        if name not in sheets:
            known = ", ".join(f"“{sheet}”" for sheet in sheets)
            raise ValueError(f"The file has no sheet “{name}”. It has {known}.")

    styles = Styles(package)
    for name in names:
        sheet = Sheet(package, package.by_id(package.workbook, sheets[name]), name)
        for (of, cell), value in values.items():
            if of == name:
                sheet.renew(place_of(cell), value)
        here = [change for change in changes if change.sheet == name]
        sheet.free({place_of(change.cell) for change in here})
        for change in here:
            element = sheet.replace(place_of(change.cell), change.formula, change.value)
            if change.marked:
                element.set("s", str(styles.marked(int(element.get("s", 0)))))
        notes = [(place_of(change.cell), change.comment) for change in here if change.comment]
        if notes:
            comments = Comments(package, sheet)
            for place, text in notes:
                comments.add(place, text)
    package.recalculate()
    return package.zipped()
