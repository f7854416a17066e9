"""The sketch page: drawn on with a real mouse, given real files."""

import base64
import io
import re
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from playwright.sync_api import expect

from core.mnist import checkpoint, data, explain
from core.mnist.answer import answer
from core.mnist.source import available
from core.ui.sketch.charts import percent
from tests.harness import LAPTOP, PHONE, MnistPage, SketchPage
from tests.strokes import FORMS

ONE_EACH = {form.digit: name for name, form in reversed(FORMS.items())}
SEVEN = [[(0.1, 0), (0.9, 0), (0.4, 1)]]


@pytest.fixture
def sketch(new_page, address):
    def open_sketch(query="", **options):
        return SketchPage(new_page(**options), address, query)

    return open_sketch


def digit_in(verdict):
    return verdict.split()[0]


def png(image):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def photograph(size=(300, 400)):
    """A dark 7 on light paper, as PNG."""
    paper = Image.new("L", size, 230)
    width, height = size
    corners = [(0.3, 0.2), (0.7, 0.2), (0.45, 0.8)]
    points = [(x * width, y * height) for x, y in corners]
    ImageDraw.Draw(paper).line(points, fill=40, width=max(2, width // 14), joint="curve")
    return png(np.asarray(paper))


def clear(page):
    page.tool("Clear").click()
    expect(page.page.get_by_text("No digit yet")).to_be_visible()
    page.settle()


def test_every_digit_drawn_with_the_mouse_is_read(sketch):
    page = sketch()
    for digit in range(10):
        page.draw(FORMS[ONE_EACH[digit]].strokes)
        assert digit_in(page.verdict()) == str(digit)
        shown = page.probabilities()
        assert int(np.argmax(shown)) == digit
        assert sum(shown) == pytest.approx(100, abs=0.6), digit
        sure = f"{percent(max(shown) / 100)} confidence"
        assert sure in page.verdict() or max(shown) == 100, digit
        clear(page)


def assert_empty_canvas_is_no_digit(page):
    assert "No digit yet" in page.verdict()
    page.chart("What the network answers").wait_for()
    words = page.chart("What the network answers").locator(".labels_marks text")
    assert words.all_text_contents() == [""] * 10
    expect(page.page.get_by_text("Why", exact=True)).to_have_count(0)


def assert_hidden_tools_take_neither_click_nor_key(page):
    page.canvas.hover()
    hidden = page.page.locator(".dc-toolbar button")
    assert not any(button.is_visible() for button in hidden.all())
    for _ in range(30):
        page.page.keyboard.press("Tab")
        focused = page.page.evaluate(
            """() => {
              let e = document.activeElement;
              while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
              return e?.className ?? '';
            }"""
        )
        assert "dc-icon-button" not in focused


def test_the_canvas_is_empty_then_each_stroke_is_answered_and_can_be_taken_back(sketch):
    page = sketch()
    assert_empty_canvas_is_no_digit(page)
    assert_hidden_tools_take_neither_click_nor_key(page)
    page.draw(SEVEN)
    seven = page.verdict()
    picture = page.page.locator(".seen img")
    before = picture.get_attribute("src")
    page.draw([[(0.0, 0.5), (1.0, 0.5)]])
    assert picture.get_attribute("src") != before
    page.tool("Undo").click()
    expect(page.page.locator(".seen img")).to_have_attribute("src", before)
    page.settle()
    assert page.verdict() == seven
    page.tool("Clear").click()
    expect(page.page.get_by_text("No digit yet")).to_be_visible()
    page.settle()
    expect(page.tool("Clear")).to_be_disabled()
    page.draw([[(0.5, 0), (0.5, 1)]])
    assert digit_in(page.verdict()) == "1"


SCRIBBLE = [
    [(0.1, 0.1), (0.9, 0.7), (0.1, 0.8), (0.8, 0.1), (0.4, 1), (0.9, 0.3), (0, 0.5), (1, 0.9)]
]
LETTER = [[(0, 0), (0, 1)], [(1, 0), (1, 1)], [(0, 0.5), (1, 0.5)]]


def test_it_answers_what_it_is_given_and_says_when_it_is_not_sure(sketch):
    page = sketch()
    page.draw(FORMS["2 looped"].strokes)
    source = page.page.locator(".seen img").get_attribute("src")
    image = np.asarray(Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))))
    assert image.shape == (28, 28)
    model, record = checkpoint.load_checkpoint("published")
    found = answer(model, torch.from_numpy(image.copy()), record.calibration)
    assert page.probabilities() == pytest.approx([100 * p for p in found.probabilities], abs=0.051)
    clear(page)
    for drawn in (SCRIBBLE, LETTER):
        page.draw(drawn)
        assert "I am not sure" in page.verdict(), drawn
        assert digit_in(page.verdict()) == "?", drawn
        clear(page)


