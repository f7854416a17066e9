"""The formulas of the 2-2-2 network, in symbols and with a row's numbers put in.

A row maps the table's column names to numbers: one epoch of `History.table()`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Context, Decimal
from functools import cache
from math import prod
from typing import NamedTuple, Protocol, TypeVar

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


class Rule(NamedTuple):
    """One factor of the chain rule, as LaTeX: left = symbols = numbers = printed."""

    left: str
    symbols: str
    numbers: str
    printed: Decimal


class Chain(NamedTuple):
    """∂E_total/∂weight, taken apart.

    paths: the ways from the error to the weight, one through each output it can reach; each a list
    of rules from the error down. products: of each path's printed factors. result: their sum.
    digits: of the result, which agree with the table's.
    """

    weight: str
    paths: list[list[Rule]]
    products: list[Decimal]
    result: Decimal
    digits: int


def path_names(weight: str) -> list[list[str]]:
    """For each output that `weight` can reach, the weights on the way from it down to `weight`."""
    _, target = EDGES[weight]
    away = [w for w, (source, _) in EDGES.items() if source == target]
    return [[w, weight] for w in away] or [[weight]]


def chain(weight: str, row: Row, digits: int = 6) -> Chain:
    """∂E_total/∂weight by the chain rule, in numbers that can be checked with pen and paper.

    Every printed number follows from the printed numbers before it. They have as many digits as it
    takes for the result to be the table's to `digits` significant ones, or to as many as a float
    lets them agree in, where large terms cancel.
    """
    return _agreeing(lambda *used: _chain(weight, row, *used), row[f"∂E/∂{weight}"], digits)


class Step(NamedTuple):
    """One step of a weight, in printed numbers: result = weight − rate · gradient."""

    weight: Decimal
    rate: Decimal
    gradient: Decimal
    result: Decimal


def step(weight: str, row: Row, learning_rate: float, digits: int = 6) -> Step:
    """The weight of the next epoch, in numbers that can be checked as those of `chain` can."""
    old, gradient = row[weight], row[f"∂E/∂{weight}"]

    def make(more: int, wanted: int) -> Step:
        w, eta, g = (_rounded(Decimal(value), more) for value in (old, learning_rate, gradient))
        return Step(w, eta, g, _rounded(w - eta * g, wanted))

    return _agreeing(make, old - learning_rate * gradient, digits)


class _Calculation(Protocol):
    @property
    def result(self) -> Decimal:
        """The number it ends with."""


_C = TypeVar("_C", bound=_Calculation)
_MOST_DIGITS = 24  # as 1 − out needs them where out is close to 1; a float has them


def _agreeing(make: Callable[[int, int], _C], true: float, digits: int) -> _C:
    """The shortest calculation whose result is `true` to `digits` significant digits, or to most.

    make: does it with so many digits on the way, and so many in the result.
    """
    for wanted in range(digits, 0, -1):
        for more in range(wanted, _MOST_DIGITS + 1):
            made = make(more, wanted)
            if made.result == _rounded(Decimal(true), wanted):
                return made
    return make(_MOST_DIGITS, 1)


def _chain(weight: str, row: Row, digits: int, result_digits: int) -> Chain:
    paths = [list(_rules(names, row, digits)) for names in path_names(weight)]
    products = [_rounded(prod(rule.printed for rule in path), digits) for path in paths]
    result = _rounded(sum(products, Decimal(0)), result_digits)
    return Chain(weight, paths, products, result, result_digits)


def _rules(names: list[str], row: Row, digits: int) -> Iterator[Rule]:
    """The factors along one path: `names` are its weights, from the error down."""

    def given(name: str) -> Decimal:
        return _rounded(Decimal(row[name]), digits)

    output = EDGES[names[0]][1]
    target = f"t{output[1]}"
    out, wanted = given(signal(output)), given(target)
    yield Rule(
        _partial("E_{total}", signal(output)),
        f"{tex(signal(output))} - {tex(target)}",
        f"{tex_number(out)} - {bracketed(wanted)}",
        out - wanted,
    )
    for above, name in enumerate(names, start=-1):
        node = EDGES[name][1]
        if above >= 0:  # back through the weight above
            yield Rule(
                _partial(EDGES[names[above]][1], signal(node)),
                tex(names[above]),
                "",
                given(names[above]),
            )
        out = given(signal(node))
        yield Rule(
            _partial(signal(node), node),
            f"{tex(signal(node))} (1 - {tex(signal(node))})",
            f"{tex_number(out)} \\cdot (1 - {tex_number(out)})",
            _rounded(out * (1 - out), digits),
        )
    source, node = EDGES[names[-1]]
    yield Rule(_partial(node, names[-1]), tex(signal(source)), "", given(signal(source)))


def tex(name: str) -> str:
    """The LaTeX of a column: `out_h1` and `w5` with their indices below."""
    head, _, tail = name.rpartition("_")
    if head:
        return rf"\mathrm{{out}}_{{{tail}}}"
    return f"{name[0]}_{{{name[1:]}}}"


def tex_number(value: Decimal) -> str:
    """The LaTeX of a number, as a power of ten where it is small or large."""
    exponent = value.adjusted()
    if not value or -5 <= exponent < 6:
        return f"{value:f}"
    return rf"{value.scaleb(-exponent):f} \cdot 10^{{{exponent}}}"


def bracketed(value: Decimal) -> str:
    """The LaTeX of a number that follows a sign."""
    return f"({tex_number(value)})" if value < 0 else tex_number(value)


def _partial(of: str, by: str) -> str:
    above = of if of.startswith("E") else tex(of)
    return rf"\frac{{\partial {above}}}{{\partial {tex(by)}}}"


def _rounded(value: Decimal | int, digits: int) -> Decimal:
    """To so many significant digits, without zeros at the end."""
    rounded = Context(prec=digits).plus(Decimal(value))
    return rounded.normalize(Context(prec=digits)) if rounded else Decimal(0)
