"""The backpropagation page under a real hand: what a person does, and what they then read."""

import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Locator, Page, expect

from core.backprop.network import COLUMNS, SEED, Network, descend
from core.backprop.presets import PRESETS, random_start
from core.backprop.schedule import Schedule
from core.workbook.export import workbook
from tests.harness import LAPTOP, PHONE, ROOT, BackpropPage, server, settle

W1, W5, OUT_H1 = (COLUMNS.index(name) + 1 for name in ("w1", "w5", "out_h1"))


def six(value: float) -> str:
    """As the table writes it."""
    if value and abs(value) < 1e-4:
        return f"{value:.4e}".replace("e-0", "e-")
    return repr(float(f"{value:.6g}")).removesuffix(".0")


def test_everything_follows_while_the_button_is_down(backprop):
    page = backprop("epoch=25")
    left, width, y = page.press("eta", 0.2)
    seen = set()
    for share in (0.35, 0.5, 0.65, 0.8):
        page.page.mouse.move(left + share * width, y, steps=8)
        rate = float(page.field("eta").input_value())
        history = descend(SEED, rate, 50)
        row = history.table().iloc[24]
        reading = page.page.locator(".control:has(#eta) output")
        expect(reading).to_have_text(f"E_total at epoch 50, the last: {history.E_total[-1]:.8f}")
        labels = page.chart("The network").first
        expect(labels).to_contain_text(f"w5 = {row['w5']:.4g}")
        expect(page.cell(25, W1)).to_have_text(six(row["w1"]))
        expect(page.cell(24, OUT_H1)).to_have_text(six(history.table()["out_h1"][23]))
        seen.add((rate, page.curve(), page.diagram()))
        assert "eta=" not in page.page.url
    assert len({curve for _, curve, _ in seen}) == len({d for *_, d in seen}) == 4
    page.page.mouse.up()
    expect(page.page).to_have_url(re.compile(rf"eta={re.escape(six(rate))}(&|$)"))


def test_at_most_one_value_is_under_way_and_the_last_one_lands(backprop):
    page = backprop("tab=Learning+rates")
    page.page.evaluate(
        """() => {
          const hosts = [...document.querySelectorAll('.st-key-backprop-sliders *')];
          const root = hosts.find((h) => h.shadowRoot).shadowRoot.querySelector('.controls');
          window.most = 0;
          const look = () => {
            window.most = Math.max(window.most, root.link.sent - root.link.answered);
            requestAnimationFrame(look);
          };
          look();
        }"""
    )
    left, width, y = page.press("eta", 0.1)
    page.page.mouse.move(left + 0.9 * width, y, steps=40)
    page.page.mouse.move(left + 0.2 * width, y, steps=40)
    page.page.mouse.move(left + 0.7 * width, y, steps=5)
    page.page.mouse.up()
    rate = float(page.field("eta").input_value())
    error = descend(SEED, rate, 50).E_total[-1]
    expect(page.page.locator(".control:has(#eta) output")).to_contain_text(f"{error:.8f}")
    expect(page.page.get_by_text(f"Yours: η = {rate:g} with {error:.6g}.")).to_be_visible()
    assert page.page.evaluate("window.most") == 1


def test_the_slider_works_by_keyboard(backprop):
    page = backprop()
    page.slider("eta").focus()
    page.page.keyboard.press("ArrowRight")
    expect(page.field("eta")).to_have_value("1.1")
    expect(page.page).to_have_url(re.compile(r"eta=1\.1"))
    error = descend(SEED, 1.1, 50).E_total[-1]
    expect(page.page.locator(".control:has(#eta) output")).to_contain_text(f"{error:.8f}")
    assert page.slider("eta").get_attribute("aria-valuetext") == "1.1"
    page.page.keyboard.press("Home")
    expect(page.field("eta")).to_have_value("0.01")


def test_the_slider_works_by_touch(backprop):
    page = backprop(size=PHONE, has_touch=True, is_mobile=True)
    page.slider("epoch").scroll_into_view_if_needed()
    box = page.slider("epoch").bounding_box()
    page.page.touchscreen.tap(box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2)
    expect(page.page).to_have_url(re.compile(r"epoch=2[4-7]"))


def test_a_newcomer_sees_points_at_and_hears_all_parts(backprop):
    page = backprop()
    assert_all_parts_and_the_first_rows_are_seen_without_scrolling(page)
    assert_an_edge_shows_its_formula_with_its_numbers(page)
    assert_the_curve_reads_its_values(page)
    assert_controls_have_names_for_a_screen_reader(page)


def assert_all_parts_and_the_first_rows_are_seen_without_scrolling(page):
    for part in (
        page.slider("eta"),
        page.chart("The network").first,
        page.chart("Error of each epoch").first,
        page.page.get_by_role("tab", name="Check"),
        page.cell(1, W1),
    ):
        box = part.bounding_box()
        assert box["y"] + box["height"] <= LAPTOP[1]


def assert_an_edge_shows_its_formula_with_its_numbers(page):
    edge = page.chart("The network").first.locator("[aria-label^='w5 from h1 to o1']")
    box = edge.bounding_box()
    page.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tooltip = page.page.locator("#vg-tooltip-element")
    expect(tooltip).to_contain_text("(out_o1 − t1)·out_o1·(1 − out_o1)·out_h1")
    expect(tooltip).to_contain_text("= 0.0721571")
    expect(tooltip).to_contain_text("0.4 − 1·0.0721571 = 0.327843")


def assert_the_curve_reads_its_values(page):
    box = page.chart("Error of each epoch").first.locator(".mark-line").first.bounding_box()
    page.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.page.mouse.move(box["x"] + box["width"] / 2 + 2, box["y"] + box["height"] / 2)
    tooltip = page.page.locator("#vg-tooltip-element")
    expect(tooltip).to_contain_text("E_total")
    epoch = int(re.search(r"epoch:?\s*(\d+)", tooltip.inner_text())[1])
    assert f"{descend(SEED, 1.0, 50).E_total[epoch - 1]:.6g}" in tooltip.inner_text()


def assert_controls_have_names_for_a_screen_reader(page):
    expect(page.page.get_by_role("slider", name="learning rate η")).to_be_visible()
    expect(page.page.get_by_role("slider", name="epoch", exact=True)).to_be_visible()
    expect(page.page.get_by_role("spinbutton", name="w8")).to_have_value("0.55")
    expect(page.page.get_by_role("button", name="Play, epoch")).to_be_visible()
    expect(page.page.get_by_role("region", name="All epochs")).to_be_visible()
    page.open("Learning rates")
    for alt in ("The network: inputs", "E1, E2 and E_total", "one line for each", "the best one"):
        assert page.page.locator(f'[data-testid=stVegaLiteChart][aria-label*="{alt}"]').count()


