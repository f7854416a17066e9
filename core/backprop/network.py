"""The 2-2-2 network: forward pass, gradients and gradient descent.

This module knows the arithmetic and nothing else: no widget, no chart, no file. It reads top to
bottom like the derivation on paper. A run is a sequence of Python floats and a sweep is a sequence
of arrays, one element a run; the same lines compute both, to the same bits.

    h1 = w1·i1 + w2·i2 + b1      o1 = w5·σ(h1) + w6·σ(h2) + b2      E1 = ½(t1 − σ(o1))²
    h2 = w3·i1 + w4·i2 + b1      o2 = w7·σ(h1) + w8·σ(h2) + b2      E2 = ½(t2 − σ(o2))²
                                                                    E = E1 + E2
Of itself there are no biases: b1 = b2 = 0. `Network` says what else can be. The derivatives are the
chain rule written out (Rumelhart, Hinton & Williams, "Learning representations by back-propagating
errors", Nature 323, 1986).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from core.backprop.activations import ACTIVATIONS, ARRAYS, FLOATS, Activation, Functions

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[np.float64]

WEIGHTS = ("w1", "w2", "w3", "w4", "w5", "w6", "w7", "w8")
BIASES = ("b1", "b2")
PARAMETERS = (*WEIGHTS, *BIASES)
EXAMPLE = ("i1", "i2", "t1", "t2")
GRADIENTS = tuple(f"∂E/∂{w}" for w in WEIGHTS)


@dataclass(frozen=True)
class Network:
    """What kind of 2-2-2 network it is.

    hidden, output: the layers' activations, names of `ACTIVATIONS`. biases: "none", or one a layer
    that can "stay" or "learn". kept: the weights that take no step.
    """

    hidden: str = "sigmoid"
    output: str = "sigmoid"
    biases: str = "none"
    kept: frozenset[str] = frozenset()

    @property
    def parameters(self) -> tuple[str, ...]:
        """The weights, and the biases if there are any."""
        return WEIGHTS if self.biases == "none" else PARAMETERS

    @property
    def learned(self) -> tuple[str, ...]:
        """The parameters that have a derivative in the table; a kept weight has one."""
        return PARAMETERS if self.biases == "learn" else WEIGHTS

    @property
    def moving(self) -> tuple[str, ...]:
        """The parameters that take steps."""
        return tuple(name for name in self.learned if name not in self.kept)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of its table."""
        b1, b2 = ((), ()) if self.biases == "none" else (("b1",), ("b2",))
        return (
            *("t1", "t2", "i1", "i2"),
            *("w1", "w2", "w3", "w4", *b1, "h1", "out_h1", "h2", "out_h2"),
            *("w5", "w6", "w7", "w8", *b2, "o1", "out_o1", "o2", "out_o2"),
            *("E1", "E2", "E_total"),
            *(f"∂E/∂{name}" for name in self.learned),
        )

    @property
    def activations(self) -> tuple[Activation, Activation]:
        """Of the hidden layer and of the output layer."""
        return ACTIVATIONS[self.hidden], ACTIVATIONS[self.output]

    def activation_of(self, node: str) -> Activation:
        """Of `node`, h1 … o2."""
        return self.activations[node.startswith("o")]


COURSE = Network()
"""The network of the courses: σ everywhere, no biases, all weights learn."""
COLUMNS = COURSE.columns


@dataclass(frozen=True)
class Setup:
    """One training example, the initial weights and biases, and the network they belong to.

    i1, i2 are the inputs and t1, t2 the targets. Each number is a float, or an array: arrays
    broadcast against each other and make one run for each starting point. Raises ValueError if
    there is a bias that the network has not.
    """

    i1: Any
    i2: Any
    t1: Any
    t2: Any
    w1: Any
    w2: Any
    w3: Any
    w4: Any
    w5: Any
    w6: Any
    w7: Any
    w8: Any
    b1: Any = 0.0
    b2: Any = 0.0
    network: Network = COURSE

    def __post_init__(self) -> None:
        if self.network.biases == "none" and (np.any(self.b1) or np.any(self.b2)):
            raise ValueError("a network without biases has b1 = b2 = 0")

    def moved(self, numbers: Mapping[str, Any]) -> Setup:
        """The same with other numbers, by their names."""
        return replace(self, **numbers)

    @property
    def numbers(self) -> dict[str, Any]:
        """Name -> number: the example and what parameters the network has."""
        return {name: getattr(self, name) for name in (*EXAMPLE, *self.network.parameters)}

    @property
    def example(self) -> list[Any]:
        """i1, i2, t1, t2."""
        return [getattr(self, name) for name in EXAMPLE]

    @property
    def parameters(self) -> list[Any]:
        """w1 … w8, b1, b2."""
        return [getattr(self, name) for name in PARAMETERS]


