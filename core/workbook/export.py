"""A run as an .xlsx workbook that calculates itself: live formulas, their values, charts.

This module knows where each number stands, and writes the arithmetic of rules.py as cell formulas.
Only the initial values, the learning rates and the number of the first epoch are constants: change
one in Excel or LibreOffice and all else follows.

Two things are written in a spreadsheet's way. EXP of more than 709 is an error there, so the
sigmoid is 0 below x = −709, where it is under 1e-307: IF(x<−709, 0, 1/(1+EXP(−x))). And a number
beyond the range of a float is #NUM!, not ∞, so a run that diverges ends in #NUM!, where `History`
repeats its last numbers.
"""

from __future__ import annotations

import io
import math
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import numpy as np
import xlsxwriter
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from core.backprop.derivation import BIASED, EDGES, column_formulas
from core.backprop.network import PARAMETERS, Array, History, Network, Setup, descend
from core.backprop.presets import COURSE_RATES
from core.backprop.rules import (
    NODES,
    block_rules,
    block_steps,
    in_cells,
    table_rules,
    table_steps,
)
from core.backprop.schedule import Schedule

TABLE, COMPARISON, EXPLANATION = "Backprop", "Learning rates", "Formulas"

# Rows as a spreadsheet numbers them, from 1.
TABLE_HEAD, COMPARISON_HEAD = 10, 6
RATE_ROW = 4

INITIAL = {
    **{"t1": "$B$4", "t2": "$C$4", "i1": "$D$4", "i2": "$E$4", "η": "$F$4"},
    **{"w1": "$B$6", "w2": "$C$6", "w3": "$D$6", "w4": "$E$6"},
    **{"w5": "$B$8", "w6": "$C$8", "w7": "$D$8", "w8": "$E$8"},
}
"""Initial value -> its cell in the sheet `TABLE`; its label stands in the cell above."""
_CELLS = {**INITIAL, "b1": "$G$6", "b2": "$G$8"}


def block_of(network: Network) -> tuple[str, ...]:
    """The columns behind each E_total of the sheet `COMPARISON`."""
    columns = network.columns
    forward = columns[columns.index("w1") : columns.index("E1")]
    return (*forward, "∂E/∂o1", "∂E/∂o2", "∂E/∂h1", "∂E/∂h2")


FIRST_BLOCK = 21  # the index of its first column, V: the chart lies before it

# The hues of core.ui.colours, which this layer must not import: blue is a value on its way
# forward, orange a gradient, teal the loss. Each with a tint on which black text reads well.
FORWARD, FORWARD_TINT = "#3a80cc", "#dfebf8"
GRADIENT, GRADIENT_TINT = "#cf6a12", "#fbe7d5"
LOSS, LOSS_TINT = "#12907c", "#d9f0ec"
NEUTRAL, NEUTRAL_TINT = "#7d8894", "#eceff1"
RATE_SHADES = ("#7fc9bb", "#67b7a8", "#50a595", "#389383", "#218170", "#0a6f60")
INPUT = "#fff5cc"


def workbook(setup: Setup, learning_rate: float | Schedule, epochs: int) -> bytes:
    """The run as an .xlsx file of three sheets; the same arguments give the same bytes.

    Backprop: the initial values and η in cells of their own, below them the table of
    `History.table()`, one row an epoch, and a chart of its errors. Learning rates: E_total of each
    epoch at six rates, with the weights behind it in folded columns, and a chart. Formulas: what
    each column is and how to change things.

    `setup` holds numbers, not arrays. A schedule has η of each epoch in a last column of the table,
    with its formula or what was set by hand; the six rates stay constant. Beside each formula
    stands the value that `descend` gives, to the last digit; from the epoch on at which a run
    diverges it is #NUM!, as a spreadsheet makes it, and a number nearer to 0 than 2.2e-308 is 0,
    since spreadsheets know none.

    Raises ValueError if `epochs` is below 1, or a number is not finite.
    """
    if not isinstance(learning_rate, Schedule):
        learning_rate = Schedule(float(learning_rate))
    run = learning_rate.descend(setup, epochs)
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    book.set_properties(
        {"title": "Backpropagation in the 2-2-2 network", "created": datetime(2000, 1, 1)}
    )
    sheets = [book.add_worksheet(name, _Sheet) for name in (TABLE, COMPARISON, EXPLANATION)]
    styles = _Styles(book)
    _write_table(sheets[0], styles, run, learning_rate)
    _write_comparison(sheets[1], styles, setup, epochs)
    _write_explanation(sheets[2], styles, setup.network, learning_rate)
    _insert_errors(book, sheets[0], run)
    _insert_rates(book, sheets[1], epochs)
    book.close()
    return file.getvalue()