def test_a_drawing_is_there_again_after_another_page(sketch):
    page = sketch()
    page.draw(FORMS["4 open"].strokes)
    said = page.verdict()
    page.page.get_by_role("link", name="MNIST").click()
    page.page.get_by_role("tab", name="Results").wait_for(timeout=60_000)
    page.page.get_by_role("link", name="Sketch").click()
    page.page.locator(".verdict").wait_for(timeout=60_000)
    page.settle()
    assert page.verdict() == said
    page.tool("Undo").click()
    page.settle()
    assert page.verdict() != said


def slow(page, milliseconds):
    """Have what the browser sends leave later."""
    page.page.evaluate(
        """(delay) => {
          const send = WebSocket.prototype.send;
          WebSocket.prototype.send = function (data) {
            setTimeout(() => this.readyState === WebSocket.OPEN && send.call(this, data), delay);
          };
        }""",
        milliseconds,
    )


def leave_and_return(page):
    page.page.get_by_role("link", name="MNIST").click()
    page.page.get_by_role("tab", name="Results").wait_for(timeout=60_000)
    page.page.get_by_role("link", name="Sketch").click()
    page.page.locator(".verdict").wait_for(timeout=60_000)
    page.settle()


def reload(page):
    page.settle()
    page.page.reload()
    page.page.locator(".verdict").wait_for(timeout=60_000)
    page.settle()


STAY = {"drawn": lambda page: None, "returned": leave_and_return, "reloaded": reload}
FIRST, SECOND, THIRD = (
    [(0.3, 0.2), (0.7, 0.2)],
    [(0.7, 0.2), (0.4, 0.85)],
    [(0.35, 0.5), (0.65, 0.5)],
)


def pictures(page, *strokes):
    """What the network sees after each of the strokes."""
    found = []
    for stroke in strokes:
        page.stroke(stroke)
        page.settle()
        found.append(page.page.locator(".seen img").get_attribute("src"))
    return found


@pytest.mark.parametrize("stay", STAY.values(), ids=STAY)
def test_undo_twice_in_one_go_takes_two_strokes_back(sketch, stay):
    page = sketch()
    for delay in (0, 400):
        first, _, third = pictures(page, FIRST, SECOND, THIRD)
        assert first != third
        stay(page)
        seen = page.page.locator(".seen img")
        expect(seen).to_have_attribute("src", third)
        slow(page, delay)
        page.tool("Undo").evaluate("(button) => { button.click(); button.click(); }")
        expect(seen).to_have_attribute("src", first)
        page.tool("Undo").click()
        expect(page.page.get_by_text("No digit yet")).to_be_visible()
        page.settle()
        expect(page.tool("Undo")).to_be_disabled()
        expect(page.tool("Clear")).to_be_disabled()


@pytest.mark.parametrize("stay", STAY.values(), ids=STAY)
def test_a_stroke_drawn_while_undo_or_clear_is_on_its_way_is_kept(sketch, stay):
    page = sketch()
    _, two = pictures(page, FIRST, SECOND)
    clear(page)
    (alone,) = pictures(page, SECOND)
    clear(page)
    for delay in (0, 400):
        pictures(page, FIRST, THIRD)
        stay(page)
        seen = page.page.locator(".seen img")
        slow(page, delay)
        page.canvas.scroll_into_view_if_needed()
        page.tool("Undo").evaluate("(button) => button.click()")
        page.stroke(SECOND)
        expect(seen).to_have_attribute("src", two)
        page.tool("Clear").evaluate("(button) => button.click()")
        page.stroke(SECOND)
        expect(seen).to_have_attribute("src", alone)
        page.settle()
        page.tool("Undo").click()
        expect(page.page.get_by_text("No digit yet")).to_be_visible()
        page.settle()


def test_a_drawing_outlives_a_reload_and_stays_in_its_tab(sketch):
    page = sketch()
    page.draw(FORMS["4 open"].strokes)
    said, shown = page.verdict(), page.probabilities()
    for _ in range(2):
        reload(page)
        expect(page.page.get_by_text("No digit yet")).to_have_count(0)
        page.settle()
        assert (page.verdict(), page.probabilities()) == (said, shown)
    other = SketchPage(page.page.context.new_page(), page.page.url.rsplit("/", 1)[0])
    assert "No digit yet" in other.verdict()
    page.page.bring_to_front()
    page.tool("Clear").click()
    page.page.get_by_text("No digit yet").wait_for()
    reload(page)
    assert "No digit yet" in page.verdict()


