"""Values that no page of ours sends, on a real server: no traceback on the page, and it lives on.

Each is of the outer form that its element has, as Streamlit's own messages (and those of the
canvas) that are none are answered by them, with an error, before anything of ours is asked.
"""

import json
import math
import random
import urllib.request
from contextlib import suppress

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState

from tests.harness import ROOT, server
from tests.session import Session

MESSAGES = 30  # to each page; each gives every widget of it a value
NUMBERS = [0, 1, -1, 2**31, 2**63 - 1, 1e308, -1e-308, math.inf, math.nan, 3.5]
TEXTS = ["", "0", "nan", "../../etc/passwd", "<img src=x onerror=alert(1)>", "\0", "9" * 5000]
TEXTS += ["{}", "[[[[", "network", "eta", "Published, shipped", "٣", "compact", "log", "random"]
NAMES = ["edit", "rest", "draw", "choose", "look", "chosen", "request", "drawing", "selection"]
NAMES += ["name", "value", "does", "landed", "numberFirst", "number", "left", "restore", "raw"]
NAMES += ["objects", "data", "rows", "picked", "edited_rows", "added_rows", "deleted_rows", "path"]


def anything(rng: random.Random, depth: int = 0) -> object:
    """A value of JSON, with the names that our components use in it."""
    kind = rng.randrange(7 if depth < 4 else 4)
    if kind == 0:
        return rng.choice([None, True, False])
    if kind == 1:
        return rng.choice(NUMBERS)
    if kind in (2, 3):
        return rng.choice([*TEXTS, *NAMES])
    if kind == 4:
        return [anything(rng, depth + 1) for _ in range(rng.randrange(4))]
    return object_of(rng, depth)


def object_of(rng: random.Random, depth: int) -> dict[str, object]:
    return {rng.choice(NAMES): anything(rng, depth + 1) for _ in range(rng.randrange(6))}


def edits(rng: random.Random) -> dict[str, object]:
    """Of a table, as its editor tells them: rows added."""
    columns = ["from epoch", "η"]
    added = [{rng.choice(columns): anything(rng, 3)} for _ in range(rng.randrange(3))]
    return {"edited_rows": {}, "added_rows": added, "deleted_rows": []}


def hostile(rng: random.Random, widget: str, kind: str) -> WidgetState:
    """A value for a widget: of the kind that its elements send, what they do not send."""
    state = WidgetState(id=widget)
    match kind:
        case "bidi_component" if widget.endswith("-canvas"):
            state.json_value = json.dumps({"drawing": object_of(rng, 0)})
        case "bidi_component":
            names = ("edit", "choose", "look", "chosen", "request")
            state.json_value = json.dumps({name: anything(rng) for name in names})
        case "vega_lite_chart":
            picked = {"selection": {"picked": anything(rng)}}
            state.string_value = json.dumps(picked)
        case "dataframe":
            state.string_value = json.dumps(edits(rng))
        case "button" | "download_button":
            state.trigger_value = rng.random() < 0.3
        case "button_group" | "multiselect":
            state.string_array_value.data.extend(rng.choices(TEXTS, k=rng.randrange(3)))
        case "slider":
            state.double_array_value.data.extend([rng.choice(NUMBERS)])
        case _:
            state.string_value = rng.choice(TEXTS)
    return state


@pytest.mark.parametrize("page", ["backprop", "workbook", "mnist", "sketch"])
def test_no_message_breaks_a_page(hostile_server, page):
    address, complaints = hostile_server
    rng = random.Random(page)  # noqa: S311 (no secret)
    session = Session(address, page)
    for _ in range(MESSAGES):
        fragment = rng.choice([*sorted(session.fragments), ""])
        pressed = {w: k for w, k in session.widgets.items() if k != "file_uploader"}
        with suppress(TimeoutError):  # what was sent to a fragment that is gone by now
            session.run([hostile(rng, *one) for one in pressed.items()], fragment, patience=5)
        assert session.exceptions == [], complaints()[-3000:]
    session.close()
    assert urllib.request.urlopen(f"{address}/_stcore/health").read() == b"ok"  # noqa: S310


@pytest.fixture(scope="module")
def hostile_server(tmp_path_factory):
    place = tmp_path_factory.mktemp("hostile")
    with (place / "errors").open("wb") as errors:
        env = {"RUNS_ROOT": str(place / "runs"), "RUNS_TRAINING": "off"}
        with server(ROOT / "streamlit_app.py", env=env, stderr=errors) as address:
            yield address, lambda: (place / "errors").read_text(errors="replace")
