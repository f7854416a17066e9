"""Files as programs and people write them, which no workbook of faulty.py looks like."""

import io
import re
from dataclasses import replace

import numpy as np
import openpyxl
import pandas as pd
import pytest
from faulty import COLUMNS, DELTAS, WITH_DELTAS, Layout, Slip, make
from faulty import GRADIENTS as SLOPES
from openpyxl.worksheet.formula import ArrayFormula

from core.backprop.network import GRADIENTS, SEED, WEIGHTS, Setup, descend
from core.workbook.checker import check
from core.workbook.mended import mended
from core.workbook.report.states import cell_states

OTHER = Setup(0.4, 0.7, 0.2, 0.9, 0.3, -0.5, 0.8, 0.1, -0.4, 0.6, 0.2, -0.3)
RUN = descend(OTHER, 0.5, 40).table()
CONSTANTS = "# x = (0.4, 0.7), target: 0.2 0.9; lr = 0.5\n"
START = "# start weights 0.3 -0.5 0.8 0.1 -0.4 0.6 0.2 -0.3\n"
PLAIN = RUN.drop(columns=["i1", "i2", "t1", "t2"])


def accused(report):
    return {at.cell for finding in report.findings for at, _ in finding.changes}


def assert_right(report):
    assert report.right, (report.verdict, report.not_judged)


def csv(table, top=CONSTANTS, **options):
    return (top + table.to_csv(index=False, **options)).encode()


def single(table):
    """The run as a program in single precision calculates it."""
    numbers, rows = {n: np.float32(v) for n, v in OTHER.numbers.items()}, []
    one, half = np.float32(1), np.float32(0.5)
    for epoch in range(1, len(table) + 1):
        n = dict(numbers)

        def sigmoid(x):
            return one / (one + np.exp(-x))

        n["out_h1"] = sigmoid(n["w1"] * n["i1"] + n["w2"] * n["i2"])
        n["out_h2"] = sigmoid(n["w3"] * n["i1"] + n["w4"] * n["i2"])
        n["out_o1"] = sigmoid(n["w5"] * n["out_h1"] + n["w6"] * n["out_h2"])
        n["out_o2"] = sigmoid(n["w7"] * n["out_h1"] + n["w8"] * n["out_h2"])
        e1, e2 = n["out_o1"] - n["t1"], n["out_o2"] - n["t2"]
        n["loss"] = half * (e1 * e1 + e2 * e2)
        d1, d2 = e1 * n["out_o1"] * (one - n["out_o1"]), e2 * n["out_o2"] * (one - n["out_o2"])
        d3 = (d1 * n["w5"] + d2 * n["w7"]) * n["out_h1"] * (one - n["out_h1"])
        d4 = (d1 * n["w6"] + d2 * n["w8"]) * n["out_h2"] * (one - n["out_h2"])
        slopes = [d3 * n["i1"], d3 * n["i2"], d4 * n["i1"], d4 * n["i2"]]
        slopes += [d1 * n["out_h1"], d1 * n["out_h2"], d2 * n["out_h1"], d2 * n["out_h2"]]
        rows.append({"epoch": epoch, **n, **{f"dw{k}": g for k, g in enumerate(slopes, 1)}})
        for weight, slope in zip(WEIGHTS, slopes, strict=True):
            numbers[weight] = numbers[weight] - half * slope
    return pd.DataFrame(rows)


def test_numbers_in_single_precision_are_right_as_far_as_it_reaches():
    table = single(RUN)
    report = check(table.to_csv(index=False).encode())
    assert_right(report)
    table.loc[20, "out_h1"] = np.float32(table.loc[20, "out_h1"] * 1.0001)
    column = openpyxl.utils.get_column_letter(1 + list(table.columns).index("out_h1"))
    assert accused(check(table.to_csv(index=False).encode())) == {f"{column}22"}


