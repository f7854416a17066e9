"""Each page under random edits, without a browser; hypothesis shortens what fails.

`RANDOM_EDITS=200` tries so many sequences a page, new ones each time; without it a few, always the
same. What components of ours send is not simulated: their numbers are edited as they edit them, by
`Settings.edit`. Start, Resume and Delete are not pressed here.
"""

import io
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from openpyxl import Workbook
from streamlit.testing.v1 import AppTest

from core.backprop.network import SEED, descend
from core.ui.backprop.settings import settings as backprop
from core.ui.mnist.settings import settings as mnist
from core.ui.settings import Choice, Number, Numbers, Settings
from core.ui.sketch.settings import settings as sketch
from core.ui.workbook.settings import settings as workbook
from core.workbook.example import faulty_workbook
from tests.harness import ROOT

PAGES: dict[str, Settings] = {page.page: page for page in (backprop, workbook, mnist, sketch)}
TRIES = int(os.environ.get("RANDOM_EDITS") or 0)
SETTINGS = settings(
    max_examples=TRIES or 5,
    stateful_step_count=15,
    deadline=None,
    derandomize=not TRIES,
    database=None,
    suppress_health_check=list(HealthCheck),
)
NEVER_PRESSED = ("Start", "Resume", "Delete this run")

WORDS = st.one_of(
    st.sampled_from(["0", "1", "0,5", "−0.5", "1/2", "3", "50", "1e-3", "٣", "½", "0.1 1 10"]),
    st.sampled_from(["", " ", "abc", "nan", "1e308", "1e999", "0x10", "1/0", "9" * 30, "<b>", "“"]),
    st.sampled_from(["defaults", "eta=0.5&epochs=3", "eta=x", "pin=eta=2&w1=<b>"]),
    st.sampled_from(["1; 2, 3", "gone", "gone gone compact", "\0"]),
    st.text(max_size=12),
)


def _empty_workbook() -> bytes:
    file = io.BytesIO()
    Workbook().save(file)
    return file.getvalue()


FILES = {
    "faulty.xlsx": faulty_workbook(),
    "empty.xlsx": _empty_workbook(),
    "half.xlsx": faulty_workbook()[:3000],
    "right.csv": descend(SEED, 0.5, 6).table().to_csv(index=False).encode(),
    "words.csv": b"epoch;w1\none;two\n\n,,,\n",
    "nothing.png": b"",
    "text.png": b"I am a text, not a picture.",
}


def in_range(setting: Any) -> st.SearchStrategy[Any]:
    """Values that the setting allows."""
    match setting:
        case Choice(options=options):
            return st.sampled_from(options)
        case Number(low=low, high=high, whole=True):
            return st.integers(int(low), int(high))
        case Number(low=low, high=high):
            return st.floats(low, high)
        case Numbers(low=low, high=high, most=most):
            some = st.lists(st.floats(low, high), min_size=1, max_size=most, unique=True)
            return some.map(lambda values: tuple(sorted(values)))
    return st.just(setting.default)


