"""Files that are no right sheet of the exercise: a sentence, never another error, never “right”."""

import csv
import io
import random
import re
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from core.backprop.network import COLUMNS, SEED, WEIGHTS
from core.backprop.rules import TABLE_RULES, TABLE_STEPS, in_cells
from core.workbook.__main__ import main
from core.workbook.checker import check
from core.workbook.export import workbook
from core.workbook.file.book import FileError
from core.workbook.file.calculate import Calculator
from core.workbook.file.read import read
from core.workbook.formula.parse import parse
from core.workbook.formula.tokens import shifted
from core.workbook.formula.tree import Address, FormulaError, column_number, letters, references
from core.workbook.mended import mended

# Makers. The table has its headers in row 3, and η in B1.

HEAD = 3
COLUMN = {name: letters(1 + k) for k, name in enumerate(COLUMNS)}

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
SHEET = "xl/worksheets/sheet1.xml"

Content = str | float | bool
Cells = dict[str, Content]


def exercise(epochs: int) -> Cells:
    """The right table."""
    cells: Cells = {"A1": "η", "B1": 0.5, **{f"{c}{HEAD}": name for name, c in COLUMN.items()}}
    for k in range(epochs):
        row = HEAD + 1 + k
        here = {name: f"{column}{row}" for name, column in COLUMN.items()}
        above = {name: f"{column}{row - 1}" for name, column in COLUMN.items()} | {"η": "$B$1"}
        for name, cell in here.items():
            if name in TABLE_RULES:
                cells[cell] = "=" + in_cells(TABLE_RULES[name], here)
            elif name in WEIGHTS and k:
                cells[cell] = "=" + in_cells(TABLE_STEPS[name], above)
            else:
                cells[cell] = getattr(SEED, name)
    return cells


def place(cell: str) -> tuple[int, int]:
    match = re.fullmatch(r"([A-Z]+)(\d+)", cell)
    assert match
    return int(match[2]), column_number(match[1])


def sheet_xml(cells: Mapping[str, Content | None], after: str = "") -> str:
    """A worksheet. A content that begins with "<" is the inside of the cell as it stands."""
    rows: dict[int, list[str]] = {}
    for cell, content in sorted(cells.items(), key=lambda item: place(item[0])):
        if content is None:
            continue
        if isinstance(content, bool):
            kind, inside = "b", f"<v>{int(content)}</v>"
        elif isinstance(content, float | int):
            kind, inside = "n", f"<v>{content!r}</v>"
        elif content.startswith("<"):
            kind, inside = "n", content
        elif content.startswith("="):
            kind, inside = "n", f"<f>{escape(content[1:])}</f>"
        elif content.startswith("#"):
            kind, inside = "e", f"<v>{content}</v>"
        else:
            kind, inside = "inlineStr", f"<is><t>{escape(content)}</t></is>"
        rows.setdefault(place(cell)[0], []).append(f'<c r="{cell}" t="{kind}">{inside}</c>')
    lines = "".join(f'<row r="{row}">{"".join(inside)}</row>' for row, inside in rows.items())
    return f'<worksheet xmlns="{MAIN}"><sheetData>{lines}</sheetData>{after}</worksheet>'


def relations(targets: Mapping[str, str]) -> str:
    """Relations of a part: target -> its kind."""
    inside = "".join(
        f'<Relationship Id="rId{n}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for n, (target, kind) in enumerate(targets.items(), start=1)
    )
    return f'<Relationships xmlns="{RELATIONS}">{inside}</Relationships>'


def workbook_xml(sheets: Mapping[str, str], more: str = "") -> str:
    """sheets: name -> the id of its relation."""
    inside = "".join(
        f'<sheet name="{escape(name, {chr(34): "&quot;"})}" sheetId="{n}" r:id="{key}"/>'
        for n, (name, key) in enumerate(sheets.items(), start=1)
    )
    return f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{inside}</sheets>{more}</workbook>'


