"""One derivative taken apart by the chain rule: its symbols, and the chosen epoch's numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import streamlit as st

from core.backprop.derivation import (
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
from core.backprop.network import WEIGHTS, Setup, gradients
from core.ui.backprop.settings import chosen_epoch, current_run, settings
from core.ui.site import redraw

_DIGITS = {"six": 6, "all": 15}
_LONG = 40  # characters of LaTeX, after which the result has a line of its own


def lit() -> frozenset[str]:
    """The weights that the open derivation is about; none where none is open."""
    if settings["tab"] != "Derivation":
        return frozenset()
    return frozenset(name for path in path_names(settings["weight"]) for name in path)


def derivation() -> None:
    """∂E_total/∂w of the chosen weight, its rules one by one, its step, and the reasons."""
    st.pills(
        "Derivative of E_total by",
        WEIGHTS,
        required=True,
        wrap=True,
        **settings.widget("weight", then=lambda: redraw("pictures", "panel")),
    )
    formulas, words = st.columns([len(path_names(settings["weight"])), 1], gap="medium")
    with formulas, st.container(key="derivation"):
        rules()
    with words:
        reasons()


@st.fragment(key="rules")
def rules() -> None:
    """The chain rule, factor by factor, and the step."""
    history, epoch, weight = current_run(), chosen_epoch(), settings["weight"]
    row = history.row(epoch)
    eta, digits = float(history.learning_rate[epoch - 1]), _DIGITS[settings["digits"]]
    found = chain(weight, row, digits)
    st.latex(_headline(found))
    columns = st.columns(len(found.paths))
    for column, path, product in zip(columns, found.paths, found.products, strict=True):
        with column:
            st.latex(_path(path, product))
    st.latex(_result(found))
    if epoch == history.epochs:
        st.caption("The last epoch: no step follows.")
    else:
        st.latex(_step(weight, step(weight, row, eta, digits)))


@st.fragment(key="reasons")
def reasons() -> None:
    """Why it is so; read at rest."""
    history, epoch = current_run(), chosen_epoch()
    eta = float(history.learning_rate[epoch - 1])
    now = history.setup_at(epoch)
    st.markdown(_reasons(settings["weight"], history.row(epoch), now, eta))


def _whole(weight: str) -> str:
    return rf"\frac{{\partial E_{{total}}}}{{\partial {tex(weight)}}}"


def _aligned(lines: Sequence[str], gap: str = "0.3em") -> str:
    return r"\begin{aligned} " + rf" \\[{gap}] ".join(lines) + r" \end{aligned}"


def _headline(found: Chain) -> str:
    ways = [r" \cdot ".join(rule.left for rule in path) for path in found.paths]
    lines = [f"{_whole(found.weight)} &= {ways[0]}", *(f"& + {way}" for way in ways[1:])]
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
    return f"{_whole(found.weight)} = " + (f"{total} = {result}" if others else result)


def _step(weight: str, found: Step) -> str:
    return (
        rf"{tex(weight)} \leftarrow {tex(weight)} - \eta \cdot {_whole(weight)} = "
        rf"{tex_number(found.weight)} - {tex_number(found.rate)} \cdot "
        rf"{bracketed(found.gradient)} = {tex_number(found.result)}"
    )


def _reasons(weight: str, row: Row, now: Setup, eta: float) -> str:
    """Why it is so, each with numbers of this epoch to check it by."""
    target = EDGES[weight][1]
    out = row[f"out_{target}"]
    ratio = abs(row["∂E/∂w5"]) / abs(row["∂E/∂w1"]) if row["∂E/∂w1"] else 0.0
    new = {name: row[name] - eta * row[f"∂E/∂{name}"] for name in WEIGHTS[4:]}
    late = gradients(replace(now, **new))[0]
    return f"""
**Why is the slope of σ out · (1 − out)?** σ(x) = 1 / (1 + e⁻ˣ), so
σ′(x) = e⁻ˣ / (1 + e⁻ˣ)² = σ(x) · (1 − σ(x)). The forward pass has σ(x) already. Here, at
{target}: {out:.6g} · {1 - out:.6g} = {out * (1 - out):.6g}; it is never above 0.25.

**Why do w1 to w4 move so little?** Their derivatives have two factors more: a slope of at most
0.25, and an input, here {row["i1"]:g} or {row["i2"]:g}. And the two paths can cancel.
{f"Here ∂E/∂w5 is {ratio:.3g} times ∂E/∂w1." if ratio else "Here ∂E/∂w1 is 0."}

**What is saturation?** Where out is close to 0 or 1, out · (1 − out) is close to 0, and stops what
comes from above, however wrong the output is. The slopes here:
{", ".join(f"{n} {row[f'out_{n}'] * (1 - row[f'out_{n}']):.3g}" for n in ("h1", "h2", "o1", "o2"))}.
“saturated” at the top shows it.

**Why the old w5 to w8?** All derivatives belong to one point: the weights before the step. With w5
to w8 already moved by η = {eta:g}, ∂E/∂w1 would be {late:.6g} and not {row["∂E/∂w1"]:.6g}: the
slope at another place.
""".replace("-", "−")