SEED = Setup(
    *(0.05, 0.10),
    *(0.01, 0.99),
    *(0.15, 0.20, 0.25, 0.30),
    *(0.40, 0.45, 0.50, 0.55),
)
"""The published start: inputs, targets and weights of the course's spreadsheet."""


class Forward(NamedTuple):
    """What the forward pass computes, in the order of the table; each in its weights' shape."""

    h1: Any
    out_h1: Any
    h2: Any
    out_h2: Any
    o1: Any
    out_o1: Any
    o2: Any
    out_o2: Any
    E1: Any
    E2: Any
    E_total: Any


# Overflow is not an accident here but a case with a meaning: e⁻ˣ = ∞ makes σ(x) = 0, and weights
# that leave the range of a float make a diverged run. Both are handled, so neither warns.
_quiet = np.errstate(over="ignore", under="ignore", invalid="ignore")


@_quiet
def sigmoid(x: npt.ArrayLike) -> Array:
    """σ(x) = 1 / (1 + e⁻ˣ), elementwise: within [0, 1] for every x, and never a warning.

    Where e⁻ˣ leaves the range of a float (x < −709.8), 1/(1 + ∞) = 0 is σ(x) to within 1e-308.
    """
    sigma = ACTIVATIONS["sigmoid"].function
    return np.asarray(sigma(np.asarray(x, dtype=np.float64), ARRAYS))


@_quiet
def forward(setup: Setup) -> Forward:
    """Net inputs, activations and errors at `setup`, in the setup's shape."""
    example, parameters = _arrays(setup.example), _arrays(setup.parameters)
    return forward_pass(example, parameters, setup.network.activations)


@_quiet
def gradients(setup: Setup) -> tuple[Any, ...]:
    """∂E_total/∂w1 … ∂E_total/∂w8, ∂E_total/∂b1, ∂E_total/∂b2 at `setup`, in its shape.

    Those of the biases only where the network learns them.
    """
    example, parameters = _arrays(setup.example), _arrays(setup.parameters)
    activations = setup.network.activations
    found = forward_pass(example, parameters, activations)
    slopes = _gradients(example, parameters, activations, found)
    return slopes[: len(setup.network.learned)]


def descend(setup: Setup, learning_rate: npt.ArrayLike, epochs: int) -> History:
    """`epochs` rows of gradient descent from `setup`; the first row holds the initial weights.

    `learning_rate` (η) is
      - one number: one run;
      - an array of shape (R,): R runs, one for each rate;
      - an array of shape (epochs, 1) or (epochs, R): one value for each epoch. Row k's value makes
        the step from row k to row k + 1, so the last row's is never used.
    Fields of `setup` that are arrays make one run for each starting point and broadcast against
    the rates.

    Raises ValueError if `epochs` is below 1, a number is not finite, or a schedule does not have
    `epochs` rows.
    """
    rates = np.asarray(learning_rate, dtype=np.float64)
    numbers = _arrays([*setup.example, *setup.parameters])
    if epochs < 1:
        raise ValueError(f"epochs must be at least 1, not {epochs}")
    if not np.isfinite(np.concatenate([a.ravel() for a in (rates, *numbers)])).all():
        raise ValueError("inputs, targets, weights and learning rates must be finite numbers")
    if rates.ndim < 2:
        rates = np.broadcast_to(rates, (epochs, *rates.shape))
    elif len(rates) != epochs:
        raise ValueError(f"a schedule for {epochs} epochs needs {epochs} rows, not {len(rates)}")
    elif rates.shape[1:] == (1,):
        rates = rates[:, 0]

    runs = np.broadcast_shapes(rates.shape[1:], *(a.shape for a in numbers))
    if not runs:
        return _descend_one(setup, [a.item() for a in numbers], rates)
    return _descend_many(setup, [np.broadcast_to(a, runs) for a in numbers], rates)