def test_an_exact_rate_and_typed_weights_are_followed(backprop):
    page = backprop()
    page.field("eta").fill("0.123456789")
    page.field("eta").press("Enter")
    error = descend(SEED, 0.123456789, 50).E_total[-1]
    expect(page.page.locator(".control:has(#eta) output")).to_contain_text(f"{error:.8f}")
    page.field("w5").fill("-1.5")  # no Enter: it is live
    setup = replace(SEED, w5=-1.5)
    error = descend(setup, 0.123456789, 50).E_total[-1]
    expect(page.page.locator(".control:has(#eta) output")).to_contain_text(f"{error:.8f}")
    page.field("w5").blur()
    expect(page.page).to_have_url(re.compile(r"w5=-1\.5&eta=0\.123456789"))


def test_numbers_typed_in_a_hurry_all_land(backprop):
    page = backprop()
    page.field("w1").focus()
    page.field("w1").select_text()
    for weight in range(1, 9):
        page.page.keyboard.type(f"-0.{weight}{weight}")
        page.page.keyboard.press("Tab")
    values = {f"w{k}": float(f"-0.{k}{k}") for k in range(1, 9)}
    error = descend(replace(SEED, **values), 1.0, 50).E_total[-1]
    expect(page.page.locator(".control:has(#eta) output")).to_contain_text(f"{error:.8f}")
    expect(page.page).to_have_url(re.compile("w1=-0.11&.*w8=-0.88"))


BAD = [
    ("w3", "", "That is empty. Enter a number from -100 to 100."),
    ("t2", "1e308", "1e308 is out of range. Enter a number from -100 to 100."),
    ("epochs", "0", "0 is out of range. Enter a whole number from 1 to 10000."),
    ("epochs", "1000000000", "Enter a whole number from 1 to 10000."),
    ("eta", "-1", "-1 is out of range. Enter a number from 0 to 1000."),
    ("epoch", "1.5", "“1.5” is not a whole number."),
]


def test_bad_input_is_answered_and_the_last_good_picture_stays(backprop):
    page = backprop("w5=0.7&epoch=2")
    for name, text, sentence in BAD:
        before = page.curve(), page.diagram(), page.cell(2, W5).inner_text()
        page.field(name).fill(text)
        page.settle()
        assert page.field(name).input_value() == text  # half-typed text is left alone
        page.field(name).press("Enter")
        expect(page.page.locator(f"#{name}-problem")).to_contain_text(sentence)
        page.settle()
        assert (page.curve(), page.diagram(), page.cell(2, W5).inner_text()) == before, name
        assert page.field(name).input_value() == text
        page.field(name).fill("3")
        page.field(name).press("Enter")
        expect(page.page.locator(f"#{name}-problem")).to_be_empty()
        page.settle()


def test_a_bad_link_says_so_and_draws_what_it_can(backprop):
    page = backprop("w1=abc&eta=1e308&w2=0.9")
    alerts = page.page.get_by_role("alert").filter(has_text="stays")
    expect(alerts).to_have_count(1)  # one banner for all
    expect(alerts).to_contain_text("eta stays 1: 1e308 is out of range.")
    expect(alerts).to_contain_text("w1 stays 0.15: “abc” is not a number.")
    assert page.field("w2").input_value() == "0.9"
    page.field("w2").fill("0.8")
    page.field("w2").press("Enter")
    expect(alerts).to_have_count(0)


def test_a_number_typed_is_understood_or_refused_and_changed_by_arrow_keys(backprop):
    page = backprop()
    assert_any_usual_way_is_understood_and_shown(page)
    assert_what_cannot_be_read_is_refused_whole_and_the_last_value_stays(page)
    assert_the_arrow_keys_change_a_number_by_its_step(page)


def assert_any_usual_way_is_understood_and_shown(page):
    for typed, shown in (
        ("0,5", "0.5"),
        ("−0.5", "-0.5"),
        ("1/2", "0.5"),
        ("1e-3", "0.001"),
        (".5", "0.5"),
        ("  7 ", "7"),
        ("٠٫٥", "0.5"),
        ("０．５", "0.5"),
    ):
        page.field("w1").fill(typed)
        page.field("w1").press("Enter")
        expect(page.field("w1")).to_have_value(shown)
        expect(page.page).to_have_url(re.compile(rf"w1={re.escape(shown)}$"))
        error = descend(replace(SEED, w1=float(shown)), 1.0, 50).E_total[-1]
        expect(page.page.locator(".control:has(#eta) output")).to_contain_text(f"{error:.8f}")
        page.page.get_by_role("button", name="Reset all").click()
        expect(page.field("w1")).to_have_value("0.15")


def assert_what_cannot_be_read_is_refused_whole_and_the_last_value_stays(page):
    for typed in ("0,5x", "1.000,5", "1_0", "2²"):
        page.field("w1").fill("0.3")
        page.field("w1").press("Enter")
        expect(page.page).to_have_url(re.compile("w1=0.3"))
        page.field("w1").press_sequentially(typed)
        page.field("w1").fill("")
        page.field("w1").press_sequentially(typed, delay=60)  # live: read half-way it is no value
        page.field("w1").press("Enter")
        expect(page.page.locator("#w1-problem")).to_contain_text("is not a number")
        error = descend(replace(SEED, w1=0.3), 1.0, 50).E_total[-1]
        expect(page.page.locator(".control:has(#eta) output")).to_contain_text(f"{error:.8f}")
        assert page.field("w1").input_value() == typed
        page.page.get_by_role("radio", name="zeros").click()
        expect(page.field("w1")).to_have_value("0")
        expect(page.page.locator("#w1-problem")).to_be_empty()
        page.page.get_by_role("button", name="Reset all").click()
        expect(page.field("w1")).to_have_value("0.15")


def assert_the_arrow_keys_change_a_number_by_its_step(page):
    page.field("epochs").press("ArrowUp")
    expect(page.field("epochs")).to_have_value("51")
    page.field("w1").press("ArrowDown")
    expect(page.field("w1")).to_have_value("0.1")
    expect(page.page).to_have_url(re.compile("w1=0.1&epochs=51$"))
    page.field("epochs").fill("1e999")  # no number of a computer's, so no arrow leads on from it
    page.field("epochs").press("ArrowUp")
    expect(page.field("epochs")).to_have_value("1e999")


