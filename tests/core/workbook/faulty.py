"""Test workbooks of gradient descent in many layouts, right or with one slip planted in them.

This module knows how students lay the table out, which slips they make, and exactly which cells a
slip makes wrong; what it knows of the arithmetic it says itself, not with the code under test.

A formula is a template in the table's own names: `w1'-η*g1'` is what makes w1 out of the row above.
Text and value of a cell both come from its template, so whatever follows a slip follows it truly.
"""

from __future__ import annotations

import ast
import io
import math
import operator
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
import openpyxl
import xlsxwriter
from xlsxwriter.utility import xl_cell_to_rowcol, xl_col_to_name, xl_rowcol_to_cell

from core.backprop.network import SEED, Setup, descend

Address = tuple[int, int]
"""Row and column, from 0."""


@dataclass(frozen=True)
class Made:
    """A workbook and what an auditor should find in it.

    accused: sheet and address of each faulty cell, not of those that merely follow; the sheet of a
    .csv is "". unseen: those of them whose number alone does not give them away, because it is what
    the right formula may give for the numbers shown, given their rounding (values only).
    setup, rate: as the file shows them, of the table that has the slip.
    """

    name: str
    file: bytes
    suffix: str
    accused: frozenset[tuple[str, str]]
    setup: Setup
    rate: float
    epochs: int
    unseen: frozenset[tuple[str, str]] = frozenset()


# Templates. A name is the cell of that column in the same row; each ' after it is a row up.
# g1 … g8 are ∂E/∂w1 … ∂E/∂w8. A name that is no column of the table is a cell above it.

EXAMPLE = ("t1", "t2", "i1", "i2")
WEIGHTS = tuple(f"w{n}" for n in range(1, 9))
GRADIENTS = tuple(f"g{n}" for n in range(1, 9))
FORWARD = ("h1", "out_h1", "h2", "out_h2", "o1", "out_o1", "o2", "out_o2", "E1", "E2", "E_total")
DELTAS = ("δ_o1", "δ_o2", "δ_h1", "δ_h2")
COLUMNS = (*EXAMPLE, *WEIGHTS[:4], *FORWARD[:4], *WEIGHTS[4:], *FORWARD[4:], *GRADIENTS)
ORDER = ("step", "η", *EXAMPLE, *WEIGHTS, *FORWARD, *DELTAS, *GRADIENTS)
"""Each column after those that its formula needs."""

O1, O2 = "(out_o1-t1)*out_o1*(1-out_o1)", "(out_o2-t2)*out_o2*(1-out_o2)"
RULES = {
    **{f"w{n}": f"w{n}'-η*g{n}'" for n in range(1, 9)},
    **{"h1": "w1*i1+w2*i2", "h2": "w3*i1+w4*i2"},
    **{"o1": "w5*out_h1+w6*out_h2", "o2": "w7*out_h1+w8*out_h2"},
    **{f"out_{node}": f"1/(1+EXP(-{node}))" for node in ("h1", "h2", "o1", "o2")},
    **{"E1": "0.5*(t1-out_o1)^2", "E2": "0.5*(t2-out_o2)^2", "E_total": "E1+E2"},
    "g1": f"({O1}*w5+{O2}*w7)*out_h1*(1-out_h1)*i1",
    "g2": f"({O1}*w5+{O2}*w7)*out_h1*(1-out_h1)*i2",
    "g3": f"({O1}*w6+{O2}*w8)*out_h2*(1-out_h2)*i1",
    "g4": f"({O1}*w6+{O2}*w8)*out_h2*(1-out_h2)*i2",
    **{"g5": f"{O1}*out_h1", "g6": f"{O1}*out_h2", "g7": f"{O2}*out_h1", "g8": f"{O2}*out_h2"},
}
WITH_DELTAS = {
    **{"δ_o1": O1, "δ_o2": O2},
    "δ_h1": "(δ_o1*w5+δ_o2*w7)*out_h1*(1-out_h1)",
    "δ_h2": "(δ_o1*w6+δ_o2*w8)*out_h2*(1-out_h2)",
    **{"g1": "δ_h1*i1", "g2": "δ_h1*i2", "g3": "δ_h2*i1", "g4": "δ_h2*i2"},
    **{"g5": "δ_o1*out_h1", "g6": "δ_o1*out_h2", "g7": "δ_o2*out_h1", "g8": "δ_o2*out_h2"},
}
OTHER_ALGEBRA = {
    "h1": "SUMPRODUCT(w1:w2,i1:i2)",
    "out_h1": "1/(1+EXP(-1*h1))",
    "h2": "+i1*w3+(i2*w4)",
    "out_h2": "(1+EXP(-h2))^-1",
    "o1": "out_h2*w6+out_h1*w5",
    "out_o1": "EXP(o1)/(1+EXP(o1))",
    "o2": "( w7 * out_h1 ) + ( w8 * out_h2 )",
    "out_o2": "1/(EXP(-o2)+1)",
    "E1": "POWER(t1-out_o1,2)/2",
    "E2": "(t2-out_o2)^2*0.5",
    "E_total": "SUM(E1:E2)",
    "g1": f"i1*out_h1*(1-out_h1)*(w5*{O1}+w7*{O2})",
    "g2": "-((t1-out_o1)*out_o1*(1-out_o1)*w5+(t2-out_o2)*out_o2*(1-out_o2)*w7)"
    "*out_h1*(1-out_h1)*i2",
    "g3": "(-(t1-out_o1)*(out_o1-out_o1^2)*w6-(t2-out_o2)*(out_o2-out_o2^2)*w8)"
    "*(out_h2-out_h2^2)*i1",
    "g4": f"{O1}*w6*out_h2*(1-out_h2)*i2+{O2}*w8*out_h2*(1-out_h2)*i2",
    "g5": "-(t1-out_o1)*out_o1*(1-out_o1)*out_h1",
    "g6": "(-1)*(t1-out_o1)*(1-out_o1)*out_o1*out_h2",
    "g7": "out_h1*((1-out_o2)*out_o2)*(out_o2-t2)",
    "g8": "+ (out_o2 - t2) * out_o2 * (1 - out_o2) * out_h2",
    **{"w1": "w1'-(η*g1')", "w2": "-η*g2'+w2'", "w3": "w3'+(-η)*g3'", "w4": "w4'-g4'*η"},
    "w5": "+w5'-η*g5'",
    "w6": "(w6')-(η)*(g6')",
    "w7": "w7' - η * g7'",
    "w8": "w8'-1*η*g8'",
}

