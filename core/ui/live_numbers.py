"""Numbers that are live: they send while the hand moves or types, where Streamlit's own wait.

Each is a text field that takes a number in any usual writing, and where a slider is wanted a native
`<input type=range>` beside it, so keyboard, touch and screen reader work as they do everywhere.
They keep no value of their own: an edit is written to its setting, and the setting is what they
show. What the setting does not allow is answered with a sentence, changes nothing, and stays in the
field to be mended. How browser and server talk is drawn at the top of `live_numbers.js`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from core.ui.sent import sent
from core.ui.settings import Settings

_HERE = Path(__file__).parent

_mount = st.components.v2.component(
    "live_numbers",
    html='<div class="controls"></div>',
    css=(_HERE / "live_numbers.css").read_text(encoding="utf-8"),
    js=(_HERE / "live_numbers.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class Toggle:
    """A button that is on or off. label: what it is when on. settings: what a click makes so."""

    label: str
    is_on: bool
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class LiveNumber:
    """How the number of a setting is shown.

    values: where its slider can stand, ascending; no slider without. A number between two values
    puts the thumb at the nearest. reading: what the number leads to, in words, shown below it.
    playable: offer buttons that walk through the values, or go one back or forward. step: what the
    arrow keys add. is_wide: its reading is as wide as all numbers together. spoken: what a screen
    reader says of the slider's place; the number itself if empty. before, after: the settings that
    a step below its lowest value, and above its highest, leads to. toggle: a button beside its
    label.
    """

    name: str
    label: str
    values: Sequence[float] = ()
    reading: str = ""
    playable: bool = False
    step: float = 0.05
    is_wide: bool = False
    spoken: str = ""
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    toggle: Toggle | None = None


_Refusal = tuple[str, float]


@dataclass
class _Open:
    """Edits that are not over: the value before each, and what was refused.

    refused: the sentence, and the value that was kept; set to another since, there is none.
    """

    before: dict[str, float] = field(default_factory=dict)
    refused: dict[str, _Refusal] = field(default_factory=dict)


def live_numbers(
    settings: Settings,
    shown: Sequence[LiveNumber],
    *,
    key: str,
    on_edit: Callable[[bool], None],
    on_rest: Callable[[], None] | None = None,
    on_draw: Callable[[], None] | None = None,
) -> None:
    """Draw the numbers; each edits the setting of its name.

    Call it early in a fragment: the next value leaves when this one has been answered.
    on_edit: called after each edit. Its argument is True where only the number need be answered,
    because `on_draw` will be called next: for the first edit after a pause, as by a key, and only
    where `on_draw` is given. on_rest: called once when no edit has followed for a moment: what
    takes longer can wait for it.
    """
    key = f"{settings.page}-{key}"
    numbers = {number.name: number for number in shown}
    last = sent(lambda: int(st.session_state[key]["edit"]["number"]))
    if last is None:  # new on the screen
        st.session_state[f"{key}.open"] = _Open()
    known: _Open = st.session_state[f"{key}.open"]

    def edited() -> None:
        edit = sent(lambda: _Edit.of(st.session_state[key]["edit"], numbers))
        if edit is None:
            return
        name, landed = edit.name, edit.landed
        if edit.does:
            settings.edit(_done(numbers[name], edit.does), landed=landed)
            known.refused.pop(name, None)
            on_edit(edit.number_first)
            return
        before = known.before.setdefault(name, settings[name])
        known.refused.pop(name, None)
        try:
            settings.edit({name: settings.parse(name, edit.value)}, landed=landed)
        except ValueError as wrong:
            if landed:
                settings.edit({name: before})
                known.refused[name] = str(wrong), before
        if landed:
            del known.before[name]
        on_edit(edit.number_first)

    _mount(
        key=key,
        data={
            "fields": [_field(settings, number, known.refused) for number in shown],
            "answered": last or 0,
            "drawsLater": on_draw is not None,
            "rests": on_rest is not None,
        },
        on_edit_change=edited,
        on_rest_change=on_rest or (lambda: None),
        on_draw_change=on_draw or (lambda: None),
    )


class _Edit(NamedTuple):
    """One edit, as the browser tells it: the number of a setting, or what a button does to it."""

    name: str
    value: str
    does: str
    landed: bool
    number_first: bool

    @classmethod
    def of(cls, told: dict[str, Any], shown: Collection[str]) -> _Edit:
        """Raises ValueError, KeyError or TypeError if it tells of nothing that is shown."""
        if told["name"] not in shown or told["does"] not in (*_DOES, "", None):
            raise ValueError("no edit of these numbers")
        return cls(
            told["name"],
            str(told["value"]),
            told["does"] or "",
            bool(told["landed"]),
            bool(told["numberFirst"]),
        )


_DOES = ("toggle", "before", "after")


def _done(number: LiveNumber, does: str) -> Mapping[str, Any]:
    """The settings that a button leads to, or a step past an end; none where it is gone."""
    if does == "toggle":
        return number.toggle.settings if number.toggle else {}
    return {"before": number.before, "after": number.after}[does] or {}


def _field(settings: Settings, number: LiveNumber, refused: dict[str, _Refusal]) -> dict[str, Any]:
    value = settings[number.name]
    problem, kept = refused.get(number.name, ("", value))
    return {
        "name": number.name,
        "label": number.label,
        "text": settings.spec(number.name).format(value),
        "step": number.step,
        "reading": number.reading,
        "playable": number.playable,
        "isWide": number.is_wide,
        "spoken": number.spoken,
        "hasBefore": number.before is not None,
        "hasAfter": number.after is not None,
        "toggle": number.toggle and {"label": number.toggle.label, "isOn": number.toggle.is_on},
        "problem": problem if kept == value else "",
        "slider": _slider(number.values, value) if number.values else None,
    }


def _slider(values: Sequence[float], value: float) -> dict[str, Any]:
    nearest = _nearest(values, value)
    if isinstance(values, range) and values.step == 1:
        return {"min": values[0], "max": values[-1], "values": None, "position": values[nearest]}
    return {"min": 0, "max": len(values) - 1, "values": list(values), "position": nearest}


def _nearest(values: Sequence[float], number: float) -> int:
    above = min(bisect_left(values, number), len(values) - 1)
    below = max(above - 1, 0)
    return below if number - values[below] <= values[above] - number else above
