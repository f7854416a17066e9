"""The 2-2-2 network as a picture: six nodes, eight edges, each with its value and its formula."""

from __future__ import annotations

from collections.abc import Set
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from core.backprop.derivation import (
    EDGES,
    biases_of,
    gradient_formula,
    node_formula,
    signal,
    step_formula,
)
from core.backprop.network import History
from core.ui.arrow import as_table
from core.ui.backprop.charts import HEIGHT, TIGHT
from core.ui.charts import picked
from core.ui.colours import FORWARD, GRADIENT_DOWN, GRADIENT_UP, NEUTRAL

if TYPE_CHECKING:
    import pyarrow as pa

# Places on a canvas of 100 × 100, read left to right like the forward pass.
NODES = {
    "i1": (9, 74),
    "i2": (9, 26),
    "h1": (50, 74),
    "h2": (50, 26),
    "o1": (91, 74),
    "o2": (91, 26),
}
WIDEST, THINNEST = 8.0, 0.8
_FAINT = 0.25


@cache
def diagram_spec(show: str) -> dict[str, Any]:
    """The network with edges drawn by "weights" or "gradients"; data sets `edges` and `nodes`."""
    import altair as alt  # late, as in core.ui.charts

    def x(field: str) -> alt.X:
        return alt.X(field, type="quantitative", axis=None, scale=alt.Scale(domain=[0, 100]))

    def y(field: str) -> alt.Y:
        return alt.Y(field, type="quantitative", axis=None, scale=alt.Scale(domain=[0, 100]))

    edges, nodes = alt.Chart(alt.NamedData("edges")), alt.Chart(alt.NamedData("nodes"))
    legend = (
        "edges: weights, dashed below zero"
        if show == "weights"
        else "edges: gradients ∂E/∂w, orange above zero, purple and dashed below"
    )
    up, down = (FORWARD, FORWARD) if show == "weights" else (GRADIENT_UP, GRADIENT_DOWN)
    ends: dict[str, Any] = {"x": x("x"), "y": y("y"), "x2": "x2:Q", "y2": "y2:Q"}
    lines = edges.mark_rule(aria=False).encode(
        **ends,
        strokeOpacity=alt.StrokeOpacity("strength:Q", scale=None),
        strokeWidth=alt.StrokeWidth("width:Q", scale=None),
        color=alt.condition("datum.sign >= 0", alt.value(up), alt.value(down)),
        strokeDash=alt.condition("datum.sign >= 0", alt.value([1, 0]), alt.value([8, 5])),
    )
    labels = (
        edges.mark_text(fontSize=12, align="left", baseline="middle", aria=False)
        .encode(
            x=x("label_x"),
            y=y("label_y"),
            text="label:N",
            fillOpacity=alt.FillOpacity("strength:Q", scale=None),
        )
        .properties(name="labels")
    )
    place: dict[str, Any] = {"x": x("x"), "y": y("y")}
    circles = nodes.mark_point(
        filled=True, size=3000, color=FORWARD, opacity=1, stroke=NEUTRAL, strokeWidth=1, aria=False
    ).encode(**place)
    rings = nodes.mark_point(
        filled=False, size=3700, strokeWidth=2.5, opacity=1, aria=False
    ).encode(
        **place,
        stroke=alt.Stroke("hue:N", scale=None),
        strokeOpacity=alt.StrokeOpacity("ring:Q", scale=None),
    )
    inside: dict[str, Any] = {"fontSize": 12, "color": "white", "aria": False}
    names = nodes.mark_text(dy=-8, fontWeight="bold", **inside).encode(**place, text="name:N")
    values = nodes.mark_text(dy=9, **inside).encode(**place, text="value:N")
    notes = (
        nodes.mark_text(fontSize=12, aria=False)
        .encode(x=x("x"), y=y("note_y"), text="note:N")
        .properties(name="notes")
    )
    biases = (
        nodes.mark_text(fontSize=12, aria=False)
        .encode(x=x("x"), y=y("bias_y"), text="bias:N")
        .properties(name="biases")
    )
    # What the pointer and a screen reader meet: unseen, on top, wide enough to hit.
    edge_targets = (
        edges.mark_rule(strokeWidth=18, strokeOpacity=0, cursor="pointer")
        .encode(
            **ends,
            tooltip=[
                alt.Tooltip("name:N", title="weight"),
                alt.Tooltip("weight:N", title="value"),
                alt.Tooltip("gradient:N", title="gradient"),
                alt.Tooltip("numbers:N", title="in numbers"),
                alt.Tooltip("step:N", title="next epoch"),
            ],
            description="spoken:N",
        )
        .add_params(picked())
    )
    node_targets = nodes.mark_point(
        filled=True, size=3000, opacity=1, fillOpacity=0, strokeOpacity=0
    ).encode(
        **place,
        tooltip=[
            alt.Tooltip("name:N", title="node"),
            alt.Tooltip("formula:N", title="formula"),
            alt.Tooltip("numbers:N", title="in numbers"),
        ],
        description="spoken:N",
    )
    spec: dict[str, Any] = (
        alt.layer(
            lines, labels, circles, rings, names, values, notes, biases, edge_targets, node_targets
        )
        .properties(
            height=HEIGHT,
            title=alt.Title("The network at the chosen epoch", subtitle=legend, offset=8),
            padding=TIGHT,
        )
        .configure_view(stroke=None)
        .to_dict(validate=False)
    )
    return spec