_NAME = re.compile(r"[^\W\d]\w*(?![\w(])'*")
_OPERATORS = {
    **{ast.Add: operator.add, ast.Sub: operator.sub},
    **{ast.Mult: operator.mul, ast.Div: operator.truediv, ast.Pow: operator.pow},
}
_FUNCTIONS = {
    "EXP": lambda x: float(np.exp(x)),
    "POWER": lambda x, y: x**y,
    "POW": lambda x, y: x**y,
    "ADD": operator.add,
    "MINUS": operator.sub,
    "MULTIPLY": operator.mul,
    "DIVIDE": operator.truediv,
    "UMINUS": operator.neg,
    "ROUND": lambda x, decimals: round(x, int(decimals)),
    "SUM": sum,
    "SUMPRODUCT": lambda a, b: sum(x * y for x, y in zip(a, b, strict=True)),
}


@cache
def _compiled(template: str) -> ast.expr:
    """The template as Python's syntax tree; the names, in their order, are n0, n1, …."""
    position: Iterator[int] = iter(range(100))
    python = _NAME.sub(lambda _: f"n{next(position)}", template.strip().lstrip("+ "))
    python = re.sub(r"(n\d+):(n\d+)", r"(\1,\2)", python).replace("^", "**")
    return ast.parse(python, mode="eval").body


def _calculated(template: str, numbers: list[float]) -> float:
    with np.errstate(over="ignore"):
        return _worked_out(_compiled(template), numbers)


def _worked_out(node: ast.expr, numbers: list[float]) -> Any:
    match node:
        case ast.Constant(value):
            return value
        case ast.Name(name):
            return numbers[int(name[1:])]
        case ast.Tuple(parts):
            return [_worked_out(part, numbers) for part in parts]
        case ast.UnaryOp(sign, operand):
            value = _worked_out(operand, numbers)
            return -value if isinstance(sign, ast.USub) else value
        case ast.BinOp(left, sign, right):
            return _OPERATORS[type(sign)](_worked_out(left, numbers), _worked_out(right, numbers))
        case ast.Call(ast.Name(name), arguments):
            return _FUNCTIONS[name](*(_worked_out(part, numbers) for part in arguments))
    raise ValueError(ast.dump(node))


def _typed(number: float) -> str:
    return repr(number).removesuffix(".0")


def _renamed(template: str, names: Mapping[str, str]) -> str:
    return _NAME.sub(
        lambda token: token[0].replace(name := token[0].rstrip("'"), names.get(name, name)),
        template,
    )


# Layouts.


@dataclass(frozen=True)
class Block:
    """Where a table stands: its sheet, the how-manieth there, and its η in multiples of `rate`."""

    sheet: str = "Sheet1"
    place: int = 0
    times: float = 1.0


