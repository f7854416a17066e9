"""What a program that is no page of ours says to a page: its settings stay what they may be.

Each callback is called as Streamlit calls it, with made-up values where the browser's would be.
"""

import base64
import io
import json
import logging
import math
import random
import struct
import zlib
from types import SimpleNamespace

import numpy as np
import pytest
import streamlit as st
from PIL import Image

from core.ui import charts, live_numbers
from core.ui.backprop import bench, epoch_table, schedule
from core.ui.backprop.settings import settings as backprop
from core.ui.live_numbers import LiveNumber, Toggle
from core.ui.mnist.settings import settings as mnist
from core.ui.sketch import canvas, digit_row
from core.ui.sketch.settings import settings as sketch
from core.ui.workbook import several
from core.ui.workbook.settings import settings as workbook
from core.ui.workbook.several import Judged
from tests.hostile.guard import guard
from tests.hostile.made_up import MARKUP, NEARLY, SURROGATE, anything, drawn, text_for
from tests.hostile.test_addresses import assert_within

PAGES = {page.page: page for page in (backprop, workbook, mnist, sketch)}
CASES = {
    "edit": 1600,
    "typed": 1000,
    "live numbers": 1000,
    "changes": 400,
    "rows": 300,
    "picked": 300,
    "drawing": 300,
    "picture": 300,
    "request": 300,
    "digits": 200,
    "files": 200,
}


def held(kind):
    """The cases of a kind, each with its number and its random numbers."""
    return [(n, drawn(f"{kind} {n}")) for n in range(CASES[kind])]


@pytest.fixture(autouse=True)
def _new_session():
    """Outside a server Streamlit keeps one session for all, and says at every look that it does."""
    log = logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context")
    before = log.level
    log.setLevel(logging.ERROR)
    st.session_state.clear()
    yield
    st.session_state.clear()
    log.setLevel(before)


def value(rng: random.Random) -> object:
    """Of JSON, or of Python, where a widget's own value comes from a message."""
    kind = rng.randrange(8)
    if kind == 0:
        return rng.choice(
            [3.0, 50.0, 1e6, -0.0, 10**400, np.float64(0.5), True, b"x", 1j, SURROGATE]
        )
    if kind == 1:
        return rng.choice(
            [(), [], {}, (1.0,), [0.5, 0.5], {"eta": 1}, ["w1"], ["w2", "w1"], ((1, 2.0),)]
        )
    if kind == 2:
        return rng.choice([*MARKUP, *NEARLY])
    return anything(rng)


def test_no_edit_leaves_a_setting_out_of_range():
    taken = 0
    with guard() as case:
        for n, rng in held("edit"):
            page = PAGES[rng.choice(sorted(PAGES))]
            names = list(page.defaults())
            before = dict(page.values)
            made = {rng.choice(names): value(rng) for _ in range(rng.randint(1, 4))}
            if rng.random() < 0.3:  # of another setting, which it may allow
                name, other = (
                    rng.sample(list(page.defaults()), 2)
                    if len(page.defaults()) > 1
                    else ("task",) * 2
                )
                made[name] = page.spec(other).default
            with case((n, made)):
                page.edit(made, landed=rng.random() < 0.5)
                now = page.values
                assert_within(page, now)
                assert page.read(page.query()) == (now, [])
                taken += now != before
    assert taken > CASES["edit"] / 50


def test_what_is_typed_is_taken_or_answered_with_a_sentence(monkeypatch):
    field = SimpleNamespace(options={}, said="")
    monkeypatch.setattr(
        st, "text_input", lambda label, text, **options: vars(field).update(options=options)
    )
    monkeypatch.setattr(st, "error", lambda said: vars(field).update(said=said))
    numbers = [(backprop, "rates"), (backprop, "factor"), (backprop, "seed"), (backprop, "new")]
    numbers += [(mnist, "peak_rate"), (mnist, "batch_size"), (sketch, "index")]
    refused = 0
    with guard() as case:
        for n, rng in held("typed"):
            page, name = rng.choice(numbers)
            typed = text_for(rng, page.spec(name))
            with case((n, name, typed[:200])):
                before = page[name]
                page.number(name, name)
                st.session_state[field.options["key"]] = typed
                field.options["on_change"]()
                field.said = ""
                page.number(name, name)
                assert_within(page, page.values)
                if field.said:
                    assert page[name] == before
                    assert len(field.said) < 500
                    refused += 1
    assert 0.2 < refused / CASES["typed"] < 0.95