def test_rates_are_listed_in_any_usual_way(backprop):
    page = backprop("tab=Learning+rates")
    rates = page.page.get_by_label("Compare these")
    for typed, shown in [("0,5", "0.5"), ("1,5 2,5", "1.5 2.5"), ("0.1, 0.2; 0.5", "0.1 0.2 0.5")]:
        rates.fill(typed)
        rates.press("Enter")
        expect(rates).to_have_value(shown)
    rates.fill("0.1 fast")
    rates.press("Enter")
    expect(page.page.get_by_test_id("stAlert")).to_contain_text("“fast” is not a number")
    expect(rates).to_have_value("0.1 fast")
    expect(page.page).to_have_url(re.compile(r"rates=0\.1\+0\.2\+0\.5&tab=Learning\+rates$"))


def whole_table(page: BackpropPage) -> list[list[str]]:
    return page.page.locator(".epoch-table tbody").evaluate(
        "body => [...body.rows].map((row) => [...row.cells].map((cell) => cell.textContent))"
    )


def test_a_copied_link_is_the_same_page_to_the_last_digit(backprop):
    page = backprop("w1=0.12345678901234567&digits=all&epoch=7&scale=log&edges=gradients")
    page.field("t1").fill("0.010000000000000002")
    page.field("t1").press("Enter")
    expect(page.page).to_have_url(re.compile("t1=0.010000000000000002"))
    left, width, y = page.press("eta", 0.3)
    page.page.mouse.move(left + 0.62 * width, y, steps=5)
    page.page.mouse.up()
    expect(page.page).to_have_url(re.compile("eta="))
    page.settle()
    setup = replace(SEED, w1=0.12345678901234567, t1=0.010000000000000002)
    row = descend(setup, float(page.field("eta").input_value()), 50).table().iloc[6]
    expect(page.cell(7, W5)).to_have_text(repr(float(row["w5"])))
    page.settle()

    other = BackpropPage(backprop().page, *page.page.url.split("/backprop?"))
    assert other.page.url == page.page.url
    assert whole_table(other) == whole_table(page)
    assert other.diagram() == page.diagram()
    assert other.curve() == page.curve()
    assert other.reading("eta") == page.reading("eta")


def test_back_takes_the_last_edit_back(backprop):
    page = backprop()
    page.field("w1").fill("0.9")
    page.field("w1").press("Enter")
    expect(page.page).to_have_url(re.compile("w1=0.9$"))
    page.field("w2").fill("0.8")
    page.field("w2").press("Enter")
    expect(page.page).to_have_url(re.compile("w1=0.9&w2=0.8$"))
    page.page.go_back()
    expect(page.field("w2")).to_have_value("0.2")
    expect(page.field("w1")).to_have_value("0.9")


def test_the_chosen_epoch_is_marked_in_curve_table_and_diagram(backprop):
    page = backprop()
    left, width, y = page.press("epoch", 0.0)
    page.page.mouse.move(left + 0.8 * width, y, steps=10)
    epoch = page.field("epoch").input_value()
    assert 35 < int(epoch) < 45
    diagram = page.chart("The network").first
    expect(diagram).to_contain_text(f"epoch {epoch}")
    current = page.page.locator(".epoch-table tr[aria-current=true]")
    expect(current.locator("th")).to_have_text(epoch)
    page.page.mouse.wheel(0, 300)
    expect(current).to_be_in_viewport()
    rule = page.chart("Error of each epoch").first.locator(".role-mark.mark-rule line").first
    point = page.chart("Error of each epoch").first.locator(".role-mark.mark-symbol path").first
    assert abs(rule.bounding_box()["x"] - point.bounding_box()["x"]) < 8
    page.page.mouse.up()
    page.page.locator(".epoch-table tbody tr", has_text=re.compile(r"^41")).locator(
        "td"
    ).first.click()
    expect(diagram).to_contain_text("epoch 41")
    expect(page.field("epoch")).to_have_value("41")


def test_presets_seed_and_reset_set_the_fields_and_the_pictures(backprop):
    page = backprop("eta=2")
    page.page.get_by_role("radio", name="zeros").click()
    expect(page.field("w8")).to_have_value("0")
    expect(page.chart("The network").first).to_contain_text("w8 = 0")
    page.page.get_by_role("radio", name="random").click()
    expect(page.field("w1")).to_have_value(f"{random_start(0).w1:g}")
    seed = page.page.get_by_label("Seed")
    seed.fill("7")
    seed.press("Enter")
    expect(page.field("w1")).to_have_value(f"{random_start(7).w1:g}")
    expect(page.page).to_have_url(re.compile("seed=7"))
    page.page.get_by_role("button", name="Reset all").click()
    expect(page.field("w1")).to_have_value("0.15")
    expect(page.field("eta")).to_have_value("1")
    expect(page.page).to_have_url(re.compile("/backprop$"))


def test_the_view_can_be_changed_and_rates_compared(backprop):
    page = backprop()
    page.page.get_by_role("radio", name="gradients").click()
    expect(page.chart("The network").first).to_contain_text("orange above zero")
    before = page.curve()
    page.page.get_by_role("radio", name="log").click()
    expect(page.page).to_have_url(re.compile("scale=log"))
    page.settle()
    assert page.curve() != before
    page.page.get_by_role("radio", name="all").click()
    error = descend(SEED, 1.0, 50).table()["∂E/∂w1"][0]
    expect(page.cell(1, COLUMNS.index("∂E/∂w1") + 1)).to_have_text(repr(float(error)))
    page.open("Learning rates")
    rates = page.page.get_by_label("Compare these")
    rates.fill("0.3 3")
    rates.press("Enter")
    labels = page.chart("one line a rate").locator(".labels_marks text")
    expect(labels).to_have_text(["0.3", "3"])
    expect(page.page).to_have_url(re.compile(r"rates=0\.3\+3"))