@dataclass(frozen=True)
class Layout:
    """How a file looks.

    corner: the cell of the first name. spelling: of out_h1 and its like, E_total, and ∂E/∂w1;
    words: what columns are called instead.
    cells: the labelled cells outside the table. beside: the label of η if labels stand to the left
    of the cells; else they stand above.
    eta: how updates refer to η: "plain" J28, "$" $J$28, a typed "number", a "column", a "name".
    linked: example and first weights are references to their cells, not typed.
    tables: all of the file's; the slip is in the one at `faulty`. across: an epoch is a column.
    shifts: column -> how many rows below its epoch's it stands. upwards: the newest epoch is on
    top. last_step: the weights after the last epoch stand there too.
    shown: how numbers are rounded where there are only numbers ("" not at all); None with formulas.
    saved: how the values beside formulas are rounded ("" not at all).
    """

    corner: str = "A1"
    columns: tuple[str, ...] = COLUMNS
    spelling: str = "out_{} | E_total | ∂E/∂w{}"
    cells: Mapping[str, str] = field(default_factory=lambda: {"η": "B1"})
    words: Mapping[str, str] = field(default_factory=dict)
    beside: str = "η"
    eta: str = "$"
    linked: bool = False
    algebra: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    tables: tuple[Block, ...] = (Block(),)
    faulty: int = 0
    across: bool = False
    shifts: Mapping[str, int] = field(default_factory=dict)
    upwards: bool = False
    last_step: bool = False
    first_step: int = 1
    shown: str | None = None
    saved: str = ""
    file: str = "xlsx"  # or "uncalculated", "filled down", "csv", "csv;"
    comparison: bool = False

    @property
    def suffix(self) -> str:
        return ".csv" if self.file.startswith("csv") else ".xlsx"

    def head(self, name: str) -> str:
        """The name of a column as this layout spells it."""
        if name in self.words:
            return self.words[name]
        out, total, slope = self.spelling.split(" | ")
        if name.startswith("out_"):
            return out.format(name[-2:])
        if name in GRADIENTS:
            return slope.format(name[-1])
        return {"E_total": total, "step": "Step", "η": self.beside or "η"}.get(name, name)


_PUBLISHED = {"t1": "F28", "t2": "G28", "i1": "H28", "i2": "I28", "η": "J28"}
_LISTED = {"η": "B1", "t1": "B2", "t2": "B3", "i1": "B4", "i2": "B5"}
_LINKED = {name: f"{'BCDEFGHIJKLM'[n]}3" for n, name in enumerate((*EXAMPLE, *WEIGHTS))}

_PASTED = Layout("B31", spelling="out_{} | E_Total | ∂E/∂w{}", beside="", cells=_PUBLISHED)
_SECOND = Layout("A28", spelling="a_{} | E_t | E∂w{}", beside="η=", cells={"η": "E27"})

LAYOUTS: dict[str, Layout] = {
    "published": replace(_PASTED, eta="plain", notes={"G26": "Initial Values"}),
    "second": replace(
        _SECOND,
        notes={"A17": "h1=w1*i1+w2*i2", "K10": "∂E_t/∂w5=(a_o1-t1)*a_o1*(1-a_o1)*a_h1"},
        comparison=True,
    ),
    "step column": Layout(
        columns=("step", *COLUMNS),
        spelling="act_{} | Etotal | δE/δw{}",
        beside="Learning rate",
        cells={"η": "AI2"},
        file="uncalculated",
    ),
    "constants above": Layout(
        "A8", COLUMNS[len(EXAMPLE) :], "out_{} | E_tot | dE/dw{}", cells=_LISTED
    ),
    "helpers": Layout(
        "A4",
        (*COLUMNS[: -len(GRADIENTS)], *DELTAS, *GRADIENTS),
        beside="learning rate η",
        algebra=WITH_DELTAS,
    ),
    "eta in formula": Layout(
        "A3", spelling="out_{} | Etot | dw{}", cells={}, eta="number", notes={"A1": "lr = {rate}"}
    ),
    "eta column": Layout("B2", (*EXAMPLE, "η", *COLUMNS[4:]), cells={}, eta="column"),
    "eta by name": Layout("A6", beside="", cells=_LINKED | {"η": "N3"}, eta="name", linked=True),
    "one sheet per rate": Layout(
        "A3",
        spelling="out_{} | E_total | dE/dw{}",
        beside="lr",
        tables=tuple(Block("lr {rate}", 0, times) for times in (0.2, 1.0, 4.0)),
        faulty=1,
    ),
    "stacked": Layout(
        "A3", beside="learning rate", tables=(Block("Sheet1", 0, 0.1), Block("Sheet1", 1)), faulty=1
    ),
    "pasted": replace(_PASTED, shown=""),
    "pasted rounded": replace(_SECOND, shown=".8f"),
    "csv": Layout(cells={}, eta="number", file="csv", shown=""),
    "csv rounded": Layout(
        "A3",
        ("step", *COLUMNS),
        "out_{} | E_total | dE/dw{}",
        beside="eta",
        first_step=0,
        file="csv",
        shown=".8f",
    ),
    "csv semicolon": Layout("A3", beside="learning rate", file="csv;", shown=".10g"),
    "excel style": Layout("A4", file="filled down"),
    "other algebra": Layout(
        "C6",
        spelling="out {} | E total | ∂E_t/∂w{}",
        beside="",
        cells={"η": "D3"},
        eta="plain",
        algebra=OTHER_ALGEBRA,
    ),
    "gradients below": replace(_PASTED, eta="$", shifts=dict.fromkeys(GRADIENTS, 1)),
    "weights led to": Layout("A4", shifts=dict.fromkeys(WEIGHTS, -1), last_step=True),
    "weights led to, pasted": Layout(
        "A4", shifts=dict.fromkeys(WEIGHTS, -1), last_step=True, shown=".10g"
    ),
    "newest on top": Layout("A4", ("step", *COLUMNS), upwards=True),
    "last step": Layout("A4", last_step=True),
    "last step, csv": Layout("A4", last_step=True, shown="", file="csv"),
    "german": Layout(
        "A4",
        words={
            **{f"i{n}": f"Eingabe {n}" for n in "12"},
            **{f"t{n}": f"Zielwert {n}" for n in "12"},
            **{f"w{n}": f"Gewicht w{n}" for n in range(1, 9)},
            **{node: f"Netzeingabe {node}" for node in ("h1", "h2", "o1", "o2")},
            **{f"out_{node}": f"Ausgabe {node}" for node in ("h1", "h2", "o1", "o2")},
            **{"E1": "Fehler E1", "E2": "Fehler E2", "E_total": "Gesamtfehler"},
            **{f"g{n}": f"Gradient w{n}" for n in range(1, 9)},
        },
        beside="Lernrate",
    ),
    "chinese": Layout(
        "A4",
        words={
            **{f"w{n}": f"权重 w{n}" for n in range(1, 9)},
            **{f"h{n}": f"隐藏层净输入 h{n}" for n in "12"},
            **{f"out_h{n}": f"隐藏层输出 h{n}" for n in "12"},
            **{f"o{n}": f"输出层净输入 o{n}" for n in "12"},
            **{f"out_o{n}": f"输出 o{n}" for n in "12"},
            **{"E1": "误差 E1", "E2": "误差 E2", "E_total": "总误差"},
            **{f"g{n}": f"梯度 ∂E/∂w{n}" for n in range(1, 9)},
        },
        beside="学习率",
    ),
    "two columns of a name": Layout(
        "A4",
        words={
            **{f"h{n}": f"Hidden {n}" for n in "12"},
            **{f"out_h{n}": f"Hidden {n} (sigmoid)" for n in "12"},
            **{f"o{n}": f"Output {n}" for n in "12"},
            **{f"out_o{n}": f"Output {n} (sigmoid)" for n in "12"},
        },
    ),
    "transposed": Layout("A3", ("step", *COLUMNS), "out_{} | E_total | dE/dw{}", across=True),
}