def parts(sheet: str | bytes, more: Mapping[str, str | bytes] = {}) -> dict[str, str | bytes]:
    """The parts of a workbook of one sheet."""
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    return {
        "[Content_Types].xml": (
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{kinds}.sheet.main+xml"/>'
            f'<Override PartName="/{SHEET}" ContentType="{kinds}.worksheet+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{kinds}.styles+xml"/></Types>'
        ),
        "_rels/.rels": relations({"xl/workbook.xml": "officeDocument"}),
        "xl/workbook.xml": workbook_xml({"Sheet1": "rId1"}),
        "xl/_rels/workbook.xml.rels": relations(
            {
                "worksheets/sheet1.xml": "worksheet",
                "styles.xml": "styles",
                "sharedStrings.xml": "sharedStrings",
            }
        ),
        "xl/styles.xml": (
            f'<styleSheet xmlns="{MAIN}"><fonts count="1"><font/></fonts>'
            '<fills count="2"><fill/><fill><patternFill patternType="gray125"/></fill></fills>'
            '<borders count="1"><border/></borders><cellXfs count="1"><xf/></cellXfs></styleSheet>'
        ),
        SHEET: sheet,
        **more,
    }


def zipped(parts: Mapping[str, str | bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in parts.items():
            package.writestr(name, data)
    return file.getvalue()


def unzipped(file: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(file)) as package:
        return {name: package.read(name) for name in package.namelist()}


def book(
    changed: Mapping[str, Content | None] = {},
    *,
    epochs: int = 4,
    after: str = "",
    more: Mapping[str, str | bytes] = {},
) -> bytes:
    """The right table with some cells changed, as .xlsx. after: XML behind its cells."""
    return zipped(parts(sheet_xml({**exercise(epochs), **changed}, after), more))


def csv_text(cells: Mapping[str, Content], comma: str = ",") -> str:
    rows: dict[int, dict[int, str]] = {}
    for cell, content in cells.items():
        row, column = place(cell)
        rows.setdefault(row, {})[column] = str(content)
    file = io.StringIO()
    writer = csv.writer(file, delimiter=comma)
    for row in range(1, max(rows) + 1):
        inside = rows.get(row, {})
        writer.writerow([inside.get(column, "") for column in range(1, len(COLUMN) + 1)])
    return file.getvalue()


def ole(stream: str) -> bytes:
    """An OLE2 container as Office writes it, its directory naming one stream."""
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHH", 62, 3, 0xFFFE)
    name = stream.encode("utf-16-le")
    return head.ljust(512, b"\0") + (b"\xff" * 512) + name.ljust(64, b"\0") + bytes(4000)


def bomb(part: str, *, lying: bool = False) -> bytes:
    """A workbook one part of which unpacks to 300 MB; `lying`: its entry says 1 kB."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in parts(sheet_xml(exercise(2))).items():
            if name != part:
                package.writestr(name, data)
        with package.open(part, "w") as entry:
            for _ in range(300):
                entry.write(b" " * 1_000_000)
    data = file.getvalue()
    if lying:
        data = data.replace(struct.pack("<I", 300_000_000), struct.pack("<I", 1000))
    return data


def renamed_sheet(name: str) -> bytes:
    return book(more={"xl/workbook.xml": workbook_xml({name: "rId1"})})


def names(changed: Mapping[str, Content], means: Mapping[str, str]) -> bytes:
    """The table with names defined."""
    inside = "".join(
        f'<definedName name="{name}">{escape(formula)}</definedName>'
        for name, formula in means.items()
    )
    xml = workbook_xml({"Sheet1": "rId1"}, f"<definedNames>{inside}</definedNames>")
    return book(changed, more={"xl/workbook.xml": xml})


def two_sheets(one: Cells, other: Cells) -> bytes:
    more: dict[str, str | bytes] = {
        "xl/workbook.xml": workbook_xml({"Sheet1": "rId1", "Other": "rId2"}),
        "xl/_rels/workbook.xml.rels": relations(
            {"worksheets/sheet1.xml": "worksheet", "worksheets/sheet2.xml": "worksheet"}
        ),
        "xl/worksheets/sheet2.xml": sheet_xml(other),
    }
    return zipped(parts(sheet_xml(one), more))


def texts(*items: str) -> dict[str, str | bytes]:
    inside = "".join(f"<si><t>{escape(item)}</t></si>" for item in items)
    return {"xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{inside}</sst>'}


def without_addresses() -> bytes:
    """Rows and cells that do not say where they are: each behind the one before it."""
    xml = sheet_xml({c: v for c, v in exercise(4).items() if place(c)[0] >= HEAD})
    xml = re.sub(r' r="[A-Z]*\d+"', "", xml)
    # Row 3 became row 1, so the formulas move, too.
    xml = re.sub(
        r"(?<=<f>).*?(?=</f>)",
        lambda f: re.sub(r"(?<![$\d])([A-Z]+)(\d+)", lambda m: f"{m[1]}{int(m[2]) - 2}", f[0]),
        xml,
    ).replace("$B$1", "0.5")
    return zipped(parts(xml))


def encrypted() -> bytes:
    """The mark of a password in every entry."""
    data = bytearray(book())
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(magic)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(magic, at + 1)
    return bytes(data)


def duplicated() -> bytes:
    file = io.BytesIO(book())
    with zipfile.ZipFile(file, "a") as package, pytest.warns(UserWarning, match="Duplicate"):
        package.writestr(SHEET, sheet_xml({"A1": "nothing"}))
    return file.getvalue()


LAUGHS = (
    "<!DOCTYPE x ["
    + '<!ENTITY a "ha">'
    + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True)
    )
    + "]>"
)
OUTSIDE = '<!DOCTYPE x [<!ENTITY j SYSTEM "file:///etc/passwd">]>'


def with_entities(doctype: str, part: str) -> bytes:
    """A part that begins with a document type, and where a text stands, has its entity."""
    made = parts(sheet_xml({**exercise(4), "AG1": "TEXT"}), texts("TEXT"))
    made[part] = doctype + str(made[part]).replace("TEXT", "&j;")
    return zipped(made)


def about_something_else() -> bytes:
    file = io.BytesIO()
    made = xlsxwriter.Workbook(file, {"in_memory": True})
    sheet = made.add_worksheet("Payroll")
    sheet.write_row(0, 0, ["Name", "Hours", "Rate", "Gross", "Tax 20 %", "Net"])
    for row in range(1, 40):
        sheet.write_row(row, 0, [f"Employee {row}", 160 + row, 20 + row / 2])
        sheet.write_formula(row, 3, f"=B{row + 1}*C{row + 1}", None, (160 + row) * (20 + row / 2))
        sheet.write_formula(row, 4, f"=D{row + 1}*0.2", None, 1)
        sheet.write_formula(row, 5, f"=D{row + 1}-E{row + 1}", None, 1)
    made.close()
    return file.getvalue()


@cache
def ten_thousand() -> bytes:
    return book(epochs=10_000)


# Files that hold no sheet at all: what the sentence must say.

REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "10,000 rows": (ten_thousand, "more than 200,000 cells"),
    "an empty file": (lambda: b"", "empty"),
    "blanks alone": (lambda: b" \r\n\t" * 99, "empty"),
    "noise": (lambda: bytes(range(256)) * 80, "neither"),
    "a picture": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "neither"),
    "a .pdf": (lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj <</Length 9>> stream", "neither"),
    "a zip of nothing": (lambda: zipped({}), "zip archive"),
    "a zip of texts": (lambda: zipped({"a.txt": "hello", "b.txt": "world"}), "zip archive"),
    "PK and no zip": (lambda: b"PK\x03\x04" + b"no zip" * 99, "damaged"),
    "a truncated zip": (lambda: book()[:-400], "damaged"),
    "half a zip": (lambda: book()[: len(book()) // 2], "damaged"),
    "a password": (lambda: ole("EncryptedPackage"), "password"),
    "a zip with a password": (encrypted, "password"),
    ".xls": (lambda: ole("Workbook"), "older format"),
    ".xlsb": (lambda: zipped({**parts(""), "xl/workbook.bin": b"\x83\x01"}), ".xlsb"),
    ".ods": (lambda: zipped({"mimetype": "opendocument", "content.xml": "<x/>"}), "Export it"),
    ".numbers": (lambda: zipped({"Index/Document.iwa": b"\0"}), "Export it"),
    ".docx": (
        lambda: zipped(
            {
                "_rels/.rels": relations({"word/document.xml": "officeDocument"}),
                "word/document.xml": "<document/>",
            }
        ),
        "not an .xlsx workbook",
    ),
    ".docx in a folder named xl": (
        lambda: zipped({**parts(""), "xl/workbook.xml": "<document/>"}),
        "not a workbook",
    ),
    "50 MB": (lambda: book() + bytes(50_000_000), "50 MB"),
    "50 MB of .csv": (lambda: b"1,2,3\n" * 8_333_333, "50 MB"),
    "a bomb in the sheet": (lambda: bomb(SHEET), "Unpacked"),
    "a bomb elsewhere": (lambda: bomb("xl/media/image1.png"), "Unpacked"),
    "a bomb that lies": (lambda: bomb(SHEET, lying=True), "damaged"),
    "3,000 entries": (lambda: book(more={f"x/{n}": "" for n in range(3000)}), "Unpacked"),
    "30 MB of tiny elements": (
        lambda: zipped(parts(f"<worksheet>{'<x/>' * 8_000_000}</worksheet>")),
        "far more than",
    ),
    "30 MB of tiny texts": (
        lambda: book(more={"xl/sharedStrings.xml": f"<sst>{'<si/>' * 6_000_000}</sst>"}),
        "far more than",
    ),
    "two entries of one name": (duplicated, "damaged"),
    "two sheets of one name": (
        lambda: book(
            more={
                "xl/workbook.xml": workbook_xml({"Sheet1": "rId1", "Sheet2": "rId1"}).replace(
                    "Sheet2", "Sheet1"
                )
            }
        ),
        "damaged",
    ),
    "deep XML": (lambda: zipped(parts("<a>" * 100_000 + "</a>" * 100_000)), "damaged"),
    "no XML": (lambda: zipped(parts("no XML")), "damaged"),
    "half a sheet": (lambda: zipped(parts(sheet_xml(exercise(4))[:3000])), "damaged"),
    "laughs in the sheet": (lambda: with_entities(LAUGHS, SHEET), "damaged"),
    "laughs in the texts": (lambda: with_entities(LAUGHS, "xl/sharedStrings.xml"), "damaged"),
    "laughs in the workbook": (lambda: with_entities(LAUGHS, "xl/workbook.xml"), "damaged"),
    "an entity outside": (lambda: with_entities(OUTSIDE, SHEET), "damaged"),
    "texts outside": (lambda: with_entities(OUTSIDE, "xl/sharedStrings.xml"), "damaged"),
    "a text out of range": (
        lambda: zipped(
            parts(
                sheet_xml(exercise(4)).replace(
                    '<c r="A1" t="inlineStr"><is><t>η</t></is>', '<c r="A1" t="s"><v>7</v>'
                ),
                texts("one"),
            )
        ),
        "damaged",
    ),
    "a text before the first": (
        lambda: zipped(
            parts(
                sheet_xml(exercise(4)).replace(
                    '<c r="A1" t="inlineStr"><is><t>η</t></is>', '<c r="A1" t="s"><v>-1</v>'
                ),
                texts("one"),
            )
        ),
        "damaged",
    ),
    "a cell beyond the sheet": (
        lambda: zipped(parts(sheet_xml(exercise(4)).replace('r="A4"', 'r="ZZZ4"'))),
        "damaged",
    ),
    "a row beyond the sheet": (
        lambda: zipped(parts(sheet_xml(exercise(4)).replace('<row r="4"', '<row r="99999999"'))),
        "damaged",
    ),
    "a row before the first": (
        lambda: zipped(parts(sheet_xml(exercise(4)).replace('<row r="4"', '<row r="-4"'))),
        "damaged",
    ),
    "an empty workbook": (lambda: zipped(parts(sheet_xml({}))), "No table"),
    "a workbook without sheets": (
        lambda: book(more={"xl/workbook.xml": workbook_xml({})}),
        "No table",
    ),
    "a sheet that is not there": (
        lambda: book(more={"xl/workbook.xml": workbook_xml({"Sheet1": "rId77"})}),
        "No table",
    ),
    "texts alone": (lambda: zipped(parts(sheet_xml({"A1": "Dear", "B2": "all"}))), "No table"),
    "headers alone": (lambda: book(epochs=0), "No table"),
    "a payroll": (about_something_else, "No table"),
    "a text file": (lambda: b"Just a note.\nNothing more.\n", "neither"),
    ".csv of 300,000 cells": (lambda: b"1,2,3\n" * 100_000, "200,000 cells"),
    ".csv of one line": (lambda: b"w1,w2,w3,h1,out_h1,E_total\n", "No table"),
    ".csv without headers": (lambda: b"1,2,3\n4,5,6\n" * 20, "No table"),
    ".csv in which a quote stays open": (
        lambda: ('"' + csv_text(exercise(2)) * 3000).encode(),
        "cannot be read",
    ),
    "UTF-16 cut in half": (lambda: csv_text({"A1": "x"}).encode("utf-16")[:-1], "neither"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_no_sheet_is_refused_with_a_sentence(name: str) -> None:
    make, word = REFUSED[name]
    with pytest.raises(FileError) as refused:
        check(make())
    sentence = str(refused.value)
    assert word in sentence
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert len(sentence) < 300


# Sheets of the exercise that are right, whatever else the file holds.

RIGHT: dict[str, tuple[Callable[[], bytes], str]] = {
    "the table": (book, ""),
    "macros": (lambda: book(more={"xl/vbaProject.bin": ole("VBA")}), "macros"),
    "links beside the table": (
        lambda: book(
            {"AH1": "=[1]Sheet1!A1*2"},
            more={"xl/externalLinks/externalLink1.xml": "<externalLink/>"},
        ),
        "links to other files",
    ),
    "an entry that points outside": (lambda: book(more={"../../evil.xml": "<evil/>"}), ""),
    "another sheet": (lambda: two_sheets(exercise(4), {"A1": "nothing"}), "Other"),
    "a long name": (lambda: renamed_sheet("long " * 2000), ""),
    "a name of many scripts": (lambda: renamed_sheet("Übung 'η' \U0001f9e0 <&\"> בית"), ""),
    "no addresses": (without_addresses, ""),
    "merged headers": (
        lambda: book(after='<mergeCells><mergeCell ref="A2:AE2"/></mergeCells>'),
        "",
    ),
    "a merge of the whole sheet": (
        lambda: book(after='<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'),
        "",
    ),
    "errors, dates and booleans beside it": (
        lambda: book({"AH1": "#DIV/0!", "AH2": True, "AH3": 45_000.5, "AH4": "#N/A"}),
        "",
    ),
    "ε beside it": (lambda: book({"AH1": "<v>5e-324</v>", "AH2": "<v>1e400</v>"}), ""),
    "a million cells in a sum beside it": (lambda: book({"AH1": "=SUM(A1:XFD1048576)"}), ""),
    "brackets beside it": (lambda: book({"AH1": "=" + "(" * 2000 + "1" + ")" * 2000}), ""),
    "a loop beside it": (lambda: book({"AH1": "=AI1", "AI1": "=AH1", "AH2": "=AH2"}), ""),
    "a command beside its rows": (
        lambda: book({f"AG{n}": "=cmd|' /C calc'!A0" for n in range(4, 8)}),
        "",
    ),
    "a short table in another sheet": (
        lambda: two_sheets(exercise(4), exercise(1)),
        "",
    ),
    "a command beside it": (lambda: book({"AH1": "=cmd|' /C calc'!A0", "AH2": "=CALL(1)"}), ""),
    ".csv": (lambda: csv_text(exercise(4)).encode(), ""),
    ".csv in UTF-16": (lambda: csv_text(exercise(4)).encode("utf-16"), ""),
    ".csv with semicolons": (lambda: csv_text(exercise(4), ";").encode(), ""),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_stands_beside_a_right_table_does_no_harm(name: str) -> None:
    make, word = RIGHT[name]
    report = check(make())
    assert report.right, (report.verdict, report.not_judged, report.findings)
    assert word in " ".join(report.remarks)


# Sheets that are not right, or not wholly readable: what the report must say.

OFF: dict[str, tuple[Callable[[], bytes], str]] = {
    "links inside the table": (lambda: book({"I6": "=[1]Sheet1!A1"}), "1"),
    "a loop inside a cell": (lambda: book({"I6": "=I6+1"}), "I6"),
    "a loop of two": (lambda: book({"I6": "=I7", "I7": "=I6"}), "I6"),
    "a loop through the table": (lambda: book({"E6": "=E5-$B$1*X6"}), "E6"),
    "text for a number": (lambda: book({"I6": "abc"}), "text “abc”"),
    "text that looks like a number": (lambda: book({"I6": "0,15"}), "text “0,15”"),
    "a date for a number": (
        lambda: zipped(
            parts(
                re.sub(
                    r'(<c r="I6" t=)"n".*?</c>',
                    r'\1"d"><v>2024-01-01</v></c>',
                    sheet_xml(exercise(4)),
                )
            )
        ),
        "I6",
    ),
    "a boolean for a number": (lambda: book({"I6": True}), "I6"),
    "an error for a number": (lambda: book({"I6": "#DIV/0!"}), "I6"),
    "an error in the first row": (lambda: book({"E4": "#DIV/0!"}), ""),
    "NaN": (lambda: book({"I6": "<v>NaN</v>"}), "I6"),
    "a number beyond all": (lambda: book({"I6": "<v>1e400</v>"}), "I6"),
    "a number beyond all at the start": (lambda: book({"E4": "<v>1e400</v>"}), ""),
    "a huge number at the start": (lambda: book({"E4": 1e308, "H4": -1e308}), ""),
    "η beyond all": (lambda: book({"B1": "<v>1e400</v>"}), ""),
    "η that is an error": (lambda: book({"B1": "#N/A"}), ""),
    "η as text": (lambda: book({"B1": "0,5"}), ""),
    "an empty cell": (lambda: book({"I6": None}), "I6"),
    "a sum of a million cells": (lambda: book({"I6": "=SUM(A1:XFD1048576)"}), "1024 cells"),
    "brackets": (lambda: book({"I6": "=" + "(" * 2000 + "1" + ")" * 2000}), "brackets"),
    "a name that means itself": (lambda: names({"I6": "=me"}, {"me": "me+1"}), "I6"),
    "8,000 characters": (lambda: book({"I6": "=" + "1+" * 4000 + "A6"}), "I6"),
    "9,000 characters": (lambda: book({"I6": "=" + "1+" * 4500 + "A6"}), "8,192"),
    "megabytes in a formula": (lambda: book({"I6": "=" + "1+" * 2_000_000 + "A6"}), "8,192"),
    "a shared formula without its first": (
        lambda: book({"I6": '<f t="shared" si="9"/><v>0.5</v>'}),
        "I6",
    ),
    "a table of data": (lambda: book({"I6": '<f t="dataTable" ref="I6"/><v>0.5</v>'}), "I6"),
    "an empty formula": (lambda: book({"I6": "<f/><v>0.5</v>"}), "I6"),
    "a command": (lambda: book({"I6": "=cmd|' /C calc'!A0"}), "I6"),
    "a range where a number belongs": (lambda: book({"I6": "=-A4:C4&A4:C4"}), "I6"),
    "a condition on a range": (lambda: book({"I6": "=IF(A4:C4,1,TANH(A4:C4))"}), "I6"),
    "texts in the errors": (lambda: book({"X4": '="abc"', "U4": '="a"', "V4": "=A1:B2"}), "V4"),
    "a function of the system": (
        lambda: book({"I6": '=WEBSERVICE("http://x.invalid")'}),
        "WEBSERV",
    ),
    "Python": (lambda: book({"I6": '=__import__("os").system("true")'}), "I6"),
    "a chain": (
        lambda: book(
            {"AH1": 1.0, **{f"AH{n}": f"=AH{n - 1}+0" for n in range(2, 50_001)}, "I6": "=AH50000"}
        ),
        "I6",
    ),
    "loops inside loops": (
        lambda: book(
            {**{f"AH{n}": f"=AH{n + 1}+AH{n - 1}" for n in range(2, 20_001)}, "I6": "=AH2"}
        ),
        "I6",
    ),
    "a text that doubles": (
        lambda: book(
            {
                "AH1": "ha",
                **{f"AH{n}": f"=AH{n - 1}&AH{n - 1}" for n in range(2, 99)},
                "I6": "=AH98",
            }
        ),
        "I6",
    ),
    "a range that doubles": (
        lambda: book(
            {
                "AH1": "=A1:Z99",
                **{f"AH{n}": f"=AH{n - 1}+AH{n - 1}" for n in range(2, 99)},
                "I6": "=AH98",
            }
        ),
        "I6",
    ),
    "powers of truth": (
        lambda: book(
            {
                "AH1": "=(1=1)+(1=1)",
                **{f"AH{n}": f"=AH{n - 1}^AH{n - 1}" for n in range(2, 9)},
                "I6": "=AH8",
            }
        ),
        "I6",
    ),
    "names that multiply": (
        lambda: names(
            {"I6": "=n_0"},
            {f"n_{k}": "+".join([f"n_{k + 1}"] * 99) for k in range(5)} | {"n_5": "1"},
        ),
        "operations",
    ),
    "many sums of thousands": (
        lambda: book({f"{c}{n}": "=SUM($BA$1:$BP$64)" for c in ("I", "J") for n in range(4, 2000)}),
        "I4",
    ),
    ".csv with a command": (
        lambda: csv_text({**exercise(4), "I6": "=cmd|' /C calc'!A0"}).encode(),
        "I6",
    ),
    ".csv with text": (lambda: csv_text({**exercise(4), "I6": "abc"}).encode(), "abc"),
}


@pytest.mark.parametrize("name", OFF)
def test_what_is_not_right_or_not_read_is_never_called_right(name: str) -> None:
    make, word = OFF[name]
    report = check(make())
    assert not report.right
    said = [*(f.cause for f in report.findings), *report.not_judged]
    assert any(word in sentence for sentence in said), (said, report.remarks)
    if report.findings and report.book.kind == "xlsx":
        assert read(mended(report)).cells


# The file itself.


def test_a_path_that_leads_to_no_workbook(tmp_path: Path) -> None:
    (tmp_path / "~$sums.xlsx").write_bytes(b"\x05Ada".ljust(165))
    large = tmp_path / "large.xlsx"
    with large.open("wb") as file:
        file.truncate(50_000_000_000)
    (tmp_path / "folder.xlsx").mkdir()
    for name, word in (
        ("~$sums.xlsx", "lock that Excel keeps"),
        ("large.xlsx", "50000 MB"),
        ("folder.xlsx", "not a file"),
        ("nothing.xlsx", "cannot be opened"),
    ):
        with pytest.raises(FileError, match=word):
            check(tmp_path / name)


def test_the_command_line_says_by_its_status_what_came_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file, status in ((book(), 0), (book({"I6": "abc"}), 1), (b"", 2), (ole("Workbook"), 2)):
        (tmp_path / "file.xlsx").write_bytes(file)
        assert main([str(tmp_path / "file.xlsx")]) == status
        shown = capsys.readouterr()
        assert "Traceback" not in shown.out + shown.err
        assert bool(shown.err) == (status == 2)


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (1_500_000_000, 1_500_000_000))
from core.workbook.checker import check
from core.workbook.file.book import FileError
for path in sys.argv[1:]:
    try:
        print(check(path).right)
    except FileError as refused:
        print(str(refused).split()[0])
"""


def test_bombs_are_survived_in_little_memory(tmp_path: Path) -> None:
    wanted = {
        "a bomb in the sheet": "Unpacked",
        "a bomb that lies": "The",
        "30 MB of tiny elements": "Unpacked",
        "30 MB of tiny texts": "Unpacked",
        "laughs in the sheet": "The",
        "a text that doubles": "False",
        "a range that doubles": "False",
        "powers of truth": "False",
        "many sums of thousands": "False",
        "10,000 rows": "The",
    }
    for name in wanted:
        (tmp_path / name).write_bytes((REFUSED | OFF)[name][0]())
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *(str(tmp_path / name) for name in wanted)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
        check=False,
    )
    assert done.stdout.split() == list(wanted.values()), done.stderr


# Damage by chance.


def damaged(file: bytes, rng: random.Random) -> bytes:
    """A few bytes of the package changed, or a part gone, or a few pieces of XML."""
    how = rng.randrange(4)
    if how == 0:
        data = bytearray(file)
        for _ in range(rng.choice((1, 5, 20))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        return bytes(data)
    inside: dict[str, str | bytes] = {**unzipped(file)}
    if how == 1:
        inside.pop(rng.choice(sorted(inside)))
        return zipped(inside)
    name = rng.choice([n for n in sorted(inside) if "sheet" in n or "workbook" in n])
    data = bytearray(bytes(inside[name]))  # type: ignore[arg-type]
    pattern = rb"<[^>]*>" if how == 2 else rb'(?<==")[^"]*|(?<=<[vf]>)[^<]*'
    for _ in range(rng.choice((1, 2, 8))):
        pieces = list(re.finditer(pattern, data))
        one, other = rng.choice(pieces), rng.choice(pieces)
        data[one.start() : one.end()] = rng.choice((b"", other[0], one[0] * 2, b"1e400", b"A1:B2"))
    inside[name] = bytes(data)
    return zipped(inside)


@pytest.mark.parametrize("seed", range(150))
def test_a_damaged_workbook_is_judged_or_refused(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    whole = workbook(SEED, 0.5, 3) if seed % 2 else book({"I6": "=I5", "J5": 0.25})
    try:
        report = check(damaged(whole, rng))
    except FileError:
        return
    if report.findings:
        with suppress(ValueError):  # a part that was not read may be damaged
            assert mended(report)


# Formulas.

HOME = Address("Sheet1", 9, 9)
PIECES = st.sampled_from(
    [
        *("A1", "$B$2", "A1:C3", "Sheet2!A1", "'It''s'!A1", "T[[#This Row],[w1]]", "name", "TRUE"),
        *("1", "0.5", "1e308", '"text"', "#REF!", "SUM(", "IF(", "EXP(", "TANH(", "ROUND(", "MAX("),
        *(
            "+",
            "-",
            "*",
            "/",
            "^",
            "%",
            "&",
            "=",
            "<",
            ">=",
            "(",
            ")",
            ",",
            ";",
            ":",
            " ",
            "[",
            "'",
        ),
    ]
)


def survives(text: str) -> None:
    """Read, moved and calculated, or refused by FormulaError."""
    try:
        shifted(text, 3, -3)
        tree = parse(text, HOME)
        asked = references(tree, HOME)
    except FormulaError:
        return
    for content in (0.5, "text", None, float("nan"), -1e308):
        value = tree.value(HOME, dict.fromkeys(asked, content).__getitem__)
        assert value is None or isinstance(value, float | int | str | list) or value.size


@given(st.text(max_size=60))
def test_any_text_is_a_formula_or_refused(text: str) -> None:
    survives(text)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@given(st.lists(PIECES, max_size=25))
def test_any_pieces_of_formulas_are_one_or_refused(pieces: list[str]) -> None:
    survives("".join(pieces))


@pytest.mark.parametrize(
    "text",
    [
        *("(" * 8000, "-" * 8000 + "1", "1" + "%" * 8000, "+1" * 4000, "1^" * 4000 + "1"),
        *("IF(" * 2000 + "1" + ")" * 2000, "SUM(" * 50 + "1" + ")" * 50, "'" * 8000, '"' * 8001),
        *("A1:" * 2000, "[" * 8000, "T[" * 4000, "a" * 8000, "1" * 8000, "1e99999", "9^9^9^9^9"),
        "1+" * 100_000,
    ],
)
def test_long_formulas_are_read_or_refused(text: str) -> None:
    survives(text)


def test_a_calculation_never_leaves_the_stack() -> None:
    """400 operations, the most there may be, at the depth of a web server's threads."""
    tree = parse("1" + "+1" * 400, HOME)

    def deep(more: int) -> object:
        return deep(more - 1) if more else tree.value(HOME, lambda _: 0.0)

    assert deep(300) == 401


def test_cells_of_a_loop_are_named_and_the_others_calculated() -> None:
    given = read(book({"AH1": "=AI1", "AI1": "=AH1", "AJ1": "=1+1", "AK1": "=AI1+1"}))
    values = Calculator(given)
    assert values.value(Address("Sheet1", 1, column_number("AJ"))) == 2
    values.value(Address("Sheet1", 1, column_number("AK")))
    assert {at.cell for at in values.loops} == {"AH1", "AI1"}