def test_one_epoch_is_taken_step_by_step_and_every_number_is_read(backprop):
    page = backprop("epoch=3")
    history = descend(SEED, 1.0, 50)
    row, after = history.row(3), history.row(4)
    deltas = {
        f"∂E/∂o{k}": (row[f"out_o{k}"] - row[f"t{k}"]) * row[f"out_o{k}"] * (1 - row[f"out_o{k}"])
        for k in (1, 2)
    }
    line = page.page.locator(".wide")
    expect(line).to_be_hidden()
    phases = (
        ("Forward", ["h1", "out_h1", "h2", "out_h2", "o1", "out_o1", "o2", "out_o2"], row),
        ("Errors", ["E1", "E2", "E_total"], row),
        ("Output deltas", ["∂E/∂o1", "∂E/∂o2"], deltas),
        ("Derivatives", [f"∂E/∂w{k}" for k in range(1, 9)], row),
        ("Update", [f"w{k}" for k in range(1, 9)], after),
    )
    for phase, names, values in phases:
        for name in names:
            page.page.get_by_role("button", name="One forward, step by step").click()
            expect(line).to_contain_text(re.compile(rf"^{phase}: {name} [=←] "))
            last = line.inner_text().rpartition(" = ")[2].replace("−", "-")
            assert float(last) == pytest.approx(values[name], rel=1e-5)
            computed = page.page.locator("td.computed")
            if phase == "Output deltas":
                expect(computed).to_have_count(0)
                continue
            expect(computed).to_have_text(six(values[name]))
            column = COLUMNS.index(name) + 1
            epoch = 4 if phase == "Update" else 3
            expect(page.cell(epoch, column)).to_have_text(six(values[name]))
            cell, table = computed.bounding_box(), page.page.locator(".epoch-table").bounding_box()
            assert table["x"] < cell["x"] < table["x"] + table["width"] - cell["width"] + 1
    expect(line).to_have_text(
        f"Update: w8 ← w8 − η·∂E/∂w8 = {row['w8']:.6g} − 1·(−{abs(row['∂E/∂w8']):.6g}) = "
        f"{after['w8']:.6g}"
    )
    expect(page.page).to_have_url(re.compile("step=29"))
    thumb = page.slider("step")
    expect(thumb).to_have_attribute("aria-valuetext", "29 of 29")
    # Past the last step the next epoch begins, and back again.
    page.page.get_by_role("button", name="One forward, step by step").click()
    expect(line).to_contain_text(f"Forward: h1 = w1·i1 + w2·i2 = {after['w1']:.6g}")
    expect(page.page).to_have_url(re.compile("epoch=4&step=1$"))
    for place in ("0 of 29", "29 of 29", "28 of 29"):
        page.page.get_by_role("button", name="One back, step by step").click()
        expect(thumb).to_have_attribute("aria-valuetext", place)
    expect(page.page).to_have_url(re.compile("epoch=3&step=28$"))
    expect(line).to_contain_text("Update: w7 ←")
    page.field("epoch").fill("50")
    page.field("epoch").press("Enter")
    expect(line).to_have_text("Update: no step follows, epoch 50 is the last.")


def test_playing_the_steps_goes_on_into_the_next_epochs_to_the_last(backprop):
    page = backprop("epochs=3&step=27&epoch=2")
    page.page.get_by_role("button", name="Play, step by step").click()
    expect(page.page).to_have_url(re.compile("epochs=3&epoch=3&step=29$"))
    expect(page.page.locator(".wide")).to_have_text("Update: no step follows, epoch 3 is the last.")
    expect(page.page.get_by_role("button", name="Play, step by step")).to_be_visible()
    page.page.get_by_role("button", name="One forward, step by step").click()
    page.settle()
    expect(page.field("step")).to_have_value("29")


def test_a_weight_is_kept_by_the_pin_beside_it(backprop):
    page = backprop("biases=stay")
    pins = page.page.get_by_role("button", name=re.compile("Keep .*: it takes no step"))
    expect(pins).to_have_count(8)  # biases that stay have none
    for name in ("w7", "w2", "w5", "w2"):  # at one go
        page.page.get_by_role("button", name=f"Keep {name}: it takes no step").click()
    expect(page.page).to_have_url(re.compile("kept=w5\\+w7$"))
    pressed = page.page.locator("[aria-pressed=true]")
    expect(pressed).to_have_count(2)
    assert "w5 = 0.4 (kept)" in page.diagram()
    page.page.go_back()
    page.page.go_back()
    expect(page.page).to_have_url(re.compile("kept=w2\\+w7$"))
    expect(page.page.locator(".control:has(#w2) [aria-pressed=true]")).to_be_visible()
    # The address is back at once, the page when the server has answered both steps.
    expect(page.page.locator(".control:has(#w5) [aria-pressed=true]")).to_have_count(0)
    page.settle()
    page.field("w2").press("Alt+k")
    expect(page.page).to_have_url(re.compile("kept=w7$"))
    page.field("w2").press("Tab")
    expect(page.field("w3")).to_be_focused()
    page.page.get_by_role("button", name="Network", exact=True).click()
    page.page.get_by_role("radiogroup", name="Biases").get_by_role("radio", name="Learn").click()
    expect(pins).to_have_count(10)


def test_the_table_lists_a_rate_that_changes(backprop):
    page = backprop("schedule=steps&factor=0.5&every=2&epoch=6&biases=learn")
    network = Network(biases="learn")
    heads = page.page.locator(".epoch-table thead tr:last-child th")
    expect(heads).to_have_text(["epoch", *network.columns, "η"])
    last = len(network.columns) + 1
    for epoch, rate in ((1, "1"), (2, "1"), (3, "0.5"), (6, "0.25")):
        expect(page.cell(epoch, last)).to_have_text(rate)
        shade = page.cell(epoch, last).locator("span").evaluate("(e) => e.style.background")
        assert not shade  # no gradient
    page.page.get_by_role("button", name="Pin this run").click()
    page.field("eta").fill("3")
    page.field("eta").press("Enter")
    beside = page.page.locator(".epoch-table thead tr td:last-child")
    expect(beside).to_have_text(["0.25", "0.75", "+0.5"])


def test_playing_the_epochs_at_one_step_moves_its_line(backprop):
    page = backprop("epochs=8&step=5&biases=stay&w5=-0.4")
    line = page.page.locator(".wide")
    page.page.get_by_role("button", name="Play, epoch").click()
    expect(page.field("epoch")).to_have_value("8")
    last = descend(replace(PRESETS["Mazur"], w5=-0.4, network=Network(biases="stay")), 1.0, 8).row(
        8
    )
    expect(line).to_contain_text(f"Forward: o1 = w5·out_h1 + w6·out_h2 + b2 = (−{-last['w5']:.6g})")


def test_play_walks_to_the_last_epoch(backprop):
    page = backprop("epochs=6")
    page.page.get_by_role("button", name="Play, epoch").click()
    expect(page.field("epoch")).to_have_value("6")
    expect(page.page).to_have_url(re.compile("epoch=6"))
    expect(page.page.get_by_role("button", name="Play, epoch")).to_be_visible()


# Notes in the page every value that a field is given: one that is looked at may be missed.
NOTE_VALUES = """(field) => {
  const { get, set } = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value");
  window.values = [];
  Object.defineProperty(field, "value", {
    get,
    set(value) {
      window.values.push(Number(value));
      set.call(this, value);
    },
  });
}"""