# The formulas, in cells.


def _guarded(rules: Mapping[str, str]) -> dict[str, str]:
    """The rules with a sigmoid that never asks EXP for more than a spreadsheet's numbers hold."""
    outs = {f"out_{n}": f"IF({n}<-709,0,{rules[f'out_{n}']})" for n in NODES}
    return {**rules, **{out: rule for out, rule in outs.items() if "EXP" in rule}}


def _formulas(first: str, rest: str, head: int, epochs: int) -> list[str]:
    """One formula an epoch below row `head`: {r} stands for its row, {p} for the row above."""
    rows = range(head + 1, head + 1 + epochs)
    return [f"={(first if r == rows[0] else rest).format(r=r, p=r - 1)}" for r in rows]


def _formulas_by_column(
    rules: Mapping[str, str],
    steps: Mapping[str, str],
    places: Mapping[str, int],
    fixed: Mapping[str, str],
    size: tuple[int, int],
) -> dict[str, list[str]]:
    """Name -> the formulas of its column.

    rules, steps: as in rules.py. places: name -> index of its column, for the names that vary with
    the epoch. fixed: name -> its cell, for all others and for initial weights. size: the row of the
    head, and the epochs.
    """
    here = {**fixed, **{name: f"{xl_col_to_name(k)}{{r}}" for name, k in places.items()}}
    above = {**fixed, **{name: f"{xl_col_to_name(k)}{{p}}" for name, k in places.items()}}
    formulas = {}
    for name in places:
        first = rest = in_cells(rules[name], here) if name in rules else fixed[name]
        if name in steps:
            rest = in_cells(steps[name], above)
        formulas[name] = _formulas(first, rest, *size)
    return formulas


# The values beside the formulas.


def _values(run: History) -> dict[str, Array]:
    """Column -> its values as a spreadsheet has them: NaN for the #NUM! of a run that diverged."""
    values = {name: row.copy() for name, row in zip(run.columns, run.single_rows(), strict=True)}
    if run.diverged_at:
        for name in run.columns[4:]:
            given = name in PARAMETERS and run.diverged_at == 1
            values[name][run.diverged_at - 1 + given :] = np.nan
    return values


def _block_values(run: History) -> dict[str, Array]:
    """As `_values`, with ∂E/∂o1 … ∂E/∂h2 in the order of operations of network.py."""
    values = _values(run)
    hidden, output = run.setup.network.activations
    for k in (1, 2):
        out = values[f"out_o{k}"]
        values[f"∂E/∂o{k}"] = (out - values[f"t{k}"]) * output.slope(out)
    for node in ("h1", "h2"):
        to_o1, to_o2 = (w for w, (source, _) in EDGES.items() if source == node)
        out, back = values[f"out_{node}"], values["∂E/∂o1"] * values[to_o1]
        values[f"∂E/∂{node}"] = (back + values["∂E/∂o2"] * values[to_o2]) * hidden.slope(out)
    return values


def _cached(value: float) -> float | str:
    if math.isnan(value):
        return "#NUM!"
    return float(value) if abs(value) >= sys.float_info.min else 0.0


class _Exact(float):
    """A float with all its digits, where the writer of a constant would round to 16."""

    def __format__(self, spec: str) -> str:
        return repr(float(self))


class _Sheet(Worksheet):  # type: ignore[misc]
    """Takes formulas as they are.

    The library's own sheet searches each for the names of a hundred newer functions, none of which
    occurs here, and so takes three times as long to make the file.
    """

    def _prepare_formula(self, formula: str, *_: object) -> str:
        return formula.removeprefix("=")


# The sheets.


