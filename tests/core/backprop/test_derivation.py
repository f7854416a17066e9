import ast
import operator
import re
from dataclasses import replace
from decimal import Context, Decimal
from math import prod

import numpy as np
import pytest

from core.backprop.activations import ACTIVATIONS
from core.backprop.derivation import (
    EDGES,
    bracketed,
    chain,
    column_formulas,
    gradient_formula,
    node_formula,
    path_names,
    step,
    step_formula,
    tex,
    tex_number,
)
from core.backprop.network import COLUMNS, PARAMETERS, SEED, WEIGHTS, Network, Setup, descend
from core.backprop.presets import PRESETS

ROW = descend(SEED, 1.0, 3).table().iloc[1].to_dict()


OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul}


def value(expression: str) -> float:
    """The number that a printed expression of +, −, · and brackets stands for."""

    def of(node: ast.expr) -> float:
        match node:
            case ast.Constant():
                return float(node.value)
            case ast.UnaryOp(op=ast.USub()):
                return -of(node.operand)
            case ast.BinOp():
                return OPERATORS[type(node.op)](of(node.left), of(node.right))
        raise ValueError(ast.dump(node))

    return of(ast.parse(expression.replace("−", "-").replace("·", "*"), mode="eval").body)


@pytest.mark.parametrize("weight", WEIGHTS)
def test_a_gradients_numbers_give_its_value(weight):
    formula = gradient_formula(weight, ROW)
    left, _, right = formula.numbers.rpartition(" = ")
    assert float(right) == pytest.approx(ROW[f"∂E/∂{weight}"], rel=1e-5)
    assert value(left) == pytest.approx(ROW[f"∂E/∂{weight}"], rel=2e-2)


@pytest.mark.parametrize("weight", ["w3", "w4"])
def test_the_slope_of_h2_is_its_own_activation(weight):
    assert "out_h2·(1 − out_h2)" in gradient_formula(weight, ROW).symbols
    assert "out_h1" not in gradient_formula(weight, ROW).symbols


@pytest.mark.parametrize("node", ["h1", "h2", "o1", "o2"])
def test_a_nodes_numbers_give_its_value(node):
    left, _, right = node_formula(node, ROW).numbers.rpartition(" = ")
    assert float(right) == pytest.approx(ROW[node], rel=1e-5)
    assert value(left) == pytest.approx(ROW[node], rel=1e-3)


def test_an_input_has_no_formula():
    assert node_formula("i1", ROW) is None


def test_the_step_leads_to_the_next_row():
    rows = descend(SEED, 0.5, 2).table()
    for weight in WEIGHTS:
        step = step_formula(weight, rows.iloc[0].to_dict(), 0.5).numbers
        assert float(step.rpartition(" = ")[2]) == pytest.approx(rows[weight][1], rel=1e-5)


def test_every_column_has_a_formula_and_every_weight_an_edge():
    assert set(column_formulas()) == set(COLUMNS)
    assert all(column_formulas().values())
    assert set(EDGES) == set(WEIGHTS)


def significant(value: Decimal) -> int:
    return len(value.normalize().as_tuple().digits)


def to_digits(value: Decimal, digits: int) -> Decimal:
    return Context(prec=digits).plus(value)


def plainly(tex: str) -> str:
    """Printed LaTeX of numbers as an expression for `value`."""
    tex = re.sub(r" \\cdot 10\^\{(-?\d+)\}", r"e\1", tex).replace(r"\cdot", "·")
    if holds := re.fullmatch(r"\[(.*) > 0\]", tex):  # Iverson's bracket
        return "1" if value(holds[1]) > 0 else "0"
    return re.sub(r"(\(.*\)|[\d.e-]+)\^2", r"\1·\1", tex)


NETWORKS = [
    Network(hidden, output, "learn")
    for hidden in ACTIVATIONS
    for output in ("sigmoid", "tanh", "ReLU")
]


