"""The derivatives checked by three other ways, and why differences are never exact."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from core.backprop.check import Check, StepErrors, check, step_errors
from core.ui.arrow import as_table
from core.ui.backprop.settings import chosen_epoch, current_run, learned_parameter, settings
from core.ui.charts import draw, hover_rule, top_legend
from core.ui.colours import GRADIENT_UP, NEUTRAL
from core.ui.site import redraw

if TYPE_CHECKING:
    import pandas as pd

WAYS = {
    "autograd": "automatic differentiation",
    "complex_step": "complex step",
    "central": "central difference",
}
LINES = ("forward difference", "central difference", "expected")


def checks() -> None:
    """The table of all ways, and the errors of two differences by their step."""
    setup = current_run().setup_at(chosen_epoch())
    found = check(setup)
    st.markdown(
        "The same derivatives at the chosen epoch, found without the chain rule on paper: by "
        "torch's automatic differentiation, by an imaginary step of 10⁻²⁰⁰, and by a difference "
        "of two errors. "
        f"The largest relative error: {', '.join(_worst(found, way) for way in WAYS)}."
    )
    table = _table(found, setup.network.learned)
    st.dataframe(
        table,
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(format="%.1e" if "error" in name else "%.12e")
            for name in table.columns[1:]
        },
    )
    weight = learned_parameter("weight")
    st.pills(
        "Differences of the derivative by",
        setup.network.learned,
        default=weight,
        required=True,
        wrap=True,
        **settings.widget("weight", then=lambda: redraw("panel")),
    )
    errors = step_errors(setup, weight)
    if not (errors.forward.any() or errors.central.any()):
        st.info("Here E_total does not depend on it: both differences are exactly 0.")
    draw(
        steps_spec(),
        steps_data(errors),
        key="steps",
        alt_text="Error of the forward and the central difference against the step size, both axes "
        "logarithmic, with the errors that theory expects",
    )
    st.caption(
        "A large step misses the curve's bend: its error falls with h, or with h² for the central "
        "difference. A small one loses digits: E(w + h) and E(w) agree in most of theirs, and the "
        "rest is divided by h. Between them lies the V, and no step is right to the last digit."
    )


def _worst(found: Check, way: str) -> str:
    return f"{found.errors(way).max():.1e} by {WAYS[way]}"


def _table(found: Check, learned: Sequence[str]) -> pd.DataFrame:
    import pandas as pd  # late, as it takes longer than the page's first numbers may

    columns: dict[str, Any] = {
        "derivative": [f"∂E/∂{name}" for name in learned],
        "chain rule": found.chain_rule,
    }
    for way, words in WAYS.items():
        columns |= {words: getattr(found, way), f"{words}: error": found.errors(way)}
    return pd.DataFrame(columns)


@cache
def steps_spec() -> dict[str, Any]:
    """Errors against the step size; data sets `errors`, `expected` and `hover`."""
    import altair as alt

    x = alt.X(
        "step:Q",
        title="step h (log scale)",
        scale=alt.Scale(type="log", nice=False),
        axis=alt.Axis(format="~e", tickCount=8),
    )
    y = alt.Y(
        "error:Q",
        title="error of ∂E/∂w (log scale)",
        scale=alt.Scale(type="log", domain=[1e-18, 1], nice=False),
        axis=alt.Axis(format="~e", tickCount=6),
    )
    dash = alt.StrokeDash(
        "line:N",
        title=None,
        scale=alt.Scale(domain=LINES, range=[[6, 3], [1, 0], [2, 3]]),
        legend=top_legend(LINES, symbolSize=400, symbolStrokeWidth=2, symbolStrokeColor=NEUTRAL),
    )
    errors, expected = alt.Chart(alt.NamedData("errors")), alt.Chart(alt.NamedData("expected"))
    lines = (
        errors.transform_filter("datum.error > 0")
        .mark_line(color=GRADIENT_UP, strokeWidth=2, clip=True, aria=False)
        .encode(x=x, y=y, strokeDash=dash)
    )
    theory = (
        expected.transform_filter("datum.error > 0")
        .mark_line(color=NEUTRAL, strokeWidth=1.5, clip=True, aria=False)
        .encode(x=x, y=y, strokeDash=dash, detail="law:N")
    )
    # Each beside its line, on the side where nothing else is.
    labels = expected.transform_filter("datum.name != '' && datum.error > 1e-18")
    sides: tuple[tuple[str, str, Literal["left", "right"], int], ...] = (
        ("labels", "true", "left", 4),
        ("notes", "false", "right", -4),
    )
    falling, rising = (
        labels.transform_filter(f"datum.line_falls == {falls}")
        .mark_text(fontSize=12, align=align, dx=dx, dy=-8, aria=False)
        .encode(x=x, y=y, text="name:N")
        .properties(name=layer)
        for layer, falls, align, dx in sides
    )
    tooltip = [
        alt.Tooltip("step:Q", title="step h", format=".2e"),
        alt.Tooltip("forward:Q", title="forward difference is off by", format=".2e"),
        alt.Tooltip("central:Q", title="central difference is off by", format=".2e"),
    ]
    return (
        alt.layer(theory, lines, falling, rising, hover_rule(x, tooltip))
        .properties(height=400, title="Error of differences")
        .to_dict(validate=False)
    )


def steps_data(found: StepErrors) -> dict[str, Any]:
    """The data sets of `steps_spec`."""
    laws = {
        "h · |E″| / 2": (found.forward_theory, 62),
        "h² · |E‴| / 6": (found.central_theory, 76),
        "ε · E / h": (found.rounding, 10),
    }
    measured = {LINES[0]: found.forward, LINES[1]: found.central}
    size = len(found.steps)

    def long(series: dict[str, Any]) -> dict[str, Any]:
        return {
            "step": [*found.steps] * len(series),
            "error": [float(v) for values in series.values() for v in values],
        }

    return {
        "errors": as_table(
            {**long(measured), "line": [name for name in measured for _ in range(size)]}
        ),
        "expected": as_table(
            {
                **long({law: values for law, (values, _) in laws.items()}),
                "line": [LINES[2]] * size * len(laws),
                "line_falls": [law.startswith("ε") for law in laws for _ in range(size)],
                "law": [law for law in laws for _ in range(size)],
                "name": [
                    law if k == place else ""
                    for law, (_, place) in laws.items()
                    for k in range(size)
                ],
            }
        ),
        "hover": as_table(
            {"step": found.steps, "forward": found.forward, "central": found.central}
        ),
    }