def test_one_step_forward_and_back_and_another_speed(backprop):
    page = backprop("epochs=30&epoch=5")
    forward, back = (
        page.page.get_by_role("button", name=f"One {way}, epoch") for way in ("forward", "back")
    )
    forward.click()
    forward.click()
    expect(page.page).to_have_url(re.compile("epoch=7"))
    back.click()
    expect(page.field("epoch")).to_have_value("6")
    expect(page.page).to_have_url(re.compile("epoch=6"))
    page.page.get_by_label("Speed, epoch").select_option("5×")
    page.field("epoch").evaluate(NOTE_VALUES)
    page.page.get_by_role("button", name="Play, epoch").click()
    expect(page.page).to_have_url(re.compile("epoch=30"))
    seen = set(page.page.evaluate("window.values"))
    assert seen >= {11, 16, 21, 26, 30}
    assert seen <= {6, 11, 16, 21, 26, 30}
    forward.click()  # there is none
    expect(page.field("epoch")).to_have_value("30")
    page.page.get_by_role("button", name="Play, epoch").click()
    back.click()  # stops it
    expect(page.page.get_by_role("button", name="Play, epoch")).to_be_visible()


def test_edits_rerun_a_fragment_and_not_the_page(backprop, new_page, address):
    tab = new_page(is_alone=True)
    frames: list[bytes] = []
    tab.on("websocket", lambda ws: ws.on("framereceived", lambda frame: frames.append(frame)))
    page = BackpropPage(tab, address)
    title = b"Backpropagation, number by number"
    assert sum(title in frame for frame in frames if isinstance(frame, bytes)) == 1
    frames.clear()
    page.field("w1").fill("0.3")
    page.field("w1").press("Enter")
    page.slider("eta").press("ArrowLeft")
    page.slider("epoch").press("ArrowRight")
    expect(tab).to_have_url(re.compile("w1=0.3&eta=0.99&epoch=2"))
    page.settle()
    assert len(frames) > 10
    assert not any(title in frame for frame in frames if isinstance(frame, bytes))


def test_the_rate_follows_a_schedule_and_is_changed_on_the_way(backprop):
    page = backprop("epoch=21&w1=0.3")
    start = replace(SEED, w1=0.3)
    page.page.get_by_role("button", name="Schedule").click()
    page.page.get_by_role("radio", name="steps", exact=True).click()
    scheduled = Schedule(1.0, "steps")
    reading = page.page.locator(".control:has(#epoch) output")
    error = scheduled.descend(start, 50).E_total[20]
    expect(reading).to_have_text(f"E_total at epoch 21: {error:.8f}, η = 0.25")
    page.page.get_by_label("η of “from here on”").fill("3")
    page.page.keyboard.press("Enter")
    page.page.get_by_role("button", name="η = 3 from here on").click()
    changed = Schedule(1.0, "steps", changes=((21, 3.0),))
    expect(reading).to_have_text(f"E_total at epoch 21: {error:.8f}, η = 3")
    last = changed.descend(start, 50)
    expect(page.page.locator(".control:has(#eta) output")).to_have_text(
        f"E_total at epoch 50, the last: {last.E_total[-1]:.8f}"
    )
    expect(page.page).to_have_url(re.compile("schedule=steps&changes=21%3D3&"))
    lines = page.chart("Error of each epoch").first.locator(".mark-line path")
    expect(lines).to_have_count(4)  # E_total, E1, E2, and E_total as it would have been

    # By hand: another η in the table of changes.
    editor = page.page.locator("[data-testid=stDataFrame] canvas").first
    expect(editor).to_be_hidden()  # a click elsewhere has closed the choices
    page.page.get_by_role("button", name="Schedule").click()
    editor.wait_for()
    page.settle()
    editor.element_handle().wait_for_element_state("stable")  # the popover slides to its place
    box = editor.bounding_box()
    page.page.mouse.dblclick(box["x"] + box["width"] - 50, box["y"] + 52)
    page.page.locator(".gdg-input").wait_for()
    page.page.keyboard.press("Control+A")
    page.page.keyboard.type("0.125", delay=60)  # as a hand does
    page.page.keyboard.press("Enter")
    expect(page.page).to_have_url(re.compile("changes=21%3D0.125&"))
    expect(reading).to_have_text(f"E_total at epoch 21: {error:.8f}, η = 0.125")
    page.page.keyboard.press("Escape")
    with page.page.expect_download() as download:
        page.page.get_by_role("button", name="Table as CSV").click()
    rows = pd.read_csv(download.value.path())
    own = Schedule(1.0, "steps", changes=((21, 0.125),))
    assert rows["η"].tolist() == own.rates(50).tolist()
    np.testing.assert_array_equal(rows["E_total"], own.descend(start, 50).E_total)


def test_a_click_changes_the_rate_while_it_plays(backprop):
    page = backprop("epochs=60&new=0.25")
    page.page.get_by_role("button", name="Play, epoch").click()
    expect(page.field("epoch")).not_to_have_value(re.compile("^[1-9]$"))
    page.page.get_by_role("button", name="η = 0.25 from here on").click()
    expect(page.field("epoch")).to_have_value("60", timeout=20_000)
    expect(page.page).to_have_url(re.compile(r"changes=\d+%3D0.25"))
    epoch = int(re.search(r"changes=(\d+)%3D", page.page.url)[1])
    assert 9 < epoch < 60
    run = Schedule(1.0, changes=((epoch, 0.25),)).descend(SEED, 60)
    expect(page.page.locator(".control:has(#epoch) output")).to_have_text(
        f"E_total at epoch 60: {run.E_total[-1]:.8f}, η = 0.25"
    )
    expect(page.cell(60, W5)).to_have_text(six(run.row(60)["w5"]))


def test_the_table_downloads_as_csv_and_the_setting_as_a_workbook(backprop):
    page = backprop("eta=2&w1=0.7")
    with page.page.expect_download() as download:
        page.page.get_by_role("button", name="Table as CSV").click()
    text = download.value.path().read_text(encoding="utf-8")
    expected = descend(replace(SEED, w1=0.7), 2.0, 50).table()
    pd.testing.assert_frame_equal(pd.read_csv(io.StringIO(text)), expected, check_exact=True)
    with page.page.expect_download() as download:
        page.page.get_by_role("button", name="Workbook").click()
    assert download.value.suggested_filename == "backprop.xlsx"
    assert download.value.path().read_bytes() == workbook(replace(SEED, w1=0.7), 2.0, 50)


def test_a_thousand_epochs_scroll_and_stay_exact(backprop):
    page = backprop("epochs=1000&epoch=777&digits=all")
    table = descend(SEED, 1.0, 1000).table()
    expect(page.cell(777, W5)).to_have_text(repr(float(table["w5"][776])))
    page.page.locator(".epoch-table").evaluate("box => { box.scrollTop = box.scrollHeight; }")
    last = page.page.locator(".epoch-table tbody tr").last
    expect(last.locator("th")).to_have_text("1000")
    assert page.page.locator(".epoch-table tbody tr").count() < 40
    expect(page.cell(1000, 31)).to_have_text(repr(float(table["∂E/∂w8"][999])))


