"""Values that no page of ours sends, on a real server: no traceback on the page, and it lives on.

Each is of the outer form that its element has, as Streamlit's own messages (and those of the
canvas) that are none are answered by them, with an error, before anything of ours is asked.
"""

import json
import random
import urllib.request
from contextlib import suppress

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState

from tests.harness import ROOT, server
from tests.hostile.guard import watched
from tests.hostile.made_up import NUMBERS, TEXTS, anything, drawn, edits, object_of
from tests.session import Session

MESSAGES = 30  # to each page; each gives every widget of it a value
PAGES = ["backprop", "workbook", "mnist", "sketch"]


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


@pytest.mark.parametrize("page", PAGES)
def test_no_message_breaks_a_page(hostile_server, page):
    address, complaints, strange = hostile_server
    rng = drawn(page)
    session = Session(address, page)
    for _ in range(MESSAGES):
        fragment = rng.choice([*sorted(session.fragments), ""])
        pressed = {w: k for w, k in session.widgets.items() if k != "file_uploader"}
        with suppress(TimeoutError):  # what was sent to a fragment that is gone by now
            session.run([hostile(rng, *one) for one in pressed.items()], fragment, patience=5)
        assert session.exceptions == [], complaints()[-3000:]
        assert strange() == "", "opened or started outside"
    session.close()
    assert urllib.request.urlopen(f"{address}/_stcore/health").read() == b"ok"  # noqa: S310


@pytest.fixture(scope="module")
def hostile_server(tmp_path_factory):
    place = tmp_path_factory.mktemp("hostile")
    errors, strange = place / "errors", place / "strange"
    env = {"RUNS_ROOT": str(place / "runs"), "RUNS_TRAINING": "off", **watched(strange, place)}
    with (
        errors.open("wb") as file,
        server(ROOT / "streamlit_app.py", env=env, stderr=file) as address,
    ):
        yield address, lambda: errors.read_text(errors="replace"), strange.read_text
