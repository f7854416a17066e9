"""The arithmetic of network.py as spreadsheets write it, in the names of the columns.

This module knows which quantity follows from which, read from the edges of derivation.py. Where
those quantities stand in a sheet it does not know: `in_cells` is told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from core.backprop.derivation import EDGES, signal
from core.backprop.network import WEIGHTS

NODES = ("h1", "h2", "o1", "o2")


def _net(node: str) -> str:
    into = ((weight, source) for weight, (source, target) in EDGES.items() if target == node)
    return "+".join(f"{weight}*{signal(source)}" for weight, source in into)


def _delta(node: str, *, inline: bool) -> str:
    """∂E/∂net input of `node`; `inline` writes out the outputs' own where a hidden one needs them.

    Otherwise those are columns that it refers to.
    """
    slope = f"out_{node}*(1-out_{node})"
    if node.startswith("o"):
        return f"(out_{node}-t{node[1]})*{slope}"
    away = ((weight, target) for weight, (source, target) in EDGES.items() if source == node)
    back = (f"{_delta(o, inline=True) if inline else f'∂E/∂{o}'}*{weight}" for weight, o in away)
    return f"({'+'.join(back)})*{slope}"


def _halved_square(k: int) -> str:
    return f"0.5*(t{k}-out_o{k})^2"


FORWARD_RULES = {
    **{node: _net(node) for node in NODES},
    **{f"out_{node}": f"1/(1+EXP(-{node}))" for node in NODES},
}
"""Column -> its formula from cells of the same row."""
TABLE_RULES = {
    **FORWARD_RULES,
    **{"E1": _halved_square(1), "E2": _halved_square(2), "E_total": "E1+E2"},
    **{
        f"∂E/∂{weight}": f"{_delta(target, inline=True)}*{signal(source)}"
        for weight, (source, target) in EDGES.items()
    },
}
TABLE_STEPS = {weight: f"{weight}-η*∂E/∂{weight}" for weight in WEIGHTS}
"""Weight -> its formula from cells of the row above."""

BLOCK_RULES = {
    **FORWARD_RULES,
    **{f"∂E/∂{node}": _delta(node, inline=False) for node in NODES},
    "E_total": f"{_halved_square(1)}+{_halved_square(2)}",
}
"""As `TABLE_RULES`, with a column for ∂E/∂net input of each node and none for the gradients."""
BLOCK_STEPS = {
    weight: f"{weight}-η*(∂E/∂{target}*{signal(source)})"
    for weight, (source, target) in EDGES.items()
}

_NAME = re.compile(r"∂E/∂[who]\d|out_[ho]\d|E_total|[Eihotw]\d|η")


def names_in(rule: str) -> list[str]:
    """The quantities a rule is made of, in order, each once."""
    return list(dict.fromkeys(_NAME.findall(rule)))


def in_cells(rule: str, cells: Mapping[str, str]) -> str:
    """The rule with each name replaced by its cell."""
    return _NAME.sub(lambda name: cells[name[0]], rule)
