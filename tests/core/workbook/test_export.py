"""IronCalc, a spreadsheet engine that is not ours, calculates the workbook anew."""

import io
import math
import re
import zipfile
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import openpyxl
import pytest
from spreadsheet import Calculated

from core.backprop.derivation import column_formulas
from core.backprop.network import COLUMNS, COURSE, SEED, Network, Setup, descend
from core.backprop.presets import COURSE_RATES, PRESETS
from core.backprop.schedule import KINDS, Schedule
from core.workbook.export import (
    COMPARISON,
    COMPARISON_HEAD,
    EXPLANATION,
    FIRST_BLOCK,
    INITIAL,
    RATE_ROW,
    TABLE,
    TABLE_HEAD,
    block_of,
    workbook,
)

HUGE = Setup(1, 1, 1e6, -1e6, *[1] * 8)  # with η = 1e300 its second row is out of range


def random_settings() -> list[tuple[Setup, float]]:
    rng = np.random.default_rng(11)
    drawn = []
    for _ in range(20):
        inputs, targets = rng.uniform(-3, 3, 2), rng.uniform(-0.2, 1.2, 2)
        setup = Setup(*inputs.tolist(), *targets.tolist(), *rng.uniform(-4, 4, 8).tolist())
        drawn.append((setup, float(rng.uniform(0.01, 20))))
    return drawn


VARIATIONS = [
    replace(PRESETS["Mazur"], network=network)
    for network in (
        Network("tanh", "tanh", "learn"),
        Network("ReLU", "sigmoid", "learn", frozenset({"w2", "b1"})),
        Network("tanh", "ReLU", "stay", frozenset({"w5", "w6", "w7", "w8"})),
    )
]
SETTINGS = [
    *((setup, 1.0) for setup in (*PRESETS.values(), *VARIATIONS)),
    *random_settings(),
]


@pytest.fixture
def calculate(tmp_path):
    """Calculates a file after somebody typed `changes` into it: no value in it is left to show."""

    def calculated(file, changes=None, rates=None):
        path = tmp_path / "changed.xlsx"
        path.write_bytes(changed(file, changes or {}, rates))
        return Calculated(path)

    return calculated


class Cached:
    """The values that stand in a file beside its formulas."""

    def __init__(self, file: bytes):
        self.book = openpyxl.load_workbook(io.BytesIO(file), data_only=True)

    def value(self, sheet, cell):
        return self.book[sheet][cell].value


def columns(read, sheet, head, first, count, epochs):
    """Values below row `head`, of `count` columns from index `first`: shape (count, epochs)."""
    letters = [openpyxl.utils.get_column_letter(first + 1 + k) for k in range(count)]
    rows = range(head + 1, head + 1 + epochs)
    by_row = [[read.value(sheet, f"{letter}{row}") for letter in letters] for row in rows]
    return np.array(by_row, dtype=object).T


def table(read, epochs, network=COURSE):
    return columns(read, TABLE, TABLE_HEAD, 1, len(network.columns), epochs)


def errors(read, epochs):
    return columns(read, COMPARISON, COMPARISON_HEAD, 1, len(COURSE_RATES), epochs)


def block(read, k, epochs, network=COURSE):
    """The folded columns of rate k, by name."""
    names = block_of(network)
    first = FIRST_BLOCK + 1 + k * (1 + len(names))
    values = columns(read, COMPARISON, COMPARISON_HEAD, first, len(names), epochs)
    return dict(zip(names, values, strict=True))


def assert_engine(read, setup, rate, epochs, rates=COURSE_RATES):
    """Both sheets hold the engine's numbers to 1e-9 in every cell, however small the number."""
    # A difference below 1e-14 may be taken for 0 by a spreadsheet program, hence atol.
    close = {"rtol": 1e-9, "atol": 1e-12}
    mine = table(read, epochs, setup.network).astype(float)
    np.testing.assert_allclose(mine, descend(setup, rate, epochs).rows, **close)
    theirs = descend(setup, np.array(rates), epochs)
    np.testing.assert_allclose(errors(read, epochs).astype(float), theirs.E_total.T, **close)
    for k in range(len(rates)):
        one = dict(zip(setup.network.columns, theirs.run(k).rows, strict=True))
        for name, values in block(read, k, epochs, setup.network).items():
            if name in one:
                np.testing.assert_allclose(values.astype(float), one[name], **close)


