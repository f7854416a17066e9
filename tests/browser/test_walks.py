"""From page to page as people go: each is found as it was left, and no other's settings on it."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests import harness

MENU = {
    "home": "Home",
    "backprop": "Backpropagation",
    "workbook": "Workbooks",
    "mnist": "MNIST",
    "sketch": "Sketch",
}
HEADINGS = {
    "home": "Backprop & MNIST Explorer",
    "backprop": "Backpropagation, number by number",
    "workbook": "Check a workbook",
    "mnist": "A network that reads digits",
    "sketch": "Sketch a digit",
}


def settle(page: Page) -> None:
    harness.settle(page)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def arrive(page: Page, name: str) -> None:
    """Wait until the page called `name` is there, whole and alone."""
    expect(page.locator("h1")).to_contain_text(HEADINGS[name], timeout=60_000)
    expect(page.locator("h1")).to_have_count(1)
    settle(page)
    path = "/" if name == "home" else f"/{name}"
    assert page.url.split("?")[0].endswith(path)


def go(page: Page, name: str) -> None:
    page.locator(".st-key-menu").get_by_role("link", name=MENU[name]).click()
    arrive(page, name)


def choose(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name, exact=True).click()
    settle(page)


def field(page: Page, label: str) -> Locator:
    return page.locator("input[type=text]").and_(page.get_by_label(label, exact=True))


def type_in(page: Page, label: str, text: str) -> None:
    field(page, label).fill(text)
    field(page, label).press("Enter")
    settle(page)


def change(page: Page, name: str, number: int) -> None:
    """Open all that the page has, and leave a setting at a value that `number` gives."""
    if name == "backprop":
        choose(page, ("published", "zeros")[number % 2])
        type_in(page, "epochs", str(20 + number))
        type_in(page, "learning rate η", f"0,{10 + number}")
        choose(page, ("log", "linear")[number % 2])
        tabs = ("Table", "Derivation", "Learning rates", "Landscape", "Check")
        for tab in (*tabs, tabs[number % 5]):
            page.get_by_role("tab", name=tab, exact=True).click()
            view = page.get_by_role("tabpanel", name=tab, exact=True)
            view.locator(".epoch-table tbody td, .katex, svg").first.wait_for()
            settle(page)
    elif name == "workbook":
        choose(page, ("Check one", "Hand one out")[number % 2])
        choose(page, ("Hand one out", "Check one")[number % 2])
    elif name == "mnist":
        for view in ("Results", "Compare", "Train"):
            page.get_by_role("tab", name=view, exact=True).click()
            settle(page)
        type_in(page, "Epochs", str(2 + number % 30))
        type_in(page, "Seed", str(number))
        if number % 2:
            page.get_by_role("tab", name="Results", exact=True).click()
            settle(page)
            choose(page, "% of the row")
    elif name == "sketch":
        for source in ("Upload", "Camera", "Test set", "Draw"):
            choose(page, source)
        choose(page, ("Draw", "Upload", "Camera")[number % 3])


def reading(page: Page, name: str) -> list[str]:
    """What tells that a page is as it was: its address and its controls."""
    found = [page.url.partition("?")[2]]
    if name == "backprop":
        fields = page.locator(".controls input[type=text]")
        expect(fields).to_have_count(16)
        found += [field.input_value() for field in fields.all()]
    if name == "mnist":
        found += page.get_by_role("tab", selected=True).all_inner_texts()
    found += page.locator("[role=radio][aria-checked=true]").all_inner_texts()
    return found


def expect_reading(page: Page, name: str, left: list[str]) -> None:
    """A page is drawn from above, and its last control may follow after a while."""
    for _ in range(50):
        if reading(page, name) == left:
            break
        page.wait_for_timeout(200)
    assert reading(page, name) == left


@pytest.mark.parametrize("first", MENU)
def test_every_page_is_found_as_it_was_left_whichever_was_opened_between(new_page, address, first):
    """From the first page to two others and back; in all, from each page to each other one."""
    page = new_page()
    page.goto(f"{address}/{'' if first == 'home' else first}")
    arrive(page, first)
    place = [*MENU].index(first)
    for number in (1, 2):
        second = [*MENU][(place + number) % len(MENU)]
        change(page, first, place + number)
        left_first = reading(page, first)
        go(page, second)
        change(page, second, place + 2 * number + 2)  # to another value than in other rounds
        left_second = reading(page, second)
        go(page, first)
        expect_reading(page, first, left_first)
        page.go_back()
        arrive(page, second)
        expect_reading(page, second, left_second)
        page.go_forward()
        arrive(page, first)
        expect_reading(page, first, left_first)
        go(page, second)
        expect_reading(page, second, left_second)
        page.reload()
        arrive(page, second)
        expect_reading(page, second, left_second)
        if number == 1:
            go(page, first)


def test_back_from_the_first_edit_takes_it_back(new_page, address):
    page = new_page()
    page.goto(f"{address}/backprop")
    arrive(page, "backprop")
    type_in(page, "w1", "0.9")
    expect(page).to_have_url(re.compile(r"\?w1=0\.9$"))
    page.go_back()
    expect(page.get_by_label("w1", exact=True)).to_have_value("0.15")
    settle(page)
    assert "?" not in page.url
    page.go_forward()
    expect(page.get_by_label("w1", exact=True)).to_have_value("0.9")
    page.go_back()
    expect(page.get_by_label("w1", exact=True)).to_have_value("0.15")


def test_a_link_typed_in_is_the_page_and_two_tabs_are_two_people(new_page, address):
    page = new_page()
    page.goto(f"{address}/backprop?w1=0.9&epochs=7&scale=log")
    arrive(page, "backprop")
    other = page.context.new_page()
    other.goto(f"{address}/mnist?view=Train&epochs=3&seed=5")
    arrive(other, "mnist")
    expect(other.get_by_label("Epochs", exact=True)).to_have_value("3")
    go(other, "backprop")
    expect(other.get_by_label("w1", exact=True)).to_have_value("0.15")
    expect(other.get_by_label("epochs", exact=True)).to_have_value("50")
    page.bring_to_front()
    go(page, "mnist")
    assert page.url.endswith("/mnist")
    go(page, "backprop")
    expect(page.get_by_label("epochs", exact=True)).to_have_value("7")
    other.bring_to_front()
    go(other, "mnist")
    expect(other.get_by_label("Epochs", exact=True)).to_have_value("3")


def test_a_page_that_plays_can_be_left(new_page, address):
    page = new_page()
    page.goto(f"{address}/backprop?epochs=1000")
    arrive(page, "backprop")
    before = 1
    for to in (name for name in MENU if name != "backprop"):
        page.get_by_role("button", name="Play, epoch").click()
        expect(field(page, "epoch")).not_to_have_value(re.compile(f"^({before}|{before + 1})$"))
        go(page, to)
        page.wait_for_timeout(500)  # five more epochs, if it still played
        expect(page.get_by_test_id("stException")).to_have_count(0)
        go(page, "backprop")
        epoch = int(field(page, "epoch").input_value())
        assert before < epoch < before + 100, to
        page.wait_for_timeout(300)
        assert field(page, "epoch").input_value() == str(epoch), to
        before = epoch


def test_a_seed_outlives_another_preset(new_page, address):
    page = new_page()
    page.goto(f"{address}/backprop")
    arrive(page, "backprop")
    choose(page, "random")
    type_in(page, "Seed", "7")
    seventh = field(page, "w1").input_value()
    choose(page, "zeros")
    type_in(page, "w3", "0.7")
    choose(page, "random")
    expect(page.get_by_label("Seed", exact=True)).to_have_value("7")
    assert field(page, "w1").input_value() == seventh


@pytest.mark.parametrize("below", ["/extra", "/", "/a/b%20c/"])
def test_an_address_below_a_page_leads_to_the_page(new_page, address, below):
    page = new_page()
    page.goto(f"{address}/backprop{below}?w1=0.9")
    arrive(page, "backprop")
    expect(field(page, "w1")).to_have_value("0.9")


def test_behind_a_prefix_every_page_is_reached_and_an_address_below_one_leads_to_it(new_page):
    with harness.server(harness.ROOT / "streamlit_app.py", "--server.baseUrlPath", "a/b") as host:
        page = new_page()
        page.goto(f"{host}/a/b/backprop/extra?w1=0.9")
        arrive(page, "backprop")
        assert page.url == f"{host}/a/b/backprop?w1=0.9"
        for name in ("mnist", "home", "sketch", "workbook", "backprop"):
            go(page, name)
        expect(field(page, "w1")).to_have_value("0.9")
        page.go_back()
        arrive(page, "workbook")


def test_a_late_write_of_the_page_before_is_taken_back(new_page, address):
    page = new_page()
    page.goto(f"{address}/workbook")
    arrive(page, "workbook")
    page.evaluate(
        """() => {
          const push = history.pushState.bind(history);
          history.pushState = (state, title, address) => {
            push(state, title, address);
            history.pushState = push;
            push({}, "", `${location.pathname}?network=compact&task=export`);
          };
        }"""
    )
    go(page, "sketch")
    page.wait_for_url(f"{address}/sketch", timeout=10_000)
    settle(page)
    choose(page, "Test set")
    assert page.url.endswith("/sketch?source=test")
    chosen = page.get_by_role("combobox", name="Trained network")
    expect(chosen).to_have_value("Published, shipped")


def test_names_of_others_in_an_address_pass_without_a_word(new_page, address):
    page = new_page()
    page.goto(f"{address}/backprop?fbclid=x&utm_source=y&w1=0.9&colour=red")
    arrive(page, "backprop")
    expect(field(page, "w1")).to_have_value("0.9")
    expect(page.get_by_test_id("stAlert")).to_have_count(0)


EVIL = "[x](https://e.org)![](//e.org/a.png):red[x]$x^2$:smile:<b>b</b> www.e.org a@e.org " * 2


@pytest.mark.parametrize(
    "path",
    [
        f"backprop?w1={EVIL}&scale={EVIL}&rates={EVIL}",
        f"mnist?network={EVIL}&view={EVIL}&compared={EVIL}&run={EVIL}",
        f"sketch?network={EVIL}&about={EVIL}",
        f"workbook?task={EVIL}",
        f"?x={EVIL}",
    ],
)
def test_nothing_from_an_address_becomes_markup(new_page, address, path):
    page = new_page(is_alone=True)  # a listener stays with its tab
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/{path}")
    settle(page)
    page.locator("h1").wait_for(timeout=60_000)
    settle(page)
    alert = page.get_by_test_id("stAlert")
    if path.startswith("?"):
        expect(alert).to_have_count(0)
    else:
        expect(alert).to_have_count(1, timeout=60_000)
        said = alert.inner_text().replace("\N{WORD JOINER}", "")
        assert said.count(f"“{EVIL[:40]}…”") == said.count("stays") - ("compared" in path)
    marked = page.locator("[data-testid=stAlert] :is(a, img, .katex, b, span[style*=color])")
    expect(marked).to_have_count(0)
    assert not [url for url in asked if "e.org" in url.split("?")[0]]