def test_nothing_scrolls_sideways_and_words_stand_out(new_page, address):
    page = new_page()
    page.goto(address)
    page.get_by_role("heading", level=1).wait_for()
    settle(page)
    assert_fits_and_stands_out_on_every_screen(page, "home")
    BackpropPage(page, address, "eta=1e9")
    assert_fits_and_stands_out_on_every_screen(page, "backprop")


def assert_fits_and_stands_out_on_every_screen(page: Page, name: str) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for width, height in (PHONE, LAPTOP):
            page.set_viewport_size({"width": width, "height": height})
            settle(page, 300)
            assert_fits_and_stands_out(page, name, scheme)


def assert_fits_and_stands_out(page: Page, name: str, scheme: str) -> None:
    wider = page.evaluate(
        """() => [...document.querySelectorAll('body, .stMain, .stMain *')]
          .filter((e) => e.scrollWidth > e.clientWidth + 1 && e.clientWidth
            && ['auto', 'scroll'].includes(getComputedStyle(e).overflowX))
          .map((e) => e.className + ' ' + e.dataset.testid)"""
    )
    assert wider == [], name
    assert page.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth"), name
    assert page.locator("body").evaluate("e => e.scrollWidth <= window.innerWidth"), name
    ratios = page.evaluate(
        """() => {
          const light = (css) => {
            const [r, g, b] = css.match(/[\\d.]+/g).map((c) => c / 255)
              .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const back = light(getComputedStyle(document.querySelector('.stApp')).backgroundColor);
          const drawn = ':is(.labels_marks, .notes_marks, .role-title-subtitle) text';
          const words = [...document.querySelectorAll(`h1, ${drawn}`)];
          return [back, ...words.map((e) => {
            const style = getComputedStyle(e);
            const [dark, bright] = [back, light(e.tagName === 'text' ? style.fill : style.color)]
              .sort((a, b) => a - b);
            return (bright + 0.05) / (dark + 0.05);
          })];
        }"""
    )
    background, *contrasts = ratios
    assert (background < 0.1) == (scheme == "dark"), name
    assert min(contrasts) >= 4.5, name


def test_a_fresh_server_opens_a_deep_link_inside_the_app(new_page):
    with server(ROOT / "streamlit_app.py") as fresh:
        page = BackpropPage(new_page(), fresh, "w1=0.4")
        assert page.field("w1").input_value() == "0.4"
        expect(page.page.get_by_role("link", name="Home")).to_be_visible()
        expect(page.page).to_have_title("Backpropagation · Backprop & MNIST Explorer")
        assert page.page.url.endswith("/backprop?w1=0.4")


@pytest.mark.parametrize(
    "query",
    [
        "t1=0.5&t2=0.5&scale=log&" + "&".join(f"w{k}=0" for k in range(1, 9)),
        "epochs=1",
        "epochs=1000&eta=1000&epoch=500&edges=gradients",
        "t1=100&t2=-100&i1=100&i2=100&eta=1000&scale=log&rates=0 1000",
    ],
)
def test_extreme_settings_draw_without_an_error(backprop, query):
    page = backprop(query)  # the fixture fails on any error in the page
    expect(page.page.get_by_test_id("stException")).to_have_count(0)
    assert page.curve()


def beside(page: BackpropPage) -> list[list[str]]:
    """The rows above the table's epochs, cell by cell: pinned, now, difference."""
    return page.page.locator(".epoch-table thead").evaluate(
        "head => [...head.rows].slice(2).map((row) => [...row.cells].map((c) => c.textContent))"
    )


def said(page: BackpropPage) -> Locator:
    """The sentence below the pictures about the two runs."""
    return page.page.locator(".st-key-live .stMarkdown")


def signed(value: float) -> str:
    return ("+" if value > 0 else "") + six(value)


def test_a_run_is_pinned_and_another_is_made_beside_it(backprop):
    page = backprop("w2=0.5&epoch=20")
    page.page.get_by_role("button", name="Pin this run").click()
    expect(said(page)).to_have_text("The pinned run and this one have the same settings.")
    expect(page.page).to_have_url(re.compile(r"pin=w2%3D0\.5$"))
    page.field("w1").fill("0.9")
    page.field("w1").press("Enter")
    page.field("eta").fill("0.5")
    page.field("eta").press("Enter")
    sentence = "Pinned: w1 = 0.15, η = 1. Now: w1 = 0.9, η = 0.5."
    expect(said(page)).to_have_text(sentence)
    page.settle()
    start = replace(SEED, w2=0.5)
    pinned, now = descend(start, 1.0, 50), descend(replace(start, w1=0.9), 0.5, 50)
    then, own = (run.table()[[*COLUMNS]].iloc[19] for run in (pinned, now))
    assert [row[0] for row in beside(page)] == ["20 pinned", "20 now", "difference"]
    compared = beside(page)
    for k, name in enumerate(COLUMNS, 1):
        if abs(own[name] - then[name]) >= 1e-4:
            assert compared[2][k] == signed(own[name] - then[name]), name
        assert float(compared[0][k]) == pytest.approx(then[name], rel=1e-5), name
        assert float(compared[1][k]) == pytest.approx(own[name], rel=1e-5), name
        assert float(compared[2][k]) == pytest.approx(own[name] - then[name], rel=1e-4), name

    chart = page.chart("Error of each epoch").first
    expect(chart.locator(".role-legend")).to_contain_text("pinned")
    line = chart.locator(".mark-line path").last
    before = page.curve(), line.get_attribute("d")
    page.page.reload()
    page.settle()
    expect(said(page)).to_have_text(sentence)
    assert (page.curve(), line.get_attribute("d")) == before
    assert beside(page) == compared

    page.page.get_by_role("radio", name="zeros").click()  # a preset does not unpin
    expect(said(page)).to_contain_text("Pinned: w1 = 0.15, w2 = 0.5, w3 = 0.25")
    expect(page.page).to_have_url(re.compile("w8=0&"))
    page.page.go_back()
    expect(said(page)).to_have_text(sentence)
    page.page.get_by_role("button", name="Unpin").click()
    expect(said(page)).to_have_count(0)
    expect(page.page).to_have_url(re.compile(r"/backprop\?w1=0\.9&w2=0\.5&eta=0\.5&epoch=20$"))
    page.settle()
    assert beside(page) == []
    expect(chart.locator(".role-legend")).not_to_contain_text("pinned")
    page.page.go_back()
    expect(said(page)).to_have_text(sentence)
    page.page.get_by_role("button", name="Reset all").click()
    expect(page.page.get_by_role("button", name="Pin this run")).to_be_visible()
    expect(page.page).to_have_url(re.compile("/backprop$"))