# Slips.


def _off(value: float) -> float:
    return round(value + 0.01 * (1 + abs(value)), 4)


def _blunt(value: float) -> float:
    return round(value, 3)


@dataclass(frozen=True)
class Slip:
    """One mistake.

    edits: column -> its faulty template, or which names of its right one change for which others.
    with_deltas: the same for a layout that has the columns of `DELTAS`.
    first, until: at which epochs, from 0. excused: so many of them are as edited, but happen to be
    right.
    typed: the column whose number at these epochs is typed over, as `typing` makes it; `later`:
    after the formulas had been replaced by their values, so that nothing follows.
    needs: "η's cell" to be referred to, or a file that "shows η"; "" nothing.
    """

    edits: Mapping[str, str | Mapping[str, str]] = field(default_factory=dict)
    with_deltas: Mapping[str, str | Mapping[str, str]] | None = None
    first: int = 0
    until: int | None = None
    excused: int = 0
    typed: str = ""
    typing: Callable[[float], float] = _off
    later: bool = False
    needs: str = ""


_SLOPE = "out_o1*(1-out_o1)"
_TYPED = {"out_h1": "out_h1", "w5": "w5", "E_total": "E_total", "∂E/∂w2": "g2", "o2": "o2"}

SLIPS: dict[str, Slip] = {
    # The wrong activation.
    "slope of h1 in ∂E/∂w3 and ∂E/∂w4": Slip(
        {"g3": {"out_h2": "out_h1"}, "g4": {"out_h2": "out_h1"}}
    ),
    "out_h1 in ∂E/∂w6": Slip({"g6": {"out_h2": "out_h1"}}),
    "slope of o2 in ∂E/∂w5": Slip(
        {"g5": "(out_o1-t1)*out_o2*(1-out_o2)*out_h1"},
        with_deltas={"δ_o1": "(out_o1-t1)*out_o2*(1-out_o2)"},
    ),
    "h1 for out_h1 in o1": Slip({"o1": {"out_h1": "h1"}}),
    # The wrong weight, input, target or gradient.
    "w5 in ∂E/∂w3": Slip({"g3": {"w6": "w5"}}),
    "w7 in o1": Slip({"o1": {"w6": "w7"}}),
    "i2 twice in h2": Slip({"h2": {"i1": "i2"}}),
    "i1 in ∂E/∂w2": Slip({"g2": {"i2": "i1"}}),
    "targets swapped": Slip({"E1": {"t1": "t2"}, "E2": {"t2": "t1"}}),
    "t2 in ∂E/∂w5": Slip({"g5": {"t1": "t2"}}),
    "∂E/∂w4 in w3": Slip({"w3": {"g3": "g4"}}),
    # The wrong sign.
    "plus in w6": Slip({"w6": "w6'+η*g6'"}),
    "plus in all updates": Slip({f"w{n}": f"w{n}'+η*g{n}'" for n in range(1, 9)}, needs="shows η"),
    "t1-out_o1 in ∂E/∂w5": Slip(
        {"g5": f"(t1-out_o1)*{_SLOPE}*out_h1"}, with_deltas={"δ_o1": f"(t1-out_o1)*{_SLOPE}"}
    ),
    "plus in out_o1": Slip({"out_o1": "1/(1+EXP(o1))"}),
    "E1-E2": Slip({"E_total": "E1-E2"}),
    # A product for a difference.
    "out_o1*t1 in ∂E/∂w5": Slip(
        {"g5": f"(out_o1*t1)*{_SLOPE}*out_h1"}, with_deltas={"δ_o1": f"(out_o1*t1)*{_SLOPE}"}
    ),
    "brackets lost in ∂E/∂w1": Slip(
        {"g1": f"({O1}*w5+{O2}*w7)*out_h1*1-out_h1*i1"},
        with_deltas={"δ_h1": "(δ_o1*w5+δ_o2*w7)*out_h1*1-out_h1"},
    ),
    "brackets lost in ∂E/∂w8": Slip(
        {"g8": "(out_o2-t2)*out_o2*1-out_o2*out_h2"},
        with_deltas={"δ_o2": "(out_o2-t2)*out_o2*1-out_o2"},
    ),
    "brackets lost in out_o2": Slip({"out_o2": "1/1+EXP(-o2)"}),
    # A value carried on, not computed.
    "h1 carried": Slip({"h1": "h1'-η*g5'"}, first=1),
    "out_h2 carried": Slip({"out_h2": "out_h2'"}, first=1),
    "w7 carried": Slip({"w7": "w7'"}, first=1),
    # The reference to η slides down as the formula is filled down.
    "η slides": Slip(
        {w: {"η": "sliding_η"} for w in WEIGHTS}, first=1, excused=1, needs="η's cell"
    ),
    "η slides in w5": Slip({"w5": {"η": "sliding_η"}}, first=1, excused=1, needs="η's cell"),
    # A cell typed over.
    **{f"{name} typed over": Slip(typed=c, first=19, until=20) for name, c in _TYPED.items()},
    **{
        f"{name} typed over later": Slip(typed=c, first=19, until=20, later=True)
        for name, c in _TYPED.items()
    },
    "out_h1 typed with three digits": Slip(typed="out_h1", first=19, until=20, typing=_blunt),
    # A factor or a term missing.
    "1-out_o1 missing in ∂E/∂w5": Slip(
        {"g5": "(out_o1-t1)*out_o1*out_h1"}, with_deltas={"δ_o1": "(out_o1-t1)*out_o1"}
    ),
    "i2 missing in ∂E/∂w2": Slip(
        {"g2": f"({O1}*w5+{O2}*w7)*out_h1*(1-out_h1)"}, with_deltas={"g2": "δ_h1"}
    ),
    "second path missing in ∂E/∂w1": Slip(
        {"g1": f"({O1}*w5)*out_h1*(1-out_h1)*i1"},
        with_deltas={"δ_h1": "(δ_o1*w5)*out_h1*(1-out_h1)"},
    ),
    "half missing in E1": Slip({"E1": "(t1-out_o1)^2"}),
    "square missing in E2": Slip({"E2": "0.5*(t2-out_o2)"}),
    # The wrong row.
    "w5 from two rows above": Slip({"w5": "w5''-η*g5'"}, first=2),
    "∂E/∂w2 from two rows above": Slip({"w2": "w2'-η*g2''"}, first=2),
    "w5 of the row above in o1": Slip({"o1": {"w5": "w5'"}}, first=1),
    # Some rows only.
    "out_h2 twice in o2 of row 7": Slip({"o2": {"out_h1": "out_h2"}}, first=6, until=7),
    "plus in w8 of row 12": Slip({"w8": "w8'+η*g8'"}, first=11, until=12),
    "out_o1 in ∂E/∂w7 from row 30": Slip({"g7": {"out_o2": "out_o1"}}, first=29),
}