KEPT = {
    "words": "no JSON",
    "deep": "[" * 100_000,
    "null": "null",
    "object": '{"path": 1}',
    "far": '[{"width": 20, "path": [["M", 1, 1], ["L", 1e999, 2]]}]',
    "markup": '[{"width": 20, "path": [["M", "<img src=x onerror=title=1>", 1], ["L", 1, 2]]}]',
    "image": '[{"width": "20", "path": [["M", 1, 1], ["L", 1, 2]], "type": "Image", "src": "x"}]',
    "huge": "[" + "1," * 600_000 + "1]",
}


def test_what_a_browser_kept_wrongly_is_ignored(sketch):
    page = sketch()
    for name, kept in KEPT.items():
        page.page.evaluate("(text) => sessionStorage.setItem('sketch.strokes', text)", kept)
        reload(page)
        assert "No digit yet" in page.verdict(), name
        expect(page.page.locator("[data-testid=stException]")).to_have_count(0)
        page.draw(SEVEN)
        assert digit_in(page.verdict()) == "7", name
    reload(page)
    expect(page.page.locator(".verdict > span")).to_have_text("7")


def is_at(page, x, y):
    """Whether a pen set down at this share of the canvas meets the canvas."""
    return page.canvas.evaluate(
        """(canvas, [x, y]) => {
          const box = canvas.getBoundingClientRect();
          const [left, top] = [box.left + x * (box.width - 1), box.top + y * (box.height - 1)];
          return canvas.getRootNode().elementFromPoint(left, top) === canvas;
        }""",
        [x, y],
    )


WIDTHS = (320, 390, 641, 700, 800, 900, 1000, 1100, 1366)


def test_the_canvas_is_whole_at_every_width(sketch):
    page = sketch()
    page.draw(SEVEN)
    main = page.page.locator("[data-testid=stMain]")
    for width in WIDTHS:
        page.page.set_viewport_size({"width": width, "height": 800})
        page.settle()
        assert main.evaluate("(e) => e.scrollWidth - e.clientWidth") <= 0, width
        page.canvas.scroll_into_view_if_needed()
        box = page.canvas.bounding_box()
        assert box["width"] == box["height"] == min(320, width - 32)
        assert all(is_at(page, x, y) for x in (0, 0.5, 1) for y in (0, 0.5, 1)), width
    page.page.emulate_media(color_scheme="dark")
    for width, height in (LAPTOP, PHONE):
        page.page.set_viewport_size({"width": width, "height": height})
        page.settle()
        assert main.evaluate("(e) => e.scrollWidth - e.clientWidth") <= 0, width


def test_ink_is_where_the_pen_is_on_a_canvas_of_any_size(sketch):
    page = sketch(size=(320, 800))
    for width in (320, 700):
        page.page.set_viewport_size({"width": width, "height": 800})
        page.settle()
        page.stroke([(0.02, 0.02), (0.98, 0.02), (0.98, 0.98)])
        page.settle()
        stored = page.page.evaluate("JSON.parse(sessionStorage.getItem('sketch.strokes'))[0].path")
        ends = [*stored[0][-2:], *stored[-1][-2:]]
        assert ends == pytest.approx([6.4, 6.4, 313.6, 313.6], abs=1.5)
        clear(page)


@pytest.mark.skipif(not available("mnist"), reason="MNIST is not on this machine")
def test_the_test_set_is_within_reach_at_every_width(sketch):
    page = sketch("source=test&index=18")
    main = page.page.locator("[data-testid=stMain]")
    for width in WIDTHS:
        page.page.set_viewport_size({"width": width, "height": 800})
        page.settle()
        assert main.evaluate("(e) => e.scrollWidth - e.clientWidth") <= 0, width
        parts = [page.page.get_by_label("Test image, 0 to 9,999")]
        parts += [
            page.page.get_by_role("button", name=name) for name in ("Any", "A misclassified one")
        ]
        for part in parts:
            part.click(trial=True)
            box = part.bounding_box()
            assert box["x"] >= 0, width
            assert box["x"] + box["width"] <= width
            assert part.evaluate("(e) => e.scrollWidth - e.clientWidth") <= 0


