"""The activation functions, each known once: as a function, by its slope, and in print.

A slope is computed from the unit's output, as backpropagation has that already: σ′ = σ·(1 − σ),
tanh′ = 1 − tanh², and ReLU′ = 1 where the output is above 0, else 0 (as every framework has it at
the kink).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Functions(NamedTuple):
    """e^x, tanh x and max(x, 0) for one kind of number: floats, arrays, tensors, complex ones."""

    exp: Callable[[Any], Any]
    tanh: Callable[[Any], Any]
    relu: Callable[[Any], Any]


ARRAYS = Functions(np.exp, np.tanh, lambda x: np.maximum(x, 0.0))
# NumPy's, so that a run has the bits it has in a sweep, as the quicker Python floats.
FLOATS = Functions(
    lambda x: float(np.exp(x)), lambda x: float(np.tanh(x)), lambda x: float(np.maximum(x, 0.0))
)


class Activation(NamedTuple):
    """One activation function.

    symbol: what it is called in formulas. function: of the net input, by the functions of its kind
    of number. slope: its derivative, from its output; of any kind of number that multiplies.
    The others are templates with {x} for the net input and {out} for the output: definition and
    slopes plain text, tex and slope_tex LaTeX, cell and slope_cell a spreadsheet's formulas.
    """

    symbol: str
    function: Callable[[Any, Functions], Any]
    slope: Callable[[Any], Any]
    definition: str
    slopes: str
    tex: str
    slope_tex: str
    cell: str
    slope_cell: str


ACTIVATIONS = {
    "sigmoid": Activation(
        "σ",
        lambda x, of: 1.0 / (1.0 + of.exp(-x)),
        lambda out: out * (1 - out),
        "1 / (1 + e^−{x})",
        "{out}·(1 − {out})",
        r"\frac{{1}}{{1 + e^{{-{x}}}}}",
        r"{out} \cdot (1 - {out})",
        "1/(1+EXP(-{x}))",
        "{out}*(1-{out})",
    ),
    "tanh": Activation(
        "tanh",
        lambda x, of: of.tanh(x),
        lambda out: 1 - out * out,
        "(e^{x} − e^−{x}) / (e^{x} + e^−{x})",
        "(1 − {out}²)",
        r"\tanh {x}",
        r"1 - {out}^2",
        "TANH({x})",
        "(1-{out}^2)",
    ),
    "ReLU": Activation(
        "ReLU",
        lambda x, of: of.relu(x),
        lambda out: (out > 0) * 1,
        "max({x}, 0)",
        "[{out} > 0]",
        r"\max({x}, 0)",
        r"[{out} > 0]",
        "MAX({x},0)",
        "({out}>0)*1",
    ),
}
"""name -> activation. [condition] is 1 where it holds, else 0 (Iverson's bracket)."""