def possible(layout: str | Layout, slip: str | Slip | None) -> bool:
    """Whether a file of this layout can have this slip, and show it."""
    how, what = _known(layout, slip)
    only_values = how.shown is not None
    if what.needs == "η's cell":
        return not only_values and how.eta in {"plain", "$"}
    if what.needs == "shows η":
        return not only_values or "η" in how.cells
    return only_values or not what.later


def _known(layout: str | Layout, slip: str | Slip | None) -> tuple[Layout, Slip]:
    """A layout and a slip, by their names or as they are."""
    how = LAYOUTS[layout] if isinstance(layout, str) else layout
    what = SLIPS[slip] if isinstance(slip, str) else slip or Slip()
    return how, what


# A table in its sheet.


@dataclass
class Cell:
    """What a cell holds: a text, or a number (NaN is #VALUE!), perhaps by a formula."""

    value: float | str
    formula: str = ""
    alike: str = ""  # the same in cells of which one is the other filled down


Grid = dict[Address, Cell]
_EMPTY = Cell(0.0)


class Table:
    """One table of `epochs` rows, and the labelled cells it refers to, on the grid of its sheet."""

    def __init__(
        self, layout: Layout, block: Block, setup: Setup, rate: float, epochs: int, grid: Grid
    ):
        self.layout, self.setup, self.rate, self.epochs = layout, setup, rate, epochs
        self.grid = grid
        self.rules = RULES | layout.algebra
        self.down = block.place * (epochs + 6)
        self.corner = self.at(layout.corner)

    def at(self, cell: str) -> Address:
        """Row and column of a cell that is named as if this were the sheet's first table."""
        row, column = xl_cell_to_rowcol(cell)
        return row + self.down, column

    def address(self, name: str, epoch: int) -> Address:
        """Where the column `name` has its number of an epoch (from 0; -1 is its head)."""
        row, column = self.corner
        shifts, across = self.layout.shifts, self.layout.columns.index(name)
        line = self.epochs - 1 - epoch if self.layout.upwards else epoch
        # Room for what stands above the first epoch's line, or the newest's.
        above = max(0, -min(shifts.values(), default=0))
        above += self.layout.upwards and self.layout.last_step
        along = 0 if epoch < 0 else 1 + above + line + shifts.get(name, 0)
        return (
            (row + across, column + along) if self.layout.across else (row + along, column + across)
        )

    def reference(self, token: str, epoch: int) -> tuple[str, Address | None]:
        """How a formula in the row of `epoch` refers to a name, and to which cell."""
        name = token.rstrip("'")
        style = self.layout.eta
        if name == "η" and style == "number":
            return _typed(self.rate), None
        if name == "sliding_η":
            row, column = self.at(self.layout.cells["η"])
            by = epoch - 1
            cell = (row, column + by) if self.layout.across else (row + by, column)
            return xl_rowcol_to_cell(*cell), cell
        if name in self.layout.columns:
            above = token.count("'") or int(name == "η")
            cell = self.address(name, epoch - above)
            return xl_rowcol_to_cell(*cell), cell
        cell = self.at(self.layout.cells[name.removeprefix("first_")])
        if name == "η" and style == "name":
            return "LR", cell
        fixed = name != "η" or style == "$"
        return xl_rowcol_to_cell(*cell, row_abs=fixed, col_abs=fixed), cell

    def references(self, template: str, epoch: int) -> list[tuple[str, Address | None]]:
        """`reference` of each name in a template, in their order."""
        return [self.reference(token, epoch) for token in _NAME.findall(template)]

    def number(self, cell: Address | None) -> float:
        """What a reference to the cell gives; η where there is no cell to refer to."""
        value = self.grid.get(cell, _EMPTY).value if cell else self.rate
        return math.nan if isinstance(value, str) else value

    def right(self, name: str, epoch: int) -> str | float:
        """The template of a cell in a right table, or its number if that is typed."""
        if name == "step":
            return self.layout.first_step + epoch
        if name == "η":
            return self.rate
        if name in EXAMPLE or (name in WEIGHTS and epoch == 0):
            return f"first_{name}" if self.layout.linked else vars(self.setup)[name]
        return self.rules[name]

    def faulty(self, slip: Slip) -> dict[str, str]:
        """The slip's faulty templates by column."""
        helped = "δ_o1" in self.rules and slip.with_deltas is not None
        found = {}
        for column, edit in (slip.with_deltas if helped else slip.edits).items():
            if isinstance(edit, str):
                found[column] = edit
            else:
                home = self._home(column, next(iter(edit)))
                found[home] = _renamed(self.rules[home], edit)
        return found

    def _home(self, column: str, name: str) -> str:
        """The column whose formula has the name: this one, or a δ it is made of."""
        names = [token.rstrip("'") for token in _NAME.findall(self.rules[column])]
        if name in names:
            return column
        return self._home(next(other for other in names if other in DELTAS), name)

    def fill(self, slip: Slip) -> list[tuple[str, int]]:
        """Write labels, heads and all cells; return column and epoch of the faulty ones."""
        for text_at, text in self.layout.notes.items():
            self.grid[self.at(text_at)] = Cell(text.format(rate=_typed(self.rate)))
        for name, cell in self.layout.cells.items():
            row, column = self.at(cell)
            label = (row, column - 1) if self.layout.beside else (row - 1, column)
            self.grid[label] = Cell(self.layout.head(name))
            number = self.rate if name == "η" else vars(self.setup)[name]
            self.grid[row, column] = Cell(number)
        for name in self.layout.columns:
            self.grid[self.address(name, -1)] = Cell(self.layout.head(name))

        columns = sorted(self.layout.columns, key=ORDER.index)
        steps = self.epochs + self.layout.last_step
        edited, touched = self.faulty(slip), range(steps)[slip.first : slip.until]
        accused = []
        for epoch in range(steps):
            for name in columns if epoch < self.epochs else WEIGHTS:
                content = self.right(name, epoch)
                if epoch in touched and name in edited and isinstance(content, str):
                    content = edited[name]
                    if epoch >= (touched.start + slip.excused):
                        accused.append((name, epoch))
                if isinstance(content, str):
                    made = self._made(content, name, epoch)
                else:
                    made = Cell(content)
                if epoch in touched and name == slip.typed:
                    accused.append((name, epoch))
                    if not slip.later:
                        made = Cell(slip.typing(float(made.value)))
                self.grid[self.address(name, epoch)] = made
        return accused

    def _made(self, template: str, name: str, epoch: int) -> Cell:
        references = self.references(template, epoch)
        texts = iter(references)
        text = _NAME.sub(lambda _: next(texts)[0], template)
        value = _calculated(template, [self.number(cell) for _, cell in references])
        return Cell(value, f"={text}", f"{name}={template}")

    def unseen(self, name: str, epoch: int) -> bool:
        """Whether the number shown is what the right formula may give for those shown around it."""
        template, shown = self.right(name, epoch), self.number(self.address(name, epoch))
        if not isinstance(template, str):
            return False
        cells = [cell for _, cell in self.references(template, epoch)]
        numbers = [self.number(cell) for cell in cells]
        result, room = _calculated(template, numbers), self._half_a_digit(shown)
        for nudged in set(cells):
            near = [
                number + (self._half_a_digit(number) if cell == nudged else 0.0)
                for cell, number in zip(cells, numbers, strict=True)
            ]
            room += abs(_calculated(template, near) - result)
        return abs(shown - result) <= room

    def _half_a_digit(self, value: float) -> float:
        absolute, relative = {".8f": (0.5e-8, 0.0), ".10g": (0.0, 0.5e-9)}.get(
            self.layout.shown or "", (0.0, 4e-16)
        )
        return absolute + relative * abs(value)