def test_no_message_of_a_live_number_takes_a_setting_out_of_range(monkeypatch):
    sent = SimpleNamespace()
    monkeypatch.setattr(live_numbers, "_mount", lambda **given: vars(sent).update(given))
    with guard() as case:
        for n, rng in held("live numbers"):
            shown = [
                LiveNumber("eta", "η", (0.5, 1.0), toggle=Toggle("keep", False, {"kept": ["w1"]})),
                LiveNumber("epoch", "epoch", range(1, 51), before={"epoch": 1, "step": 3}),
                LiveNumber("w1", "w1", after={"w1": 1e9}),
            ]
            told = anything(rng)
            if rng.random() < 0.8:
                name = rng.choice(["eta", "epoch", "w1"])
                told = {
                    "name": rng.choice([name, name, name, "epochs", "__class__", anything(rng)]),
                    "value": rng.choice(
                        [text_for(rng, backprop.spec(name)), anything(rng), SURROGATE]
                    ),
                    "does": rng.choice(
                        [None, "", "", "", "toggle", "before", "after", anything(rng)]
                    ),
                    "landed": rng.choice([True, False, anything(rng)]),
                    "numberFirst": rng.choice([True, False, anything(rng)]),
                    "number": rng.choice([1, 2, anything(rng)]),
                }
                for gone in rng.sample(list(told), rng.choice([0, 0, 0, 1])):
                    del told[gone]
            with case((n, str(told)[:300])):
                live_numbers.live_numbers(backprop, shown, key="x", on_edit=lambda _: None)
                st.session_state["backprop-x"] = {"edit": told}
                sent.on_edit_change()
                assert_within(backprop, backprop.values)
                live_numbers.live_numbers(backprop, shown, key="x", on_edit=lambda _: None)
                assert len(json.dumps(sent.data)) < 20_000


def test_no_edit_of_the_table_of_changes_makes_another_than_it_may(monkeypatch):
    sent = SimpleNamespace()
    monkeypatch.setattr(st, "data_editor", lambda rows, **given: vars(sent).update(given))
    monkeypatch.setattr(st, "container", lambda **_: Nothing())
    monkeypatch.setattr(st, "toast", lambda said: None)
    changed = 0
    with guard() as case:
        for n, rng in held("changes"):

            def cell(rng=rng):
                return rng.choice(
                    [rng.randint(-2, 10_002), rng.uniform(-1, 1001), anything(rng, 3)]
                )

            def cells(rng=rng, cell=cell):
                return {
                    rng.choice(["from epoch", "η", "η", anything(rng, 4).__str__()]): cell()
                    for _ in range(rng.randrange(4))
                }

            told = {
                "edited_rows": {
                    rng.choice([0, "0", 1, "x", -1, 10**30, ""]): cells()
                    for _ in range(rng.randrange(3))
                },
                "added_rows": [cells() for _ in range(rng.choice([0, 1, 3, 200]))],
                "deleted_rows": [
                    rng.choice([0, 1, -1, "x", None]) for _ in range(rng.randrange(2))
                ],
            }
            if rng.random() < 0.2:
                told[rng.choice(list(told))] = anything(rng)
            with case((n, str(told)[:300])):
                before = backprop["changes"]
                schedule._table()
                st.session_state[sent.key] = told
                sent.on_change()
                assert_within(backprop, backprop.values)
                changed += backprop["changes"] != before
    assert changed > CASES["changes"] / 50


class Nothing:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


def test_no_row_that_is_asked_for_leads_out_of_the_table(monkeypatch):
    sent = SimpleNamespace()
    monkeypatch.setattr(epoch_table, "_mount", lambda **given: vars(sent).update(given))
    with guard() as case:
        for n, rng in held("rows"):
            told = {
                name: rng.choice([anything(rng), rng.randint(-3, 60), 10**30, "7", "٣"])
                for name in ("choose", "look")
            }
            with case((n, told)):
                epoch_table.table()
                st.session_state["epoch_table"] = told
                sent.on_choose_change()
                sent.on_look_change()
                assert_within(backprop, backprop.values)
                epoch_table.table()
                assert 0 <= sent.data["first"] < sent.data["count"] == 50
                assert 1 <= sent.data["chosen"] <= 50


