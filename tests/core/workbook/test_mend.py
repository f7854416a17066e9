"""The files are written by XlsxWriter and roughened up here; openpyxl and IronCalc read them."""

import io
import math
import re
import zipfile
from collections.abc import Mapping
from dataclasses import replace

import openpyxl
import pytest
import xlsxwriter
from lxml import etree
from PIL import Image
from spreadsheet import Calculated

from core.workbook.mend.changes import Change, mend
from core.workbook.mend.comments import AUTHOR
from core.workbook.mend.styles import MARK

NAME = "Übung „1“ & Co's"
OTHER = "Other"
SHEET = "xl/worksheets/sheet1.xml"
CHANGED = {
    *("[Content_Types].xml", "xl/workbook.xml", "xl/styles.xml", SHEET),
    "xl/worksheets/_rels/sheet1.xml.rels",
}
"""The parts that a change with a first comment has to touch."""

CHANGE = Change(NAME, "C3", "A3+B3", 7.0, "It should add, not multiply.")


def book(*, theirs: bool = False, button: bool = False, image: bool = False) -> bytes:
    """C2:C6 = A·B and D2 = the sum of C in a sheet with everything that openpyxl drops.

    theirs: with comments in B2 and C3. button: with a macro's button. image: with one in the head.
    """
    file = io.BytesIO()
    made = xlsxwriter.Workbook(file, {"in_memory": True})
    sheet, other = made.add_worksheet(NAME), made.add_worksheet(OTHER)
    bold = made.add_format({"num_format": "0.000", "border": 1, "bold": True})
    sheet.write_row("A1", ["a", "b", "product", "sum"])
    for row in range(2, 7):
        sheet.write_number(f"A{row}", row)
        sheet.write_number(f"B{row}", row + 0.5)
        sheet.write_formula(f"C{row}", f"=A{row}*B{row}", bold, row * (row + 0.5))
    sheet.write_formula("D2", "=SUM(C2:C6)", None, 100.0)
    sheet.write_formula("D3", '=IF(D2>0,"up","down")', None, "up")
    sheet.write_number("F9", 5)
    sheet.set_column("H:H", 30, made.add_format({"num_format": "0.0%"}))
    sheet.insert_textbox("J2", "a shape")
    chart = made.add_chart({"type": "line"})
    chart.add_series({"values": [NAME, 1, 2, 5, 2]})
    sheet.insert_chart("J9", chart)
    sheet.add_table("F20:G22")
    sheet.add_sparkline("F1", {"range": "A2:A6"})
    sheet.data_validation("F2", {"validate": "integer", "criteria": ">", "value": 0})
    sheet.conditional_format("A2:A6", {"type": "2_color_scale"})
    sheet.write_url("F3", "https://example.org")
    other.write_formula("A1", f"='{NAME.replace(chr(39), chr(39) * 2)}'!C3*10", None, 105.0)
    other.write_comment("A1", "in the other sheet", {"author": "Ada"})
    if theirs:
        sheet.write_comment("B2", "Is this right?", {"author": "Ada"})
        sheet.write_comment("C3", "Their own words", {"author": "Ada", "visible": True})
    if button:
        sheet.insert_button("F5", {"caption": "Go"})
    if image:
        png = io.BytesIO()
        Image.new("RGB", (4, 4)).save(png, "png")
        sheet.set_header("&L&G", {"image_left": "dot.png", "image_data_left": png})
    made.close()
    return file.getvalue()