def test_constants_are_read_from_lines_of_text():
    report = check(csv(PLAIN))
    assert_right(report)
    assert report.runs[0].first == 0.5
    assert vars(report.runs[0].setup) == vars(OTHER)


@pytest.mark.parametrize("wrong", [False, True])
def test_weights_that_are_listed_after_their_step(wrong):
    later = RUN.copy()
    later[[f"{w}_new" for w in WEIGHTS]] = descend(OTHER, 0.5, 41).table()[list(WEIGHTS)][1:].values
    table = later[["epoch", "out_h1", "out_h2", "out_o1", "out_o2", *later.columns[-8:]]].copy()
    table["loss"] = later["E_total"]
    table[list(GRADIENTS)] = later[list(GRADIENTS)]
    if wrong:
        table.loc[10, "w3_new"] += 0.01
    report = check(csv(table, CONSTANTS + START))
    if not wrong:
        assert_right(report)
    else:
        assert "H14" in accused(report)


def test_a_log_of_every_tenth_epoch_is_judged_line_by_line():
    table = descend(OTHER, 0.5, 201).table()[::10]
    report = check(csv(table, "# lr = 0.5\n"))
    assert not report.findings
    assert "21 of the epochs 1 to 201" in " ".join(report.not_judged)
    np.testing.assert_allclose(report.runs[0].right, report.runs[0].theirs, rtol=1e-12)
    assert [s.epoch for s in cell_states(report, report.runs[0])][:3] == [1, 11, 21]
    broken = table.copy()
    broken.iloc[5, list(table.columns).index("out_o1")] += 1e-3
    assert accused(check(csv(broken, "# lr = 0.5\n"))) == {"S8"}


def runs_below_each_other(rates):
    tables = [descend(OTHER, rate, 12).table().assign(lr=rate) for rate in rates]
    return pd.concat(tables, ignore_index=True)


def test_runs_below_one_header_are_runs_of_their_own():
    report = check(runs_below_each_other((0.1, 0.5, 2.0)).to_csv(index=False).encode())
    assert_right(report)
    assert [run.first for run in report.runs] == [0.1, 0.5, 2.0]


def test_a_label_of_a_run_that_disagrees_with_its_steps_is_accused_in_all_its_lines():
    table = runs_below_each_other((0.1, 0.5, 2.0))
    table.loc[12:23, "lr"] = 0.8
    column = openpyxl.utils.get_column_letter(len(table.columns))
    report = check(table.to_csv(index=False).encode())
    assert accused(report) == {f"{column}{row}" for row in range(14, 26)}


def test_weights_without_gradients_and_activations_are_judged():
    weights = RUN[["epoch", *WEIGHTS, "E_total"]]
    assert_right(check(csv(weights)))
    frozen = weights.copy()
    frozen["w6"] = frozen["w6"][0]
    found = accused(check(csv(frozen)))
    assert {f"G{row}" for row in range(4, 43)} <= found


def test_numbers_with_decimal_commas_apart_by_semicolons():
    assert_right(check(RUN.to_csv(index=False, sep=";", decimal=",").encode()))


def test_a_file_whose_fields_are_apart_by_blanks():
    text = RUN.to_csv(index=False, sep=" ", float_format="%.8e").replace(" ", "   ")
    assert_right(check(("eta 0.5\n" + text).encode()))


def test_numbers_stored_as_text_are_taken_for_numbers():
    book = openpyxl.Workbook()
    book.active.append(["η", "0,5"])
    book.active.append(list(RUN.columns))
    for row in RUN.itertuples(index=False):
        book.active.append([str(value).replace(".", ",") for value in row])
    file = io.BytesIO()
    book.save(file)
    report = check(file.getvalue())
    assert not report.findings
    assert any("as text" in remark for remark in report.remarks)