# The file.


Plant = Callable[[dict[str, Grid], Table], Mapping[str, frozenset[str]]]
"""Writes more into the sheets of a file beside the table that has the slip, and says of each sheet
which of those cells are faulty.
"""


def make(
    layout: str | Layout,
    slip: str | Slip | None = None,
    *,
    setup: Setup = SEED,
    rate: float = 1.0,
    epochs: int = 50,
    plant: Plant | None = None,
) -> Made:
    """The workbook of a layout, with the slip or right, and with what is planted beside it.

    Raises ValueError if the layout cannot have the slip, or the table has not so many epochs.
    """
    how, what = _known(layout, slip)
    name = f"{layout}/{slip or 'right'}" if isinstance(layout, str) else "a layout of a test's own"
    if not possible(layout, slip):
        raise ValueError(f"{name} is not possible")
    if how.shown:
        setup = Setup(*(float(format(value, how.shown)) for value in setup.numbers.values()))
        rate = float(format(rate, how.shown))

    sheets: dict[str, Grid] = {}
    accused: set[tuple[str, str]] = set()
    unseen: set[tuple[str, str]] = set()
    for number, block in enumerate(how.tables):
        own = rate * block.times
        sheet = block.sheet.format(rate=_typed(own))
        table = Table(how, block, setup, own, epochs, sheets.setdefault(sheet, {}))
        wrong = table.fill(what if number == how.faulty else Slip())
        if how.shown is not None:
            _paste(table.grid, how.shown)
            for column, epoch in wrong if what.later else ():
                there = table.grid[table.address(column, epoch)]
                there.value = what.typing(float(there.value))
        for column, epoch in wrong:
            place = (
                "" if how.suffix == ".csv" else sheet,
                xl_rowcol_to_cell(*table.address(column, epoch)),
            )
            accused.add(place)
            if how.shown is not None and table.unseen(column, epoch):
                unseen.add(place)
        if plant and number == how.faulty:
            for sheet, cells in plant(sheets, table).items():
                accused |= {("" if how.suffix == ".csv" else sheet, cell) for cell in cells}
    if slip and not accused:
        raise ValueError(f"{name} needs more than {epochs} epochs")
    if how.comparison and not slip and not plant:
        sheets["Sheet2"] = _comparison(setup, epochs)

    file = _csv(how, sheets["Sheet1"]) if how.suffix == ".csv" else _xlsx(how, sheets)
    return Made(
        name=name,
        file=file,
        suffix=how.suffix,
        accused=frozenset(accused),
        setup=setup,
        rate=rate,
        epochs=epochs,
        unseen=frozenset(unseen),
    )