def test_the_difference_follows_the_hand_and_ends_with_the_pinned_run(backprop):
    page = backprop("pin=epochs%3D30%26eta%3D0.1&epoch=10")
    pinned = descend(SEED, 0.1, 30).table()
    left, width, y = page.press("eta", 0.3)
    for share in (0.4, 0.5, 0.6):
        page.page.mouse.move(left + share * width, y, steps=5)
        rate = float(page.field("eta").input_value())
        expect(said(page)).to_contain_text(f"Now: η = {rate:g}, epochs = 50.")
        moved = descend(SEED, rate, 50).table()["w1"][9] - pinned["w1"][9]
        difference = page.page.locator(".epoch-table thead tr").nth(4).locator("td")
        expect(difference.nth(W1 - 1)).not_to_have_text("0")
        assert float(difference.nth(W1 - 1).inner_text()) == pytest.approx(moved, rel=1e-4)
    page.page.mouse.up()
    page.field("epoch").fill("31")
    page.field("epoch").press("Enter")
    expect(said(page)).to_contain_text("The pinned run has no epoch 31: it ends at 30.")
    page.settle()
    names, *columns = zip(*beside(page), strict=True)
    assert names == ("31 pinned", "31 now", "difference")
    assert {(then, difference) for then, _, difference in columns} == {("–", "–")}


def test_another_network_is_compared_column_by_column(backprop):
    page = backprop("biases=learn&hidden=tanh&kept=w5+w6&epoch=9&pin=defaults")
    expect(said(page)).to_have_text(
        "Pinned: hidden activation = sigmoid, biases = none, kept = none. "
        "Now: hidden activation = tanh, biases = learn, kept = w5 w6."
    )
    network = Network("tanh", "sigmoid", "learn", frozenset({"w5", "w6"}))
    biased = replace(SEED, b1=0.35, b2=0.6, network=network)
    pinned, now = descend(SEED, 1.0, 50).row(9), descend(biased, 1.0, 50).row(9)
    columns = dict(zip(now, zip(*(row[1:] for row in beside(page)), strict=True), strict=True))
    for name, (then, own, difference) in columns.items():
        assert float(own) == pytest.approx(now[name], rel=1e-5), name
        if name in pinned:
            assert float(then) == pytest.approx(pinned[name], rel=1e-5), name
            assert float(difference) == pytest.approx(now[name] - pinned[name], rel=1e-4), name
        else:
            assert (then, difference) == ("–", "–"), name
    assert columns["b1"][0] == "–"
    page.page.get_by_role("button", name="Unpin").click()
    expect(said(page)).to_have_count(0)
    page.settle()
    assert beside(page) == []


def test_hovering_two_curves_reads_both(backprop):
    page = backprop("pin=epochs%3D20&eta=3")
    box = page.chart("Error of each epoch").first.locator(".mark-line").first.bounding_box()
    tooltip = page.page.locator("#vg-tooltip-element")
    for share, pinned in ((0.2, r"0\.\d+"), (0.8, "–")):
        page.page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
        page.page.mouse.move(box["x"] + share * box["width"] + 2, box["y"] + box["height"] / 2)
        expect(tooltip).to_contain_text(
            re.compile(rf"E_total:?\s*0\.\d+.*pinned:?\s*{pinned}", re.S)
        )


@pytest.mark.parametrize(
    "query",
    [
        "pin=eta%3D1000%26t1%3D100%26t2%3D-100%26i1%3D100&scale=log",
        "pin=epochs%3D1000&epochs=1&digits=all",
        "scale=log&pin=t1%3D0.5%26t2%3D0.5%26" + "%26".join(f"w{k}%3D0" for k in range(1, 9)),
    ],
)
def test_extreme_runs_are_compared_without_an_error(backprop, query):
    page = backprop(query)  # the fixture fails on any error in the page
    expect(page.page.get_by_test_id("stException")).to_have_count(0)
    expect(said(page)).to_contain_text("Pinned: ")
    assert not re.search("NaN|undefined|null", str(beside(page)))
    assert page.curve()


def test_a_pinned_run_that_is_none_is_refused_and_stays_text(backprop):
    page = backprop("eta=2&pin=w1%3D%3Cimg+src%3Dx%3E**[a](http://b.c)**")
    alert = page.page.get_by_role("alert").filter(has_text="stays")
    expect(alert).to_contain_text("pin stays none: its w1: “<img src=x>**[a](http:")
    expect(alert.locator("img, a, strong")).to_have_count(0)
    assert page.field("eta").input_value() == "2"
    expect(page.page.get_by_role("button", name="Pin this run")).to_be_visible()


TABS = ("Table", "Derivation", "Learning rates", "Landscape", "Check")


def formulas(page: BackpropPage) -> str:
    """The LaTeX of all formulas in the open tab."""
    return " ".join(page.page.locator(".st-key-derivation annotation").all_text_contents())


def test_the_open_tab_is_in_the_address_and_alone_is_drawn(backprop):
    page = backprop()
    for tab in (*TABS[1:], TABS[0]):
        page.open(tab)
        expect(page.page.get_by_role("tab", name=tab, exact=True)).to_have_attribute(
            "aria-selected", "true"
        )
        query = "" if tab == "Table" else rf"\?tab={tab.replace(' ', '.')}"
        expect(page.page).to_have_url(re.compile(f"/backprop{query}$"))
        expect(page.page.locator(".epoch-table")).to_have_count(int(tab == "Table"))
        expect(page.page.locator(".st-key-derivation")).to_have_count(int(tab == "Derivation"))
    page.page.go_back()
    expect(page.page.get_by_text("The same derivatives")).to_be_visible()
    page.page.reload()
    page.settle()
    expect(page.page.get_by_text("The same derivatives")).to_be_visible()