def blocks(*, wrong):
    """An epoch is a block of labels, each with its number on the right."""
    book = openpyxl.Workbook()
    sheet = book.active
    for k, (name, value) in enumerate(
        {"i1": 0.4, "i2": 0.7, "t1": 0.2, "t2": 0.9, "η": 0.5}.items()
    ):
        sheet.cell(1, 1 + 2 * k, name)
        sheet.cell(1, 2 + 2 * k, value)
    names = ["h1", "h2", "out_h1", "out_h2", "o1", "o2", "out_o1", "out_o2", "E1", "E2", "E_total"]
    for epoch in range(8):
        top = 4 + 14 * epoch
        w, q = ({n: f"{c}{top + n}" for n in range(1, 12)} for c in "BD")
        h1, h2, a1, a2, o1, o2, y1, y2, e1, e2, _ = (q[n] for n in range(1, 12))
        d1, d2 = f"({y1}-$F$1)*{y1}*(1-{y1})", f"({y2}-$H$1)*{y2}*(1-{y2})"
        s1 = f"({d1}*{w[5]}+{d2}*{w[7]})*{a1}*(1-{a1})"
        s2 = f"({d1}*{w[6]}+{d2}*{w[8]})*{a2}*(1-{a2})"
        forward = [
            *(f"{w[1]}*$B$1+{w[2]}*$D$1", f"{w[3]}*$B$1+{w[4]}*$D$1"),
            *(f"1/(1+EXP(-{h1}))", f"1/(1+EXP(-{h2}))"),
            *(f"{w[5]}*{a1}+{w[6]}*{a2}", f"{w[7]}*{a1}+{w[8]}*{a2}"),
            *(f"1/(1+EXP(-{o1}))", f"1/(1+EXP(-{o2}))"),
            *(f"0.5*($F$1-{y1})^2", f"0.5*($H$1-{y2})^2", f"{e1}+{e2}"),
        ]
        slopes = [f"{s1}*$B$1", f"{s1}*$D$1", f"{s2}*$B$1", f"{s2}*$D$1"]
        slopes += [f"{d1}*{a1}", f"{d1}*{a2}", f"{d2}*{a1}", f"{d2}*{a1 if wrong else a2}"]
        sheet.cell(top, 1, f"Iteration {epoch + 1}")
        for n, weight in enumerate(WEIGHTS, start=1):
            sheet.cell(top + n, 1, weight)
            before = f"=B{top - 14 + n}-$J$1*F{top - 14 + n}"
            sheet.cell(top + n, 2, before if epoch else vars(OTHER)[weight])
            sheet.cell(top + n, 5, f"∂E/∂{weight}")
            sheet.cell(top + n, 6, f"={slopes[n - 1]}")
        for n, (name, formula) in enumerate(zip(names, forward, strict=True), start=1):
            sheet.cell(top + n, 3, name)
            sheet.cell(top + n, 4, f"={formula}")
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def test_epochs_that_are_blocks_below_each_other():
    report = check(blocks(wrong=False))
    assert_right(report)
    assert report.runs[0].epochs == 8
    report = check(blocks(wrong=True))
    assert accused(report) == {f"F{12 + 14 * epoch}" for epoch in range(8)}
    assert check(mended(report)).right


def test_a_table_that_was_misread_is_not_accused():
    table = RUN.rename(columns={"h1": "out_h1", "out_h1": "h1", "h2": "out_h2", "out_h2": "h2"})
    table = table.rename(columns={"o1": "out_o1", "out_o1": "o1", "o2": "out_o2", "out_o2": "o2"})
    report = check(csv(table))
    assert not report.findings
    assert not report.right
    assert "misunderstood" in report.not_judged[0]
    assert all(s.part != "slip" for s in cell_states(report, report.runs[0]))