class _Styles:
    """The looks of cells."""

    def __init__(self, book: Any) -> None:
        self.book = book
        self.title = self.of(bold=True, font_size=14)
        self.note = self.of(font_color="#5a646e")
        self.text = self.of(text_wrap=True, valign="top")
        self.code = self.of(valign="top", font_name="Consolas", font_size=9)
        self.label = self.of(align="right", font_color="#5a646e")
        self.section = self.of(bold=True, font_size=12)
        self.input = self.of(bg_color=INPUT, border=1, border_color="#d9c77a", align="right")
        self.epoch = self.of(num_format="0", font_color="#5a646e")
        self.result = self.of(num_format="0.000000")

    def of(self, **properties: Any) -> Any:
        return self.book.add_format(properties)

    def head(self, name: str, align: str = "right") -> Any:
        """The head of a column, in the colour of what it holds."""
        hue, tint = _colours(name)
        return self.of(bold=True, align=align, bg_color=tint, bottom=2, bottom_color=hue)

    def numbers(self, name: str, values: Array) -> Any:
        """Fixed decimals, so that digits stand below digits, or powers of ten out of their range.

        Either fits a column 12 digits wide.
        """
        decimals = 8 if name.startswith("∂") else 6
        peak = np.max(np.abs(values[np.isfinite(values)]), initial=0.0)
        fixed = peak == 0 or 10.0 ** (2 - decimals) <= peak < 1e4
        return self.of(num_format=f"0.{'0' * decimals}" if fixed else "0.00000E+00")


def _colours(name: str) -> tuple[str, str]:
    if name.startswith("∂"):
        return GRADIENT, GRADIENT_TINT
    if name.startswith("E"):
        return LOSS, LOSS_TINT
    if name.startswith(("h", "o")):
        return FORWARD, FORWARD_TINT
    return NEUTRAL, NEUTRAL_TINT


def _write_column(
    sheet: Any, at: tuple[int, int], formulas: Iterable[str], values: Array, style: Any
) -> None:
    """Formulas with their values, down from the row (numbered from 1) and column index `at`."""
    row, column = at
    for offset, (formula, value) in enumerate(zip(formulas, values.tolist(), strict=True)):
        sheet.write_formula(row - 1 + offset, column, formula, style, _cached(value))


def _write_epochs(sheet: Any, styles: _Styles, head: int, epochs: int) -> None:
    sheet.write(head - 1, 0, "epoch", styles.head("epoch"))
    sheet.write_number(head, 0, 1, styles.epoch)
    formulas = _formulas("", "A{p}+1", head, epochs)[1:]
    _write_column(sheet, (head + 2, 0), formulas, np.arange(2.0, epochs + 1), styles.epoch)


def _write_columns(
    sheet: Any,
    styles: _Styles,
    head: int,
    places: Mapping[str, int],
    columns: Mapping[str, Iterable[str]],
    values: Mapping[str, Array],
) -> None:
    """Heads, and below them formulas with their values, on the columns that `places` tells."""
    for name, formulas in columns.items():
        sheet.write(head - 1, places[name], name, styles.head(name))
        numbers = styles.numbers(name, values[name])
        _write_column(sheet, (head + 1, places[name]), formulas, values[name], numbers)
    rows = f"{head + 1}:{xl_col_to_name(max(places.values()))}{head + len(values['E_total'])}"
    sheet.ignore_errors({"formula_differs": f"B{rows}"})


def _places(network: Network, schedule: Schedule) -> dict[str, int]:
    """Name -> index of its column in the sheet `TABLE`; η has one if it is not constant."""
    names = (*network.columns, *([] if schedule.is_constant else ["η"]))
    return {name: k for k, name in enumerate(names, start=1)}