@pytest.mark.parametrize("digits", [6, 15])
@pytest.mark.parametrize("weight", PARAMETERS)
def test_the_printed_factors_multiply_to_the_printed_result(weight, digits):
    rng = np.random.default_rng(PARAMETERS.index(weight))
    for k, numbers in enumerate(rng.uniform(-3, 3, (90, 14))):
        network = NETWORKS[k % len(NETWORKS)]
        row = descend(Setup(*numbers, network), 1.0, 1).row(1)
        found = chain(weight, row, digits, network)
        ways = {"b1": 4, "b2": 2, **dict.fromkeys(("w5", "w6", "w7", "w8"), 1)}.get(weight, 2)
        assert len(found.paths) == len(path_names(weight)) == ways
        for path, product in zip(found.paths, found.products, strict=True):
            assert len(path) == (5 if weight in ("w1", "w2", "w3", "w4", "b1") else 3)
            exact = prod(rule.printed for rule in path)
            assert to_digits(exact, significant(product)) == product
            for rule in path:
                if rule.numbers:  # what stands there gives what is printed behind it
                    given = value(plainly(rule.numbers))
                    last = 10.0 ** (rule.printed.adjusted() + 1 - significant(rule.printed))
                    assert given == pytest.approx(float(rule.printed), abs=last / 2 + 4e-15)
        assert to_digits(sum(found.products), found.digits) == found.result
        assert found.result == Decimal(f"{row[f'∂E/∂{weight}']:.{found.digits}g}")
        # 1 − out² of tanh loses more digits than out·(1 − out): a float has no more of them there.
        assert found.digits >= digits - (4 if network.hidden == network.output == "sigmoid" else 8)


def test_a_printed_step_follows_from_its_printed_numbers():
    for numbers in np.random.default_rng(3).uniform(-3, 3, (60, 12)):
        history = descend(Setup(*numbers), 0.7, 2)
        first, second = history.table().to_dict("records")
        for weight in WEIGHTS:
            found = step(weight, first, 0.7)
            exact = found.weight - found.rate * found.gradient
            assert to_digits(exact, 6) == found.result
            assert float(found.result) == pytest.approx(second[weight], rel=1e-5)


def test_derivatives_that_cancel_or_vanish_are_told_as_they_are():
    cancels = Setup(0.5, 0.5, 0.2, 0.8, *[0.0] * 4, 1.0, 1.0, 1.0, 1.0)
    for setup in (cancels, PRESETS["zeros"], PRESETS["saturated"], PRESETS["symmetric"]):
        row = descend(setup, 1.0, 1).table().iloc[0]
        for weight in WEIGHTS:
            found = chain(weight, row)
            assert found.result == Decimal(f"{row[f'∂E/∂{weight}']:.6g}")
            assert to_digits(sum(found.products), found.digits) == found.result


def test_small_and_large_numbers_are_powers_of_ten():
    assert tex_number(Decimal("0.00001234")) == "0.00001234"
    assert tex_number(Decimal("0.0000012")) == r"1.2 \cdot 10^{-6}"
    assert tex_number(Decimal("-1234567")) == r"-1.234567 \cdot 10^{6}"
    assert bracketed(Decimal("-0.5")) == "(-0.5)"
    assert (tex("out_h1"), tex("w5")) == (r"\mathrm{out}_{h1}", "w_{5}")


def test_biases_and_activations_are_in_the_formulas():
    network = Network("tanh", "ReLU", "learn", frozenset({"w2"}))
    setup = replace(PRESETS["Mazur"], network=network)
    row = descend(setup, 0.5, 1).row(1)
    for node in ("h1", "h2", "o1", "o2"):
        formula = node_formula(node, row, network)
        assert formula.symbols.endswith("b1" if node[0] == "h" else "b2")
        assert value(formula.numbers.rpartition(" = ")[0]) == pytest.approx(row[node], rel=1e-3)
    formulas = column_formulas(network)
    assert list(formulas) == list(network.columns)
    assert formulas["w2"] == "the same in every row"
    assert "[out_o1 > 0]" in formulas["∂E/∂w5"]
    assert "(1 − out_h1²)" in formulas["∂E/∂w1"]
    assert gradient_formula("b2", row, network).symbols.count("[out_o") == 2