@dataclass(frozen=True)
class History:
    """One run of gradient descent, or many.

    setup: where it started. learning_rate: η of each step, shape (epochs,) or (epochs, *runs).
    E_total: the error before each step, shape (epochs, *runs), always finite.
    rows: the table's `columns`, shape (columns, epochs), always finite; None for many runs, whose
    rows would take as many times the memory: `run` computes those of one.
    diverged_at: the first epoch (from 1) whose numbers leave the range of a float. From there on
    the rows repeat the last epoch that had numbers. None if there is none, and for many runs.
    """

    setup: Setup
    learning_rate: Array
    E_total: Array
    rows: Array | None = None
    diverged_at: int | None = None

    @property
    def epochs(self) -> int:
        """How many rows there are."""
        return len(self.E_total)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of `rows`."""
        return self.setup.network.columns

    def column(self, name: str) -> Array:
        """The numbers of one column, of a single run, shape (epochs,)."""
        numbers: Array = self.single_rows()[self.columns.index(name)]
        return numbers

    @property
    def stalled_at(self) -> int | None:
        """The first epoch (from 1) after which no weight ever moves again; None if one still does.

        Weights stop when every step is smaller than the spacing of floats: at a minimum, where an
        activation is so flat that its slope is lost, or where all of them are kept.
        """
        if self.diverged_at or self.epochs < 2:
            return None
        weights = np.array([self.column(name) for name in self.setup.network.parameters])
        moved = np.flatnonzero((np.diff(weights) != 0).any(axis=0))
        last_move = int(moved[-1]) + 1 if moved.size else 0
        return last_move + 1 if last_move < self.epochs - 1 else None

    def run(self, *index: int) -> History:
        """The single run at `index` of many, rows and all."""
        runs = self.E_total.shape[1:]
        numbers = [*self.setup.example, *self.setup.parameters]
        names = (*EXAMPLE, *PARAMETERS)
        of_one = (np.broadcast_to(a, runs)[index] for a in numbers)
        start = self.setup.moved(dict(zip(names, of_one, strict=True)))
        own = self.learning_rate.shape[1:]
        rates = self.learning_rate.reshape(self.epochs, *[1] * (len(runs) - len(own)), *own)
        rates = np.broadcast_to(rates, self.E_total.shape)
        return descend(start, rates[:, *index, np.newaxis], self.epochs)

    def row(self, epoch: int) -> dict[str, float]:
        """Column -> its number at the 1-based `epoch`, of a single run."""
        return dict(zip(self.columns, self.single_rows()[:, epoch - 1].tolist(), strict=True))

    def setup_at(self, epoch: int) -> Setup:
        """The example and the parameters of the 1-based `epoch`, of a single run."""
        row = self.row(epoch)
        return self.setup.moved({name: row[name] for name in self.setup.network.parameters})

    def table(self) -> pd.DataFrame:
        """The run as the published workbook lists it: `epoch` (from 1) and the `columns`."""
        import pandas as pd  # here, because it takes longer to import than all the rest to run

        table = pd.DataFrame(self.single_rows().T, columns=pd.Index(self.columns))
        table.insert(0, "epoch", np.arange(1, self.epochs + 1))
        return table

    def single_rows(self) -> Array:
        """`rows`; ValueError if these are many runs."""
        if self.rows is None:
            raise ValueError("these are many runs; choose one with run(index)")
        return self.rows


def _arrays(numbers: Sequence[Any]) -> list[Any]:
    return [np.asarray(value, dtype=np.float64) for value in numbers]


def forward_pass(
    example: Sequence[Any],
    parameters: Sequence[Any],
    activations: tuple[Activation, Activation],
    of: Functions = ARRAYS,
) -> Forward:
    """The forward pass for any kind of number; `of` has the functions for it.

    example: i1, i2, t1, t2. parameters: w1 … w8, b1, b2. activations: hidden, output.
    """
    i1, i2, t1, t2 = example
    w1, w2, w3, w4, w5, w6, w7, w8, b1, b2 = parameters
    hidden, output = activations
    h1 = w1 * i1 + w2 * i2 + b1
    h2 = w3 * i1 + w4 * i2 + b1
    out_h1, out_h2 = hidden.function(h1, of), hidden.function(h2, of)
    o1 = w5 * out_h1 + w6 * out_h2 + b2
    o2 = w7 * out_h1 + w8 * out_h2 + b2
    out_o1, out_o2 = output.function(o1, of), output.function(o2, of)
    e1, e2 = t1 - out_o1, t2 - out_o2
    E1, E2 = 0.5 * (e1 * e1), 0.5 * (e2 * e2)
    return Forward(h1, out_h1, h2, out_h2, o1, out_o1, o2, out_o2, E1, E2, E1 + E2)


def _gradients(
    example: Sequence[Any],
    parameters: Sequence[Any],
    activations: tuple[Activation, Activation],
    f: Forward,
) -> tuple[Any, ...]:
    i1, i2, t1, t2 = example
    _, _, _, _, w5, w6, w7, w8, _, _ = parameters
    hidden, output = activations
    delta_o1 = (f.out_o1 - t1) * output.slope(f.out_o1)  # δ = ∂E/∂net input
    delta_o2 = (f.out_o2 - t2) * output.slope(f.out_o2)
    delta_h1 = (delta_o1 * w5 + delta_o2 * w7) * hidden.slope(f.out_h1)
    delta_h2 = (delta_o1 * w6 + delta_o2 * w8) * hidden.slope(f.out_h2)
    return (
        *(delta_h1 * i1, delta_h1 * i2, delta_h2 * i1, delta_h2 * i2),
        *(delta_o1 * f.out_h1, delta_o1 * f.out_h2, delta_o2 * f.out_h1, delta_o2 * f.out_h2),
        *(delta_h1 + delta_h2, delta_o1 + delta_o2),
    )


def _moves(network: Network) -> list[int]:
    """Which of the parameters take a step."""
    return [PARAMETERS.index(name) for name in network.moving]


@_quiet
def _descend_one(setup: Setup, numbers: list[float], rates: Array) -> History:
    """Floats, not arrays of one element: those cost three times as much."""
    example, parameters = numbers[:4], numbers[4:]
    network, moves = setup.network, _moves(setup.network)
    path: list[float] = []
    activations = network.activations
    for rate in rates.tolist():
        f = forward_pass(example, parameters, activations, FLOATS)
        slopes = _gradients(example, parameters, activations, f)
        path += (*example, *parameters, *f, *slopes)
        for k in moves:
            parameters[k] -= rate * slopes[k]
    names = (*EXAMPLE, *PARAMETERS, *Forward._fields, *(f"∂E/∂{name}" for name in PARAMETERS))
    table = np.array(path).reshape(-1, len(names))
    rows = table.T[[names.index(column) for column in network.columns]]
    place = network.columns.index("E_total")
    lost = np.flatnonzero(~np.isfinite(rows).all(axis=0))
    if not lost.size:
        return History(setup, rates, rows[place], rows)
    first = int(lost[0])
    last_good = rows[:, max(first - 1, 0), np.newaxis]
    rows[:, first:] = np.nan_to_num(last_good)
    return History(setup, rates, rows[place], rows, diverged_at=first + 1)


@_quiet
def _descend_many(setup: Setup, numbers: list[Array], rates: Array) -> History:
    example, parameters = numbers[:4], numbers[4:]
    activations, moves = setup.network.activations, _moves(setup.network)
    E_total = np.empty((len(rates), *parameters[0].shape))
    for row, rate in zip(E_total, rates, strict=True):
        f = forward_pass(example, parameters, activations)
        row[...] = f.E_total
        slopes = _gradients(example, parameters, activations, f)
        for k in moves:
            parameters[k] = parameters[k] - rate * slopes[k]
    # A product of two numbers below 1e150 is finite, so all other runs kept to finite numbers. Of
    # outputs without a bound the error says more: it is their square.
    bound = np.max(np.abs([*numbers, *parameters]), axis=0)
    is_sound = (bound < 1e150) & (E_total.max(axis=0) < 1e300)
    history = History(setup, rates, E_total)
    for index in np.argwhere(~is_sound):
        E_total[(slice(None), *index)] = history.run(*index).E_total
    return history
