"""All pages on unusual screens: few colours, paper, no movement, zoomed, without the internet."""

import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, Request, expect

from core.backprop.network import COLUMNS, SEED, descend
from tests.harness import (
    LAPTOP,
    PHONE,
    BackpropPage,
    MnistPage,
    SketchPage,
    WorkbookPage,
    settle,
)

TITLES = ["Home", "Backpropagation", "Workbooks", "MNIST", "Sketch"]
SHEET = (718, 1000)  # A4 without its margins, in CSS pixels
ZOOMED = [(683, 384), (342, 192)]  # a window of 1366 × 768 at 200 % and at 400 %


def home(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("heading", level=1).wait_for(timeout=60_000)
    page.get_by_role("link", name="Open Sketch").wait_for()
    settle(page)


def workbook(page: Page, address: str) -> None:
    opened = WorkbookPage(page, address)
    page.get_by_role("button", name="Check a faulty one").click()
    opened.chart("The table, cell by cell").wait_for(timeout=60_000)
    opened.settle()


def query(opened: type, text: str = "") -> Callable[[Page, str], None]:
    def visit(page: Page, address: str) -> None:
        opened(page, address, text)

    return visit


PAGES = {
    "home": home,
    "backprop": query(BackpropPage),
    "derivation": query(BackpropPage, "tab=Derivation&weight=w1"),
    "landscape": query(BackpropPage, "tab=Landscape"),
    "check": query(BackpropPage, "tab=Check"),
    "workbook": workbook,
    "hand out": query(WorkbookPage, "task=export"),
    "mnist": query(MnistPage),
    "train": query(MnistPage, "view=Train"),
    "compare": query(MnistPage, "view=Compare"),
    "sketch": query(SketchPage),
    "upload": query(SketchPage, "source=upload"),
    "test set": query(SketchPage, "source=test"),
}


def pixels(part: Locator) -> Image.Image:
    return Image.open(io.BytesIO(part.screenshot())).convert("RGB")


def main_colour(image: Image.Image) -> tuple[int, ...]:
    colours = Counter(image.get_flattened_data())
    return colours.most_common(1)[0][0]


def differ(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) > 150


# --- few colours


def test_few_colours_still_show_what_is_chosen_how_far_and_where_the_focus_is(new_page, address):
    page = BackpropPage(new_page(forced_colors="active"), address, "epoch=3")
    for scheme in ("light", "dark"):
        page.page.emulate_media(color_scheme=scheme)
        page.settle()
        assert_chosen_and_far_in_few_colours(page)
    assert_focus_in_few_colours(page)


def assert_chosen_and_far_in_few_colours(page: BackpropPage) -> None:
    canvas = main_colour(pixels(page.page.locator("h1")))
    track = pixels(page.slider("eta"))
    middle = track.height // 2
    done, thumb, ahead = (track.getpixel((int(track.width * x), middle)) for x in (0.1, 0.66, 0.95))
    assert differ(done, ahead)
    assert differ(done, thumb)
    assert differ(thumb, canvas)
    play = pixels(page.page.get_by_role("button", name="Play, epoch"))
    assert differ(play.getpixel((play.width // 2, play.height // 2)), canvas)
    pills = page.page.get_by_role("radio")
    for chosen, other in (("published", "zeros"), ("linear", "log"), ("six", "all")):
        ground = [main_colour(pixels(pills.get_by_text(name))) for name in (chosen, other)]
        assert differ(*ground), chosen
    rows = [main_colour(pixels(page.cell(epoch, 2))) for epoch in (3, 4)]
    assert differ(*rows)
    menu = page.page.locator(".st-key-menu")
    lines = [
        pixels(menu.get_by_role("link", name=name)).crop((0, 30, 20, 60))
        for name in ("Backpropagation", "Home")
    ]
    colours = [set(line.get_flattened_data()) for line in lines]
    assert max(len(found) for found in colours) < 60
    assert any(differ(one, canvas) for one in colours[0] - colours[1])


def assert_focus_in_few_colours(page: BackpropPage) -> None:
    for part in (
        page.field("eta"),
        page.slider("eta"),
        page.page.get_by_role("radio", name="zeros"),
        page.page.get_by_role("link", name="MNIST"),
        page.page.locator(".epoch-table"),
    ):
        page.page.keyboard.press("Tab")  # a ring is for those who use the keyboard
        part.focus()
        style, width = part.evaluate(
            "e => { const s = getComputedStyle(e); return [s.outlineStyle, s.outlineWidth]; }"
        )
        assert (style, width) != ("none", "0px")
        assert float(width.removesuffix("px")) >= 2


# --- paper


def on_paper(page: Page, **options: object) -> int:
    """Print the page; the number of its sheets."""
    pdf = page.pdf(format="A4", print_background=True, **options)
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def test_all_numbers_of_all_epochs_are_printed(new_page, address):
    page = BackpropPage(new_page(size=SHEET), address, "epochs=1000&epoch=7&digits=all")
    page.page.evaluate(
        """() => addEventListener('afterprint', () => {
          const host = [...document.querySelectorAll('.st-key-epoch_table *')]
            .find((e) => e.shadowRoot?.querySelector('.sheets'));
          const sheets = host.shadowRoot.querySelector('.sheets');
          window.printed = [...sheets.querySelectorAll('table')].map((table) =>
            [...table.rows].slice(1).map((row) => [...row.cells].map((cell) => cell.textContent)));
          window.groups = [...sheets.querySelectorAll('table')].map((table) =>
            [...table.rows[0].cells].slice(1).map((cell) => cell.textContent.split(' (')[0]));
        })"""
    )
    assert_all_numbers_are_printed(page, "all")
    to_six_digits(page)
    assert_all_numbers_are_printed(page, "six")


def to_six_digits(page: BackpropPage) -> None:
    page.page.get_by_role("radio", name="six").click()
    expect(page.page).not_to_have_url(re.compile("digits="))
    page.settle()


def assert_all_numbers_are_printed(page: BackpropPage, digits: str) -> None:
    assert on_paper(page.page) > 30
    blocks = page.page.evaluate("window.printed")
    assert [name for block in blocks for name in block[0][1:]] == list(COLUMNS)
    table = descend(SEED, 1.0, 1000).table().drop(columns="epoch")
    first = 0
    for block in blocks:
        width = len(block[0]) - 1
        assert [row[0] for row in block[1:]] == [str(epoch) for epoch in range(1, 1001)]
        numbers = table.iloc[:, first : first + width].to_numpy()
        for row, values in zip(block[1:], numbers, strict=True):
            if digits == "all":
                assert [float(text) for text in row[1:]] == values.tolist()
            else:
                assert [float(text) for text in row[1:]] == pytest.approx(values, rel=1e-4)
        first += width
    if digits == "six":
        assert page.page.evaluate("window.groups") == [
            ["example", "hidden layer"],
            ["output layer", "error"],
            ["gradient"],
        ]
    assert page.page.locator(".sheets").count() == 0  # and the screen is as it was
    assert 10 < page.page.locator(".epoch-table tbody tr").count() < 40


def test_the_printed_columns_fit_a_sheet(new_page, address):
    page = BackpropPage(new_page(size=SHEET), address, "digits=all&eta=10")
    assert_printed_columns_fit(page)
    page.page.emulate_media(media="null")
    to_six_digits(page)
    assert_printed_columns_fit(page)


def assert_printed_columns_fit(page: BackpropPage) -> None:
    page.page.emulate_media(media="print")
    page.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    for table in page.page.locator(".sheets table").all():
        box = table.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= SHEET[0]
        assert float(table.evaluate("e => parseFloat(getComputedStyle(e).fontSize)")) >= 8
    page.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.page.locator(".sheets").count() == 0


# --- no movement


def test_without_movement_nothing_fades_and_play_still_steps(new_page, address):
    page = BackpropPage(new_page(reduced_motion="reduce"), address)
    moving = page.page.evaluate(
        """() => {
          const all = [...document.querySelectorAll('.stApp *')];
          const inside = all.flatMap((e) => [...(e.shadowRoot?.querySelectorAll('*') ?? [])]);
          const longest = (text) => Math.max(...text.split(',').map(parseFloat));
          return [...all, ...inside]
            .filter((e) => {
              const style = getComputedStyle(e);
              return longest(style.transitionDuration) > 0.01 || longest(style.transitionDelay) > 0
                || (style.animationName !== 'none' && longest(style.animationDuration) > 0.01);
            })
            .map((e) => e.className);
        }"""
    )
    assert moving == []
    page.page.get_by_role("button", name="Play, epoch").click()
    expect(page.field("epoch")).to_have_value(re.compile(r"^([4-9]|\d\d)$"))
    pale = page.page.evaluate(
        """() => {
          const part = document.querySelector('.stElementContainer');
          part.dataset.stale = 'true';
          const opacity = getComputedStyle(part).opacity;
          part.dataset.stale = 'false';
          return opacity;
        }"""
    )
    assert pale == "1"


# --- zoomed


def test_the_whole_table_fits_a_zoomed_window(new_page, address):
    page = BackpropPage(new_page(size=ZOOMED[0]), address, "epoch=20")
    for size in ZOOMED:
        resize(page.page, size)
        box = page.page.locator(".epoch-table").bounding_box()
        assert box is not None
        assert box["height"] <= 0.9 * size[1]
        resize(page.page, LAPTOP)
        expect(page.cell(25, 2)).to_be_visible()  # rows fill the room that is new


# --- every view, loaded once


@pytest.mark.parametrize("visit", PAGES.values(), ids=PAGES)
def test_a_view_zoomed_printed_and_without_the_internet(new_page, address, visit):
    page = new_page(color_scheme="dark")
    with requests_of(page) as asked:
        visit(page, address)
        for scheme in ("dark", "light"):
            to_scheme(page, scheme)
            assert_printed_whole_and_on_white(page)
            page.emulate_media(media="null")
            for size in ZOOMED:
                resize(page, size)
                assert what_does_not_fit(page) == [[], [], []], (scheme, size)
            resize(page, LAPTOP)
    assert_asks_only(address, asked)


def test_the_ways_between_the_pages_need_no_internet(new_page, address):
    page = new_page()
    with requests_of(page) as asked:
        opened = WorkbookPage(page, address)
        for title in ("Home", *TITLES[3:], *TITLES[1:3]):
            opened.go(title)
    assert_asks_only(address, asked)


@contextmanager
def requests_of(page: Page) -> Iterator[list[str]]:
    """The addresses that the page asks for from now on."""
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    yield asked
    page.remove_listener("request", note)


def assert_asks_only(address: str, asked: list[str]) -> None:
    ours = (address, address.replace("http", "ws"), "data:", "blob:")
    assert [url for url in asked if not url.startswith(ours)] == []
    assert len(asked) > 10


IS_IN_SCHEME = """(scheme) => {
  const ground = getComputedStyle(document.querySelector(".stApp")).backgroundColor;
  return Math.max(...ground.match(/\\d+/g).map(Number)) < 100 === (scheme === "dark");
}"""


def to_scheme(page: Page, scheme: str) -> None:
    """Have the person's system change to light or to dark colours."""
    page.emulate_media(media="null", color_scheme=scheme)
    page.wait_for_function(IS_IN_SCHEME, arg=scheme)
    settle(page)


def resize(page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    settle(page)


SIDEWAYS_BEYOND_COVERS = """() => {
          const deep = (root) => [...root.querySelectorAll('*')]
            .flatMap((e) => [e, ...(e.shadowRoot ? deep(e.shadowRoot) : [])]);
          const all = deep(document.querySelector('.stApp'));
          const name = (e) => `${e.tagName} ${e.className} ${e.scrollWidth} > ${e.clientWidth}`;
          const isTable = (e) => e.closest('.epoch-table, [data-testid=stDataFrame]');
          const sideways = all.filter((e) => e.scrollWidth > e.clientWidth + 1 && e.clientWidth
            && ['auto', 'scroll'].includes(getComputedStyle(e).overflowX) && !isTable(e));
          const beyond = all.filter((e) => {
            const box = e.getBoundingClientRect();
            return box.width && box.right > innerWidth + 1 && !isTable(e)
              && !e.closest('svg, .katex-mathml'); // the latter is for screen readers alone
          });
          const stays = (e) => ['sticky', 'fixed'].includes(getComputedStyle(e).position);
          const covers = all.filter((e) => e.getBoundingClientRect().height > innerHeight / 2
            && stays(e) && !isTable(e) && !e.closest('.maps'));
          return [sideways.map(name), beyond.map(name), covers.map(name)];
        }"""


def what_does_not_fit(page: Page) -> list[list[str]]:
    """What scrolls sideways, lies beyond, or covers; a chart may take a while to its new width."""
    for _ in range(50):
        found: list[list[str]] = page.evaluate(SIDEWAYS_BEYOND_COVERS)
        if not any(found):
            break
        page.wait_for_timeout(100)
    return found


def assert_printed_whole_and_on_white(page: Page) -> None:
    height = page.locator(".stMainBlockContainer").evaluate("e => e.scrollHeight")
    assert on_paper(page) >= height // 1600 + 1  # a sheet is some 1000 px high
    page.emulate_media(media="print")
    resize(page, SHEET)
    hidden = page.locator(".st-key-menu, .stButton, .stDownloadButton, .stPageLink")
    assert not [part for part in hidden.all() if part.is_visible()]
    ground = page.locator(".stApp").evaluate("e => getComputedStyle(e).backgroundColor")
    assert ground == "rgb(255, 255, 255)"
    dark = page.locator("h1").evaluate("e => getComputedStyle(e).color.match(/\\d+/g).map(Number)")
    assert max(dark) < 100
    cut = page.evaluate(
        """() => [...document.querySelectorAll('body, .stApp, .stApp *')]
          .filter((e) => getComputedStyle(e).overflowY !== 'visible'
            && e.scrollHeight > e.clientHeight + 4 && e.clientHeight > 4
            && !e.closest('[data-testid=stDataFrame], svg, textarea, input, label'))
          .map((e) => `${e.tagName} ${e.className} ${e.scrollHeight} > ${e.clientHeight}`)"""
    )
    assert cut == []


# --- the menu and the home page


def test_the_menu_is_one_line_and_marks_the_open_page(new_page, address):
    page = new_page()
    WorkbookPage(page, address)
    links = page.locator(".st-key-menu").get_by_role("link")
    expect(links).to_have_text(TITLES)
    for scheme in ("light", "dark"):
        to_scheme(page, scheme)
        for size in (LAPTOP, PHONE, ZOOMED[1]):
            resize(page, size)
            boxes = [link.bounding_box() for link in links.all()]
            assert len({round(box["y"]) for box in boxes}) == 1, size
            assert boxes[-1]["x"] + boxes[-1]["width"] <= size[0]
            assert boxes[0]["y"] < 20, size  # nothing above it
            title = page.get_by_role("heading", level=1).bounding_box()
            assert title["y"] - boxes[0]["y"] - boxes[0]["height"] < 30, size
        current = page.locator(".st-key-menu [aria-current=page]")
        expect(current).to_have_text("Workbooks")
        weights = [link.evaluate("e => getComputedStyle(e).fontWeight") for link in links.all()]
        assert weights == ["400", "400", "600", "400", "400"]


def test_the_menu_is_used_by_keyboard(new_page, address):
    page = new_page()
    home(page, address)
    page.locator(".st-key-menu").get_by_role("link", name="Backpropagation").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Workbooks", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Check a workbook, or hand one out")
    expect(page.locator("[aria-current=page]")).to_have_text("Workbooks")


def test_home_starts_with_one_card(new_page, address):
    page = new_page()
    home(page, address)
    for size in (LAPTOP, PHONE):
        resize(page, size)
        expect(page.get_by_role("link", name="Open Backpropagation")).to_be_in_viewport()
        expect(page.locator(".st-key-first img")).to_be_visible()
    expect(page.get_by_text("Start here:")).to_have_count(4)
    headings = page.locator(".st-key-others").get_by_role("heading")
    expect(headings).to_have_text(
        ["Check a workbook", "A network that reads digits", "Sketch a digit"]
    )
    page.get_by_role("link", name="Open MNIST").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A network that reads digits")