def test_a_title_that_names_another_rate_than_the_formulas_is_accused_and_mended():
    book = openpyxl.Workbook()
    sheet = book.active
    sheet["A1"] = "learning rate = 0.2"
    sheet.append([])
    sheet.append(list(RUN.columns))
    for row in RUN.itertuples(index=False):
        sheet.append(list(row))
    file = io.BytesIO()
    book.save(file)
    report = check(file.getvalue())
    assert accused(report) == {"A1"}
    assert check(mended(report)).right


def test_one_formula_that_rounds_is_a_slip_and_columns_that_all_do_are_none():
    file = make("published", epochs=12).file
    book = openpyxl.load_workbook(io.BytesIO(file))
    sheet = book.active
    sheet["N36"] = f"=ROUND({sheet['N36'].value[1:]},3)"
    out = io.BytesIO()
    book.save(out)
    report = check(out.getvalue())
    assert accused(report) == {"N36"}
    assert "rounds to 3 decimals" in report.findings[0].cause
    rounded = {f"out_{node}": f"ROUND(1/(1+EXP(-{node})),6)" for node in ("h1", "h2", "o1", "o2")}
    report = check(make(Layout(algebra=rounded, corner="A4")).file)
    assert report.right
    assert "round to 6 decimals" in " ".join(report.remarks)


def test_published_start_is_not_taken_for_weights_that_a_text_tells():
    only_loss = descend(OTHER, 0.5, 30).table()[["epoch", "E_total"]]
    report = check(csv(only_loss, CONSTANTS + START))
    assert_right(report)
    wrong = descend(OTHER, 0.1, 30).table()[["epoch", "E_total"]]
    report = check(csv(wrong, f"eta,0.5\n{CONSTANTS.replace('; lr = 0.5', '')}{START}"))
    assert accused(report) == {"B1"}
    assert vars(SEED) != vars(report.runs[0].setup)


STEPS = Layout(  # Δw = η·δ·input is added, and δ = (t − out)·…
    "A4",
    (*COLUMNS[: -len(SLOPES)], *DELTAS, *SLOPES),
    words={f"g{n}": f"Δw{n}" for n in range(1, 9)},
    algebra={
        **{f"w{n}": f"w{n}'+g{n}'" for n in range(1, 9)},
        **{name: f"η*{WITH_DELTAS[name]}" for name in SLOPES},
        **{f"δ_o{n}": f"(t{n}-out_o{n})*out_o{n}*(1-out_o{n})" for n in "12"},
        **{name: WITH_DELTAS[name] for name in ("δ_h1", "δ_h2")},
    },
)
LABELS = {"η": "B1", "i1": "B2", "i2": "D2", "t1": "F2", "t2": "H2"}
ACROSS = Layout(
    "A5", ("step", *COLUMNS[4:]), across=True, cells=LABELS, beside="learning rate", file="xlsx"
)
EXPLAINED = Layout(  # a row that says how, between the headers and the first epoch
    "A3",
    shifts=dict.fromkeys(COLUMNS, 1),
    notes={"I4": "w1*i1+w2*i2", "J4": "1/(1+e^-h1)", "S4": "½(t1-out_o1)²", "U4": "E1+E2"},
)
OWN = {
    "steps": (STEPS, Slip({"δ_o2": "(out_o2-t2)*out_o2*(1-out_o2)"})),
    "labels in the columns of a table across": (ACROSS, Slip({"E_total": "E1"})),
    "the same, pasted": (
        Layout("A5", ACROSS.columns, across=True, cells=LABELS, beside="η", shown=".6f"),
        Slip({"E_total": "E1"}),
    ),
    "formulas in words below the headers": (EXPLAINED, Slip({"out_h2": "1/(1+EXP(h2))"})),
    "a column typed": (Layout("A4"), Slip(typed="w5", first=1, typing=lambda w: 1.02 * w)),
    "a column that rounds": (Layout("A4"), Slip({"out_o1": "ROUND(1/(1+EXP(-o1)),2)"})),
}


