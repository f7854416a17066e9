"""The formulas of the 2-2-2 network, in symbols and with a row's numbers put in.

A row maps the table's column names to numbers: one epoch of `History.table()`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from core.backprop.network import WEIGHTS

Row = Mapping[str, float]

EDGES: dict[str, tuple[str, str]] = {
    **{"w1": ("i1", "h1"), "w2": ("i2", "h1"), "w3": ("i1", "h2"), "w4": ("i2", "h2")},
    **{"w5": ("h1", "o1"), "w6": ("h2", "o1"), "w7": ("h1", "o2"), "w8": ("h2", "o2")},
}
"""weight -> (the node it comes from, the node it goes to)."""


class Formula(NamedTuple):
    """The same right-hand side twice: as symbols, and as a row's numbers with their result."""

    symbols: str
    numbers: str


def signal(node: str) -> str:
    """The column that holds what `node` sends on: an input itself, else its activation."""
    return node if node.startswith("i") else f"out_{node}"


def node_formula(node: str, row: Row) -> Formula | None:
    """The net input of `node`, h1 … o2; None for an input, which is given."""
    into = [
        (weight, signal(source)) for weight, (source, target) in EDGES.items() if target == node
    ]
    if not into:
        return None
    return Formula(
        " + ".join(f"{weight}·{sent}" for weight, sent in into),
        " + ".join(f"{row[weight]:.4g}·{row[sent]:.4g}" for weight, sent in into)
        + f" = {row[node]:.6g}",
    )


def gradient_formula(weight: str, row: Row) -> Formula:
    """∂E/∂weight by the chain rule: the target's ∂E/∂net input times what the source sends."""
    source, target = EDGES[weight]
    symbols, numbers = _delta(target, row)
    sent = signal(source)
    return Formula(f"{symbols}·{sent}", f"{numbers}·{row[sent]:.4g} = {row[f'∂E/∂{weight}']:.6g}")


def step_formula(weight: str, row: Row, learning_rate: float) -> Formula:
    """The weight of the next epoch: one step down the gradient."""
    value, gradient = row[weight], row[f"∂E/∂{weight}"]
    result = value - learning_rate * gradient
    return Formula(
        f"{weight} − η·∂E/∂{weight}",
        f"{value:.6g} − {learning_rate:g}·({gradient:.6g}) = {result:.6g}",
    )


@cache
def column_formulas() -> dict[str, str]:
    """Column of the table -> how it is computed, in symbols."""
    blank = dict.fromkeys(WEIGHTS, 0.0)
    blank |= dict.fromkeys([f"∂E/∂{w}" for w in WEIGHTS] + ["i1", "i2", "t1", "t2"], 0.0)
    for node in ("h1", "h2", "o1", "o2"):
        blank |= {node: 0.0, f"out_{node}": 0.5}
    formulas = {"t1": "target of o1", "t2": "target of o2", "i1": "input", "i2": "input"}
    for weight in WEIGHTS:
        formulas[weight] = (
            f"from row 2 on: {step_formula(weight, blank, 0.0).symbols} of the row above"
        )
        formulas[f"∂E/∂{weight}"] = gradient_formula(weight, blank).symbols
    for node in ("h1", "h2", "o1", "o2"):
        net = node_formula(node, blank)
        formulas[node] = net.symbols if net else ""
        formulas[f"out_{node}"] = f"σ({node}) = 1 / (1 + e^−{node})"
    formulas |= {"E1": "½·(t1 − out_o1)²", "E2": "½·(t2 − out_o2)²", "E_total": "E1 + E2"}
    return formulas


def _delta(node: str, row: Row) -> Formula:
    """∂E/∂net input of a hidden or output node, without its value."""
    out = row[f"out_{node}"]
    slope = f"out_{node}·(1 − out_{node})", f"{out:.4g}·(1 − {out:.4g})"
    if node in ("o1", "o2"):
        target = f"t{node[1]}"
        return Formula(
            f"(out_{node} − {target})·{slope[0]}", f"({out:.4g} − {row[target]:.4g})·{slope[1]}"
        )
    away = [(weight, target) for weight, (source, target) in EDGES.items() if source == node]
    back = {
        o: (row[f"out_{o}"] - row[f"t{o[1]}"]) * row[f"out_{o}"] * (1 - row[f"out_{o}"])
        for _, o in away
    }
    return Formula(
        "(" + " + ".join(f"∂E/∂{o}·{weight}" for weight, o in away) + f")·{slope[0]}",
        "("
        + " + ".join(f"{back[o]:.4g}·{row[weight]:.4g}" for weight, o in away)
        + f")·{slope[1]}",
    )
