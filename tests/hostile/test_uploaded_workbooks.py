"""Spreadsheets that somebody made to break the checker: each is judged, or refused with a sentence.

What the page does with a file is done here, its mended copy and pictures included.
"""

import io
import random
import re
import warnings
import zipfile
from functools import cache
from xml.sax.saxutils import escape, quoteattr

import pytest

from core.backprop.network import SEED, descend
from core.ui.workbook.checking import checked
from core.ui.workbook.several import Judged, zipped
from core.ui.workbook.shown import shown
from core.workbook.example import faulty_workbook
from core.workbook.export import workbook
from core.workbook.file.book import FileError
from core.workbook.file.calculate import Calculator
from core.workbook.file.read import read
from core.workbook.find.tables import find
from core.workbook.mend.repair import rewritten
from tests.hostile.guard import assert_is_sentence, guard
from tests.hostile.made_up import MARKUP, NEARLY, PLACES, broken, drawn

CASES = {"bytes": 150, "members": 60, "formulas": 40, "numbers": 40, "text": 1000, "table": 40}
XML, NAMES = 80, 100  # cases as well
INCLUDE = "http://www.w3.org/2001/XInclude"
INSIDE = "zqx-what-no-file-may-bring-in"

BIG = ["9" * 300, "1e-99999999999999999999", "1e400", "-1e-400", "0e-999999999999", "1" * 20_000]
BIG += ["0." + "0" * 500 + "1", "1e308", "4.9e-324", "infinity", "nan", "1__0", "1_000", "٣", " 7 "]
ROWS = ["0", "-1", "1048576", "1048577", "99999999999999999999", "1.5", "x", ""]
CELLS = [
    "A0",
    "XFD1048576",
    "XFE1",
    "A1048577",
    "AAAA1",
    "a1",
    "A",
    "1",
    "A1:XFD1048576",
    "$A$1",
    "",
]
FORMULAS = [
    *(
        "(" * 3000 + "1" + ")" * 3000,
        "-" * 5000 + "1",
        "IF(" * 300 + "1" + ",1,2)" * 300,
        "1^" * 2000 + "1",
    ),
    *("SUM(A1:XFD1048576)", "SUM(A:A)", "SUM(1:1048576)", "SUM(A1:A1048576)*SUM(A1:A1048576)"),
    *('HYPERLINK("https://zqx.example","<b>zqx</b>")', 'WEBSERVICE("https://zqx.example")'),
    *("cmd|' /C calc'!A0", "'[../../etc/passwd]Sheet1'!A1", "'file:///etc/passwd'!A1", "[1]!x"),
    *(
        'INDIRECT("A"&1)',
        'REPT("x",1E9)',
        "9^9^9^9",
        "1/0",
        "EXP(1E9)",
        "LN(-1)",
        "A1#",
        "@A1",
        "{1,2}",
    ),
    *(
        '"' + "x" * 9000 + '"',
        "A1 A2",
        "#REF!",
        "TRUE+TRUE",
        "LAMBDA(x,x(x))(LAMBDA(x,x(x)))",
        "1&1&1" * 900,
    ),
]
LAUGHS = "".join(
    f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@cache
def made() -> tuple[bytes, ...]:
    """Workbooks of three epochs: right, faulty, and as it is handed out."""
    whole = workbook(SEED, 0.5, 3)
    right = with_one_sheet(whole)
    book = read(right)
    table = find(Calculator(book)).tables[0]
    slips = {table.at("∂E/∂w3", k): "=1+1" for k in range(3)}
    return right, rewritten(book, slips, {}), whole


def one_of(rng: random.Random) -> bytes:
    return rng.choices(made(), [4, 4, 1])[0]


def with_one_sheet(file: bytes) -> bytes:
    """Each column is judged and its slips are searched for: more sheets are more of the same."""
    parts = members(file)
    book = parts["xl/workbook.xml"].decode()
    parts["xl/workbook.xml"] = re.sub(r'<sheet [^>]*r:id="rId[23]"/>', "", book).encode()
    return packed(parts.items())


def members(file: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(file)) as package:
        return {name: package.read(name) for name in package.namelist()}


def packed(parts, method=zipfile.ZIP_DEFLATED) -> bytes:
    """parts: pairs of names and contents; of one name there may be two."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method, compresslevel=1) as package, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, data in parts:
            package.writestr(name, data)
    return file.getvalue()


def of_bytes(rng: random.Random) -> bytes:
    """The bytes of a workbook, some of them others."""
    data = bytearray(one_of(rng))
    for _ in range(rng.choice([1, 3, 30])):
        place = rng.randrange(len(data))
        match rng.randrange(4):
            case 0:
                data[place] = rng.randrange(256)
            case 1:
                data[place : place + 4] = rng.choice([b"\xff" * 4, b"\0" * 4, b"\xff\xff\xff\x7f"])
            case 2:
                del data[place : place + rng.choice([1, 100, 5000])]
            case _:
                data[place:place] = data[: rng.randrange(60)]
        if len(data) < 10:
            break
    return bytes(data)


def of_members(rng: random.Random) -> bytes:
    """A package with members that are missing, doubled, elsewhere, huge or in one another."""
    parts = list(members(one_of(rng)).items())
    for _ in range(rng.randint(1, 2)):
        place = rng.randrange(len(parts))
        name, data = parts[place]
        match rng.randrange(8):
            case 0:
                del parts[place]
            case 1:
                parts.append((name, rng.choice(parts)[1]))
            case 2:
                parts[place] = (
                    rng.choice(
                        [*PLACES, f"../{name}", f"/{name}", name.upper(), "xl/" + "a/" * 500]
                    ),
                    data,
                )
            case 3:
                parts.append((rng.choice(PLACES), b"zqx"))
            case 4:
                parts[place] = name, rng.choice(parts)[1]
            case 5 if rng.random() < 0.3:  # a bomb: so much of nothing in few bytes
                parts[place] = name, bytes(rng.choice([60_000_000, 110_000_000]))
            case 6:
                parts[place] = name, packed(parts)
            case _:
                parts += [
                    (f"xl/worksheets/sheet{k}.xml", data) for k in range(10, rng.choice([20, 2100]))
                ]
    method = rng.choice([zipfile.ZIP_DEFLATED] * 4 + [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2])
    if sum(len(data) for _, data in parts) > 5_000_000:
        method = zipfile.ZIP_DEFLATED
    return packed(parts, method)


def of_xml(rng: random.Random, outside: str) -> bytes:
    """A package with XML that says what it should not. outside: a file that has the INSIDE."""
    parts = members(one_of(rng))
    names = [name for name in parts if name.endswith((".xml", ".rels"))]
    name = rng.choice([*names, *(n for n in names if "sheet" in n or "workbook" in n)])
    text = parts[name].decode()
    for _ in range(rng.randint(1, 4)):
        text = changed_xml(rng, text, outside)
    parts[name] = text.encode(*rng.choice([("utf-8", "replace")] * 6 + [("utf-16", "replace")]))
    return packed(parts.items())


def changed_xml(rng: random.Random, text: str, outside: str) -> str:
    body = re.sub(r"^<\?xml[^>]*\?>\s*", "", text)
    match rng.randrange(7):
        case 0:  # numbers, and what else stands in a cell
            values = list(re.finditer(r"(?<=<v>)[^<]*(?=</v>)", text))
            return put(rng, text, values, [*BIG, *MARKUP, *NEARLY])
        case 1:
            places = list(re.finditer(r'(?<=<c r=")[^"]*|(?<= ref=")[^"]*', text))
            return put(rng, text, places, CELLS)
        case 2:
            return put(rng, text, list(re.finditer(r'(?<=<row r=")[^"]*', text)), ROWS)
        case 3:
            others = list(re.finditer(r'(?<==")[^"]*', text))
            return put(
                rng,
                text,
                others,
                [*MARKUP, *PLACES, *BIG, *CELLS, "e", "s", "str", "array", "shared", "-1"],
            )
        case 4:
            entities = rng.choice(
                [LAUGHS, f'<!ENTITY i SYSTEM "{outside}">', f'<!ENTITY % p SYSTEM "{outside}"> %p;']
            )
            used = re.sub(
                r"(?<=<[vft]>)[^<]*|(?<=<si><t>)[^<]*", "&i;", body, count=rng.randint(1, 9)
            )
            return f"<!DOCTYPE x [{entities}]>{used}"
        case 5:
            pieces = list(re.finditer(r"<[^>]*>", text))
            return put(
                rng,
                text,
                pieces,
                [p[0] for p in rng.sample(pieces, min(9, len(pieces)))] + ["", "<a>" * 3000],
            )
        case _:
            markup = quoteattr(rng.choice(MARKUP))
            inside = rng.choice(
                [
                    '<dimension ref="A1:XFD1048576"/>',
                    '<mergeCells><mergeCell ref="A1:CV100"/></mergeCells>',
                    '<hyperlinks><hyperlink ref="B2" location="file:///etc/passwd"/></hyperlinks>',
                    f'<x:include xmlns:x="{INCLUDE}" href="{outside}" parse="text"/>',
                    f'<?xml-stylesheet href="{outside}"?>',
                    f"<definedNames><definedName name={markup}>A1</definedName></definedNames>",
                    f'<row r="9"><c r="B9" t="str"><v>{escape(rng.choice(MARKUP))}</v></c></row>',
                ]
            )
            ends = list(re.finditer(r"</sheetData>|</sheets>|</sst>|</Relationships>", text))
            end = rng.choice(ends).end() if ends else 0
            return text[:end] + inside + text[end:]


def put(rng: random.Random, text: str, places: list[re.Match[str]], instead: list[str]) -> str:
    """The text with another at one to three of these places, or at all."""
    if not places:
        return text
    one = rng.choice(instead)
    few = rng.random() < 0.85 or len(one) > 1000
    at = rng.sample(places, min(len(places), rng.randint(1, 3))) if few else places
    one = (
        one
        if one.startswith("<a") or (one.endswith(">") and one in text)
        else escape(one, {'"': "&quot;"})
    )
    for place in sorted(at, key=lambda match: -match.start()):
        text = text[: place.start()] + one + text[place.end() :]
    return text


def of_formulas(rng: random.Random) -> bytes:
    """A workbook some of whose formulas are others."""
    parts = members(one_of(rng))
    name = rng.choice([n for n in parts if re.search(r"worksheets/sheet[12]\.xml$", n)])
    text = parts[name].decode()
    formulas = list(re.finditer(r"(?<=<f>)[^<]*(?=</f>)", text))
    for _ in range(rng.randint(1, 3)):
        old = rng.choice(formulas)[0] if formulas else "1"
        new = rng.choice(
            [rng.choice(FORMULAS), broken(rng, old), f"{old}+{rng.choice(FORMULAS[4:])}"]
        )
        text = put(rng, text, list(re.finditer(r"(?<=<f>)[^<]*(?=</f>)", text)), [new])
    parts[name] = re.sub(r"[\0-\x08\x0b\x0c\x0e-\x1f]", "", text).encode(errors="replace")
    return packed(parts.items())


def of_numbers(rng: random.Random) -> bytes:
    """The table as numbers alone, some of them such as no program writes."""
    parts = members(made()[0])
    name = "xl/worksheets/sheet1.xml"
    text = re.sub(r"<f>[^<]*</f>", "", parts[name].decode())
    for _ in range(rng.randint(1, 3)):
        values = list(re.finditer(r"(?<=\d\"><v>)[^<]*(?=</v>)", text))
        text = put(rng, text, values, [*BIG, *NEARLY])
    parts[name] = text.encode()
    return packed(parts.items())


def of_text(rng: random.Random) -> bytes:
    """A file of text, or nearly."""
    signs = rng.choice(
        ["0123456789,;\t\n", "w1,E_total\n=+-@", "".join(map(chr, range(32, 400))), "\0\r\n\x1b,"]
    )
    text = "".join(rng.choices(signs, k=rng.choice([5, 300, 3000])))
    if rng.random() < 0.3:
        text = "\n".join(
            ",".join(rng.choices([*MARKUP, *NEARLY, *PLACES, "w1", "h1"], k=6)) for _ in range(9)
        )
    coded = rng.choice(
        ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "latin-1", "utf-7", "utf-32"]
    )
    data = text.encode(coded, "replace")
    if rng.random() < 0.3:
        data += rng.choice([b"\xff", b"\xd8\x00", b"\xed\xa0\x80", b"\0", b'"', bytes(range(256))])
    return data


@cache
def table_text() -> str:
    return str(descend(SEED, 0.5, 4).table().to_csv(index=False))


def of_table(rng: random.Random) -> bytes:
    """The table of the exercise as text, with some cells others."""
    comma = rng.choice(",;\t| ")
    rows = [line.split(",") for line in table_text().splitlines()]
    for _ in range(rng.randint(1, 6)):
        row = rng.choice(rows[rng.choice([0, 1]) :])
        old = rng.randrange(len(row))
        row[old] = rng.choice(
            [*BIG, *MARKUP, *NEARLY, *(f"={one}" for one in FORMULAS), broken(rng, row[old])]
        )
    if rng.random() < 0.3:
        rng.shuffle(rows)
    if rng.random() < 0.2:
        rows = [row[: rng.randrange(1, 31)] for row in rows]
    quote = rng.choice(["", "", '"'])
    text = "\n".join(comma.join(f"{quote}{cell}{quote}" for cell in row) for row in rows)
    return text.encode(rng.choice(["utf-8", "utf-8", "cp1252", "utf-16"]), "replace")


MAKERS = {
    "bytes": of_bytes,
    "members": of_members,
    "formulas": of_formulas,
    "numbers": of_numbers,
    "text": of_text,
    "table": of_table,
}


def silent(share: float) -> None:
    """Nobody waits."""


def judge(name: str, file: bytes) -> str:
    """What is said of a file: all texts that the page has of it, or the refusal."""
    try:
        report, copy = checked(name, file, silent)
    except FileError as refused:
        assert_is_sentence(str(refused))
        return str(refused)
    seen = shown(name, report, copy)
    if isinstance(copy, bytes):
        with zipfile.ZipFile(io.BytesIO(copy)) as package:
            assert package.testzip() is None
    for sentence in filter(None, (seen.verdict, *seen.not_judged, *seen.remarks, *seen.effects)):
        assert_is_sentence(sentence, most=1000)
    return repr((seen, report.book.cells))


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value", "ignore:divide by zero")
def test_a_spreadsheet_is_judged_or_refused(kind):
    rng = drawn(kind)
    said = set()
    made()
    with guard() as case:
        for n in range(CASES[kind]):
            file = MAKERS[kind](rng)
            with case(n):
                said.add(judge(f"{n}.xlsx", file)[:20])
    assert len(said) > 1


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value", "ignore:divide by zero")
def test_no_xml_brings_in_another_file(tmp_path):
    """libxml2 opens files without Python's knowledge: what would be in them is looked for."""
    outside = tmp_path / "outside.txt"
    outside.write_text(INSIDE, encoding="utf-8")
    rng, refused = drawn("xml"), 0
    made()
    with guard() as case:
        for n in range(XML):
            file = of_xml(rng, rng.choice([outside.as_uri(), str(outside)]))
            with case(n):
                said = judge(f"{n}.xlsx", file)
                assert INSIDE not in said
                refused += "damaged" in said[:40]
    assert 0.05 < refused / XML < 0.95


def test_no_name_of_a_file_leads_out_of_the_archive_of_copies():
    rng, copy = drawn("names"), faulty_workbook()
    with guard() as case:
        for n in range(NAMES):
            names = rng.choices(
                [
                    *PLACES,
                    *MARKUP,
                    "a.xlsx",
                    "..",
                    "/",
                    "C:\\x.xlsx",
                    "\\\\host\\x.xlsx",
                    "a\0b",
                    "",
                ],
                k=3,
            )
            with (
                case((n, names)),
                zipfile.ZipFile(
                    io.BytesIO(zipped([Judged(name, b"", "", "", False, b"x") for name in names]))
                ) as archive,
            ):
                for name in archive.namelist():
                    assert not re.search(r"[/\\:\0]|^\.\.?$", name)
                    assert name.endswith("-mended.xlsx")
    assert copy