@pytest.mark.parametrize(("layout", "slip"), OWN.values(), ids=OWN)
def test_layouts_and_slips_that_few_have(layout, slip):
    assert_right(check(make(layout, rate=0.5, setup=OTHER).file))
    made = make(layout, slip, rate=0.5, setup=OTHER)
    report = check(made.file)
    assert accused(report) == {cell for _, cell in made.accused}
    assert len(report.findings) == 1


SUBTRACTED = replace(  # Δw = η·∂E/∂w, which is ∂E/∂w in every digit at η = 1
    STEPS,
    algebra={
        **STEPS.algebra,
        **{f"w{n}": f"w{n}'-g{n}'" for n in range(1, 9)},
        **{f"δ_o{n}": WITH_DELTAS[f"δ_o{n}"] for n in "12"},
    },
)
S1, S2 = "out_o1*(1-out_o1)", "out_o2*(1-out_o2)"
OTHER_DELTAS = Layout(  # δ of an output is ∂E/∂out, not ∂E/∂net
    "A4",
    STEPS.columns,
    algebra={
        **WITH_DELTAS,
        **{f"δ_o{n}": f"out_o{n}-t{n}" for n in "12"},
        "δ_h1": f"(δ_o1*{S1}*w5+δ_o2*{S2}*w7)*out_h1*(1-out_h1)",
        "δ_h2": f"(δ_o1*{S1}*w6+δ_o2*{S2}*w8)*out_h2*(1-out_h2)",
        **{f"g{n}": f"{WITH_DELTAS[f'g{n}']}*{S1 if n < 7 else S2}" for n in (5, 6, 7, 8)},
    },
)


@pytest.mark.parametrize("layout", [STEPS, SUBTRACTED, OTHER_DELTAS])
@pytest.mark.parametrize("rate", [0.5, 1.0])
def test_columns_on_the_way_are_what_their_numbers_are(layout, rate):
    assert_right(check(make(layout, rate=rate, setup=OTHER).file))
    made = make(layout, "plus in out_o1", rate=rate, setup=OTHER)
    assert accused(check(made.file)) == {cell for _, cell in made.accused}


def test_numbers_of_a_second_sheet_explain_those_of_the_first():
    """A gradient typed over later is one slip, where it stands, and no weight is accused of it."""
    forward, backward = RUN.drop(columns=list(GRADIENTS)), RUN[["epoch", *GRADIENTS]].copy()
    backward.loc[9, "∂E/∂w5"] *= 10
    file = io.BytesIO()
    with pd.ExcelWriter(file) as writer:
        forward.round(8).to_excel(writer, sheet_name="Forward", index=False)
        backward.round(8).to_excel(writer, sheet_name="Backward", index=False)
    report = check(file.getvalue())
    assert [(f.sheet, f.cells) for f in report.findings] == [("Backward", ("F11",))]
    assert check(mended(report)).right


def test_a_single_epoch_of_numbers_is_judged_by_itself():
    """There is no step to judge, and η is not needed."""
    assert_right(check(csv(RUN[:1])))
    wrong = RUN[:1].assign(o2=0.5)
    letter = openpyxl.utils.get_column_letter(1 + list(RUN.columns).index("o2"))
    assert accused(check(csv(wrong))) == {f"{letter}3"}


def test_percentages_in_a_text_file_are_numbers():
    text = RUN.to_csv(index=False, sep=";", decimal=",", float_format="%.8f")
    assert_right(
        check(f"lr;0,5\n{text.replace('0,40000000;0,70000000', '40,00%;70,00%')}".encode())
    )