def test_no_mark_that_is_picked_is_taken_for_another(monkeypatch):
    sent = SimpleNamespace()
    monkeypatch.setattr(st, "vega_lite_chart", lambda chart, **given: vars(sent).update(given))
    monkeypatch.setattr(bench, "redraw", lambda *_: None)
    with guard() as case:
        for n, rng in held("picked"):
            mark = {"name": rng.choice(["w1", "w9", "h1", *MARKUP, SURROGATE, anything(rng)])}
            told = rng.choice([anything(rng), [mark], [mark, mark], {"0": mark}])
            with case((n, told)):
                charts.draw({}, {}, key="c", alt_text="", on_pick=bench._derive)
                st.session_state["c"] = {"selection": {"picked": told}}
                sent.on_select()
                assert_within(backprop, backprop.values)


def number(rng: random.Random) -> object:
    return rng.choice(
        [rng.uniform(-50, 400), rng.randrange(320), True, anything(rng, 4), 1e5, None]
    )


def stroke(rng: random.Random) -> dict[str, object]:
    """Nearly one of the canvas."""
    good = rng.random() < 0.6
    place = (lambda: rng.uniform(0, 320)) if good else (lambda: number(rng))
    steps = [["M", place(), place()]]
    for _ in range(rng.choice([1, 5, 40])):
        kind = rng.choice("LQ" if good else "LQZMCx")
        steps.append([kind, *(place() for _ in range(4 if kind == "Q" else 2))])
    made = {"path": steps, rng.choice(["width", "strokeWidth"]): place(), "type": "path"}
    if not good and rng.random() < 0.5:
        made[rng.choice(list(made))] = anything(rng)
    return made


def drawing_png(rng: random.Random) -> bytes:
    side = canvas.SIDE
    alpha = np.zeros((side, side), np.uint8)
    ink = np.random.default_rng(rng.randrange(2**31))
    match rng.randrange(4):
        case 0:
            alpha[:] = rng.choice([1, 255])
        case 1:
            alpha[:] = ink.integers(0, 256, alpha.shape)
        case 2:
            for _ in range(rng.randrange(40)):
                y, x = ink.integers(0, side - 20, 2)
                alpha[y : y + rng.randint(1, 20), x : x + rng.randint(1, 20)] = 255
        case _:
            alpha[:: rng.randint(2, 9), :: rng.randint(2, 9)] = rng.randrange(256)
    file = io.BytesIO()
    Image.merge("RGBA", [Image.fromarray(alpha)] * 4).save(file, "PNG", compress_level=1)
    return file.getvalue()


def as_url(file: bytes) -> str:
    return canvas.PNG + base64.b64encode(file).decode()


def assert_drawing_is_kept_small():
    kept = canvas._drawing()
    strokes = [*(kept.strokes or []), *kept.base]
    assert sum(len(one["path"]) for one in strokes) <= 2 * canvas.MOST_STEPS
    for one in strokes:
        assert canvas._is_path(one["path"])
        assert math.isfinite(one["width"])
    assert all(tuple(image.shape) == (28, 28) for image in kept.images)


