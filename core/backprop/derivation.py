"""The formulas of the 2-2-2 network, in symbols and with a row's numbers put in.

A row maps the table's column names to numbers: one epoch of `History.table()`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Context, Decimal
from functools import cache
from math import prod
from typing import NamedTuple, Protocol, TypeVar

from core.backprop.activations import Activation
from core.backprop.network import BIASES, COURSE, PARAMETERS, Network

Row = Mapping[str, float]

EDGES: dict[str, tuple[str, str]] = {
    **{"w1": ("i1", "h1"), "w2": ("i2", "h1"), "w3": ("i1", "h2"), "w4": ("i2", "h2")},
    **{"w5": ("h1", "o1"), "w6": ("h2", "o1"), "w7": ("h1", "o2"), "w8": ("h2", "o2")},
}
"""weight -> (the node it comes from, the node it goes to)."""
BIASED = {"b1": ("h1", "h2"), "b2": ("o1", "o2")}
"""bias -> the nodes whose net input it is added to."""


class Formula(NamedTuple):
    """The same right-hand side twice: as symbols, and as a row's numbers with their result."""

    symbols: str
    numbers: str


Shown = Callable[[float], str]
"""How a number is written."""


def _in_brackets(number: str) -> str:
    """A number that is multiplied, squared or taken away: a sign would bind less than that."""
    return f"({number})" if number.startswith("-") else number


def _short(number: float) -> str:
    return _in_brackets(f"{number:.4g}")


def _long(number: float) -> str:
    return f"{number:.6g}"


def signal(node: str) -> str:
    """The column that holds what `node` sends on: an input itself, else its activation."""
    return node if node.startswith("i") else f"out_{node}"


def biases_of(node: str, network: Network) -> list[str]:
    """The bias of `node`, if the network has any."""
    return [b for b in BIASES if node in BIASED[b] and b in network.parameters]


def node_formula(
    node: str,
    row: Row,
    network: Network = COURSE,
    shown: Shown = _short,
    result: Shown = _long,
) -> Formula | None:
    """The net input of `node`, h1 … o2; None for an input, which is given.

    shown, result: how the numbers on the way are written, and the one they lead to.
    """
    into = [
        (weight, signal(source)) for weight, (source, target) in EDGES.items() if target == node
    ]
    if not into:
        return None
    biases = biases_of(node, network)
    return Formula(
        " + ".join([*(f"{weight}·{sent}" for weight, sent in into), *biases]),
        " + ".join(
            [
                *(f"{shown(row[weight])}·{shown(row[sent])}" for weight, sent in into),
                *(shown(row[bias]) for bias in biases),
            ]
        )
        + f" = {result(row[node])}",
    )


def activation_formula(
    node: str, row: Row, network: Network, shown: Shown, result: Shown
) -> Formula:
    """What `node`, h1 … o2, sends on, from its net input."""
    activation = network.activation_of(node)
    return Formula(
        f"{activation.symbol}({node}) = {activation.definition.format(x=node)}",
        f"{activation.definition.format(x=shown(row[node]))} = {result(row[f'out_{node}'])}",
    )


def error_formula(name: str, row: Row, shown: Shown, result: Shown) -> Formula:
    """E1, E2 or E_total."""
    if name == "E_total":
        return Formula("E1 + E2", f"{shown(row['E1'])} + {shown(row['E2'])} = {result(row[name])}")
    target, out = f"t{name[1]}", f"out_o{name[1]}"
    return Formula(
        f"½·({target} − {out})²",
        f"½·({shown(row[target])} − {shown(row[out])})² = {result(row[name])}",
    )


def delta_formula(output: str, row: Row, network: Network, shown: Shown, result: Shown) -> Formula:
    """∂E/∂net input of the node `output`, o1 or o2: what an output is to change."""
    symbols, numbers = _delta(output, row, network, shown)
    return Formula(symbols, f"{numbers} = {result(_output_delta(output, row, network))}")


