"""The settings of a page: their names, ranges and defaults in one table, their state in the URL.

A page declares its settings once. `Settings.restore` fills `st.session_state` from the URL before
any widget is drawn, `Settings.save` writes the URL once an edit has landed, so a copied link is the
page, and the browser's Back takes the last edit back.

Streamlit's own `bind="query-params"` is not used because it cannot do three things this needs: it
drops a value it cannot read without a word, components cannot be bound, and a preset that sets
twelve widgets leaves twelve steps in the browser's history.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import streamlit as st

_NAME = re.compile(r"[a-z0-9-]{0,80}")


class Setting(Protocol):
    """One setting and how it is written in the URL."""

    @property
    def name(self) -> str:
        """Its name in the URL and in `st.session_state`."""

    @property
    def default(self) -> Any:
        """Its value where the URL does not name it."""

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
        allowed = f"Allowed is {kind} from {self.low:g} to {self.high:g}."
        try:
            value = float(text)
        except ValueError:
            what = f"“{text}” is not {kind}" if text.strip() else "That is empty"
            raise ValueError(f"{what}. {allowed}") from None
        if not math.isfinite(value) or not self.low <= value <= self.high:
            raise ValueError(f"{text} is out of range. {allowed}")
        if not self.whole:
            return value
        if not value.is_integer():
            raise ValueError(f"{text} is not a whole number. {allowed}")
        return int(value)

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
            raise ValueError(f"“{text}” is not a choice. Allowed is {' or '.join(self.options)}.")
        return text

    def format(self, value: str) -> str:
        return value


@dataclass(frozen=True)
class Name:
    """The name of something that may be gone when the link is opened; the page says so then."""

    name: str
    default: str

    def parse(self, text: str) -> str:
        if not _NAME.fullmatch(text):
            raise ValueError(f"“{text[:40]}” is no name. Allowed are small letters, digits and -.")
        return text

    def format(self, value: str) -> str:
        return value


@dataclass(frozen=True)
class Names:
    """Up to `most` names, in the order in which they were chosen."""

    name: str
    default: tuple[str, ...]
    most: int

    def parse(self, text: str) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(text.split()))
        if len(names) > self.most or not all(_NAME.fullmatch(name) for name in names):
            raise ValueError(f"It takes up to {self.most} names with spaces between them.")
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
        values = sorted({one.parse(part) for part in text.replace(",", " ").split()})
        if not 1 <= len(values) <= self.most:
            raise ValueError(
                f"It takes 1 to {self.most} numbers from {self.low:g} to {self.high:g}, "
                f"with spaces between them; here are {len(values)}."
            )
        return tuple(values)

    def format(self, value: Iterable[float]) -> str:
        return " ".join(repr(v).removesuffix(".0") for v in value)


class Settings:
    """The settings of one page, kept in `st.session_state` under their own names.

    A setting whose widget is gone (another page is open) lives on in the page's own copy.
    """

    def __init__(self, page: str, settings: Iterable[Setting]) -> None:
        self._settings = {setting.name: setting for setting in settings}
        self._kept, self._query, self._complaints = (
            f"{page}.{what}" for what in ("kept", "query", "complaints")
        )

    def __getitem__(self, name: str) -> Any:
        return self._settings[name]

    def defaults(self) -> dict[str, Any]:
        """Every setting's name and default."""
        return {name: setting.default for name, setting in self._settings.items()}

    def read(self, query: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
        """The values a URL's query stands for, and a sentence for each it cannot stand for."""
        values, complaints = self.defaults(), []
        for name, text in query.items():
            if name not in self._settings:
                complaints.append(f"This page has no setting called “{name}”.")
                continue
            try:
                values[name] = self._settings[name].parse(text)
            except ValueError as wrong:
                kept = self._settings[name].format(values[name])
                complaints.append(f"{name} stays {kept}: {wrong}")
        return values, complaints

    def restore(self) -> None:
        """Take the settings from the URL if it is new, else from before; call it first."""
        state, query = st.session_state, st.query_params.to_dict()
        if query and query != state.get(self._query):
            values, state[self._complaints] = self.read(query)
            state.update(values)
            state[self._query] = query
        else:
            kept = self.kept()
            state.update({name: state.get(name, kept[name]) for name in self._settings})

    def kept(self) -> dict[str, Any]:
        """The values as they were last saved; the defaults before. For other pages to read."""
        kept: dict[str, Any] = st.session_state.get(self._kept, self.defaults())
        return kept

    def save(self) -> None:
        """Write what differs from the defaults into the URL, in one step of the history."""
        values = {name: st.session_state[name] for name in self._settings}
        st.session_state[self._kept] = values
        query = {
            name: setting.format(values[name])
            for name, setting in self._settings.items()
            if values[name] != setting.default
        }
        if query != st.query_params.to_dict():
            st.query_params.from_dict(query)
        st.session_state[self._query] = query

    def complaints(self) -> list[str]:
        """What could not be read from the URL; empty again from the next edit on."""
        complaints: list[str] = st.session_state.get(self._complaints, [])
        return complaints

    def settle(self) -> None:
        """Forget the complaints: the person has gone on."""
        st.session_state[self._complaints] = []