def test_no_drawing_is_taken_that_no_canvas_has():
    taken = 0
    with guard() as case:
        for n, rng in held("drawing"):
            picture = (
                as_url(drawing_png(rng)) if n % 5 == 0 else rng.choice(["", "data:", anything(rng)])
            )
            told = {
                "raw": {"objects": [stroke(rng) for _ in range(rng.randrange(4))]},
                "data": picture,
            }
            if rng.random() < 0.2:
                told = rng.choice([anything(rng), {"raw": anything(rng), "data": picture}])
            with case(n):
                st.session_state[canvas.CANVAS] = {"drawing": told}
                canvas._drawing().images = []
                canvas._take()
                assert_drawing_is_kept_small()
                taken += bool(canvas._drawing().images)
    assert taken > CASES["drawing"] / 50


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def chunks(file: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 8
    while at < len(file):
        size = struct.unpack_from(">I", file, at)[0]
        found.append((file[at + 4 : at + 8], file[at + 8 : at + 8 + size]))
        at += 12 + size
    return found


def png_of(parts: list[tuple[bytes, bytes]]) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


BOMB = zlib.compress(bytes(10**7))
ANCILLARY = [
    b"cHRM",
    b"gAMA",
    b"iCCP",
    b"sRGB",
    b"tEXt",
    b"zTXt",
    b"iTXt",
    b"pHYs",
    b"tRNS",
    b"eXIf",
]
ANCILLARY += [b"PLTE", b"acTL", b"fcTL", b"fdAT", b"IDAT", b"IEND", b"IHDR", b"zqxx"]


def hostile_png(rng: random.Random, whole: bytes) -> bytes:
    """A PNG whose check sums are right, and whose parts are not."""
    parts = chunks(whole)
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(parts) + 1)
        match rng.randrange(5):
            case 0:  # of other sizes, depths and colours
                wide, high = (rng.choice([0, 1, 320, 321, 20_000, 2**31 - 1]) for _ in range(2))
                rest = [rng.choice([1, 8, 16, 99]), rng.randrange(8), 0, 0, rng.randrange(3)]
                parts[0] = (b"IHDR", struct.pack(">II5B", wide, high, *rest))
            case 1:
                content = rng.choice([b"", rng.randbytes(rng.randrange(60)), BOMB])
                parts.insert(place, (rng.choice(ANCILLARY), content))
            case 2 if len(parts) > 1:
                del parts[rng.randrange(len(parts))]
            case 3:
                kind, data = rng.choice(parts)
                parts.insert(place, (kind, data[: rng.randrange(len(data) + 1)]))
            case _:
                return png_of(parts)[: rng.randrange(200)]
    return png_of(parts)


def test_no_picture_is_taken_that_no_canvas_draws():
    whole, line = drawing_png(drawn("2")), [["M", 1, 1], ["L", 9, 9]]
    with guard() as case:
        for n, rng in held("picture"):
            told = {"raw": {"objects": [{"path": line, "width": 20}]}}
            told["data"] = as_url(hostile_png(rng, whole))
            with case(n):
                st.session_state[canvas.CANVAS] = {"drawing": told}
                canvas._take()
                assert_drawing_is_kept_small()


LINE = [["M", 1, 1], *[["L", 9, 9]] * 30]
MANY = json.dumps([{"path": LINE, "width": 20}] * 3000)


def test_no_wish_of_the_tools_leaves_a_drawing_that_no_canvas_has():
    with guard() as case:
        for n, rng in held("request"):
            wish = rng.choice([rng.randint(-5, 5), 10**300, True, anything(rng)])
            stored = json.dumps([stroke(rng) for _ in range(rng.randrange(4))])
            if rng.random() < 0.1:
                stored = rng.choice(["[" * 100_000, MANY, "NaN", "1" * 5000])
            asked = {"number": rng.choice([1, n, 1e300, anything(rng)])}
            asked[rng.choice(["left", "restore"])] = wish if rng.random() < 0.3 else stored
            with case((n, str(asked)[:300])):
                st.session_state[canvas.TOOLS] = {
                    "request": rng.choice([asked, asked, anything(rng)])
                }
                canvas._answer()
                assert_drawing_is_kept_small()


def test_no_digit_is_chosen_that_is_not_there():
    with guard() as case:
        for n, rng in held("digits"):
            count = rng.randint(1, 12)
            digit_row.chosen_digit(count)
            wish = rng.choice([anything(rng), rng.randint(-20, 20), "3", "٣", 1e308])
            with case((n, wish)):
                st.session_state[digit_row.ROW] = rng.choice([{"chosen": wish}, anything(rng)])
                digit_row._choose()
                assert 0 <= digit_row.chosen_digit(count) < count


def test_no_line_is_chosen_that_is_not_there(monkeypatch):
    sent = SimpleNamespace()
    monkeypatch.setattr(st, "dataframe", lambda rows, **given: vars(sent).update(given))
    files = [Judged(name, b"", name, "", None, None) for name in MARKUP]
    chosen: list[int] = []
    several.table(files, len(files), chosen.append)
    with guard() as case:
        for n, rng in held("files"):
            wish = rng.choice([anything(rng), rng.randint(-30, 30), "3", 1.5])
            told = rng.choice(
                [{"selection": {"rows": [wish]}}, {"selection": anything(rng)}, anything(rng)]
            )
            with case((n, told)):
                st.session_state[sent.key] = told
                sent.on_select()
                assert all(line in range(len(files)) for line in chosen)
    assert chosen
