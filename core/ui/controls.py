"""Numbers that are live: they send while the hand moves or types, where Streamlit's own wait.

Each is a native `<input type=number>`, and where a slider is wanted an `<input type=range>` beside
it, so keyboard, touch and screen reader work as they do everywhere. They keep no state of their
own: an edit is written to its setting, and the setting is what they show. What the setting does not
allow is answered with a sentence, changes nothing, and stays in the field to be mended.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from core.ui.settings import Number

_HERE = Path(__file__).parent

_mount = st.components.v2.component(
    "controls",
    html='<div class="controls"></div>',
    css=(_HERE / "controls.css").read_text(encoding="utf-8"),
    js=(_HERE / "controls.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class Control:
    """How a number is shown.

    values: where its slider can stand, ascending; no slider without. A number between two values
    puts the thumb at the nearest. reading: what the number leads to, in words, shown below it.
    playable: offer a button that walks through the values. step: what the arrow keys add.
    """

    setting: Number
    label: str
    values: Sequence[float] = ()
    reading: str = ""
    playable: bool = False
    step: float = 0.05


def controls(
    shown: Sequence[Control],
    *,
    key: str,
    on_edit: Callable[[bool, bool], None],
    on_rest: Callable[[], None],
    on_draw: Callable[[], None] | None = None,
) -> None:
    """Draw the controls; each writes `st.session_state[setting.name]`.

    Call it early in a fragment: the next value leaves when this one has been answered.
    on_edit: called after each edit with two words. `landed` is False while the hand is still at it.
    `quick` is True where only the number need be answered, because `on_draw` will be called next:
    for the first edit after a pause, as by a key, and only where `on_draw` is given.
    on_rest: called once when no edit has followed for a moment: what takes longer can wait for it.
    """
    problems: dict[str, str] = st.session_state.setdefault(f"{key}.problems", {})
    settings = {control.setting.name: control.setting for control in shown}
    last: dict[str, Any] = (st.session_state.get(key) or {}).get("edit") or {}

    def edited() -> None:
        edit = st.session_state[key]["edit"]
        setting = settings[edit["name"]]
        problems.pop(setting.name, None)
        try:
            st.session_state[setting.name] = setting.parse(str(edit["value"]))
        except ValueError as wrong:
            if edit["landed"]:
                problems[setting.name] = str(wrong)
        on_edit(bool(edit["landed"]), bool(edit["quick"]))

    _mount(
        key=key,
        data={
            "fields": [_field(control, problems) for control in shown],
            "seen": last.get("seq", 0),
            "quick": on_draw is not None,
        },
        on_edit_change=edited,
        on_rest_change=on_rest,
        on_draw_change=on_draw or (lambda: None),
    )


def _field(control: Control, problems: dict[str, str]) -> dict[str, Any]:
    setting, values = control.setting, control.values
    value = st.session_state[setting.name]
    return {
        "name": setting.name,
        "label": control.label,
        "text": setting.format(value),
        "step": control.step,
        "reading": control.reading,
        "playable": control.playable,
        "problem": problems.get(setting.name, ""),
        "slider": _slider(values, value) if values else None,
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
