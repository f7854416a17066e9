"""The quantities of the exercise and what each follows from, those on the way to gradients too.

This module knows names and rules, and no file.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from functools import cache
from typing import Any

from core.backprop.network import COLUMNS, GRADIENTS, WEIGHTS, Setup, forward, gradients
from core.backprop.rules import BLOCK_RULES, TABLE_RULES, TABLE_STEPS, in_cells, names_in
from core.workbook.formula.functions import Value
from core.workbook.formula.parse import parse
from core.workbook.formula.tree import Address, Node, letters

EXAMPLE = ("t1", "t2", "i1", "i2")
COMPUTED = tuple(name for name in COLUMNS if name not in (*EXAMPLE, *WEIGHTS))
FORWARD = tuple(name for name in COMPUTED if not name.startswith("∂"))

NODES = ("h1", "h2", "o1", "o2")
OUT = {node: f"out_{node}" for node in NODES}
DELTA = {node: f"∂E/∂{node}" for node in ("o1", "o2", "h1", "h2")}  # as backpropagation goes
SLOPE = {node: f"out_{node}(1−out_{node})" for node in NODES}
GRADIENT = dict(zip(WEIGHTS, GRADIENTS, strict=True))
STEP = {weight: f"η·{gradient}" for weight, gradient in GRADIENT.items()}
STEPPED = {weight: f"{weight} − {step}" for weight, step in STEP.items()}
"""Weight -> what it comes to after the step, in a column of its own beside it."""
NEXT = {weight: f"{weight}′" for weight in WEIGHTS}
"""Weight -> what a header calls it after the step, until it is known whether it is `STEPPED`."""


def opposite(name: str) -> str:
    """The name of a quantity with the other sign."""
    return name.removeprefix("−") if name.startswith("−") else f"−{name}"


def kind_of(name: str) -> str:
    """Alike for w1 … w8, for out_o1 and out_o2, and so on."""
    return name.rstrip("12345678")


State = dict[str, Any]
"""Quantity -> its value, or its values over the epochs."""

# What students keep in columns of their own on the way to a gradient, each with its rule.
HELPERS: dict[str, str] = {
    **{delta: BLOCK_RULES[delta] for delta in DELTA.values()},
    **{f"∂E/∂out_o{k}": f"out_o{k}-t{k}" for k in "12"},
    **{SLOPE[node]: f"{out}*(1-{out})" for node, out in OUT.items()},
    "∂E/∂out_h1": "∂E/∂o1*w5+∂E/∂o2*w7",
    "∂E/∂out_h2": "∂E/∂o1*w6+∂E/∂o2*w8",
    **{f"∂E/∂o1·{w}": f"∂E/∂o1*{w}" for w in ("w5", "w6")},
    **{f"∂E/∂o2·{w}": f"∂E/∂o2*{w}" for w in ("w7", "w8")},
    **{STEP[w]: f"η*{gradient}" for w, gradient in GRADIENT.items()},
    **{opposite(STEP[w]): f"-η*{gradient}" for w, gradient in GRADIENT.items()},
    **{STEPPED[w]: TABLE_STEPS[w] for w in WEIGHTS},
    **{f"e^−{node}": f"EXP(-{node})" for node in NODES},
    **{opposite(gradient): f"-{gradient}" for gradient in GRADIENTS},
    **{opposite(delta): f"-({BLOCK_RULES[delta]})" for delta in DELTA.values()},
}


RULES = {**TABLE_RULES, **HELPERS}
_SLOTS = {name: f"{letters(1 + k)}1" for k, name in enumerate((*COLUMNS, *HELPERS, "η"))}
_NAMED = {Address("", 1, 1 + k): name for k, name in enumerate((*COLUMNS, *HELPERS, "η"))}
_HERE = Address("", 1, 1)


@cache
def rule_tree(rule: str) -> Node:
    """A rule of names as a tree whose cells are `slots`."""
    return parse(in_cells(rule, _SLOTS), _HERE)


def worked_out(rule: str, state: Mapping[str, Any]) -> Value:
    """What a rule comes to; values may be arrays."""
    return rule_tree(rule).value(_HERE, lambda at: state[_NAMED[at]])


def rule_from(name: str, known: Container[str]) -> str:
    """The rule of a quantity, a weight's step, in which all that is not `known` is written out."""
    rule = TABLE_STEPS.get(name) or RULES[name]
    unknown = {n for n in names_in(rule) if n in RULES and n not in known}
    return in_cells(
        rule, {n: f"({rule_from(n, known)})" if n in unknown else n for n in names_in(rule)}
    )


def state_of(setup: Setup, rate: Any) -> State:
    """Every quantity and helper at `setup`, by network.py; its fields may be arrays."""
    state: State = {**setup.numbers, **forward(setup)._asdict(), "η": rate}
    state |= dict(zip(GRADIENTS, gradients(setup), strict=True))
    for name, rule in HELPERS.items():
        state[name] = worked_out(rule, state)
    return state