def gradient_formula(
    parameter: str,
    row: Row,
    network: Network = COURSE,
    shown: Shown = _short,
    result: Shown = _long,
    *,
    from_deltas: bool = False,
) -> Formula:
    """∂E/∂parameter by the chain rule: the target's ∂E/∂net input times what the source sends.

    That of a bias is the sum over its layer, where each is told by its symbol. from_deltas: those
    of the outputs are not written out.
    """
    value = result(row[f"∂E/∂{parameter}"])

    def delta(node: str) -> Formula:
        if from_deltas and node.startswith("o"):
            return Formula(f"∂E/∂{node}", shown(_output_delta(node, row, network)))
        return _delta(node, row, network, shown)

    if parameter in BIASED:
        deltas = [delta(node) for node in BIASED[parameter]]
        return Formula(
            " + ".join(delta.symbols for delta in deltas),
            " + ".join(delta.numbers for delta in deltas) + f" = {value}",
        )
    source, target = EDGES[parameter]
    symbols, numbers = delta(target)
    sent = signal(source)
    return Formula(f"{symbols}·{sent}", f"{numbers}·{shown(row[sent])} = {value}")


def step_formula(
    weight: str,
    row: Row,
    learning_rate: float,
    shown: Shown = lambda number: _in_brackets(_long(number)),
    result: Shown = _long,
) -> Formula:
    """The weight of the next epoch: one step down the gradient."""
    value, gradient = row[weight], row[f"∂E/∂{weight}"]
    after = value - learning_rate * gradient
    return Formula(
        f"{weight} − η·∂E/∂{weight}",
        f"{shown(value)} − {shown(learning_rate)}·{shown(gradient)} = {result(after)}",
    )


@cache
def column_formulas(network: Network = COURSE) -> dict[str, str]:
    """Column of the table -> how it is computed, in symbols."""
    blank = dict.fromkeys(PARAMETERS, 0.0)
    blank |= dict.fromkeys([f"∂E/∂{p}" for p in PARAMETERS] + ["i1", "i2", "t1", "t2"], 0.0)
    for node in ("h1", "h2", "o1", "o2"):
        blank |= {node: 0.0, f"out_{node}": 0.5}
    formulas = {"t1": "target of o1", "t2": "target of o2", "i1": "input", "i2": "input"}
    for name in network.parameters:
        step = step_formula(name, blank, 0.0).symbols
        formulas[name] = (
            f"from row 2 on: {step} of the row above"
            if name in network.moving
            else "the same in every row"
        )
    for name in network.learned:
        formulas[f"∂E/∂{name}"] = gradient_formula(name, blank, network).symbols
    for node in ("h1", "h2", "o1", "o2"):
        net, activation = node_formula(node, blank, network), network.activation_of(node)
        formulas[node] = net.symbols if net else ""
        formulas[f"out_{node}"] = (
            f"{activation.symbol}({node}) = {activation.definition.format(x=node)}"
        )
    formulas |= {"E1": "½·(t1 − out_o1)²", "E2": "½·(t2 − out_o2)²", "E_total": "E1 + E2"}
    return {name: formulas[name] for name in network.columns}


def _delta(node: str, row: Row, network: Network, shown: Shown) -> Formula:
    """∂E/∂net input of a hidden or output node, without its value."""
    out, activation = shown(row[f"out_{node}"]), network.activation_of(node)
    slope = [activation.slopes.format(out=text) for text in (f"out_{node}", out)]
    if node.startswith("o"):
        target = f"t{node[1]}"
        return Formula(
            f"(out_{node} − {target})·{slope[0]}", f"({out} − {shown(row[target])})·{slope[1]}"
        )
    away = [(weight, target) for weight, (source, target) in EDGES.items() if source == node]
    return Formula(
        "(" + " + ".join(f"∂E/∂{o}·{weight}" for weight, o in away) + f")·{slope[0]}",
        "("
        + " + ".join(
            f"{shown(_output_delta(o, row, network))}·{shown(row[weight])}" for weight, o in away
        )
        + f")·{slope[1]}",
    )


def _output_delta(node: str, row: Row, network: Network) -> float:
    """The value of ∂E/∂net input of o1 or o2."""
    out = row[f"out_{node}"]
    value: float = (out - row[f"t{node[1]}"]) * network.activation_of(node).slope(out)
    return value