def one_step(*, columns):
    """Labels, each with its number, in one or two pairs of columns; the new weights are last.

    w8 is added, not subtracted.
    """
    first = dict(zip(RUN.columns, RUN.iloc[0], strict=True))
    rows = [("η", 0.5), ("1. Given", None), *((n, first[n]) for n in ("i1", "i2", "t1", "t2"))]
    rows += [(weight, first[weight]) for weight in WEIGHTS]
    rows += [("2. Forward pass", None)]
    rows += [
        ("net h1", "=B3*B7+B4*B8"),
        ("out h1", "=1/(1+EXP(-B16))"),
        ("net h2", "=B3*B9+B4*B10"),
    ]
    rows += [("out h2", "=1/(1+EXP(-B18))"), ("net o1", "=B11*B17+B12*B19")]
    rows += [("out o1", "=1/(1+EXP(-B20))"), ("net o2", "=B13*B17+B14*B19")]
    rows += [("out o2", "=1/(1+EXP(-B22))"), ("E_total", "=((B5-B21)^2+(B6-B23)^2)/2")]
    d1, d2 = "(B21-B5)*B21*(1-B21)", "(B23-B6)*B23*(1-B23)"
    h1, h2 = f"({d1}*B11+{d2}*B13)*B17*(1-B17)", f"({d1}*B12+{d2}*B14)*B19*(1-B19)"
    slopes = [f"{h1}*B3", f"{h1}*B4", f"{h2}*B3", f"{h2}*B4"]
    slopes += [f"{d1}*B17", f"{d1}*B19", f"{d2}*B17", f"{d2}*B19"]
    rows += [(f"∂E/∂w{n}", f"={slope}") for n, slope in enumerate(slopes, start=1)]
    rows += [(f"w{n}+", f"=B{6 + n}{'+' if n == 8 else '-'}B$1*B{24 + n}") for n in range(1, 9)]
    book = openpyxl.Workbook()
    half = 23 if columns == 2 else len(rows)
    for k, (label, content) in enumerate(rows):
        column, row = (1, k + 1) if k < half else (4, k - half + 1)
        if columns == 2 and isinstance(content, str):
            content = re.sub(
                r"B\$?(\d+)",
                lambda cell: cell[0] if int(cell[1]) <= half else f"E{int(cell[1]) - half}",
                content,
            )
        book.active.cell(row, column, label)
        book.active.cell(row, column + 1, content)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize(("columns", "wrong"), [(1, "B40"), (2, "E17")])
def test_one_step_written_down_the_page(columns, wrong):
    report = check(one_step(columns=columns))
    assert accused(report) == {wrong}, report.verdict
    assert not report.not_judged