def diagram_data(
    history: History,
    epoch: int,
    show: str,
    lit: Set[str] = frozenset(),
    hue: str = GRADIENT_UP,
) -> dict[str, pa.Table]:
    """The data sets of `diagram_spec`: the numbers of the 1-based `epoch`, formulas included.

    Edge widths are shares of the largest magnitude in the whole run, so that scrubbing through the
    epochs shows it grow and shrink. lit: the weights and nodes that stand out; none: all alike.
    hue: of the rings around those nodes.
    """
    v, network = history.row(epoch), history.setup.network
    drawn = [weight if show == "weights" else f"∂E/∂{weight}" for weight in EDGES]
    largest = float(max(np.abs(history.column(name)).max() for name in drawn)) or 1.0
    eta = float(history.learning_rate[epoch - 1])
    last = epoch == history.epochs

    edges = []
    for weight, (source, target) in EDGES.items():
        (x, y), (x2, y2) = NODES[source], NODES[target]
        gradient = f"∂E/∂{weight}"
        shown = v[weight if show == "weights" else gradient]
        along, lift = (0.5, 5) if y == y2 else (0.3, 3 if y > y2 else -3)
        formula = gradient_formula(weight, v, network)
        step, is_kept = step_formula(weight, v, eta), weight not in network.moving
        edges.append(
            {
                "name": weight,
                "label": (
                    f"{weight} = {shown:.4g}" if show == "weights" else f"{weight}: {shown:+.2e}"
                )
                + (" (kept)" if is_kept else ""),
                **{"x": x, "y": y, "x2": x2, "y2": y2},
                "label_x": x + along * (x2 - x) + ((-12 if is_kept else -8) if y == y2 else 2),
                "label_y": y + along * (y2 - y) + (lift if y > 50 or y != y2 else -5),
                "width": THINNEST + (WIDEST - THINNEST) * abs(shown) / largest,
                "strength": _FAINT if lit and weight not in lit else 1.0,
                "sign": float(np.sign(shown)),
                "weight": repr(v[weight]),
                "gradient": f"{gradient} = {formula.symbols}",
                "spoken": f"{weight} from {source} to {target}: {v[weight]:.6g}, "
                f"gradient {v[gradient]:.6g}",
                "numbers": formula.numbers,
                "step": "none, this is the last epoch"
                if last
                else "none, it is kept"
                if is_kept
                else step.numbers,
            }
        )
    nodes = []
    for name, (x, y) in NODES.items():
        net, sent = node_formula(name, v, network), signal(name)
        bias = "".join(f"+ {b} = {v[b]:.4g}" for b in biases_of(name, network))
        error = {"o1": ("t1", "E1"), "o2": ("t2", "E2")}.get(name)
        nodes.append(
            {
                **{"name": name, "x": x, "y": y},
                "value": f"{v[sent]:.4f}",
                "note": f"{error[0]} = {v[error[0]]:g},  {error[1]} = {v[error[1]]:.4f}"
                if error
                else f"epoch {epoch}"
                if name == "i1"
                else "",
                "note_y": y + (21 if y > 50 else -21),
                "bias": bias,
                "bias_y": y - (19 if y > 50 else -19),
                "ring": float(name in lit),
                "hue": hue,
                "spoken": f"{name}: {v[sent]:.6g} {bias}".rstrip(),
                "formula": f"{name} = {net.symbols};  "
                f"{sent} = {network.activation_of(name).symbol}({name})"
                if net
                else "given",
                "numbers": f"{name} = {net.numbers};  {sent} = {v[sent]:.6g}"
                if net
                else f"{name} = {v[name]!r}",
            }
        )
    return {"edges": _by_column(edges), "nodes": _by_column(nodes)}


def _by_column(rows: list[dict[str, Any]]) -> pa.Table:
    return as_table({name: [row[name] for row in rows] for name in rows[0]})
