"""One derivative taken apart by the chain rule: its symbols, and the chosen epoch's numbers."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

import streamlit as st

from core.backprop.derivation import (
    BIASED,
    EDGES,
    Chain,
    Row,
    Rule,
    Step,
    bracketed,
    chain,
    path_names,
    step,
    tex,
    tex_number,
)
from core.backprop.network import Setup, gradients
from core.ui.backprop.settings import (
    chosen_epoch,
    current_run,
    current_setup,
    learned_parameter,
    settings,
)
from core.ui.site import redraw
from core.ui.turns import in_turn

_DIGITS = {"six": 6, "all": 15}
_ABREAST = 2  # paths beside each other
_LONG = 40  # characters of LaTeX, after which the result has a line of its own


def lit() -> frozenset[str]:
    """The weights that the open derivation is about; none where none is open."""
    if settings["tab"] != "Derivation":
        return frozenset()
    weight = learned_parameter("weight")
    return frozenset(name for path in path_names(weight) for name in path)


def derivation() -> None:
    """∂E_total/∂w of the chosen weight, its rules one by one, its step, and the reasons."""
    weight = learned_parameter("weight")
    st.pills(
        "Derivative of E_total by",
        current_setup().network.learned,
        default=weight,
        required=True,
        wrap=True,
        **settings.widget("weight", then=lambda: redraw("pictures", "panel")),
    )
    formulas, words = st.columns([min(len(path_names(weight)), _ABREAST), 1], gap="medium")
    with formulas, st.container(key="derivation"):
        rules()
    with words:
        reasons()


@st.fragment(key="rules")
@in_turn
def rules() -> None:
    """The chain rule, factor by factor, and the step."""
    history, epoch, weight = current_run(), chosen_epoch(), learned_parameter("weight")
    network, row = history.setup.network, history.row(epoch)
    eta, digits = float(history.learning_rate[epoch - 1]), _DIGITS[settings["digits"]]
    found = chain(weight, row, digits, network)
    above, below = [_headline(found)], [_result(found)]
    if weight in network.moving and epoch < history.epochs:
        below.append(_step(weight, step(weight, row, eta, digits)))
    paths = [_path(*way) for way in zip(found.paths, found.products, strict=True)]
    # As few elements as can be: each is sent, drawn and laid out by itself while the hand moves.
    if len(paths) == 1:
        _formulas([*above, *paths, *below])
    else:
        _formulas(above)
        for first in range(0, len(paths), _ABREAST):
            for offset, column in enumerate(st.columns(_ABREAST)):
                with column:
                    _formulas([paths[first + offset]])
        _formulas(below)
    if weight not in network.moving:
        st.caption(f"{weight} is kept: it takes no step.")
    elif epoch == history.epochs:
        st.caption("The last epoch: no step follows.")


@st.fragment(key="reasons")
@in_turn
def reasons() -> None:
    """Why it is so; read at rest."""
    history, epoch = current_run(), chosen_epoch()
    eta = float(history.learning_rate[epoch - 1])
    now = history.setup_at(epoch)
    st.markdown(_reasons(learned_parameter("weight"), history.row(epoch), now, eta))


def _formulas(formulas: Sequence[str]) -> None:
    st.markdown("\n\n".join(f"$$\n{formula}\n$$" for formula in formulas))


def _whole(weight: str) -> str:
    return rf"\frac{{\partial E_{{total}}}}{{\partial {tex(weight)}}}"


def _aligned(lines: Sequence[str], gap: str = "0.3em") -> str:
    return r"\begin{aligned} " + rf" \\[{gap}] ".join(lines) + r" \end{aligned}"


def _headline(found: Chain) -> str:
    ways = [r" \cdot ".join(rule.left for rule in path) for path in found.paths]
    lines = [f"{_whole(found.parameter)} &= {ways[0]}", *(f"& + {way}" for way in ways[1:])]
    return _aligned(lines)


def _path(path: Sequence[Rule], product: Decimal) -> str:
    """The rules of one path, each with its symbols and below them its numbers."""
    lines = []
    for rule in path:
        printed = tex_number(rule.printed)
        gap = r" \\ &" if len(rule.numbers) > _LONG else ""
        numbers = f"{rule.numbers}{gap} = {printed}" if rule.numbers else printed
        lines.append(rf"{rule.left} &= {rule.symbols} \\ &= {numbers}")
    return _aligned([*lines, rf"\text{{product}} &= {tex_number(product)}"], "0.7em")


def _result(found: Chain) -> str:
    first, *others = found.products
    total = " + ".join([tex_number(first), *(bracketed(product) for product in others)])
    result = tex_number(found.result)
    return f"{_whole(found.parameter)} = " + (f"{total} = {result}" if others else result)


def _step(weight: str, found: Step) -> str:
    return (
        rf"{tex(weight)} \leftarrow {tex(weight)} - \eta \cdot {_whole(weight)} = "
        rf"{tex_number(found.weight)} - {tex_number(found.rate)} \cdot "
        rf"{bracketed(found.gradient)} = {tex_number(found.result)}"
    )


class _Words(NamedTuple):
    """What is said of an activation: why its slope is so, the largest slope, and where it is flat.

    flat: completes “What is saturation?”.
    """

    why: str
    steepest: str
    flat: str


_WORDS = {
    "σ": _Words(
        "σ(x) = 1 / (1 + e⁻ˣ), so σ′(x) = e⁻ˣ / (1 + e⁻ˣ)² = σ(x) · (1 − σ(x)). The forward pass "
        "has σ(x) already.",
        "0.25",
        "Where out is close to 0 or 1, out · (1 − out) is close to 0, and stops what comes from "
        "above, however wrong the output is.",
    ),
    "tanh": _Words(
        "tanh x = sinh x / cosh x, so tanh′(x) = (cosh² x − sinh² x) / cosh² x = 1 − tanh² x. The "
        "forward pass has tanh x already.",
        "1",
        "Where out is close to −1 or 1, 1 − out² is close to 0, and stops what comes from above, "
        "however wrong the output is.",
    ),
    "ReLU": _Words(
        "Above 0, ReLU sends on what it gets: slope 1. Below, it sends 0 whatever it gets: slope "
        "0. At 0 itself there is no slope, and 0 is taken.",
        "1",
        "Where the net input is below 0 the slope is 0, and nothing comes through from above, "
        "however wrong the output is. A unit that gets there for good is called dead.",
    ),
}


def _reasons(parameter: str, row: Row, now: Setup, eta: float) -> str:
    """Why it is so, each with numbers of this epoch to check it by."""
    network = now.network
    target = (BIASED[parameter] if parameter in BIASED else EDGES[parameter][1:])[0]
    activation, out = network.activation_of(target), row[f"out_{target}"]
    words = _WORDS[activation.symbol]
    hidden = _WORDS[network.activation_of("h1").symbol]
    ratio = abs(row["∂E/∂w5"]) / abs(row["∂E/∂w1"]) if row["∂E/∂w1"] else 0.0
    new = {name: row[name] - eta * row[f"∂E/∂{name}"] for name in ("w5", "w6", "w7", "w8")}
    late = gradients(now.moved(new))[0]
    slopes = ", ".join(
        f"{node} {network.activation_of(node).slope(row[f'out_{node}']):.3g}"
        for node in ("h1", "h2", "o1", "o2")
    )
    return f"""
**Why is the slope of {activation.symbol} {activation.slopes.format(out="out")}?** {words.why}
Here, at {target}: {activation.slopes.format(out=f"{out:.6g}")} = {activation.slope(out):.6g}; it is
never above {words.steepest}.

**Why do w1 to w4 move so little?** Their derivatives have two factors more: a slope of at most
{hidden.steepest}, and an input, here {row["i1"]:g} or {row["i2"]:g}. And the two paths can cancel.
{f"Here ∂E/∂w5 is {ratio:.3g} times ∂E/∂w1." if ratio else "Here ∂E/∂w1 is 0."}

**What is saturation?** {words.flat} The slopes here: {slopes}. “saturated” at the top shows it.

**Why the old w5 to w8?** All derivatives belong to one point: the weights before the step. With w5
to w8 already moved by η = {eta:g}, ∂E/∂w1 would be {late:.6g} and not {row["∂E/∂w1"]:.6g}: the
slope at another place.
""".replace("-", "−")