class Rule(NamedTuple):
    """One factor of the chain rule, as LaTeX: left = symbols = numbers = printed."""

    left: str
    symbols: str
    numbers: str
    printed: Decimal


class Chain(NamedTuple):
    """∂E_total/∂parameter, taken apart.

    paths: the ways from the error to the parameter; each a list of rules from the error down.
    products: of each path's printed factors. result: their sum. digits: of the result, which agree
    with the table's.
    """

    parameter: str
    paths: list[list[Rule]]
    products: list[Decimal]
    result: Decimal
    digits: int


def path_names(parameter: str) -> list[list[str]]:
    """For each way from an output down to `parameter`, the parameters on it."""
    targets = BIASED[parameter] if parameter in BIASED else EDGES[parameter][1:]
    away = [[w] for node in targets for w, (source, _) in EDGES.items() if source == node]
    return [[*ways, parameter] for ways in away or [[] for _ in targets]]


def _path_nodes(parameter: str) -> list[list[str]]:
    """For each way of `path_names`, its nodes from the output down; an input too, but no bias."""
    targets = BIASED[parameter] if parameter in BIASED else EDGES[parameter][1:]
    below = [] if parameter in BIASED else [EDGES[parameter][0]]
    ways = []
    for node in targets:
        above = [[target] for source, target in EDGES.values() if source == node] or [[]]
        ways += [[*outputs, node, *below] for outputs in above]
    return ways


def chain(parameter: str, row: Row, digits: int = 6, network: Network = COURSE) -> Chain:
    """∂E_total/∂parameter by the chain rule, in numbers that can be checked with pen and paper.

    Every printed number follows from the printed numbers before it. They have as many digits as it
    takes for the result to be the table's to `digits` significant ones, or to as many as a float
    lets them agree in, where large terms cancel.
    """
    return _agreeing(
        lambda *used: _chain(parameter, row, network, *used), row[f"∂E/∂{parameter}"], digits
    )


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


def _chain(parameter: str, row: Row, network: Network, digits: int, result_digits: int) -> Chain:
    paths = [list(_rules(parameter, way, row, digits, network)) for way in _path_nodes(parameter)]
    products = [_rounded(prod(rule.printed for rule in path), digits) for path in paths]
    result = _rounded(sum(products, Decimal(0)), result_digits)
    return Chain(parameter, paths, products, result, result_digits)


def _rules(
    parameter: str, way: list[str], row: Row, digits: int, network: Network
) -> Iterator[Rule]:
    """The factors along one way: its nodes, from the output down."""

    def given(name: str) -> Decimal:
        return _rounded(Decimal(row[name]), digits)

    output = way[0]
    target = f"t{output[1]}"
    out, wanted = given(signal(output)), given(target)
    yield Rule(
        _partial("E_{total}", signal(output)),
        f"{tex(signal(output))} - {tex(target)}",
        f"{tex_number(out)} - {bracketed(wanted)}",
        out - wanted,
    )
    nodes = way if parameter in BIASED else way[:-1]
    weights = {ends: weight for weight, ends in EDGES.items()}
    for above, node in zip([None, *nodes], nodes, strict=False):
        if above:  # back through the weight between them
            weight = weights[node, above]
            yield Rule(_partial(above, signal(node)), tex(weight), "", given(weight))
        yield _slope(node, given(signal(node)), network.activation_of(node), digits)
    if parameter in BIASED:
        yield Rule(_partial(nodes[-1], parameter), "1", "", Decimal(1))
    else:
        sent = signal(EDGES[parameter][0])
        yield Rule(_partial(nodes[-1], parameter), tex(sent), "", given(sent))


def _slope(node: str, out: Decimal, activation: Activation, digits: int) -> Rule:
    """∂out/∂net input of a node."""
    return Rule(
        _partial(signal(node), node),
        activation.slope_tex.format(out=tex(signal(node))),
        activation.slope_tex.format(out=bracketed(out)),
        _rounded(activation.slope(out), digits),
    )


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