def test_on_a_phone_a_finger_draws_and_the_answer_is_in_view_meanwhile(sketch):
    page = sketch(size=PHONE, has_touch=True, is_mobile=True)
    page.touch([(0.5, 0.15 + 0.035 * i) for i in range(20)])
    page.settle()
    assert digit_in(page.verdict()) == "1"
    clear(page)
    page.touch([(0.2, 0.15), (0.8, 0.15), (0.45, 0.85)])
    page.settle()
    assert digit_in(page.verdict()) == "7"
    for scrolled in (0, 150, 300):
        page.page.locator("[data-testid=stMain]").evaluate("(e, y) => e.scrollTo(0, y)", scrolled)
        for part in (page.canvas, page.page.locator(".verdict")):
            box = part.bounding_box()
            assert box["y"] >= 0
            assert box["y"] + box["height"] <= PHONE[1]
    before = page.canvas.bounding_box()
    page.touch([(0.1, 0.1), (0.9, 0.9)])  # no digit: more words
    page.settle()
    assert page.canvas.bounding_box() == before


CORNER = [(0.97, 0.02), (0.6, 0.3), (0.4, 0.95)]


@pytest.mark.parametrize("hand", ["mouse", "touch"])
def test_a_stroke_may_begin_in_the_corner_where_the_canvas_hides_its_tools(sketch, hand):
    page = sketch(size=PHONE, has_touch=True) if hand == "touch" else sketch()
    draw = page.touch if hand == "touch" else page.stroke
    for count in (1, 2):
        draw(CORNER)
        page.settle()
        stored = page.page.evaluate("JSON.parse(sessionStorage.getItem('sketch.strokes'))")
        assert len(stored) == count
    assert "No digit yet" not in page.verdict()


def upload(page, name, content, kind="image/png"):
    with page.page.expect_response(lambda response: response.request.method == "PUT"):
        page.page.locator("input[type=file]").set_input_files(
            {"name": name, "mimeType": kind, "buffer": content}
        )
    page.settle()


def bomb():
    """A PNG that says it has 900 million pixels."""

    def chunk(kind, body):
        crc = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    lines = zlib.compress(bytes(30_001) * 300, 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")
    )


def animation():
    frames = [Image.new("L", (60, 60), shade) for shade in (0, 120, 250)]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    return file.getvalue()


BAD = {
    "one.png": (png(np.zeros((1, 1), np.uint8)), "too small"),
    "text.png": (b"I am a text, not a picture.", "not a picture"),
    "moving.gif": (animation(), "animated"),
    "bomb.png": (bomb(), "million pixels"),
    "half.png": (photograph()[:200], "damaged"),
    "blank.png": (png(np.full((200, 200), 240, np.uint8)), "No ink"),
}


def test_bad_files_are_answered_in_a_sentence_and_the_session_lives_on(sketch):
    page = sketch("source=upload")
    for name, (content, words) in BAD.items():
        upload(page, name, content)
        alert = page.page.locator("[data-testid=stAlert]")
        expect(alert).to_contain_text(re.compile(words))
        assert alert.inner_text().strip().endswith(".")
        assert "No digit yet" in page.verdict()
    upload(page, "seven.png", photograph())
    expect(page.page.locator("[data-testid=stAlert]")).to_have_count(0)
    assert digit_in(page.verdict()) == "7"
    expect(page.page.get_by_text("The ink that was found")).to_be_visible()


def test_a_photograph_of_20_megapixels_and_one_of_a_number_are_read(sketch):
    page = sketch("source=upload")
    paper = Image.open(io.BytesIO(photograph())).resize((3900, 5200))
    file = io.BytesIO()
    paper.save(file, "JPEG", quality=70)
    upload(page, "large.jpg", file.getvalue(), "image/jpeg")
    expect(page.page.get_by_text("The ink that was found")).to_be_visible()
    assert digit_in(page.verdict()) == "7"
    paper = Image.new("L", (500, 300), 225)
    pen = ImageDraw.Draw(paper)
    pen.line([(110, 70), (190, 70), (140, 230)], fill=40, width=16, joint="curve")
    pen.line([(300, 70), (300, 230)], fill=40, width=16)
    upload(page, "71.png", png(np.asarray(paper)))
    answers_with(page, [7, 1])


