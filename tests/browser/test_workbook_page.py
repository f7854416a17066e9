"""The workbook page, given real files and read as a person reads it."""

import re
import zipfile
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import TimeoutError as TooLate
from playwright.sync_api import expect

from core.backprop.network import SEED, descend
from core.workbook.checker import check
from core.workbook.example import faulty_workbook
from core.workbook.export import workbook
from tests.harness import LAPTOP, PHONE, WorkbookPage


@pytest.fixture(scope="module")
def faulty():
    return faulty_workbook()


@pytest.fixture
def workbooks(new_page, address):
    def open_page(query="", **options):
        return WorkbookPage(new_page(**options), address, query)

    return open_page


def pointed_at(page, picture, x, y):
    """The tooltip at a place in a picture, which may still be drawn when the pointer comes."""
    tooltip = page.page.locator("#vg-tooltip-element.visible")
    picture.scroll_into_view_if_needed()
    for _ in range(40):
        box = picture.bounding_box()
        page.page.mouse.move(box["x"] + x * box["width"] - 2, box["y"] + y * box["height"])
        page.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        with suppress(TooLate):
            tooltip.wait_for(timeout=250)
            break
    return tooltip


def test_a_faulty_workbook_gets_its_verdict_its_findings_and_a_mended_copy(workbooks, faulty):
    page = workbooks()
    page.give("homework.xlsx", faulty)
    expect(page.verdict()).to_contain_text("homework.xlsx")
    expect(page.verdict()).to_contain_text("Not right: 3 slips in 149 of")
    findings = page.page.locator(".finding")
    expect(findings).to_have_count(3)
    expect(findings.nth(1)).to_contain_text(
        "AA11 uses K11, out_h1, where the chain rule has M11, out_h2."
    )
    assert findings.nth(1).locator("dd").first.locator("mark").all_text_contents() == ["K11"] * 2
    assert findings.nth(1).locator("dd").last.locator("mark").all_text_contents() == ["M11"] * 2
    assert_the_map_shows_what_a_cell_holds_and_should_hold(page)
    assert_nothing_scrolls_sideways(page)
    page.go("Backpropagation")
    page.go("Workbooks")
    expect(page.verdict()).to_contain_text("homework.xlsx")  # it is there again
    expect(findings).to_have_count(3)
    with page.page.expect_download() as download:
        page.page.get_by_role("button", name="Mended workbook").click()
    assert download.value.suggested_filename == "homework-mended.xlsx"
    assert check(download.value.path()).right
    page.give("homework-mended.xlsx", download.value.path().read_bytes())
    expect(page.verdict()).to_contain_text("Right: each of")
    expect(findings).to_have_count(0)
    expect(page.page.get_by_role("button", name="Mended workbook")).to_have_count(0)


def assert_the_map_shows_what_a_cell_holds_and_should_hold(page):
    chart = page.chart("The table, cell by cell")
    chart.wait_for(timeout=30_000)
    chart.scroll_into_view_if_needed()
    tooltip = pointed_at(page, chart.locator(".mark-rect path").last, 0.5, 0.5)
    expect(tooltip).to_contain_text("AF60")
    right = descend(SEED, 1.0, 50).single_rows()[-1, -1]
    shown = re.search(r"right is\s*(-?[\d.e-]+)", tooltip.inner_text())
    assert np.isclose(float(shown[1]), right, rtol=1e-8)


def assert_nothing_scrolls_sideways(page):
    for (width, height), scheme in ((PHONE, "dark"), (LAPTOP, "light")):
        page.page.emulate_media(color_scheme=scheme)
        page.page.set_viewport_size({"width": width, "height": height})
        page.settle()
        page.chart("The table, cell by cell").wait_for(timeout=30_000)
        wide = page.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0


def test_the_example_needs_no_file_and_every_chart_answers(workbooks):
    page = workbooks()
    page.page.get_by_role("button", name="Check a faulty one").click()
    page.verdict().wait_for(timeout=60_000)
    expect(page.verdict()).to_contain_text("Not right")
    for title in ("E_total: in the file", "How far the file", "The table, cell by cell"):
        page.chart(title).wait_for(timeout=30_000)
    curves = page.chart("E_total: in the file")
    tooltip = pointed_at(page, curves, 0.7, 0.6)
    row = dict(re.findall(r"(epoch|right|in the file)\s*([\d.]+)", tooltip.inner_text()))
    right = descend(SEED, 1.0, 50).E_total[int(row["epoch"]) - 1]
    assert float(row["right"]) == pytest.approx(right, rel=1e-8)
    assert float(row["in the file"]) > float(row["right"])


