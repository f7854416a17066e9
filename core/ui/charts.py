"""What all charts share: Vega-Lite specifications made by Altair once, and the data that fill them.

A specification holds names of data sets and no numbers. So it never changes while a person drags,
and the browser moves the marks of the chart it has instead of building a new one. Altair is only
imported when the first one is made: a page's first numbers are on the screen before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from core.ui.colours import NEUTRAL
from core.ui.sent import sent

if TYPE_CHECKING:
    import altair as alt
    import pyarrow as pa

_PICKED, _TURN = "picked", "turn"
_LETTER, _SYMBOL = 6, 32  # px: a letter of a legend, its symbol with the space around it


def draw(
    spec: Mapping[str, Any],
    datasets: Mapping[str, pa.Table],
    *,
    key: str,
    alt_text: str,
    width: Literal["stretch", "content"] = "stretch",
    on_pick: Callable[[str], None] | None = None,
) -> None:
    """Draw `spec` with `datasets`.

    alt_text: what the chart shows, but not its numbers of now: it is part of the chart, and a chart
    whose text changes is built anew. width: the column's, or what `spec` says. on_pick: called with
    the name of what was clicked, in a chart that has `picked`.
    """
    if on_pick is None:
        chart = {**spec, "datasets": dict(datasets)}
        st.vega_lite_chart(chart, key=key, alt=alt_text, width=width)
        return

    turn_key = f"{key} {_TURN}"
    turn = st.session_state.setdefault(turn_key, 0)

    def selected() -> None:
        name = sent(lambda: st.session_state[key]["selection"][_PICKED][0]["name"])
        if isinstance(name, str):
            st.session_state[turn_key] = turn + 1
            on_pick(name)

    turned = {
        name: table.append_column(_TURN, [[turn] * table.num_rows])
        for name, table in datasets.items()
    }
    st.vega_lite_chart(
        {**spec, "datasets": turned},
        key=key,
        alt=alt_text,
        width=width,
        on_select=selected,
        selection_mode=_PICKED,
    )


def picked() -> alt.Parameter:
    """The mark that is clicked, by its field `name`.

    Only a change of the selection is a message to the server, so each answer makes all marks other
    ones, by `draw`'s count of the clicks: a second click on a mark is one more.
    """
    import altair as alt

    return alt.selection_point(
        name=_PICKED, fields=["name", _TURN], on="click", clear=False, toggle=False, empty=False
    )


def hover_rule(
    x: alt.X, tooltip: Sequence[alt.Tooltip], rows: alt.Chart | None = None
) -> alt.Chart:
    """A line at the row nearest to the pointer, with its numbers; rows: else data set `hover`."""
    import altair as alt

    nearest = alt.selection_point(
        name="nearest",
        nearest=True,
        on="pointerover",
        encodings=["x"],
        empty=False,
        clear="pointerout",
    )
    rule: alt.Chart = (
        (rows or alt.Chart(alt.NamedData("hover")))
        .mark_rule(color=NEUTRAL, aria=False)
        .encode(
            x=x,
            strokeOpacity=alt.condition(nearest, alt.value(0.7), alt.value(0)),
            tooltip=[*tooltip],
        )
        .add_params(nearest)
    )
    return rule


def epoch_axis() -> alt.X:
    """Whole epochs from the first to the last."""
    import altair as alt

    return alt.X(
        "epoch:Q",
        title="epoch",
        scale=alt.Scale(nice=False),
        axis=alt.Axis(format="d", tickMinStep=1),
    )


def top_legend(words: Iterable[str], **options: Any) -> alt.Legend:
    """A legend of `words` above the chart; options: of `altair.Legend`."""
    import altair as alt

    longest = max((len(word) for word in words), default=0) * _LETTER + _SYMBOL
    return alt.Legend(orient="top", columns=legend_columns(longest), **options)


def legend_columns(longest: int) -> alt.ExprRef:
    """As many columns as the chart has room for; longest: px of the longest entry."""
    import altair as alt

    return alt.ExprRef(f"max(1, floor(width / {longest}))")