def test_a_refused_file_is_named_and_leaves_the_list(sketch):
    page = sketch("source=upload")
    alert = page.page.locator("[data-testid=stAlert]")
    listed = page.page.locator("[data-testid=stFileUploaderFile]")
    good = (
        ("first.png", photograph()),
        ("second.png", photograph((200, 300))),
        ("third.png", photograph()),
    )
    files = [
        good[0],
        ("text.png", BAD["text.png"][0]),
        *good,
        ("half.png", BAD["half.png"][0]),
        good[1],
    ]
    for name, content in files:
        upload(page, name, content)
        expect(listed).to_have_count(0)
        expect(page.page.locator("[data-testid=stException]")).to_have_count(0)
        if name in BAD:
            expect(alert).to_contain_text(name)
            assert "No digit yet" in page.verdict()
        else:
            expect(page.page.get_by_text(f"The ink that was found in {name}")).to_be_visible()
            expect(alert).to_have_count(0)
            assert digit_in(page.verdict()) == "7"


def choose(page, source):
    page.page.get_by_role("radio", name=source, exact=True).click()
    page.settle()
    expect(page.page.locator("[data-testid=stException]")).to_have_count(0)


@pytest.mark.skipif(not available("mnist"), reason="MNIST is not on this machine")
@pytest.mark.parametrize("given", [False, True], ids=["empty", "with pictures"])
def test_each_source_is_as_it_was_left(sketch, given):
    page = sketch()
    choose(page, "Upload")
    if given:
        upload(page, "seven.png", photograph())
    uploaded = page.verdict()
    choose(page, "Draw")
    assert "No digit yet" in page.verdict()
    if given:
        page.draw(FORMS["4 open"].strokes)
    drawn = page.verdict()
    choose(page, "Test set")
    page.page.get_by_role("button", name="Any").click()
    page.settle()
    index, tested = page.page.get_by_label("Test image, 0 to 9,999").input_value(), page.verdict()
    choose(page, "Camera")
    assert "No digit yet" in page.verdict()
    for _ in range(2):
        choose(page, "Draw")
        assert page.verdict() == drawn
        choose(page, "Upload")
        assert page.verdict() == uploaded
        choose(page, "Test set")
        assert page.page.get_by_label("Test image, 0 to 9,999").input_value() == index
        assert page.verdict() == tested
    leave_and_return(page)
    assert page.verdict() == tested
    choose(page, "Upload")
    assert page.verdict() == uploaded
    expect(page.page.get_by_text("A reload forgets it.")).to_have_count(int(given))


@pytest.mark.skipif(not available("mnist"), reason="MNIST is not on this machine")
def test_a_test_digit_comes_with_its_label_and_a_link_is_the_page(sketch):
    page = sketch("source=test&index=18&method=occlusion&about=3")
    digits = data.load("mnist")
    model, record = checkpoint.load_checkpoint("published")
    found = answer(model, digits.test_images[18], record.calibration)
    assert page.probabilities() == pytest.approx([100 * p for p in found.probabilities], abs=0.051)
    assert f"the label says {digits.test_labels[18]}" in page.verdict()
    expect(page.page.get_by_text("Why 3?")).to_be_visible()
    page.page.get_by_role("button", name="A misclassified one").click()
    page.settle()
    index = int(re.search(r"index=(\d+)", page.page.url).group(1))
    assert index in [one.index for one in record.test.misread]


def test_a_gone_network_or_a_bad_setting_in_a_link_is_said(sketch):
    page = sketch("network=none-such&width=900")
    expect(page.page.get_by_text("There is no network called “none-such”")).to_be_visible()
    expect(page.page.get_by_text("width stays 20")).to_be_visible()
    page.draw(SEVEN)
    assert digit_in(page.verdict()) == "7"


def test_a_digit_has_its_maps_its_reasons_and_an_answer_of_another_network(sketch):
    page = sketch()
    page.draw(SEVEN)
    assert_every_map_is_there_and_says_where_it_comes_from(page)
    assert_methods_say_what_speaks_for_a_digit(page)
    assert_another_network_reads_the_same_drawing(page)


def assert_every_map_is_there_and_says_where_it_comes_from(page):
    model, _ = checkpoint.load_checkpoint("published")
    blank = torch.zeros(28, 28, dtype=torch.uint8)
    layers = explain.feature_maps(model, blank)
    maps = page.page.locator(".maps .grid button")
    expect(maps).to_have_count(sum(len(layer.maps) for layer in layers))
    focus = page.page.locator(".maps .focus")
    maps.nth(8 + 16 + 2).hover()
    expect(focus).to_contain_text("Map 3 of 16, Conv2d-5")
    expect(focus).to_contain_text("receptive field: 7 × 7")
    expect(focus.locator(".kernels canvas")).to_have_count(16)
    maps.nth(0).focus()
    expect(focus).to_contain_text("Map 1 of 8, Conv2d-1")
    expect(focus.locator(".kernels canvas")).to_have_count(1)
    ink = "(c) => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v) => v)"
    assert maps.nth(7).locator("canvas").evaluate(ink)


