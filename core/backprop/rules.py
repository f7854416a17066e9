"""The arithmetic of network.py as spreadsheets write it, in the names of the columns.

This module knows which quantity follows from which, read from the edges of derivation.py. Where
those quantities stand in a sheet it does not know: `in_cells` is told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from core.backprop.derivation import BIASED, EDGES, biases_of, signal
from core.backprop.network import COURSE, Network

NODES = ("h1", "h2", "o1", "o2")


def _net(node: str, network: Network) -> str:
    into = ((weight, source) for weight, (source, target) in EDGES.items() if target == node)
    products = [f"{weight}*{signal(source)}" for weight, source in into]
    return "+".join([*products, *biases_of(node, network)])


def _delta(node: str, network: Network, *, inline: bool) -> str:
    """∂E/∂net input of `node`; `inline` writes out the outputs' own where a hidden one needs them.

    Otherwise those are columns that it refers to.
    """
    slope = network.activation_of(node).slope_cell.format(out=f"out_{node}")
    if node.startswith("o"):
        return f"(out_{node}-t{node[1]})*{slope}"
    away = ((weight, target) for weight, (source, target) in EDGES.items() if source == node)
    back = (
        f"{_delta(o, network, inline=True) if inline else f'∂E/∂{o}'}*{weight}"
        for weight, o in away
    )
    return f"({'+'.join(back)})*{slope}"


def _gradient(parameter: str, network: Network) -> str:
    if parameter in BIASED:
        return "+".join(_delta(node, network, inline=True) for node in BIASED[parameter])
    source, target = EDGES[parameter]
    return f"{_delta(target, network, inline=True)}*{signal(source)}"


def _halved_square(k: int) -> str:
    return f"0.5*(t{k}-out_o{k})^2"


def forward_rules(network: Network) -> dict[str, str]:
    """Column of the forward pass -> its formula from cells of the same row."""
    outs = {f"out_{n}": network.activation_of(n).cell.format(x=n) for n in NODES}
    return {node: _net(node, network) for node in NODES} | outs


def table_rules(network: Network) -> dict[str, str]:
    """Column -> its formula from cells of the same row."""
    return {
        **forward_rules(network),
        **{"E1": _halved_square(1), "E2": _halved_square(2), "E_total": "E1+E2"},
        **{f"∂E/∂{name}": _gradient(name, network) for name in network.learned},
    }


def table_steps(network: Network) -> dict[str, str]:
    """Parameter -> its formula from cells of the row above."""
    return {
        name: f"{name}-η*∂E/∂{name}" if name in network.moving else name
        for name in network.parameters
    }


def block_rules(network: Network) -> dict[str, str]:
    """As `table_rules`, with a column for ∂E/∂net input of each node and none for the gradients."""
    return {
        **forward_rules(network),
        **{f"∂E/∂{node}": _delta(node, network, inline=False) for node in NODES},
        "E_total": f"{_halved_square(1)}+{_halved_square(2)}",
    }


def block_steps(network: Network) -> dict[str, str]:
    """As `table_steps`, from those columns."""

    def slope(name: str) -> str:
        if name in BIASED:
            return "+".join(f"∂E/∂{node}" for node in BIASED[name])
        source, target = EDGES[name]
        return f"∂E/∂{target}*{signal(source)}"

    return {
        name: f"{name}-η*({slope(name)})" if name in network.moving else name
        for name in network.parameters
    }


TABLE_RULES, TABLE_STEPS = table_rules(COURSE), table_steps(COURSE)
BLOCK_RULES = block_rules(COURSE)

_NAME = re.compile(r"∂E/∂[whob]\d|out_[ho]\d|E_total|[Ebihotw]\d|η")


def names_in(rule: str) -> list[str]:
    """The quantities a rule is made of, in order, each once."""
    return list(dict.fromkeys(_NAME.findall(rule)))


def in_cells(rule: str, cells: Mapping[str, str]) -> str:
    """The rule with each name replaced by its cell."""
    return _NAME.sub(lambda name: cells[name[0]], rule)