def matrices(*, turned=False, added=False, slip=""):
    """Epochs as matrices below each other, in array formulas; turned: h = x·W for h = W·x.

    added: δ = (t − out)·…, and the steps are added. slip: instead of the right δh.
    """
    book = openpyxl.Workbook()
    sheet = book.active
    for cell, content in {"A1": "η", "B1": 0.5, "A2": "x", "D2": "t"}.items():
        sheet[cell] = content
    for cell, name in {"B2": "i1", "B3": "i2", "E2": "t1", "E3": "t2"}.items():
        sheet[cell] = vars(OTHER)[name]
    across, back = ("TRANSPOSE({})", "{}") if turned else ("{}", "TRANSPOSE({})")
    for epoch in range(6):
        top = 6 + 10 * epoch
        w1, w2 = f"B{top}:C{top + 1}", f"I{top}:J{top + 1}"
        h, a, o, y, do, dh = (
            f"{c}{row}:{c}{row + 1}"
            for c, row in zip("EGLNBG", (top, top, top, top, top + 5, top + 5), strict=True)
        )
        formulas = {
            h: f"MMULT({across.format(w1)},$B$2:$B$3)",
            a: f"1/(1+EXP(-{h}))",
            o: f"MMULT({across.format(w2)},{a})",
            y: f"1/(1+EXP(-{o}))",
            do: f"{'-' * added}({y}-$E$2:$E$3)*{y}*(1-{y})",
            dh: slip.format(w2=w2, do=do, a=a) or f"MMULT({back.format(w2)},{do})*{a}*(1-{a})",
        }
        for place, delta, signal in (("DE", do, a), ("IJ", dh, "$B$2:$B$3")):
            one, other = (signal, delta) if turned else (delta, signal)
            slope = f"{place[0]}{top + 5}:{place[1]}{top + 6}"
            formulas[slope] = f"MMULT({one},TRANSPOSE({other}))"
        if epoch:
            was = top - 10
            sign = "+" if added else "-"
            formulas[w1] = f"B{was}:C{was + 1}{sign}$B$1*I{was + 5}:J{was + 6}"
            formulas[w2] = f"I{was}:J{was + 1}{sign}$B$1*D{was + 5}:E{was + 6}"
        else:
            order = (0, 2, 1, 3) if turned else (0, 1, 2, 3)
            for k, (first, second) in enumerate(zip(WEIGHTS[:4], WEIGHTS[4:], strict=True)):
                row, column = divmod(order[k], 2)
                sheet.cell(top + row, 2 + column, vars(OTHER)[first])
                sheet.cell(top + row, 9 + column, vars(OTHER)[second])
        for place, formula in formulas.items():
            sheet[place.split(":")[0]] = ArrayFormula(place, f"={formula}")
        sheet.cell(top, 16, f"=SUMXMY2($E$2:$E$3,{y})/2")
        labels = {"B": "W1", "E": "z_h", "G": "a_h", "I": "W2", "L": "z_o", "N": "a_o", "P": "E"}
        labels_below = {"B": "δo", "D": "dE/dW2", "G": "δh", "I": "dE/dW1"}
        for column, label in labels.items():
            sheet[f"{column}{top - 1}"] = label
        for column, label in labels_below.items():
            sheet[f"{column}{top + 4}"] = label
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize("added", [False, True])
@pytest.mark.parametrize("turned", [False, True])
def test_epochs_that_are_matrices(turned, added):
    report = check(matrices(turned=turned, added=added))
    assert_right(report)
    np.testing.assert_allclose(report.runs[0].right, descend(OTHER, 0.5, 6).E_total, rtol=1e-12)
    back = "TRANSPOSE({w2})" if turned else "{w2}"
    slip = f"MMULT({back},{{do}})*{{a}}*(1-{{a}})"
    report = check(matrices(turned=turned, added=added, slip=slip))
    assert accused(report) == {f"G{11 + 10 * epoch + k}" for epoch in range(6) for k in range(2)}
    assert check(mended(report)).right


def with_rates(layout, slip, *, every=1, pasted=True):
    """A workbook with a second sheet: E_total at three rates, of its own faulty formulas."""
    made = make(layout, slip, rate=0.5, setup=OTHER, epochs=31)
    book = openpyxl.load_workbook(io.BytesIO(made.file))
    sheet = book.create_sheet("Rates")
    sheet.append(["epoch", *(f"lr = {rate}" for rate in (0.1, 0.5, 2))])
    runs = []
    for rate in (0.1, 0.5, 2.0):
        values = make(replace(layout, shown=""), slip, rate=rate, setup=OTHER, epochs=31).file
        table = openpyxl.load_workbook(io.BytesIO(values)).worksheets[0]
        head = {cell.value: cell.column for cell in table[4]}
        runs.append([table.cell(5 + k, head["E_total"]).value for k in range(31)])
    for k in range(0, 31, every):
        sheet.append([1 + k, *(round(run[k], 7) for run in runs)])
    file = io.BytesIO()
    book.save(file)
    return made, file.getvalue()


@pytest.mark.parametrize("every", [1, 5])
def test_a_summary_of_a_faulty_table_follows_it_and_has_no_slip_of_its_own(every):
    layout, slip = Layout("A4"), Slip({"g1": {"w7": "w8"}, "o1": {"w6": "w7"}})
    _, right = with_rates(layout, None, every=every)
    report = check(right)
    assert_right(report)
    assert {len(run.theirs) for run in report.runs[1:]} == {len(range(0, 31, every))}
    made, file = with_rates(layout, slip, every=every)
    report = check(file)
    assert accused(report) == {cell for _, cell in made.accused}
    assert "Rates!B2:D2" in " ".join(report.remarks)
    assert check(mended(report)).right  # its numbers have changed with the table's


