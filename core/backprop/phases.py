"""One epoch, number by number, in the order in which a person computes it.

This module knows the order, and what each number is computed from. The formulas themselves, in
symbols and in numbers, are those of derivation.py.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

from core.backprop.derivation import (
    BIASED,
    EDGES,
    Formula,
    Row,
    Shown,
    activation_formula,
    biases_of,
    delta_formula,
    error_formula,
    gradient_formula,
    node_formula,
    path_names,
    signal,
    step_formula,
)
from core.backprop.network import Network

PHASES = ("Forward", "Errors", "Output deltas", "Derivatives", "Update")
_FORWARD, _ERRORS, _DELTAS, _DERIVATIVES, _UPDATE = PHASES
_NODES = ("h1", "h2", "o1", "o2")


class PhaseStep(NamedTuple):
    """One number that an epoch computes.

    phase: one of `PHASES`. name: its column, or ∂E/∂o1, ∂E/∂o2, which have none; of the update the
    parameter, whose new value stands in the next epoch's row. used: the columns of its own row that
    it is computed from. lit: the edges and nodes of the diagram that take part. formula: of a row,
    the learning rate, and how numbers and results are written.
    """

    phase: str
    name: str
    used: tuple[str, ...]
    lit: frozenset[str]
    formula: Callable[[Row, float, Shown, Shown], Formula]

    @property
    def is_update(self) -> bool:
        """Whether the number is one of the next epoch."""
        return self.phase == _UPDATE

    def line(self, row: Row, learning_rate: float, shown: Shown, result: Shown) -> str:
        """The number with its formula, in symbols and then in numbers."""
        symbols, numbers = self.formula(row, learning_rate, shown, result)
        return f"{self.name} {'←' if self.is_update else '='} {symbols} = {numbers}"


@cache
def phase_steps(network: Network) -> tuple[PhaseStep, ...]:
    """All numbers of an epoch: forward, errors, output deltas, derivatives, update.

    A parameter that is kept, or stays, takes no step, and has none here.
    """
    return (
        *(step for node in _NODES for step in _forward(node, network)),
        *map(_error, ("E1", "E2", "E_total")),
        *(_delta(node, network) for node in ("o1", "o2")),
        *(_derivative(name, network) for name in network.learned),
        *map(_update, network.moving),
    )


def _forward(node: str, network: Network) -> list[PhaseStep]:
    into = {weight: source for weight, (source, target) in EDGES.items() if target == node}
    sums = (*into, *map(signal, into.values()), *biases_of(node, network))

    def net(row: Row, _: float, shown: Shown, result: Shown) -> Formula:
        found = node_formula(node, row, network, shown, result)
        assert found is not None  # only an input has none
        return found

    def out(row: Row, _: float, shown: Shown, result: Shown) -> Formula:
        return activation_formula(node, row, network, shown, result)

    return [
        PhaseStep(_FORWARD, node, sums, frozenset({node, *into}), net),
        PhaseStep(_FORWARD, f"out_{node}", (node,), frozenset({node}), out),
    ]


def _error(name: str) -> PhaseStep:
    outputs = ("1", "2") if name == "E_total" else (name[1],)
    used = ("E1", "E2") if name == "E_total" else (f"t{name[1]}", f"out_o{name[1]}")
    return PhaseStep(
        *(_ERRORS, name, used, frozenset(f"o{k}" for k in outputs)),
        lambda row, _, shown, result: error_formula(name, row, shown, result),
    )


def _delta(node: str, network: Network) -> PhaseStep:
    return PhaseStep(
        *(_DELTAS, f"∂E/∂{node}", (f"t{node[1]}", f"out_{node}"), frozenset({node})),
        lambda row, _, shown, result: delta_formula(node, row, network, shown, result),
    )


def _derivative(name: str, network: Network) -> PhaseStep:
    targets = BIASED[name] if name in BIASED else EDGES[name][1:]
    hidden = [node for node in targets if node.startswith("h")]
    edges = {edge for path in path_names(name) for edge in path}
    above = sorted(edges - {name}) if hidden else []
    below = [] if name in BIASED else [signal(EDGES[name][0])]
    return PhaseStep(
        _DERIVATIVES,
        f"∂E/∂{name}",
        (*above, *map(signal, hidden), *below),
        frozenset({*edges, *targets}),
        lambda row, _, shown, result: gradient_formula(
            name, row, network, shown, result, from_deltas=True
        ),
    )


def _update(name: str) -> PhaseStep:
    return PhaseStep(
        *(_UPDATE, name, (name, f"∂E/∂{name}"), frozenset({name, *BIASED.get(name, ())})),
        partial(step_formula, name),
    )
