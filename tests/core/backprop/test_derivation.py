import ast
import operator

import pytest

from core.backprop.derivation import (
    EDGES,
    column_formulas,
    gradient_formula,
    node_formula,
    step_formula,
)
from core.backprop.network import COLUMNS, SEED, WEIGHTS, descend

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