def _write_table(sheet: Any, styles: _Styles, run: History, schedule: Schedule) -> None:
    head, epochs, values = TABLE_HEAD, run.epochs, _values(run)
    network = run.setup.network
    sheet.set_column(0, 0, 8)
    sheet.set_column(1, len(run.columns) + 1, 12)
    for row, height in enumerate([28, 22, *[22] * 6, 22, 24]):
        sheet.set_row_pixels(row, height)
    sheet.write("B1", f"Backpropagation in the 2-2-2 {_in_words(network)} network", styles.title)
    sheet.write("B2", "Change a yellow cell and everything follows.", styles.note)
    for name, value in {**run.setup.numbers, "η": schedule.eta}.items():
        cell = _CELLS[name].replace("$", "")
        sheet.write(f"{cell[0]}{int(cell[1]) - 1}", name, styles.label)
        sheet.write_number(cell, _Exact(_cached(value)), styles.input)

    places = _places(network, schedule)
    letters = {name: xl_col_to_name(k) for name, k in places.items()}
    ends = (("first E_total", "F6", head + 1), ("last E_total", "F8", head + epochs))
    for label, cell, row in ends:
        sheet.write(f"F{int(cell[1]) - 1}", label, styles.label)
        error = _cached(values["E_total"][row - head - 1])
        sheet.write_formula(cell, f"={letters['E_total']}{row}", styles.result, error)
    for name, caption in _CAPTIONS.items():
        hue, _ = _colours(name)
        style = styles.of(font_color=hue, italic=True, valign="bottom")
        sheet.write(f"{letters[name]}{head - 1}", caption, style)

    _write_epochs(sheet, styles, head, epochs)
    rules = _guarded(table_rules(network))
    columns = _formulas_by_column(rules, table_steps(network), places, _CELLS, (head, epochs))
    if "η" in places:
        cells = schedule.cells(_CELLS["η"], epochs, "A{r}", f"{letters['η']}{{p}}")
        columns["η"] = [
            cell.format(r=row, p=row - 1) for row, cell in enumerate(cells, start=head + 1)
        ]
        values["η"] = run.learning_rate
    _write_columns(sheet, styles, head, places, columns, values)
    _keep_heads(sheet, head)
    _set_print(sheet, pages_wide=2)


_CAPTIONS = {
    **{"t1": "example", "w1": "to the hidden units", "h1": "hidden units"},
    **{"w5": "to the outputs", "o1": "outputs", "E1": "errors", "∂E/∂w1": "gradients"},
}


def _in_words(network: Network) -> str:
    return "sigmoid" if network.hidden == network.output == "sigmoid" else "neural"


def _write_comparison(sheet: Any, styles: _Styles, setup: Setup, epochs: int) -> None:
    head, network, block = COMPARISON_HEAD, setup.network, block_of(setup.network)
    rules, steps = _guarded(block_rules(network)), block_steps(network)
    fixed = {name: f"{TABLE}!{cell}" for name, cell in _CELLS.items()}
    sheet.set_column(0, 0, 8)
    sheet.set_column(1, len(COURSE_RATES), 12)
    sheet.outline_settings(symbols_right=False)
    sheet.write("B1", "E_total at six learning rates", styles.title)
    sheet.write(
        "B2",
        f"Change a yellow η, or an initial value in the sheet {TABLE}, and its column follows. "
        f"The weights behind each column are folded: open them with + "
        f"from column {xl_col_to_name(FIRST_BLOCK)} on.",
        styles.note,
    )
    sheet.write(RATE_ROW - 1, 0, "η", styles.label)
    _write_epochs(sheet, styles, head, epochs)
    for k, rate in enumerate(COURSE_RATES, start=1):
        rate_cell = f"{xl_col_to_name(k)}${RATE_ROW}"
        sheet.write_number(RATE_ROW - 1, k, rate, styles.input)
        start = FIRST_BLOCK + (k - 1) * (1 + len(block))
        sheet.set_column(start, start, 9, None, {"collapsed": True})
        sheet.set_column(start + 1, start + len(block), 12, None, {"level": 1, "hidden": True})

        values = _block_values(descend(setup, rate, epochs))
        places = {name: start + 1 + n for n, name in enumerate(block)} | {"E_total": k}
        cells = fixed | {"η": f"${rate_cell}"}
        columns = _formulas_by_column(rules, steps, places, cells, (head, epochs))
        _write_columns(sheet, styles, head, places, columns, values)
        for column, name in ((k, "E_total"), (start, "epoch")):
            shown, title = f'="η = "&{rate_cell}', f"η = {rate:g}"
            sheet.write_formula(head - 1, column, shown, styles.head(name), title)
    _keep_heads(sheet, head)
    _set_print(sheet)
    sheet.print_area(0, 0, max(head + epochs, 30) - 1, FIRST_BLOCK - 2)