def parts(file: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def packed(contents: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    return file.getvalue()


def patched(file: bytes, part: str, *pairs: tuple[str, str]) -> bytes:
    contents = parts(file)
    text = contents[part].decode()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return packed(contents | {part: text.encode()})


def shared(file: bytes) -> bytes:
    """C2:C6 as one shared formula, whose master is C2."""
    members = ((f"<f>A{r}*B{r}</f>", '<f t="shared" si="0"/>') for r in range(3, 7))
    master = ("<f>A2*B2</f>", '<f t="shared" ref="C2:C6" si="0">A2*B2</f>')
    return patched(file, SHEET, master, *members)


def sheet_of(file: bytes, name: str = NAME):
    return openpyxl.load_workbook(io.BytesIO(file))[name]


def value_of(file: bytes, cell: str, name: str = NAME):
    return openpyxl.load_workbook(io.BytesIO(file), data_only=True)[name][cell].value


def root_of(file: bytes, part: str):
    return etree.fromstring(parts(file)[part])


def children(element) -> list[str]:
    return [etree.QName(child).localname for child in element]


def cells_of(file: bytes) -> list[str]:
    return [cell.get("r") for cell in root_of(file, SHEET).iterfind(".//{*}sheetData/{*}row/{*}c")]


# What is changed, and what is not.


def test_a_changed_cell_has_its_formula_value_colour_and_comment():
    cell = sheet_of(mend(book(), [CHANGE]))["C3"]
    assert cell.value == "=A3+B3"
    assert value_of(mend(book(), [CHANGE]), "C3") == 7.0
    assert (cell.fill.fill_type, cell.fill.fgColor.rgb) == ("solid", f"FF{MARK}")
    assert (cell.comment.text, cell.comment.author) == ("It should add, not multiply.", AUTHOR)


def test_every_other_part_stays_byte_for_byte():
    file = book()
    before, after = parts(file), parts(mend(file, [CHANGE]))
    changed = {name for name in before if before[name] != after[name]}
    assert changed == CHANGED
    assert list(after) == [*before, "xl/comments2.xml", "xl/drawings/vmlDrawing2.vml"]
    assert "xl/charts/chart1.xml" in before
    assert b"a shape" in before["xl/drawings/drawing1.xml"]


def test_every_other_cell_stays():
    file = book()
    before, after = sheet_of(file), sheet_of(mend(file, [CHANGE]))
    for row in before.iter_rows():
        for cell in row:
            same = after[cell.coordinate]
            if cell.coordinate != "C3":
                assert (same.value, same._style) == (cell.value, cell._style)
    assert sheet_of(mend(file, [CHANGE]), OTHER)["A1"].value == sheet_of(file, OTHER)["A1"].value


def test_the_archive_keeps_dates_compression_and_order():
    contents, file = parts(book()), io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.comment = b"mine"
        for n, (name, data) in enumerate(contents.items()):
            info = zipfile.ZipInfo(name, (2021, 3, 1 + n, 4, 5, 6))
            info.compress_type = zipfile.ZIP_DEFLATED if n % 2 else zipfile.ZIP_STORED
            archive.writestr(info, data)
    mended = mend(file.getvalue(), [CHANGE])
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(io.BytesIO(mended)) as new:
        assert new.comment == b"mine"
        for was, info in zip(old.infolist(), new.infolist(), strict=False):
            assert (info.filename, info.date_time) == (was.filename, was.date_time)
            assert info.compress_type == was.compress_type


def test_the_same_arguments_give_the_same_bytes():
    changes = [CHANGE, replace(CHANGE, cell="H3"), Change(OTHER, "B2", None, 1.0, "x")]
    values = {(NAME, "D2"): 3.0}
    assert mend(book(theirs=True), changes, values) == mend(book(theirs=True), changes, values)


def test_nothing_to_do_leaves_the_file_as_it_is():
    assert mend(book(), []) == book()


def test_mending_twice_works():
    twice = mend(mend(book(), [CHANGE]), [replace(CHANGE, formula="A3-B3", comment="Once more.")])
    cell = sheet_of(twice)["C3"]
    assert cell.value == "=A3-B3"
    assert cell.comment.text.startswith("It should add, not multiply.\n\n")
    assert cell.comment.text.endswith("Once more.")


# Cells.


def test_the_other_members_of_a_shared_formula_keep_theirs():
    file = shared(book())
    by_master = sheet_of(mend(file, [replace(CHANGE, cell="C2", formula="A2+B2")]))
    assert [by_master[f"C{r}"].value for r in range(2, 7)] == [
        *("=A2+B2", "=A3*B3", "=A4*B4", "=A5*B5", "=A6*B6")
    ]
    by_member = sheet_of(mend(file, [CHANGE]))
    assert [by_member[f"C{r}"].value for r in range(2, 7)] == [
        *("=A2*B2", "=A3+B3", "=A4*B4", "=A5*B5", "=A6*B6")
    ]
    both = [replace(CHANGE, cell="C2", formula="A2+B2"), CHANGE]
    assert [sheet_of(mend(file, both))[f"C{r}"].value for r in (2, 3, 4)] == [
        *("=A2+B2", "=A3+B3", "=A4*B4")
    ]


def test_the_values_of_the_other_members_stay():
    mended = mend(shared(book()), [replace(CHANGE, cell="C2")])
    assert [value_of(mended, f"C{r}") for r in range(3, 7)] == [10.5, 18.0, 27.5, 39.0]


def test_an_array_formula_of_one_cell_is_replaced():
    file = patched(book(), SHEET, ("<f>A3*B3</f>", '<f t="array" ref="C3">A3*B3</f>'))
    assert sheet_of(mend(file, [CHANGE]))["C3"].value == "=A3+B3"


def test_an_array_formula_of_several_cells_is_not_torn_apart():
    file = patched(
        book(),
        SHEET,
        ("<f>A3*B3</f>", '<f t="array" ref="C3:C4">A3:A4*B3:B4</f>'),
        ("<f>A4*B4</f>", ""),
    )
    for cell in ("C3", "C4"):
        with pytest.raises(ValueError, match=f"{cell} belongs to the formula that C3:C4"):
            mend(file, [replace(CHANGE, cell=cell)])
    whole = sheet_of(mend(file, [CHANGE, replace(CHANGE, cell="C4", formula="A4+B4")]))
    assert (whole["C3"].value, whole["C4"].value) == ("=A3+B3", "=A4+B4")


@pytest.mark.parametrize(
    "content",
    [
        '<c r="C3" s="2" t="s"><v>0</v></c>',
        '<c r="C3" s="2" t="inlineStr"><is><t>no number</t></is></c>',
        '<c r="C3" s="2" t="str"><f>"a"</f><v>a</v></c>',
        '<c r="C3" s="2" t="e"><f>1/0</f><v>#DIV/0!</v></c>',
        '<c r="C3" s="2" t="b"><v>1</v></c>',
        '<c r="C3" s="2" cm="1"><f t="array" ref="C3">A3</f><v>1</v></c>',
        '<c r="C3" s="2"><v>12</v></c>',
        '<c r="C3" s="2"/>',
    ],
)
def test_whatever_a_cell_held_becomes_the_formula(content):
    text = parts(book())[SHEET].decode()
    old = re.search(r'<c r="C3".*?</c>', text)[0]
    mended = mend(patched(book(), SHEET, (old, content)), [CHANGE])
    cell = root_of(mended, SHEET).find(".//{*}c[@r='C3']")
    assert set(cell.keys()) == {"r", "s"}
    assert children(cell) == ["f", "v"]
    assert [child.text for child in cell] == ["A3+B3", "7.0"]
    assert sheet_of(mended)["C3"].number_format == "0.000"


def test_a_formula_becomes_a_number():
    mended = mend(book(), [Change(NAME, "C3", None, 0.15, "This is a starting value.")])
    assert sheet_of(mended)["C3"].value == 0.15


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_number_is_shown_as_an_error(value):
    mended = mend(book(), [replace(CHANGE, value=value)], {(NAME, "D2"): value})
    assert (value_of(mended, "C3"), value_of(mended, "D2")) == ("#NUM!", "#NUM!")
    assert sheet_of(mended)["C3"].value == "=A3+B3"


def test_missing_cells_and_rows_are_put_in_order():
    cells = ("E3", "A12", "H9", "B8", "AA3", "G9", "A9")
    mended = mend(book(), [replace(CHANGE, cell=cell) for cell in cells])
    places = [openpyxl.utils.cell.coordinate_to_tuple(cell) for cell in cells_of(mended)]
    assert places == sorted(set(places))
    rows = [int(row.get("r")) for row in root_of(mended, SHEET).iterfind(".//{*}row")]
    assert rows == sorted(set(rows))
    assert {8, 12} < set(rows)
    sheet = sheet_of(mended)
    assert [sheet[cell].value for cell in cells] == ["=A3+B3"] * len(cells)
    assert root_of(mended, SHEET).find("{*}dimension").get("ref") == "A1:AA20"


def test_a_missing_cell_looks_as_its_column_does():
    mended = mend(book(), [replace(CHANGE, cell="H3")])
    assert sheet_of(mended)["H3"].number_format == "0.0%"


def test_rows_and_cells_without_their_names_are_found():
    contents = parts(book())
    named, rest = contents[SHEET].decode().split('<row r="9"')
    nameless = re.sub(r'<(row|c) r="[A-D]?\d"', r"<\1", named)
    assert 'r="' not in nameless.split("<sheetData>")[1].replace(' r="F3"', "")
    file = packed(contents | {SHEET: f'{nameless}<row r="9"{rest}'.encode()})
    before = sheet_of(file)
    assert before["C3"].value == "=A3*B3"
    mended = sheet_of(mend(file, [CHANGE, replace(CHANGE, cell="G4")]))
    assert mended["C3"].value == mended["G4"].value == "=A3+B3"
    assert mended["C4"].value == "=A4*B4"
    assert mended["B4"].value == before["B4"].value


def test_values_that_follow_are_renewed():
    values = {(NAME, "D2"): 96.5, (NAME, "D3"): 1.0, (OTHER, "A1"): 70.0, (NAME, "A2"): 9.0}
    mended = mend(book(), [CHANGE], values | {(NAME, "ZZ99"): 1.0, (NAME, "C3"): -1.0})
    assert [value_of(mended, cell) for cell in ("D2", "D3")] == [96.5, 1.0]
    assert value_of(mended, "A1", OTHER) == 70.0
    assert sheet_of(mended)["D2"].value == "=SUM(C2:C6)"
    assert sheet_of(mended)["A2"].value == 2  # it has no formula
    assert value_of(mended, "C3") == 7.0  # the change's own value counts
    assert "ZZ99" not in cells_of(mended)


# Styles.


def test_a_marked_cell_keeps_its_format_border_and_font():
    before, after = sheet_of(book())["C3"], sheet_of(mend(book(), [CHANGE]))["C3"]
    assert after.number_format == before.number_format == "0.000"
    assert repr(after.border) == repr(before.border)
    assert repr(after.font) == repr(before.font)


def test_each_style_is_cloned_once():
    cells = ("C2", "C3", "C4", "A2", "A3", "D2")  # two styles
    file = book()
    mended = mend(file, [replace(CHANGE, cell=cell) for cell in cells])
    for section, more in (("fills", 1), ("cellXfs", 2)):
        before, after = (
            root_of(f, "xl/styles.xml").find(f"{{*}}{section}") for f in (file, mended)
        )
        assert len(after) == len(before) + more == int(after.get("count"))


def test_an_unmarked_cell_keeps_its_style():
    file = book()
    mended = mend(file, [replace(CHANGE, marked=False)])
    assert parts(mended)["xl/styles.xml"] == parts(file)["xl/styles.xml"]
    assert sheet_of(mended)["C3"].fill.fill_type is None


def test_a_workbook_without_styles_gets_them():
    contents = parts(book())
    del contents["xl/styles.xml"]
    for name, pattern in (
        ("xl/_rels/workbook.xml.rels", r"<Relationship [^>]*/styles\"[^>]*/>"),
        ("[Content_Types].xml", r"<Override PartName=\"/xl/styles.xml\"[^>]*/>"),
        (SHEET, r' s="\d+"'),
        (SHEET, r' style="\d+"'),
    ):
        contents[name] = re.sub(pattern.encode(), b"", contents[name])
    mended = mend(packed(contents), [CHANGE])
    assert sheet_of(mended)["C3"].fill.fgColor.rgb == f"FF{MARK}"
    assert "xl/styles.xml" in parts(mended)
    assert b"/xl/styles.xml" in parts(mended)["[Content_Types].xml"]


# Comments.


def test_their_comments_stay_and_ours_stands_below():
    file = book(theirs=True)
    more = replace(CHANGE, cell="D2", comment="new")
    sheet = sheet_of(mend(file, [CHANGE, more]))
    assert (sheet["B2"].comment.text, sheet["B2"].comment.author) == ("Is this right?", "Ada")
    words = sheet["C3"].comment.text
    assert words == f"Their own words\n\n{AUTHOR}:\nIt should add, not multiply."
    assert (sheet["D2"].comment.text, sheet["D2"].comment.author) == ("new", AUTHOR)
    assert set(parts(file)) == set(parts(mend(file, [CHANGE, more])))


def test_a_comment_of_plain_text_is_continued():
    text = parts(book(theirs=True))["xl/comments1.xml"].decode()
    run = re.search(r"<r>(?:(?!<r>).)*Their own words</t></r>", text)[0]
    file = patched(book(theirs=True), "xl/comments1.xml", (run, "<t>Their own words</t>"))
    mended = mend(file, [CHANGE])
    assert sheet_of(mended)["C3"].comment.text.startswith("Their own words\n\n")
    body = root_of(mended, "xl/comments1.xml").find(".//{*}comment[@ref='C3']/{*}text")
    assert set(children(body)) == {"r"}


def boxes(file: bytes, part: str) -> dict[tuple[int, int], list[int]]:
    """(row, column) from 0 -> the eight numbers of the anchor."""
    notes = root_of(file, part).iterfind(".//{*}ClientData[@ObjectType='Note']")
    return {
        (int(n.findtext("{*}Row")), int(n.findtext("{*}Column"))): [
            int(number) for number in n.findtext("{*}Anchor").split(",")
        ]
        for n in notes
    }


def test_every_comment_has_one_box_and_every_shape_its_own_number():
    file = book(theirs=True, button=True)
    mended = mend(file, [CHANGE, replace(CHANGE, cell="D2"), replace(CHANGE, cell="A1")])
    drawing = "xl/drawings/vmlDrawing1.vml"
    assert set(boxes(mended, drawing)) == {(1, 1), (2, 2), (1, 3), (0, 0)}
    numbers = [shape.get("id") for shape in root_of(mended, drawing).iterfind("{*}shape")]
    assert len(numbers) == len(set(numbers)) == 5
    types = [shape.get("id") for shape in root_of(mended, drawing).iterfind("{*}shapetype")]
    assert sorted(types) == ["_x0000_t201", "_x0000_t202"]


def test_a_longer_comment_has_a_larger_box():
    words = "Each word of this has to be read by somebody who learns. " * 12
    mended = mend(book(), [CHANGE, replace(CHANGE, cell="C5", comment=words)])
    short, long = (boxes(mended, "xl/drawings/vmlDrawing2.vml")[r, 2] for r in (2, 4))
    assert long[4] > short[4]
    assert long[6] - long[2] > short[6] - short[2]
    theirs = mend(book(theirs=True), [replace(CHANGE, comment=words)])
    was, now = (boxes(f, "xl/drawings/vmlDrawing1.vml")[2, 2] for f in (book(theirs=True), theirs))
    assert now[:4] == was[:4]
    assert now[4:6] > was[4:6]
    assert now[6:] > was[6:]


def test_the_box_spans_its_width_in_the_columns_that_are_there():
    narrow = patched(book(), SHEET, ("<cols>", '<cols><col min="4" max="7" width="1" hidden="1"/>'))
    mended = mend(narrow, [replace(CHANGE, comment="so many words " * 30)])
    left, left_in, _, _, right, right_in, _, _ = boxes(mended, "xl/drawings/vmlDrawing2.vml")[2, 2]
    assert (left, right) == (3, 10)
    # D to G are hidden, H has 30 digits, I and J the usual width.
    assert -left_in + 214 + 64 + 64 + right_in == pytest.approx(380, abs=10)


def test_a_button_shares_its_drawing_with_the_comment():
    mended = mend(book(button=True), [CHANGE])
    assert sheet_of(mended)["C3"].comment.author == AUTHOR
    assert len(root_of(mended, SHEET).findall("{*}legacyDrawing")) == 1
    kinds = root_of(mended, "xl/drawings/vmlDrawing1.vml").iterfind(".//{*}ClientData")
    assert [kind.get("ObjectType") for kind in kinds] == ["Button", "Note"]


def test_a_caption_with_an_unclosed_break_is_understood():
    file = patched(book(button=True), "xl/drawings/vmlDrawing1.vml", (">Go<", ">Go<br>now<"))
    mended = mend(file, [CHANGE])
    assert b"Go<br/>now" in parts(mended)["xl/drawings/vmlDrawing1.vml"]


def test_an_image_in_the_head_keeps_its_own_drawing():
    file = book(image=True)
    mended = mend(file, [CHANGE])
    assert sheet_of(mended)["C3"].comment.author == AUTHOR
    assert (
        parts(mended)["xl/drawings/vmlDrawing1.vml"] == parts(file)["xl/drawings/vmlDrawing1.vml"]
    )
    names = children(root_of(mended, SHEET))
    assert names[names.index("drawing") :] == [
        *("drawing", "legacyDrawing", "legacyDrawingHF", "tableParts", "extLst")
    ]


def test_a_comment_may_hold_any_text():
    words = "a < b & “c”\nnext line\x07 ∂E/∂w1"
    mended = mend(book(), [replace(CHANGE, comment=words)])
    assert sheet_of(mended)["C3"].comment.text == words.replace("\x07", "")


def test_new_parts_are_declared_and_related():
    mended = mend(book(), [CHANGE, replace(CHANGE, cell="A2", comment=None)])
    types = root_of(mended, "[Content_Types].xml")
    by_name = {e.get("PartName"): e.get("ContentType") for e in types.iterfind("{*}Override")}
    assert by_name["/xl/comments2.xml"].endswith("spreadsheetml.comments+xml")
    defaults = [e.get("Extension") for e in types.iterfind("{*}Default")]
    assert sorted(defaults) == sorted(set(defaults))
    assert "vml" in defaults
    assert all(name[1:] in parts(mended) for name in by_name)
    identities = {
        e.get("Id"): e.get("Target") for e in root_of(mended, "xl/worksheets/_rels/sheet1.xml.rels")
    }
    legacy = root_of(mended, SHEET).find("{*}legacyDrawing")
    assert identities[legacy.values()[0]] == "../drawings/vmlDrawing2.vml"
    assert "../comments2.xml" in identities.values()


def test_shapes_of_different_sheets_have_different_numbers():
    mended = mend(book(), [CHANGE])
    first, second = (
        {shape.get("id") for shape in root_of(mended, f"xl/drawings/vmlDrawing{n}.vml")}
        for n in (1, 2)
    )
    assert first & second <= {None, "_x0000_t202"}


# The workbook.


def with_calculation_chain(file: bytes) -> bytes:
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    file = patched(
        file,
        "xl/_rels/workbook.xml.rels",
        (
            "</Relationships>",
            f'<Relationship Id="rId99" Type="{office}/calcChain" Target="/xl/calcChain.xml"/>'
            "</Relationships>",
        ),
    )
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.calcChain+xml"
    file = patched(
        file,
        "[Content_Types].xml",
        ("</Types>", f'<Override PartName="/xl/calcChain.xml" ContentType="{kind}"/></Types>'),
    )
    return packed(parts(file) | {"xl/calcChain.xml": b"<calcChain/>"})


def test_the_file_recalculates_when_it_is_opened():
    mended = mend(with_calculation_chain(book()), [CHANGE])
    assert root_of(mended, "xl/workbook.xml").find("{*}calcPr").get("fullCalcOnLoad") == "1"
    assert not any(b"calcChain" in data for data in parts(mended).values())
    assert "xl/calcChain.xml" not in parts(mended)


def test_the_setting_is_made_where_it_is_missing():
    text = parts(book())["xl/workbook.xml"].decode()
    file = patched(book(), "xl/workbook.xml", (re.search(r"<calcPr[^>]*/>", text)[0], ""))
    names = children(root_of(mend(file, [CHANGE]), "xl/workbook.xml"))
    assert names[-2:] == ["sheets", "calcPr"]


def test_sheets_are_found_by_absolute_targets_and_any_name():
    file = patched(
        book(),
        "xl/_rels/workbook.xml.rels",
        ('Target="worksheets/sheet1.xml"', 'Target="/xl/worksheets/sheet1.xml"'),
    )
    assert sheet_of(mend(file, [CHANGE]))["C3"].value == "=A3+B3"
    odd = {name.replace(SHEET, "xl/worksheets/übung 1.xml"): d for name, d in parts(file).items()}
    odd = {name.replace("/sheet1.xml.rels", "/übung 1.xml.rels"): d for name, d in odd.items()}
    for part in ("xl/_rels/workbook.xml.rels", "[Content_Types].xml"):
        odd[part] = odd[part].replace(b"sheet1.xml", "übung 1.xml".encode())
    assert sheet_of(mend(packed(odd), [CHANGE]))["C3"].comment.author == AUTHOR


def test_the_strict_format_is_mended_too():
    pairs = (
        (
            b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
            b"http://purl.oclc.org/ooxml/officeDocument/relationships",
        ),
        (
            b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
            b"http://purl.oclc.org/ooxml/spreadsheetml/main",
        ),
    )

    def translated(file: bytes, *, back: bool = False) -> bytes:
        contents = parts(file)
        for loose, strict in pairs:
            old, new = (strict, loose) if back else (loose, strict)
            contents = {name: data.replace(old, new) for name, data in contents.items()}
        return packed(contents)

    strict = mend(translated(shared(book())), [CHANGE, replace(CHANGE, cell="C2")])
    assert not any(b"schemas.openxmlformats.org/sp" in d for d in parts(strict).values())
    # openpyxl does not read the strict format.
    cell = sheet_of(translated(strict, back=True))["C3"]
    assert (cell.value, cell.comment.author) == ("=A3+B3", AUTHOR)
    assert parts(translated(strict, back=True)).keys() == parts(mend(book(), [CHANGE])).keys()


def test_prefixed_names_are_understood():
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    contents = parts(book())
    for part in (SHEET, "xl/workbook.xml", "xl/styles.xml"):
        text = contents[part].decode().replace(f'xmlns="{main}"', f'xmlns:x="{main}"')
        text = re.sub(r"<(/?)(?=\w+[ />])(?!\?)", r"<\1x:", text)
        contents[part] = text.encode()
    mended = mend(packed(contents), [CHANGE, replace(CHANGE, cell="E9")])
    assert sheet_of(mended)["E9"].value == "=A3+B3"
    assert b"ns0" not in b"".join(parts(mended)[part] for part in (SHEET, "xl/styles.xml"))


# Errors.


def test_a_sheet_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"no sheet “Sheet9”\. It has “Übung"):
        mend(book(), [replace(CHANGE, sheet="Sheet9")])
    with pytest.raises(ValueError, match="no sheet “Sheet9”"):
        mend(book(), [CHANGE], {("Sheet9", "A1"): 1.0})


def test_a_sheet_that_is_a_chart_is_refused():
    file = io.BytesIO()
    made = xlsxwriter.Workbook(file, {"in_memory": True})
    made.add_worksheet("Data")
    chart = made.add_chart({"type": "line"})
    chart.add_series({"values": "=Data!$A$1:$A$3"})
    made.add_chartsheet("Picture").set_chart(chart)
    made.close()
    with pytest.raises(ValueError, match="“Picture” has no cells"):
        mend(file.getvalue(), [replace(CHANGE, sheet="Picture")])


@pytest.mark.parametrize("cell", ["", "3", "C0", "$C$3", "c3", "A1:B2", "XFE1", "A1048577"])
def test_what_is_no_cell_is_refused(cell):
    with pytest.raises(ValueError, match="not the name of a cell"):
        mend(book(), [replace(CHANGE, cell=cell)])


def test_a_damaged_part_is_named():
    file = packed(parts(book()) | {SHEET: b"<worksheet"})
    with pytest.raises(ValueError, match=f"{SHEET} of the file is damaged"):
        mend(file, [CHANGE])


def test_entities_are_not_resolved():
    bomb = '<!DOCTYPE worksheet [<!ENTITY e SYSTEM "file:///etc/hostname">]>\n<worksheet '
    file = patched(book(), SHEET, ("<worksheet ", bomb), ("<v>5</v>", "<v>&e;</v>"))
    assert b"<v>&e;</v>" in parts(mend(file, [CHANGE]))[SHEET]


# What IronCalc makes of it.


@pytest.mark.parametrize("more", [{}, {"theirs": True, "button": True, "image": True}])
def test_a_spreadsheet_engine_opens_and_recalculates_it(more, tmp_path):
    wrong = replace(CHANGE, value=-1.0)
    master = replace(wrong, cell="C2", formula="A2-B2")
    changes = [wrong, master, replace(wrong, cell="H8", formula="D2*2")]
    path = tmp_path / "mended.xlsx"
    path.write_bytes(mend(shared(book(**more)), changes))
    calculated = Calculated(path)
    column = [calculated.value(NAME, f"C{r}") for r in range(2, 7)]
    assert column == [-0.5, 6.5, 18.0, 27.5, 39.0]
    assert calculated.value(NAME, "D2") == sum(column)
    assert calculated.value(NAME, "H8") == 2 * sum(column)
    assert calculated.value(OTHER, "A1") == 65.0