def test_bad_files_get_a_sentence_and_the_next_good_one_is_checked(workbooks, faulty):
    page = workbooks()
    page.give("notes.xlsx", b"these are no cells")
    expect(page.verdict()).to_contain_text("notes.xlsx was not checked.")
    page.give("~$homework.xlsx", faulty)
    expect(page.verdict()).to_contain_text("is the lock that Excel keeps")
    page.give("half.xlsx", faulty[: len(faulty) // 2])
    expect(page.verdict()).to_contain_text("damaged")
    page.give("homework.xlsx", faulty)
    expect(page.verdict()).to_contain_text("Not right: 3 slips")


def test_a_large_file_shows_how_far_it_is(workbooks):
    page = workbooks()
    page.page.evaluate(
        """() => {
            window.shown = [];
            new MutationObserver(() => {
                const bar = document.querySelector('[data-testid=stProgress] [role=progressbar]');
                const now = bar && Number(bar.getAttribute('aria-valuenow'));
                if (bar && now !== window.shown.at(-1)) window.shown.push(now);
            }).observe(document.body, {attributes: true, childList: true, subtree: true});
        }"""
    )
    page.give("long.xlsx", workbook(SEED, 1.0, 500))
    expect(page.verdict()).to_contain_text("Right: each of")
    shown = page.page.evaluate("window.shown")
    assert shown == sorted(shown)
    assert len(shown) >= 4, shown
    expect(page.page.get_by_test_id("stProgress")).to_have_count(0)


def test_several_files_have_a_line_each_and_one_is_looked_at(workbooks, faulty):
    page = workbooks()
    right = workbook(SEED, 1.0, 12)
    table = descend(SEED, 1.0, 12).table()
    table.loc[5, "E1"] *= 2
    files = {
        "ada.xlsx": right,
        "bob.xlsx": faulty,
        "=1+1.csv": table.to_csv(index=False).encode(),
        "cy.xlsx": b"PK no workbook",
    }
    page.give_all(files)
    main = page.page.get_by_test_id("stMain")
    expect(main).to_contain_text("4 files: 1 right, 2 with slips, 1 that could not be judged")
    with page.page.expect_download() as download:
        page.page.get_by_role("button", name="Verdicts as CSV").click()
    rows = pd.read_csv(download.value.path())
    assert rows["file"].tolist() == ["ada.xlsx", "bob.xlsx", "'=1+1.csv", "cy.xlsx"]
    assert rows["verdict"][1].startswith("Not right: 3 slips in 149 of")
    assert "damaged" in rows["verdict"][3]
    with page.page.expect_download() as download:
        page.page.get_by_role("button", name="All mended workbooks").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.namelist() == ["bob-mended.xlsx"]
        assert check(archive.read("bob-mended.xlsx")).right
    # A tick before the second line opens its report.
    box = page.page.get_by_test_id("stDataFrame").bounding_box()
    page.page.mouse.click(box["x"] + 15, box["y"] + 35 * 2.5)
    expect(page.verdict()).to_contain_text("bob.xlsx")
    expect(page.page.locator(".finding")).to_have_count(3)
    page.go("Home")
    page.go("Workbooks")
    expect(page.verdict()).to_contain_text("bob.xlsx")
    expect(main).to_contain_text("4 files: 1 right")
    page.give("alone.xlsx", right)
    expect(main).not_to_contain_text("4 files")
    expect(page.verdict()).to_contain_text("alone.xlsx")


def test_a_csv_leads_to_a_right_workbook(workbooks):
    page = workbooks()
    table = descend(SEED, 0.5, 30).table()
    table.loc[10, "E_total"] = 0.5
    page.give("table.csv", table.to_csv(index=False).encode())
    expect(page.verdict()).to_contain_text("Not right: 1 slip in 1 of")
    with page.page.expect_download() as download:
        page.page.get_by_role("button", name="Right workbook").click()
    assert download.value.path().read_bytes() == workbook(SEED, 0.5, 30)


def test_a_name_or_a_cell_of_a_file_cannot_write_html(workbooks):
    page = workbooks()
    table = descend(SEED, 0.5, 30).table().astype(object)
    table.loc[10, "E_total"] = "<img src=x onerror=document.title='bad'>"
    page.give("**<b>x</b>**.csv", table.to_csv(index=False).encode())
    expect(page.verdict()).to_contain_text("**<b>x</b>**.csv")
    expect(page.page.locator(".finding")).to_contain_text("<img src=x onerror")
    expect(page.page.locator(".finding img")).to_have_count(0)


def test_a_file_that_was_left_while_it_was_judged_is_judged_when_one_is_back(workbooks):
    page = workbooks()
    chosen = {"name": "long.xlsx", "mimeType": "", "buffer": workbook(SEED, 1.0, 1000)}
    page.page.locator("input[type=file]").set_input_files(chosen)
    page.page.get_by_test_id("stProgress").wait_for()
    page.go("Backpropagation")
    page.go("Workbooks")
    expect(page.verdict()).to_contain_text("long.xlsx", timeout=60_000)
    expect(page.verdict()).to_contain_text("Right: each of")


def test_the_setting_of_the_backpropagation_page_is_handed_out(workbooks, new_page, address):
    page = workbooks()
    page.page.goto(f"{address}/backprop?eta=2&w1=0.7&epochs=20")
    page.page.get_by_role("heading", level=1).wait_for()
    page.page.locator(".epoch-table").wait_for()
    page.go("Workbooks")
    page.page.get_by_role("radio", name="Hand one out").click()
    expect(page.page.get_by_text("w1 = 0.7")).to_be_visible()
    expect(page.page).to_have_url(re.compile(r"\?task=export"))
    with page.page.expect_download() as download:
        page.page.get_by_role("button", name="Workbook", exact=True).click()
    assert download.value.path().read_bytes() == workbook(replace(SEED, w1=0.7), 2.0, 20)


def test_several_tables_can_be_chosen(workbooks):
    page = workbooks()
    page.give("handed-out.xlsx", workbook(SEED, 0.5, 12))
    expect(page.verdict()).to_contain_text("Right: each of")
    page.page.get_by_role("combobox", name="Table").click()
    options = page.page.get_by_role("option")
    expect(options.first).to_contain_text("Backprop!A10:AF22, η = 0.5: right")
    options.filter(has_text="Learning rates!G6:G18, η = 2").click()
    expect(page.page.get_by_text("12 epochs, η = 2, from the header of its column")).to_be_visible()