def _write_explanation(sheet: Any, styles: _Styles, network: Network, schedule: Schedule) -> None:
    for column, width in enumerate((11, 42, 48, 84)):
        sheet.set_column(column, column, width)
    sheet.write("A1", "What each column is", styles.title)
    head, wide = 3, 180  # so many letters fill a line across the four columns
    titles = ("column", "meaning", "formula", f"cell of epoch 2 in {TABLE}")
    for column, title in enumerate(titles):
        sheet.write(head - 1, column, title, styles.head("epoch", align="left"))

    rules, places = _guarded(table_rules(network)), _places(network, schedule)
    cells = _formulas_by_column(rules, table_steps(network), places, _CELLS, (TABLE_HEAD, 2))
    symbols = {"epoch": "the row above + 1", **column_formulas(network)}
    formulas = {"epoch": f"A{TABLE_HEAD + 1}+1", **{name: f[1][1:] for name, f in cells.items()}}
    row = head
    for name in ("epoch", *network.columns):
        _, tint = _colours(name)
        sheet.write(row, 0, name, styles.of(bold=True, valign="top", bg_color=tint))
        sheet.write(row, 1, _meaning(name), styles.text)
        sheet.write(row, 2, symbols[name], styles.text)
        sheet.write_string(row, 3, formulas[name], styles.code)
        row += 1
    notes = _notes(network)
    if "η" in places:
        notes["Learning rate"] = [
            f"Column {xl_col_to_name(places['η'])} of the sheet {TABLE} has η of each epoch: the "
            "step into a row takes that of the row above. A number typed there holds for that "
            "epoch."
        ]
    for title, paragraphs in notes.items():
        sheet.write(row + 1, 0, title, styles.section)
        row += 2
        for paragraph in paragraphs:
            sheet.merge_range(row, 0, row, 3, paragraph, styles.text)
            sheet.set_row_pixels(row, 20 * (1 + len(paragraph) // wide))
            row += 1
    sheet.freeze_panes(head, 1)
    _set_print(sheet)


def _meaning(name: str) -> str:
    if name in EDGES:
        source, target = EDGES[name]
        return f"weight from {_unit(source)} to {_unit(target)}"
    if name in BIASED:
        return f"bias of {' and '.join(_unit(node) for node in BIASED[name])}"
    if name.startswith("∂"):
        return f"how fast E_total grows with {name[-2:]}"
    if name.startswith("out_"):
        return f"activation of {_unit(name[-2:])}: what it sends on"
    return {
        "epoch": "row 1 has the initial weights",
        **{"t1": "what output 1 should answer", "t2": "what output 2 should answer"},
        **{"i1": "input 1", "i2": "input 2"},
        **{"E1": "error of output 1", "E2": "error of output 2"},
        "E_total": "error of the network",
    }.get(name) or f"net input of {_unit(name)}"


def _unit(node: str) -> str:
    return f"{ {'i': 'input', 'h': 'hidden unit', 'o': 'output'}[node[0]] } {node[1]}"


def _notes(network: Network) -> dict[str, list[str]]:
    """Heading -> paragraphs."""
    activations = dict.fromkeys(network.activations)
    symbols = "; ".join(f"{a.symbol}(x) = {a.definition.format(x='x')}" for a in activations)
    biases = "There are no biases." if network.biases == "none" else "b1 and b2 are biases."
    slopes = {o: network.activations[1].slopes.format(out=f"out_{o}") for o in ("o1", "o2")}
    kept = [name for name in network.parameters if name not in network.moving]
    return {
        "Symbols and colours": [
            f"{symbols}. η is the learning rate. {biases}",
            *([f"These keep their values: {', '.join(kept)}."] if kept else []),
            "Blue columns are values on their way forward, teal ones errors, orange ones "
            "gradients; grey ones are given or learned.",
            f"∂E/∂o1 = (out_o1 − t1)·{slopes['o1']} and ∂E/∂o2 = (out_o2 − t2)·{slopes['o2']} "
            "are the errors sent back from the outputs; the cells of the gradients write them out.",
        ],
        "How to change things": [
            f"Yellow cells hold the only numbers that were typed: η ({INITIAL['η']}), the example "
            f"and the initial weights in the sheet {TABLE}, and the six rates in the sheet "
            f"{COMPARISON}. Type into one, and every table and chart follows.",
            "For more epochs select the last row of a table, all its columns, and drag its corner "
            "down. Then drag the chart's range along with it.",
            f"In the sheet {COMPARISON} each rate is a descent of its own. Its weights, "
            "activations and the errors sent back are in folded columns: the + above their heading "
            "opens them.",
        ],
        "What a spreadsheet does differently": [
            "EXP of more than 709 is an error. Below x = −709, where σ(x) is smaller than 1e-307, "
            "the cells therefore say 0: IF(x<−709, 0, 1/(1+EXP(−x))).",
            "#NUM! means that a number has left the range of a spreadsheet (about 1.8e308): the "
            "run has diverged. A smaller η or smaller inputs keep it together.",
        ],
    }


def _keep_heads(sheet: Any, head: int) -> None:
    """The names of the columns and the epochs stay in sight, and stand on every printed page."""
    sheet.freeze_panes(head, 1)
    sheet.repeat_rows(head - 1)
    sheet.repeat_columns(0)


def _set_print(sheet: Any, pages_wide: int = 1) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.fit_to_pages(pages_wide, 0)
    sheet.set_footer("&L&A&R&P / &N")


# The charts.

_LINES = {
    "E_total": {"dash_type": "solid", "width": 2.5},
    "E1": {"dash_type": "dash", "width": 1.5},
    "E2": {"dash_type": "dot", "width": 1.5},
}
_GRID = {"visible": True, "line": {"color": "#e3e6e9", "width": 0.75}}


def _insert_errors(book: Any, sheet: Any, run: History) -> None:
    """Above the table, where it stays in sight with the initial values."""
    looks = {
        xl_col_to_name(1 + run.columns.index(name)): {"color": LOSS, **line}
        for name, line in _LINES.items()
    }
    chart = _line_chart(book, TABLE, TABLE_HEAD, run.epochs, looks)
    chart.set_title({"name": "Error of each epoch", "name_font": {"size": 10, "bold": False}})
    chart.set_y_axis(_axis("error E", _GRID) | {"min": 0})
    chart.set_size({"width": 640, "height": 178})
    beside = 6 if run.setup.network.biases == "none" else 7
    _insert(sheet, (0, beside), chart, "E1, E2 and E_total against the epoch")


def _insert_rates(book: Any, sheet: Any, epochs: int) -> None:
    """Beside the table."""
    looks = {
        xl_col_to_name(k): {"color": shade, "width": 2}
        for k, shade in enumerate(RATE_SHADES, start=1)
    }
    chart = _line_chart(book, COMPARISON, COMPARISON_HEAD, epochs, looks)
    title, font = "E_total at six learning rates", {"size": 12, "bold": False}
    chart.set_title({"name": title, "name_font": font})
    chart.set_y_axis(_axis("error E_total", _GRID) | {"min": 0})
    chart.set_size({"width": 740, "height": 420})
    said = "E_total against the epoch, one line for each of six learning rates"
    _insert(sheet, (COMPARISON_HEAD, 8), chart, said)


def _insert(sheet: Any, at: tuple[int, int], chart: Any, description: str) -> None:
    place = {"object_position": 2, "x_offset": 12, "y_offset": 2}  # 2: it moves, and keeps its size
    sheet.insert_chart(*at, chart, {"description": description, **place})


def _axis(title: str, grid: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": title,
        "name_font": {"size": 9, "bold": False},
        "num_font": {"size": 9},
        "num_format": "General",
        "line": {"color": NEUTRAL},
        "major_gridlines": grid,
    }


def _line_chart(
    book: Any, sheet: str, head: int, epochs: int, looks: Mapping[str, Mapping[str, Any]]
) -> Any:
    """Columns against the epoch. looks: the letters of each column -> how its line looks."""

    def cells(letters: str) -> str:
        return f"='{sheet}'!${letters}${head + 1}:${letters}${head + epochs}"

    chart = book.add_chart({"type": "scatter", "subtype": "straight"})
    for letters, line in looks.items():
        chart.add_series(
            {
                "name": f"='{sheet}'!${letters}${head}",
                "categories": cells("A"),
                "values": cells(letters),
                "line": line,
                # A single epoch has no line to draw.
                "marker": {"type": "none" if epochs > 1 else "circle"},
            }
        )
    chart.set_x_axis(_axis("epoch", {"visible": False}) | {"min": 0, "max": max(epochs, 2)})
    chart.set_legend({"position": "right", "font": {"size": 9}})
    return chart