def assert_methods_say_what_speaks_for_a_digit(page):
    overlay = page.chart("Saliency map")
    expect(page.page.get_by_text("Why 7?")).to_be_visible()
    pictures = set()
    for method in ("Grad-CAM", "Integrated gradients", "Occlusion"):
        page.page.get_by_role("radio", name=method).click()
        page.settle()
        cells = overlay.locator("g.layer_1_marks path, g.mark-rect:last-of-type path")
        pictures.add(tuple(c.get_attribute("fill-opacity") or "" for c in cells.all()[::7]))
    assert len(pictures) == 3
    box = overlay.bounding_box()
    page.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 3)
    tip = page.page.locator("#vg-tooltip-element")
    expect(tip).to_contain_text("adds to the logit")
    expect(tip).to_contain_text("row")


def assert_another_network_reads_the_same_drawing(page):
    first = page.probabilities()
    field = page.page.get_by_label("Trained network")
    field.scroll_into_view_if_needed()
    field.element_handle().wait_for_element_state("stable")  # scrolling closes an open list
    field.click()
    page.page.get_by_role("option", name="Compact, shipped").click()
    page.settle()
    assert "network=compact" in page.page.url
    assert digit_in(page.verdict()) == "7"
    second = page.probabilities()
    assert int(np.argmax(second)) == int(np.argmax(first)) == 7


def test_the_reliability_diagram_is_on_the_mnist_page(new_page, address):
    page = MnistPage(new_page(), address)
    _, record = checkpoint.load_checkpoint("published")
    page.chart("Reliability diagram").wait_for(timeout=30_000)
    expect(page.say(f"{record.calibration.temperature:.3f}")).to_be_visible()
    point = page.chart("Reliability diagram").locator("path[aria-label*='confidence']").nth(2)
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    page.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.page.locator("#vg-tooltip-element")).to_contain_text("95 % interval")


def draw_row(page, digits):
    """Draw these digits beside each other."""
    width = 0.8 / len(digits)
    for place, digit in enumerate(digits):
        for stroke in FORMS[ONE_EACH[digit]].strokes:
            page.stroke([(0.1 + width * (place + 0.75 * x), 0.3 + 0.35 * y) for x, y in stroke])
    page.settle()


def answers_with(page, digits):
    expect(page.page.locator(".verdict > span")).to_have_text("".join(map(str, digits)))


def test_a_row_of_digits_is_a_number_and_a_click_shows_a_digits_reasons(sketch):
    page = sketch("width=12")
    draw_row(page, [1, 0, 5])
    answers_with(page, [1, 0, 5])
    expect(page.page.get_by_text("3 digits")).to_be_visible()
    expect(page.page.get_by_text("Why 1?")).to_be_visible()
    boxes = page.page.get_by_role("radio", name=re.compile("Digit . of 3"))
    expect(boxes).to_have_count(3)
    boxes.nth(2).click()
    expect(page.page.get_by_text("Why 5?")).to_be_visible()
    assert np.argmax(page.probabilities()) == 5
    expect(boxes.nth(2)).to_be_checked()
    page.page.keyboard.press("ArrowLeft")
    expect(page.page.get_by_text("Why 0?")).to_be_visible()
    expect(boxes.nth(1)).to_be_focused()
    page.tool("Undo").click()
    page.settle()
    page.tool("Undo").click()  # the 5 has two strokes
    answers_with(page, [1, 0])
    expect(page.page.get_by_text("Why 1?")).to_be_visible()
    page.tool("Clear").click()
    expect(page.page.locator(".verdict")).to_contain_text("No digit yet")
    expect(boxes).to_have_count(0)


def test_a_five_with_its_hat_apart_is_one_digit(sketch):
    page = sketch("width=12")
    page.stroke([(0.35, 0.3), (0.34, 0.45), (0.5, 0.44), (0.55, 0.58), (0.45, 0.7), (0.3, 0.66)])
    page.stroke([(0.42, 0.22), (0.62, 0.2)])
    page.settle()
    answers_with(page, [5])
