"""The settings of a page: their names, ranges and defaults in one table, their values in one place.

A page declares its settings once, as one `Settings`. It owns their values: in the session under the
page's name, where no widget can lose them, and so for a fragment that runs alone as for the page.

    address -- open() --> values -- widget(), live_numbers() --> what the person sees
       ^                    |  ^                                        |
       +----- write() ------+  +---------------- edit() ----------------+

The address is the state: no query means the defaults, links from page to page carry the query, and
so Back, Forward, a reload and a copied link all lead to what was seen there.

Streamlit's own `bind="query-params"` is not used because it cannot do three things this needs: it
drops a value it cannot read without a word, components cannot be bound, and a preset that sets
twelve widgets leaves twelve steps in the browser's history.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import streamlit as st

from core.ui.sent import sent
from core.ui.text import cut, plain
from core.ui.typed import numbers_in, typed_number

_NAME = re.compile(r"[a-z0-9-]{0,80}")
_LONGEST = 10_000  # characters that a setting is read from; a pinned run has the most, some 3,000


class Setting(Protocol):
    """One setting and how it is written in the address."""

    @property
    def name(self) -> str:
        """Its name in the address."""

    @property
    def default(self) -> Any:
        """Its value where the address does not name it."""

    def parse(self, text: str) -> Any:
        """The value `text` stands for; ValueError with a sentence that says what is allowed."""

    def format(self, value: Any) -> str:
        """The shortest text that `parse` reads as `value`."""


@dataclass(frozen=True)
class Number:
    """A float, or with `whole` an integer, within [low, high]."""

    name: str
    default: float
    low: float
    high: float
    whole: bool = False

    def parse(self, text: str) -> float:
        kind = "a whole number" if self.whole else "a number"
        allowed = f"Enter {kind} from {self.low:g} to {self.high:g}."
        value = typed_number(text, whole=self.whole)
        if value is None:
            what = f"“{cut(text)}” is not {kind}" if text.strip() else "That is empty"
            raise ValueError(f"{what}. {allowed}")
        if not math.isfinite(value) or not self.low <= value <= self.high:
            raise ValueError(f"{cut(text)} is out of range. {allowed}")
        return value

    def format(self, value: float) -> str:
        return repr(value).removesuffix(".0")


@dataclass(frozen=True)
class Choice:
    """One of a few words."""

    name: str
    default: str
    options: tuple[str, ...]

    def parse(self, text: str) -> str:
        if text not in self.options:
            raise ValueError(
                f"“{cut(text)}” is not a choice. Allowed is {' or '.join(self.options)}."
            )
        return text

    def format(self, value: str) -> str:
        return value


@dataclass(frozen=True)
class Choices:
    """Any of a few words, or none, in the order of `options`."""

    name: str
    default: list[str]
    options: tuple[str, ...]

    def parse(self, text: str) -> list[str]:
        words = text.split()
        if wrong := [word for word in words if word not in self.options]:
            raise ValueError(
                f"“{cut(wrong[0])}” is not a choice. Allowed are {', '.join(self.options)}."
            )
        return [option for option in self.options if option in words]

    def format(self, value: Iterable[str]) -> str:
        return " ".join(value)


@dataclass(frozen=True)
class Name:
    """The name of something that may be gone when the link is opened; the page says so then."""

    name: str
    default: str

    def parse(self, text: str) -> str:
        if not _NAME.fullmatch(text):
            raise ValueError(f"“{cut(text)}” is no name. Allowed are small letters, digits and -.")
        return text

    def format(self, value: str) -> str:
        return value


@dataclass(frozen=True)
class Names:
    """Up to `most` names, in the order in which they were chosen."""

    name: str
    default: list[str]
    most: int

    def parse(self, text: str) -> list[str]:
        names = list(dict.fromkeys(text.split()))
        if len(names) > self.most or not all(_NAME.fullmatch(name) for name in names):
            raise ValueError(f"Enter up to {self.most} names, separated by spaces.")
        return names

    def format(self, value: Iterable[str]) -> str:
        return " ".join(value)


@dataclass(frozen=True)
class Numbers:
    """Between one and `most` different floats within [low, high], in ascending order."""

    name: str
    default: tuple[float, ...]
    low: float
    high: float
    most: int

    def parse(self, text: str) -> tuple[float, ...]:
        one = Number(self.name, self.low, self.low, self.high)
        values = sorted({one.parse(part) for part in numbers_in(text)})
        if not 1 <= len(values) <= self.most:
            raise ValueError(
                f"Enter 1 to {self.most} numbers from {self.low:g} to {self.high:g}, "
                f"separated by spaces; found {len(values)}."
            )
        return tuple(values)

    def format(self, value: Iterable[float]) -> str:
        return " ".join(repr(v).removesuffix(".0") for v in value)


@dataclass
class _Page:
    """What the session knows of one page's settings.

    address: this page's part of the browser's query, as it was last read or written. written: the
    same as `Settings.write` writes it. edited: the values have changed since. landed: the hand that
    changed them has come to rest.
    """

    values: dict[str, Any]
    address: dict[str, str] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    edited: bool = False
    landed: bool = True


class Settings:
    """The settings of one page: `settings[name]` is a value as it is now, on any page."""

    _pages: ClassVar[dict[str, Settings]] = {}

    def __init__(self, page: str, settings: Iterable[Setting]) -> None:
        self.page = page
        self._pages[page] = self
        self._settings = {setting.name: setting for setting in settings}

    @property
    def _here(self) -> _Page:
        try:
            found: _Page = st.session_state[self.page]
        except KeyError:
            found = st.session_state[self.page] = _Page(self.defaults())
        return found

    def __getitem__(self, name: str) -> Any:
        return self._here.values[name]

    @property
    def values(self) -> Mapping[str, Any]:
        """All values by their names, as they are now: looking them up one by one takes longer."""
        return self._here.values

    @property
    def landed(self) -> bool:
        """Whether the hand that edits rests, so that what is only read at rest may be drawn."""
        return self._here.landed

    def live(self) -> Callable[[], Mapping[str, Any]]:
        """What gives the values of this session as they are when it is called, on any thread."""
        here = self._here
        return lambda: here.values

    def spec(self, name: str) -> Any:
        """The setting called `name`: its range, its default, its way into the address."""
        return self._settings[name]

    def parse(self, name: str, text: str) -> Any:
        """The value `text` stands for; ValueError with a sentence, for what has no end as well."""
        if len(text) > _LONGEST:
            raise ValueError(f"“{cut(text)}” is too long. Allowed are {_LONGEST:,} characters.")
        return self._settings[name].parse(text)

    def defaults(self) -> dict[str, Any]:
        """Every setting's name and default."""
        return {name: setting.default for name, setting in self._settings.items()}

    def edit(self, values: Mapping[str, Any], *, landed: bool = True) -> None:
        """Take what a person has chosen; complaints about the address are over then.

        What a setting does not allow, and so no page offers, leaves it as it is. What it allows is
        taken as the address would give it back: 50.0 epochs are 50. landed: False while the hand is
        still at it: `write` waits for it.
        """
        here = self._here
        here.values.update({n: self._read(n, v) for n, v in values.items() if self._allows(n, v)})
        here.complaints, here.edited, here.landed = [], True, landed

    def _allows(self, name: str, value: Any) -> bool:
        return bool(sent(lambda: self._read(name, value) == value))

    def _read(self, name: str, value: Any) -> Any:
        """The value, written into the address and read from it."""
        return self.parse(name, self._settings[name].format(value))

    def adjust(self, values: Mapping[str, Any]) -> None:
        """Set what a choice made elsewhere leaves no other way; no edit of a person's."""
        self._here.values.update(values)

    def widget(self, name: str, then: Callable[[], None] = lambda: None) -> dict[str, Any]:
        """Keyword arguments for the Streamlit widget of `name`, whose default the caller says;
        `then` is called after an edit.
        """

        def choose(value: Any) -> None:
            if value is None:  # of a widget that its page no longer draws; the setting stays
                return
            self.edit({name: value})
            then()

        return controlled(f"{self.page}.{name}", self[name], choose)

    def number(
        self, name: str, label: str, then: Callable[[], None] = lambda: None, **options: Any
    ) -> None:
        """A field for the number or the list of numbers called `name`, typed in any usual way.

        It shows what it understood; what it cannot take stays in the field, with a sentence.
        options: of `st.text_input`.
        """
        setting, refused = self.spec(name), f"{self.page}.{name}.refused"
        text, sentence, kept = st.session_state.get(refused, ("", "", None))
        if kept != self[name]:  # none was refused, or the value has been set to another since
            text, sentence = setting.format(self[name]), ""

        def choose(typed: str) -> str | None:
            st.session_state.pop(refused, None)
            try:
                self.edit({name: self.parse(name, typed)})
            except ValueError as wrong:
                st.session_state[refused] = typed, str(wrong), self[name]
                return None
            then()
            return str(setting.format(self[name]))

        st.text_input(label, text, **controlled(f"{self.page}.{name}", text, choose), **options)
        if sentence:
            st.error(plain(sentence))

    def read(self, query: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
        """The values a query stands for, and a sentence for each that it cannot stand for.

        Names of no setting are other people's (`utm_source` and the like) and pass unseen.
        """
        values, complaints = self.defaults(), []
        for name in self._settings.keys() & query.keys():
            try:
                values[name] = self.parse(name, query[name])
            except ValueError as wrong:
                kept = self._settings[name].format(values[name])
                complaints.append(f"{name} stays {kept}: {wrong}")
        return values, sorted(complaints)

    def open(self) -> None:
        """Take the values from the address where it is new; a page's first call."""
        state, here = st.session_state, self._here
        query = st.query_params.to_dict()
        mine = {name: text for name, text in query.items() if name in self._settings}
        # An edit is newer than the address that came with it. And an address with the names of
        # others alone is none of this page's.
        is_new = mine != here.address and (bool(mine) or not query)
        if is_new and (state.get("arrived") or not here.edited):
            here.values, here.complaints = self.read(mine)
            here.address, here.written = mine, self.query()
        elif mine == self.query():
            here.address = here.written = mine
        here.landed = True

    def complain(self) -> None:
        """Say in one banner what of the address cannot be, until the next edit."""
        if complaints := self._here.complaints:
            st.error(
                "  \n".join(plain(sentence) for sentence in complaints),
                icon=":material/link_off:",
            )

    def write(self) -> None:
        """Write what differs from the defaults into the address, in one step of the history."""
        here, query = self._here, self.query()
        if not here.landed:
            return
        if query != here.written:
            st.query_params.from_dict(query)
            here.address = here.written = query
        here.edited = False

    def query(self) -> dict[str, str]:
        """What differs from the defaults, as the address says it."""
        values = self.values
        return {
            name: setting.format(values[name])
            for name, setting in self._settings.items()
            if values[name] != setting.default
        }


def query_of(page: str) -> dict[str, str]:
    """The query that leads to `page` as it was left; empty for one that was never opened."""
    return Settings._pages[page].query() if page in st.session_state else {}


def controlled(name: str, value: Any, choose: Callable[[Any], Any]) -> dict[str, Any]:
    """Keyword arguments for a Streamlit widget that shows `value`; `choose` is told of another.

    What `choose` returns, if not None, is what the widget shows instead. The caller hands the
    widget `value` as its default: set in the session it would be sent with each answer, and the
    answer to one click would take back the next one, which is under way.

    Streamlit's widgets have state of their own, and a browser reports it with whatever is clicked
    next, also what it showed before the last answer was drawn. So a value that was set by anything
    but the widget itself makes it a new widget, with a new key. And Streamlit forgets a widget that
    a run has not drawn, or not drawn before it was cut short, and takes the next report of it for a
    choice: one that says no more than what the widget showed is none.
    """
    state = st.session_state
    widgets: dict[str, tuple[Any, int]] = state.setdefault("widgets", {})
    shown, number = widgets.get(name, (value, 0))
    if shown != value:
        number += 1
    widgets[name] = value, number
    key = f"{name} {number}"

    def changed() -> None:
        known, current = widgets[name]
        if state[key] == (known if number == current else value):
            return
        widgets[name] = state[key], number
        if (instead := choose(state[key])) is not None:
            state[key] = instead
            widgets[name] = instead, number

    return {"key": key, "on_change": changed}
