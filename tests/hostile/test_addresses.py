"""Addresses that nobody was given: each page stands, its settings in range, and says what is wrong.

Every text in them stays text: none of it is made a link, a picture, a formula or HTML.
"""

import math
import re
from urllib.parse import parse_qs

import pytest
from google.protobuf.message import Message
from streamlit.testing.v1 import AppTest

from core.ui.backprop.settings import MOST_CHANGES, MOST_EPOCHS, RUN, Changes, Pin
from core.ui.backprop.settings import settings as backprop
from core.ui.mnist.settings import settings as mnist
from core.ui.settings import Choice, Choices, Name, Names, Number, Numbers
from core.ui.sketch.settings import settings as sketch
from core.ui.text import plain
from core.ui.workbook.settings import settings as workbook
from tests.harness import ROOT
from tests.hostile.guard import guard
from tests.hostile.made_up import MARKUP, address, bodies, drawn

PAGES = {page.page: page for page in (backprop, workbook, mnist, sketch)}
READ = {"backprop": 3000, "workbook": 400, "mnist": 1500, "sketch": 900}  # cases
OPENED = {"backprop": 60, "workbook": 20, "mnist": 60, "sketch": 60}  # cases, whole pages
SENTENCE = 400  # characters; what is quoted is cut


def query_of(address: str) -> dict[str, str]:
    """As Streamlit reads it: of one name twice, the last counts."""
    return {name: texts[-1] for name, texts in parse_qs(address, keep_blank_values=True).items()}


def within(setting, value):
    """Whether it is what a setting may be, whatever `parse` and `format` say."""
    match setting:
        case Number(low=low, high=high, whole=whole):
            kind = int if whole else float
            return type(value) is kind and math.isfinite(value) and low <= value <= high
        case Choice(options=options):
            return value in options
        case Choices(options=options):
            return value == [one for one in options if one in value]
        case Name():
            return re.fullmatch("[a-z0-9-]{0,80}", value) is not None
        case Names(most=most):
            words = (re.fullmatch("[a-z0-9-]{0,80}", one) for one in value)
            return len(set(value)) == len(value) <= most and all(words)
        case Numbers(low=low, high=high, most=most):
            is_sorted = value == tuple(sorted(set(value)))
            return is_sorted and 1 <= len(value) <= most and all(low <= v <= high for v in value)
        case Changes():
            whole = all(type(k) is int and 1 <= k <= MOST_EPOCHS for k, _ in value)
            return (
                whole and len(value) <= MOST_CHANGES and all(0 <= eta <= 1000 for _, eta in value)
            )
        case Pin():
            names = [one.name for one in RUN]
            return value is None or (
                list(value) == names and all(within(one, value[one.name]) for one in RUN)
            )
    raise AssertionError(f"{setting} is of a kind that this test does not know")


def assert_within(page, values):
    assert values.keys() == page.defaults().keys()
    for name, value in values.items():
        setting = page.spec(name)
        is_default = value is setting.default  # a whole number's may be written as any
        assert is_default or within(setting, value), (name, value)
        assert setting.parse(setting.format(value)) == value, (name, value)


@pytest.mark.parametrize("page", READ)
def test_settings_read_from_any_address_are_in_range(page):
    rng, own = drawn(f"read {page}"), PAGES[page]
    refused = 0
    with guard() as case:
        for _ in range(READ[page]):
            asked = address(rng, own)
            with case(asked[:500]):
                query = query_of(asked)
                values, complaints = own.read(query)
                assert_within(own, values)
                wrong = {name for name in own.defaults() if f"{name} stays " in str(complaints)}
                assert len(wrong) >= len(complaints)
                for name in query.keys() & own.defaults().keys() - wrong:
                    assert own.spec(name).parse(query[name]) == values[name]
                for sentence in complaints:
                    assert len(sentence) < SENTENCE
                    assert sentence.endswith((".", "…"))
                    assert not bodies([plain(sentence)])
                refused += bool(complaints)
    assert 0.2 < refused / READ[page] < 0.99  # or these addresses would try nothing


MARKDOWN = {"Markdown", "Alert", "Heading", "Metric", "Progress", "ImageList", "Toast", "Exception"}


def made_something_of(app: AppTest) -> list[str]:
    """What stands on a page as Markdown or HTML with something of MARKUP in it as it is."""
    protos = [node.proto for node in app.main if isinstance(getattr(node, "proto", None), Message)]
    words = [t for p in protos if p.DESCRIPTOR.name in MARKDOWN for t in texts(p)]
    html = [t for p in protos if p.DESCRIPTOR.name == "Html" for t in texts(p)]
    assert words  # or the page was not looked at
    tags = [raw for raw in MARKUP if raw.startswith(("<", "&"))]
    return bodies(words) + [text for text in html if any(raw in text for raw in tags)]


def texts(message: Message) -> list[str]:
    found = []
    for _, value in message.ListFields():
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, Message):
            found += texts(value)
    return found


@pytest.mark.parametrize("page", OPENED)
def test_a_page_stands_whatever_its_address_says(page):
    rng, own = drawn(f"open {page}"), PAGES[page]
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60).run()
    app.switch_page(f"pages/{page}.py").run()
    complained = 0
    with guard() as case:
        for _ in range(OPENED[page]):
            asked = address(rng, own)
            with case(asked[:500]):
                app.query_params.clear()
                app.query_params.update(parse_qs(asked, keep_blank_values=True))
                app.run()
                assert not app.exception
                assert app.title
                assert_within(own, app.session_state[page].values)
                assert not made_something_of(app)
                complained += bool(app.error)
    assert complained > OPENED[page] / 10