class Editing(RuleBasedStateMachine):
    """A person on one page, who visits others."""

    home = "backprop"

    @initialize()
    def arrive(self) -> None:
        self.app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60).run()
        self.visited: list[tuple[str, dict[str, str]]] = [("home", {})]
        self._go(self.home, {})

    @rule(data=st.data())
    def use_a_widget(self, data: st.DataObject) -> None:
        """Whatever Streamlit's own widgets take."""
        kinds = ("button", "button_group", "selectbox", "multiselect", "text_input", "slider")
        widgets = [w for kind in kinds for w in self.app.get(kind) if not w.proto.disabled]
        widgets = [w for w in widgets if getattr(w, "label", "") not in NEVER_PRESSED]
        if not widgets:
            return
        widget = data.draw(st.sampled_from(widgets), label="widget")
        match widget.type:
            case "button":
                widget.click()
            case "button_group" | "selectbox":
                widget.set_value(data.draw(st.sampled_from(widget.options), label="option"))
            case "multiselect":
                some = st.lists(st.sampled_from(widget.options), unique=True)
                widget.set_value(data.draw(some, label="options")[: widget.max_selections or None])
            case "text_input":
                widget.set_value(data.draw(WORDS, label="text"))
            case "slider":
                widget.set_value(data.draw(st.integers(widget.min, widget.max), label="value"))
        self.app.run()

    @rule(data=st.data())
    def edit_a_setting(self, data: st.DataObject) -> None:
        """What a component of ours does, and the tabs, which AppTest cannot open."""
        page = self._page
        if page not in PAGES:
            return
        name = data.draw(st.sampled_from(sorted(PAGES[page].defaults())), label="setting")
        value = data.draw(in_range(PAGES[page].spec(name)), label="value")
        here = self.app.session_state[page]
        here.values[name] = value
        here.complaints, here.edited = [], True
        self.app.run()

    @rule(data=st.data())
    def open_a_link(self, data: st.DataObject) -> None:
        """An address that someone has typed: of the page, with anything in it."""
        page = data.draw(st.sampled_from(sorted(PAGES)), label="page")
        names = sorted(PAGES[page].defaults())
        query = data.draw(st.dictionaries(st.sampled_from(names), WORDS, max_size=3), label="query")
        self._go(page, query)

    @rule(page=st.sampled_from(["home", *sorted(PAGES)]))
    def follow_the_menu(self, page: str) -> None:
        """To a page as it was left."""
        self._go(page, self._query_of(page))

    @rule(data=st.data())
    def go_back(self, data: st.DataObject) -> None:
        """To an address of before, by Back or Forward."""
        self._go(*data.draw(st.sampled_from(self.visited), label="where"))

    @precondition(lambda self: self.app.get("file_uploader"))
    @rule(name=st.sampled_from(sorted(FILES)))
    def give_a_file(self, name: str) -> None:
        """Good, empty, broken, and of the wrong kind."""
        door = self.app.get("file_uploader")[0]
        files = [(name, FILES[name], "application/octet-stream")]
        door.set_value(files if door.accept_multiple_files else files[0])
        self.app.run()

    @rule()
    def run_again(self) -> None:
        """As a reload of a session that lives on does."""
        self.app.run()

    @invariant()
    def nothing_is_wrong(self) -> None:
        if not hasattr(self, "app"):
            return
        note(f"on {self._page} with {dict(self.app.query_params)}")
        assert not self.app.exception
        for page, own in PAGES.items():
            if page not in self.app.session_state:
                continue
            values = self.app.session_state[page].values
            assert values.keys() == own.defaults().keys()
            for name, value in values.items():
                spec = own.spec(name)
                assert spec.parse(spec.format(value)) == value, name
        allowed = PAGES[self._page].defaults() if self._page in PAGES else {}
        others = {name for page in PAGES.values() for name in page.defaults()} - set(allowed)
        assert not others & set(self.app.query_params)

    def _go(self, page: str, query: dict[str, str]) -> None:
        self._page = page
        self.app.query_params.clear()
        self.app.query_params.update(query)
        self.app.switch_page(f"pages/{page}.py").run()
        assert self.app.exception or self.app.title
        self.visited.append((page, query))

    def _query_of(self, page: str) -> dict[str, str]:
        if page not in PAGES or page not in self.app.session_state:
            return {}
        own, values = PAGES[page], self.app.session_state[page].values
        return {
            name: own.spec(name).format(value)
            for name, value in values.items()
            if value != own.spec(name).default
        }


@pytest.fixture(autouse=True)
def _own_runs(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("RUNS_ROOT", str(tmp_path_factory.mktemp("runs")))


@pytest.mark.parametrize("page", sorted(PAGES))
def test_no_sequence_of_edits_breaks_a_page(page: str) -> None:
    machine = type(f"Editing_{page}", (Editing,), {"home": page})
    run_state_machine_as_test(machine, settings=SETTINGS)