def test_a_summary_that_nothing_explains_is_accused():
    layout = Layout("A4")
    _, file = with_rates(layout, None, every=5)
    book = openpyxl.load_workbook(io.BytesIO(file))
    book["Rates"]["C4"] = 0.3
    out = io.BytesIO()
    book.save(out)
    report = check(out.getvalue())
    assert accused(report) == {"C4"}
    assert check(mended(report)).right  # its digits are those of the column


@pytest.mark.parametrize("turned", [False, True])
def test_the_arrays_of_a_program_are_known_by_their_indices(turned):
    names = {f"w{n}": f"W{1 + n // 5}[{(n - 1) % 4 // 2},{(n - 1) % 2}]" for n in range(1, 9)}
    if turned:  # x·W
        names = {w: f"{name[:3]}{name[5]},{name[3]}]" for w, name in names.items()}
    names |= {f"∂E/∂{w}": f"d{name}" for w, name in names.items()}
    for k in "12":
        index = f"[{int(k) - 1}]"
        names |= {f"h{k}": f"z1{index}", f"out_h{k}": f"a1{index}", f"E{k}": f"E{index}"}
        names |= {f"o{k}": f"z2{index}", f"out_o{k}": f"a2{index}"}
        names |= {f"i{k}": f"x{index}", f"t{k}": f"y{index}"}
    table = RUN.rename(columns=names).rename(columns={"E_total": "loss"})
    report = check(table.to_csv(index=False).encode())
    assert_right(report)
    assert vars(report.runs[0].setup) == vars(OTHER)


def test_new_weights_on_a_sheet_of_their_own():
    """Forward takes its weights from Update, which takes the old ones from Forward."""
    made = make(Layout("A1", cells={}, eta="number"), rate=0.5, setup=OTHER, epochs=12)
    book = openpyxl.load_workbook(io.BytesIO(made.file))
    forward, update = book.worksheets[0], book.create_sheet("Update")
    update.append([f"new w{n}" for n in range(1, 9)])
    heads = {cell.value: cell.column_letter for cell in forward[1]}
    for row in range(2, 14):
        for n, weight in enumerate(WEIGHTS, start=1):
            own = f"{forward.title}!{heads[weight]}{row}"
            slope = f"{forward.title}!{heads[f'∂E/∂{weight}']}{row}"
            update.cell(row, n, f"={own}-0.5*{slope}")
            if row > 2:
                letter = openpyxl.utils.get_column_letter(n)
                forward[f"{heads[weight]}{row}"] = f"=Update!{letter}{row - 1}"
    file = io.BytesIO()
    book.save(file)
    assert_right(check(file.getvalue()))
    update["C5"] = update["C5"].value.replace("-", "+")
    file = io.BytesIO()
    book.save(file)
    report = check(file.getvalue())
    assert [(f.sheet, f.cells) for f in report.findings] == [("Update", ("C5",))]


def test_rows_with_another_target_are_judged_by_it():
    parts, setup = [], OTHER
    for target, count in ((0.9, 10), (0.5, 4), (0.9, 10)):
        part = descend(replace(setup, t2=target), 0.5, count + 1).table()
        parts.append(part[:count])
        setup = replace(setup, **part.iloc[count][list(WEIGHTS)].to_dict())
    table = pd.concat(parts, ignore_index=True)
    table["epoch"] = range(1, 25)
    letter = openpyxl.utils.get_column_letter(1 + list(table.columns).index("t2"))
    report = check(csv(table, "# lr = 0.5\n"))
    assert accused(report) == {f"{letter}{row}" for row in range(13, 17)}