def _paste(grid: Grid, shown: str) -> None:
    """Replace the formulas by their values, rounded as they are shown."""
    for cell in grid.values():
        cell.formula = ""
        if isinstance(cell.value, float) and shown:
            cell.value = float(format(cell.value, shown))


def _comparison(setup: Setup, epochs: int) -> Grid:
    grid: Grid = {}
    for column, rate in enumerate((0.1, 0.2, 0.5, 0.8, 1.0, 2.0)):
        grid[0, column] = Cell(f"LR={rate:g}")
        for row, error in enumerate(descend(setup, rate, epochs).E_total.tolist(), start=1):
            grid[row, column] = Cell(error)
    return grid


class _Exact(float):
    """A float with all its digits, where the writer would round to 16."""

    def __format__(self, spec: str) -> str:
        return repr(float(self))


def _xlsx(layout: Layout, sheets: Mapping[str, Grid]) -> bytes:
    file = io.BytesIO()
    if layout.file == "uncalculated":
        plain = openpyxl.Workbook()
        plain.remove(plain.active)
        for name, grid in sheets.items():
            sheet = plain.create_sheet(name)
            for (row, column), cell in grid.items():
                sheet.cell(row + 1, column + 1, cell.formula or cell.value)
        plain.save(file)
        return file.getvalue()

    book = xlsxwriter.Workbook(file, {"in_memory": True})
    for name, grid in sheets.items():
        sheet = book.add_worksheet(name)
        for at, cell in grid.items():
            if isinstance(cell.value, str):
                sheet.write_string(*at, cell.value)
            elif cell.formula:
                value = float(format(cell.value, layout.saved or ".17g"))
                value = "#VALUE!" if math.isnan(cell.value) else value
                sheet.write_formula(*at, cell.formula, None, value)
            else:
                sheet.write_number(*at, _Exact(cell.value))
    if layout.eta == "name":
        row, column = xl_cell_to_rowcol(layout.cells["η"])
        book.define_name("LR", f"=Sheet1!${xl_col_to_name(column)}${row + 1}")
    filled_down = layout.file == "filled down"
    if filled_down:
        _add_chart(book, sheet, layout, len(grid) // len(layout.columns))
    book.close()
    return _filled_down(file.getvalue(), sheets["Sheet1"]) if filled_down else file.getvalue()


def _add_chart(book: xlsxwriter.Workbook, sheet: object, layout: Layout, rows: int) -> None:
    head, first = xl_cell_to_rowcol(layout.corner)
    column = first + layout.columns.index("E_total")
    chart = book.add_chart({"type": "line"})
    chart.add_series(
        {
            "name": ["Sheet1", head, column],
            "values": ["Sheet1", head + 1, column, head + rows - 1, column],
        }
    )
    sheet.insert_chart(head + 2, first + len(layout.columns) + 1, chart)


def _filled_down(file: bytes, grid: Grid) -> bytes:
    """The file with each formula that was filled down written once, as Excel does it."""
    groups: dict[str, list[Address]] = {}
    for at, cell in sorted(grid.items()):
        if cell.formula:
            groups.setdefault(cell.alike, []).append(at)
    shared = {}
    for number, cells in enumerate(group for group in groups.values() if len(group) > 1):
        first, *others = (xl_rowcol_to_cell(*at) for at in cells)
        shared[first] = f' t="shared" ref="{first}:{others[-1]}" si="{number}"'
        shared |= dict.fromkeys(others, f' t="shared" si="{number}"')

    def share(match: re.Match[str]) -> str:
        opening, cell, formula = match.groups()
        attributes = shared.get(cell, "")
        if attributes and " ref=" not in attributes:
            return f"{opening}<f{attributes}/>"
        return f"{opening}<f{attributes}>{formula}</f>"

    result, sheet = io.BytesIO(), "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(io.BytesIO(file)) as old, zipfile.ZipFile(result, "w", 8) as new:
        for part in old.namelist():
            content = old.read(part)
            if part == sheet:
                pattern = r'(<c r="([A-Z]+\d+)"[^>]*>)<f>([^<]*)</f>'
                content = re.sub(pattern, share, content.decode()).encode()
            new.writestr(part, content)
    return result.getvalue()


def _csv(layout: Layout, grid: Grid) -> bytes:
    """Lines from the first row; with semicolons also decimal commas and a byte-order mark."""
    european = layout.file == "csv;"

    def written(value: float | str) -> str:
        if isinstance(value, str):
            return value
        digits = format(value, layout.shown) if layout.shown == ".8f" else repr(value)
        text = str(value) if isinstance(value, int) else digits
        return text.replace(".", ",") if european else text

    rows = 1 + max(row for row, _ in grid)
    lines = []
    for row in range(rows):
        width = 1 + max((column for at, column in grid if at == row), default=-1)
        texts = (written(grid.get((row, column), Cell("")).value) for column in range(width))
        lines.append((";" if european else ",").join(texts) + "\r\n")
    return "".join(lines).encode("utf-8-sig" if european else "utf-8")
