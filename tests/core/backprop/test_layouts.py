"""Files as programs and people write them, which no workbook of faulty.py looks like."""

import io

import numpy as np
import openpyxl
import pandas as pd
import pytest

from core.backprop.audit import audit
from core.backprop.case import cell_states
from core.backprop.network import GRADIENTS, SEED, WEIGHTS, Setup, descend
from core.backprop.repair import mended

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
    numbers, rows = {n: np.float32(v) for n, v in vars(OTHER).items()}, []
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
    report = audit(table.to_csv(index=False).encode())
    assert_right(report)
    table.loc[20, "out_h1"] = np.float32(table.loc[20, "out_h1"] * 1.0001)
    column = openpyxl.utils.get_column_letter(1 + list(table.columns).index("out_h1"))
    assert accused(audit(table.to_csv(index=False).encode())) == {f"{column}22"}


def test_constants_are_read_from_lines_of_text():
    report = audit(csv(PLAIN))
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
    report = audit(csv(table, CONSTANTS + START))
    if not wrong:
        assert_right(report)
    else:
        assert "H14" in accused(report)


def test_a_log_of_every_tenth_epoch_is_judged_line_by_line():
    table = descend(OTHER, 0.5, 201).table()[::10]
    report = audit(csv(table, "# lr = 0.5\n"))
    assert not report.findings
    assert "every 10th epoch" in " ".join(report.not_judged)
    np.testing.assert_allclose(report.runs[0].right, report.runs[0].theirs, rtol=1e-12)
    assert [s.epoch for s in cell_states(report, report.runs[0])][:3] == [1, 11, 21]
    broken = table.copy()
    broken.iloc[5, list(table.columns).index("out_o1")] += 1e-3
    assert accused(audit(csv(broken, "# lr = 0.5\n"))) == {"S8"}


def runs_below_each_other(rates):
    tables = [descend(OTHER, rate, 12).table().assign(lr=rate) for rate in rates]
    return pd.concat(tables, ignore_index=True)


def test_runs_below_one_header_are_runs_of_their_own():
    report = audit(runs_below_each_other((0.1, 0.5, 2.0)).to_csv(index=False).encode())
    assert_right(report)
    assert [run.first for run in report.runs] == [0.1, 0.5, 2.0]


def test_a_label_of_a_run_that_disagrees_with_its_steps_is_accused_in_all_its_lines():
    table = runs_below_each_other((0.1, 0.5, 2.0))
    table.loc[12:23, "lr"] = 0.8
    column = openpyxl.utils.get_column_letter(len(table.columns))
    report = audit(table.to_csv(index=False).encode())
    assert accused(report) == {f"{column}{row}" for row in range(14, 26)}


def test_weights_without_gradients_and_activations_are_judged_in_a_moment():
    weights = RUN[["epoch", *WEIGHTS, "E_total"]]
    assert_right(audit(csv(weights)))
    frozen = weights.copy()
    frozen["w6"] = frozen["w6"][0]
    found = accused(audit(csv(frozen)))
    assert {f"G{row}" for row in range(4, 43)} <= found


def test_a_file_whose_fields_are_apart_by_blanks():
    text = RUN.to_csv(index=False, sep=" ", float_format="%.8e").replace(" ", "   ")
    assert_right(audit(("eta 0.5\n" + text).encode()))


def test_numbers_stored_as_text_are_taken_for_numbers():
    book = openpyxl.Workbook()
    book.active.append(["η", "0,5"])
    book.active.append(list(RUN.columns))
    for row in RUN.itertuples(index=False):
        book.active.append([str(value).replace(".", ",") for value in row])
    file = io.BytesIO()
    book.save(file)
    report = audit(file.getvalue())
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
    report = audit(blocks(wrong=False))
    assert_right(report)
    assert report.runs[0].epochs == 8
    report = audit(blocks(wrong=True))
    assert accused(report) == {f"F{12 + 14 * epoch}" for epoch in range(8)}
    assert audit(mended(report)).right


def test_a_table_that_was_misread_is_not_accused():
    table = RUN.rename(columns={"h1": "out_h1", "out_h1": "h1", "h2": "out_h2", "out_h2": "h2"})
    table = table.rename(columns={"o1": "out_o1", "out_o1": "o1", "o2": "out_o2", "out_o2": "o2"})
    report = audit(csv(table))
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
    report = audit(file.getvalue())
    assert accused(report) == {"A1"}
    assert audit(mended(report)).right


def test_one_formula_that_rounds_is_a_slip_and_a_column_that_does_is_not():
    from faulty import make

    file = make("published", epochs=12).file
    book = openpyxl.load_workbook(io.BytesIO(file))
    sheet = book.active
    sheet["N36"] = f"=ROUND({sheet['N36'].value[1:]},3)"
    out = io.BytesIO()
    book.save(out)
    report = audit(out.getvalue())
    assert accused(report) == {"N36"}
    assert "rounds to 3 decimals" in report.findings[0].cause


def test_published_start_is_not_taken_for_weights_that_a_text_tells():
    only_loss = descend(OTHER, 0.5, 30).table()[["epoch", "E_total"]]
    report = audit(csv(only_loss, CONSTANTS + START))
    assert_right(report)
    wrong = descend(OTHER, 0.1, 30).table()[["epoch", "E_total"]]
    report = audit(csv(wrong, f"eta,0.5\n{CONSTANTS.replace('; lr = 0.5', '')}{START}"))
    assert accused(report) == {"B1"}
    assert vars(SEED) != vars(report.runs[0].setup)