def test_a_derivative_is_taken_apart_and_follows_the_hand(backprop):
    page = backprop("tab=Derivation")
    assert "0.0721571" in formulas(page)
    page.page.get_by_role("radio", name="w1", exact=True).click()
    page.settle()
    expect(page.page).to_have_url(re.compile("weight=w1"))
    table = descend(SEED, 1.0, 50).table()
    found = formulas(page)
    for number in ("0.00071164975", "(-0.00052339408)", f"{table['∂E/∂w1'][0]:.6g}"):
        assert number in found
    edges = page.chart("The network").locator(".layer_0_marks line, .layer_0_marks path")
    opacities = [edge.get_attribute("stroke-opacity") for edge in edges.all()]
    assert opacities.count("0.25") == 5  # w1, w5 and w7 are on its two paths
    left, width, y = page.press("epoch", 0.0)
    page.page.mouse.move(left + 0.5 * width, y, steps=10)
    epoch = int(page.field("epoch").input_value())
    expect(page.page.locator(".st-key-derivation")).to_contain_text(
        f"{table['∂E/∂w1'][epoch - 1]:.6g}".replace("-", "−")
    )
    page.page.mouse.up()


def test_a_click_on_an_edge_opens_its_derivation(backprop):
    page = backprop()
    page.page.locator("[aria-label^='h2: ']").first.click()  # a node has no derivation
    page.settle()
    expect(page.page).to_have_url(re.compile("/backprop$"))
    edge = page.page.locator("[aria-label^='w5 from h1']").first
    for _ in range(2):
        box = edge.bounding_box()
        page.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        expect(page.page.get_by_role("radio", name="w5", exact=True)).to_be_checked()
        page.page.mouse.move(5, 5)
        page.settle()
        page.page.get_by_role("radio", name="w2", exact=True).click()
        expect(page.page).to_have_url(re.compile("tab=Derivation&weight=w2"))
        page.settle()


def test_the_landscape_follows_the_hand_and_reads_its_errors(backprop):
    page = backprop("tab=Landscape")
    chart = page.chart("E_total over two weights").first
    path = chart.locator(".mark-line path").last
    before = path.get_attribute("d")
    left, width, y = page.press("eta", 0.6)
    page.page.mouse.move(left + 0.9 * width, y, steps=6)
    expect(path).not_to_have_attribute("d", before)
    page.page.mouse.up()
    page.settle()
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    page.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tooltip = page.page.locator("#vg-tooltip-element")
    expect(tooltip).to_contain_text(re.compile(r"across:?\s*w5 = .*up:?\s*w7 = .*E_total", re.S))
    page.page.mouse.move(5, 5)
    page.page.get_by_label("Across").click()
    page.page.get_by_role("option", name="w7").click()
    page.settle()
    expect(page.page).to_have_url(re.compile("across=w7&up=w8"))
    expect(chart).to_contain_text("w8")


def test_the_derivatives_are_checked_and_a_run_is_pinned_by_keyboard(backprop):
    page = backprop("tab=Check")
    assert_a_run_is_pinned_by_keyboard(page)
    said = page.page.get_by_text("The largest relative error")
    errors = re.findall(r"(\d\.\de[+-]\d+) by", said.inner_text())
    autograd, complex_step, central = (float(error) for error in errors)
    assert max(autograd, complex_step) < 1e-12
    assert 0 < central < 1e-5
    chart = page.chart("Error of differences").first
    before = chart.locator(".mark-line path").last.get_attribute("d")
    page.page.get_by_role("radio", name="w1", exact=True).click()
    expect(page.page).to_have_url(re.compile("tab=Check&weight=w1"))
    page.settle()
    assert chart.locator(".mark-line path").last.get_attribute("d") != before


def assert_a_run_is_pinned_by_keyboard(page):
    page.page.get_by_role("button", name="Pin this run").focus()
    page.page.keyboard.press("Enter")
    unpin = page.page.get_by_role("button", name="Unpin")
    expect(unpin).to_be_focused()
    expect(page.page).to_have_url(re.compile("tab=Check&pin=defaults$"))
    page.page.keyboard.press("Enter")
    expect(page.page.get_by_role("button", name="Pin this run")).to_be_focused()
    expect(page.page).to_have_url(re.compile("tab=Check$"))


def test_another_kind_of_network_is_followed_everywhere(backprop):
    page = backprop()
    page.page.get_by_role("radio", name="Mazur").click()
    expect(page.field("b1")).to_have_value("0.35")
    expect(page.field("eta")).to_have_value("0.5")
    mazur = PRESETS["Mazur"]
    expect(page.page.locator(".control:has(#eta) output")).to_contain_text(
        f"{descend(mazur, 0.5, 50).E_total[-1]:.8f}"
    )
    page.page.get_by_role("button", name="Network", exact=True).click()
    for group, choice in (("hidden", "tanh"), ("Biases", "Learn")):
        page.page.get_by_role("radiogroup", name=group).get_by_role("radio", name=choice).click()
    page.page.keyboard.press("Escape")
    page.page.get_by_role("button", name="Keep w2: it takes no step").click()
    network = Network("tanh", "sigmoid", "learn", frozenset({"w2"}))
    run = descend(replace(mazur, network=network), 0.5, 50)
    expect(page.page.locator(".control:has(#eta) output")).to_contain_text(f"{run.E_total[-1]:.8f}")
    expect(page.page).to_have_url(re.compile("hidden=tanh&biases=learn&kept=w2&eta=0.5$"))
    heads = page.page.locator(".epoch-table thead tr:last-child th")
    expect(heads).to_have_text(["epoch", *network.columns])
    assert "w2 = 0.2 (kept)" in page.chart("The network").text_content()
    assert "+ b1 = 0.35" in page.chart("The network").text_content()
    page.open("Derivation")
    page.page.get_by_role("radio", name="b1", exact=True).click()
    expect(page.page.locator(".st-key-derivation")).to_contain_text("b1")
    with page.page.expect_download() as download:
        page.page.get_by_role("button", name="Table as CSV").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    pd.testing.assert_frame_equal(pd.read_csv(io.StringIO(text)), run.table(), check_exact=True)
    page.page.reload()
    page.settle()
    expect(page.page.get_by_role("radio", name="b1", exact=True)).to_be_checked()


def test_of_ten_thousand_epochs_each_can_be_scrolled_to(backprop):
    page = backprop("epochs=10000&biases=stay&eta=0.5&digits=all")
    run = descend(PRESETS["Mazur"], 0.5, 10_000)
    page.page.evaluate(
        "() => { const box = [...document.querySelectorAll('.st-key-epoch_table *')]"
        ".find((e) => e.shadowRoot).shadowRoot.querySelector('.epoch-table');"
        "box.scrollTop = box.scrollHeight; }"
    )
    place = run.columns.index("E_total") + 1
    expect(page.cell(10_000, place)).to_have_text(np.format_float_positional(run.E_total[-1]))
    page.field("epoch").fill("5000")
    page.field("epoch").press("Enter")
    expect(page.page.locator("[aria-current=true] th")).to_have_text("5000")
    expect(page.cell(5000, place)).to_have_text(np.format_float_positional(run.E_total[4999]))