def changed(file: bytes, changes: dict[str, float], rates: dict[int, float] | None = None) -> bytes:
    """The file after somebody typed into it: saved without values, so they must be calculated."""
    book = openpyxl.load_workbook(io.BytesIO(file))
    for name, value in changes.items():
        book[TABLE][INITIAL[name].replace("$", "")] = value
    for k, rate in (rates or {}).items():
        book[COMPARISON].cell(RATE_ROW, 2 + k, rate)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.fixture(scope="module")
def published():
    return workbook(SEED, 1.0, 50)


def test_the_published_run_calculates_to_the_engines_numbers(published, calculate):
    assert_engine(calculate(published), SEED, 1.0, 50)


@pytest.mark.parametrize(("setup", "rate"), SETTINGS)
def test_any_setting_calculates_to_the_engines_numbers(setup, rate, calculate):
    assert_engine(calculate(workbook(setup, rate, 4)), setup, rate, 4)


@pytest.mark.parametrize("name", INITIAL)
def test_everything_follows_a_changed_initial_value(name, calculate):
    calculated = calculate(workbook(SEED, 1.0, 3), {name: 0.35})
    setup = SEED if name == "η" else replace(SEED, **{name: 0.35})
    assert_engine(calculated, setup, 0.35 if name == "η" else 1.0, 3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("changes", [(), ((3, 2.5), (6, 0.0), (99, 7.0))])
def test_a_schedule_is_a_live_column(kind, changes, calculate):
    schedule = Schedule(1.5, kind, 0.7, 2, 0.25, changes)
    calculated = calculate(workbook(SEED, schedule, 8))
    rows = schedule.descend(SEED, 8).rows
    np.testing.assert_allclose(table(calculated, 8).astype(float), rows, rtol=1e-9, atol=1e-12)
    rates = columns(calculated, TABLE, TABLE_HEAD, 1 + len(COLUMNS), 1, 8)[0]
    if schedule.is_constant:
        assert not any(rates)
        return
    np.testing.assert_allclose(rates.astype(float), schedule.rates(8), rtol=1e-12)
    other = replace(schedule, eta=0.5)
    calculated = calculate(workbook(SEED, schedule, 8), {"η": 0.5})
    rows = other.descend(SEED, 8).rows
    np.testing.assert_allclose(table(calculated, 8).astype(float), rows, rtol=1e-9, atol=1e-12)


def test_a_column_follows_a_changed_rate(calculate):
    calculated = calculate(workbook(SEED, 1.0, 3), rates={4: 3.5})
    assert_engine(calculated, SEED, 1.0, 3, (0.1, 0.2, 0.5, 0.8, 3.5, 2.0))
    heads = [calculated.value(COMPARISON, f"{c}{COMPARISON_HEAD}") for c in "BCDEFG"]
    assert heads == ["η = 0.1", "η = 0.2", "η = 0.5", "η = 0.8", "η = 3.5", "η = 2"]


@pytest.mark.parametrize(("setup", "rate"), SETTINGS)
def test_the_values_beside_the_formulas_are_the_engines_to_the_last_digit(setup, rate, calculate):
    file = workbook(setup, rate, 4)
    cached = Cached(file)
    mine = table(cached, 4, setup.network).astype(float)
    np.testing.assert_array_equal(mine, descend(setup, rate, 4).rows)
    many = descend(setup, np.array(COURSE_RATES), 4)
    np.testing.assert_array_equal(errors(cached, 4).astype(float), many.E_total.T)
    calculated = calculate(file)
    for k in range(len(COURSE_RATES)):
        one = dict(zip(setup.network.columns, many.run(k).rows, strict=True))
        formulas = block(calculated, k, 4, setup.network)
        for name, values in block(cached, k, 4, setup.network).items():
            exact = one.get(name)
            if exact is not None:
                np.testing.assert_array_equal(values.astype(float), exact)
            np.testing.assert_allclose(
                values.astype(float), formulas[name].astype(float), rtol=1e-9, atol=1e-12
            )


def test_initial_values_keep_all_their_digits():
    setup = replace(SEED, w1=0.1 + 0.2, i2=1 / 3)
    cached = Cached(workbook(setup, 2 / 3, 1))
    cells = {name: cached.value(TABLE, cell.replace("$", "")) for name, cell in INITIAL.items()}
    assert cells == {**setup.numbers, "η": 2 / 3}


def test_every_number_of_both_tables_is_a_formula(published):
    book = openpyxl.load_workbook(io.BytesIO(published))
    for sheet, head in ((book[TABLE], TABLE_HEAD), (book[COMPARISON], COMPARISON_HEAD)):
        assert sheet.max_row == head + 50
        for row in sheet.iter_rows(min_row=head + 1):
            for cell in row:
                if cell.coordinate == f"A{head + 1}":
                    assert cell.value == 1
                elif cell.value is not None:
                    assert cell.data_type == "f", cell.coordinate
                    assert not re.fullmatch(r"=[\d.]+", cell.value)


def test_the_head_is_that_of_the_table_and_labels_stand_above_their_cells(published):
    sheet = openpyxl.load_workbook(io.BytesIO(published))[TABLE]
    assert [cell.value for cell in sheet[TABLE_HEAD]] == ["epoch", *COLUMNS]
    for name, cell in INITIAL.items():
        assert sheet[cell.replace("$", "")].offset(row=-1).value == name


def test_head_and_epochs_stay_in_sight_and_on_paper(published):
    book = openpyxl.load_workbook(io.BytesIO(published))
    assert book.sheetnames == [TABLE, COMPARISON, EXPLANATION]
    for name, head in ((TABLE, TABLE_HEAD), (COMPARISON, COMPARISON_HEAD)):
        assert book[name].freeze_panes == f"B{head + 1}"
        assert book[name].print_title_rows == f"${head}:${head}"
        assert book[name].page_setup.orientation == "landscape"


def test_the_weights_behind_each_rate_are_folded(published):
    sheet = openpyxl.load_workbook(io.BytesIO(published))[COMPARISON]
    for k in range(len(COURSE_RATES)):
        first = FIRST_BLOCK + 2 + k * (1 + len(block_of(COURSE)))
        folded = sheet.column_dimensions[openpyxl.utils.get_column_letter(first)]
        assert (folded.hidden, folded.outlineLevel) == (True, 1)
        assert (folded.min, folded.max) == (first, first + len(block_of(COURSE)) - 1)


def place_of(sheet, letter, head):
    """Where the name, the epochs and the values of a series of 50 epochs stand."""
    first, last = head + 1, head + 50
    cells = f"${letter}${head}", f"$A${first}:$A${last}", f"${letter}${first}:${letter}${last}"
    return [f"'{sheet}'!{cell}" for cell in cells]


def test_each_chart_shows_its_columns_against_the_epoch(published):
    drawn = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
    texts = "{http://schemas.openxmlformats.org/drawingml/2006/main}t"
    found = []
    with zipfile.ZipFile(io.BytesIO(published)) as file:
        for name in ("xl/charts/chart1.xml", "xl/charts/chart2.xml"):
            chart = ElementTree.fromstring(file.read(name))  # noqa: S314 — our own file
            titles = [text.text for text in chart.iter(texts)]
            series = [
                [reference.text for reference in one.iter(f"{drawn}f")]
                for one in chart.iter(f"{drawn}ser")
            ]
            found.append((titles, series))
        assert "xl/charts/chart3.xml" not in file.namelist()
    (titles, series), (rate_titles, rate_series) = found
    assert titles == ["Error of each epoch", "epoch", "error E"]
    assert series == [place_of(TABLE, c, TABLE_HEAD) for c in "XVW"]
    assert rate_titles == ["E_total at six learning rates", "epoch", "error E_total"]
    assert rate_series == [place_of(COMPARISON, c, COMPARISON_HEAD) for c in "BCDEFG"]


def test_the_explanation_quotes_the_cells_it_explains(published):
    book = openpyxl.load_workbook(io.BytesIO(published))
    rows = {row[0].value: row for row in book[EXPLANATION].iter_rows(min_row=4, max_row=35)}
    assert list(rows) == ["epoch", *COLUMNS]
    for cell in book[TABLE][TABLE_HEAD + 2]:
        name = book[TABLE].cell(TABLE_HEAD, cell.column).value
        assert f"={rows[name][3].value}" == cell.value
        assert rows[name][1].value
        assert rows[name][2].value == column_formulas().get(name, "the row above + 1")


@pytest.mark.parametrize("size", [1e3, 1e5])
def test_extreme_weights_saturate_instead_of_failing(size, calculate):
    setup = Setup(1, 0, 0, 1, *[-size, 0, size, 0], *[size, -size, -size, size])
    calculated = calculate(workbook(setup, 1.0, 3))
    assert_engine(calculated, setup, 1.0, 3)
    one = dict(zip(COLUMNS, table(calculated, 3)[:, 0], strict=True))
    assert (one["h1"], one["h2"], one["o1"], one["o2"]) == (-size, size, -size, size)
    assert (one["out_h1"], one["out_h2"], one["out_o1"], one["out_o2"]) == (0, 1, 0, 1)


def test_a_diverged_run_ends_in_the_spreadsheets_own_error(calculate):
    file = workbook(HUGE, 1e300, 4)
    rows, run = table(Cached(file), 4), descend(HUGE, 1e300, 4)
    assert run.diverged_at == 2
    np.testing.assert_array_equal(rows[:, 0].astype(float), run.rows[:, 0])
    assert (rows[:4].astype(float) == run.rows[:4]).all()
    assert (rows[4:, 1:] == "#NUM!").all()
    assert table(calculate(file), 4)[COLUMNS.index("E_total"), -1] == "#NUM!"
    with zipfile.ZipFile(io.BytesIO(file)) as parts:
        for name in parts.namelist():
            assert not re.search(rb"<(c:)?v>[-+]?(nan|inf)", parts.read(name), re.IGNORECASE)


def test_a_run_out_of_range_at_once_keeps_its_initial_weights():
    rows = table(Cached(workbook(replace(SEED, t1=1e200, w1=0.7), 1.0, 2)), 2)
    assert rows[COLUMNS.index("w1")].tolist() == [0.7, "#NUM!"]
    assert rows[COLUMNS.index("E_total")].tolist() == ["#NUM!", "#NUM!"]


def test_a_number_too_small_for_a_spreadsheet_is_zero():
    cached = Cached(workbook(replace(SEED, w1=5e-324, w2=-0.0), 1.0, 1))
    assert table(cached, 1)[4:6, 0].tolist() == [0, 0]
    assert cached.value(TABLE, "B6") == 0


def test_the_same_arguments_give_the_same_small_file(published):
    assert published == workbook(SEED, 1.0, 50)
    assert len(published) < 300_000


@pytest.mark.parametrize("epochs", [1, 2, 1000])
def test_any_number_of_epochs(epochs):
    file = workbook(SEED, 1.0, epochs)
    sheet = openpyxl.load_workbook(io.BytesIO(file), read_only=True, data_only=True)[TABLE]
    table = descend(SEED, 1.0, epochs).table()
    assert list(sheet.iter_rows(min_row=TABLE_HEAD, values_only=True)) == [
        tuple(table.columns),
        *table.itertuples(index=False, name=None),
    ]
    assert sheet["F8"].value == table["E_total"].iloc[-1]


def test_what_the_engine_refuses_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        workbook(SEED, 1.0, 0)
    with pytest.raises(ValueError, match="finite"):
        workbook(SEED, math.inf, 5)
    with pytest.raises(ValueError, match="many runs"):
        workbook(replace(SEED, w1=np.array([0.1, 0.2])), 1.0, 5)
