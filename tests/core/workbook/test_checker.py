"""Every kind of slip in every layout: found at its cells, nothing else accused, and mended."""

import io
import subprocess
import sys
import zipfile
from dataclasses import replace

import numpy as np
import openpyxl
import pytest
from faulty import LAYOUTS, SLIPS, make, possible
from judged import check
from spreadsheet import Calculated

from core.backprop.network import SEED, Network, Setup, descend
from core.backprop.presets import PRESETS
from core.workbook.__main__ import main
from core.workbook.example import faulty_workbook
from core.workbook.export import workbook
from core.workbook.file.book import FileError
from core.workbook.find.biases import _LABEL, _TOLD
from core.workbook.mend.styles import MARK
from core.workbook.mended import mended
from core.workbook.report.states import cell_states
from tests.harness import ROOT

# One slip of each kind, for every layout; typed cells of row 20 need 24 epochs.
KINDS = {
    "wrong activation": "slope of h1 in ∂E/∂w3 and ∂E/∂w4",
    "wrong weight": "w5 in ∂E/∂w3",
    "wrong sign": "plus in w6",
    "product for difference": "out_o1*t1 in ∂E/∂w5",
    "carried": "h1 carried",
    "η slides": "η slides",
    "typed over": "w5 typed over",
    "typed over later": "out_h1 typed over later",
    "swapped target": "targets swapped",
}
SHORT = 24  # epochs; what is typed over is in the twentieth


def accused(report):
    return {(at.sheet, at.cell) for finding in report.findings for at, _ in finding.changes}


def pairs():
    for layout in LAYOUTS:
        for slip in KINDS.values():
            if possible(layout, slip):
                yield layout, slip
    for layout in ("published", "pasted rounded"):
        for slip in SLIPS:
            if possible(layout, slip) and slip not in KINDS.values():
                yield layout, slip


@pytest.mark.parametrize("layout", list(LAYOUTS))
def test_a_right_sheet_is_called_right(layout):
    made = make(layout, epochs=SHORT)
    report = check(made.file)
    assert report.right, (report.verdict, report.not_judged)
    run = next(run for run in report.runs if run.first == pytest.approx(made.rate))
    assert run.epochs == made.epochs
    assert vars(run.setup) == vars(made.setup)


@pytest.mark.parametrize(("layout", "slip"), list(pairs()))
def test_a_slip_is_found_at_its_cells_and_nothing_else_is_accused(layout, slip):
    epochs = 40 if "row 30" in slip else SHORT
    made = make(layout, slip, epochs=epochs)
    report = check(made.file)
    found = accused(report)
    assert found <= made.accused
    assert made.accused - made.unseen <= found
    assert not report.not_judged
    if made.suffix == ".xlsx":
        again = check(mended(report))
        assert again.right, (again.verdict, again.not_judged)


def test_another_start_and_another_rate():
    setup = Setup(0.3, -0.7, 0.2, 0.8, *(0.9, -1.1, 0.4, 0.7, -0.6, 1.2, 0.33, -0.05))
    for layout in ("published", "helpers", "csv rounded", "transposed"):
        slip = "slope of h1 in ∂E/∂w3 and ∂E/∂w4"
        made = make(layout, slip, setup=setup, rate=0.37, epochs=SHORT)
        report = check(made.file)
        assert accused(report) <= made.accused
        assert made.accused - made.unseen <= accused(report)
        assert report.runs[0].first == pytest.approx(0.37)


def test_the_reference_that_is_wrong_is_named():
    made = make("published", "slope of h1 in ∂E/∂w3 and ∂E/∂w4")
    third, fourth = check(made.file).findings
    assert third.cause == "AA32 uses K32, out_h1, where the chain rule has M32, out_h2."
    assert third.where == "AA32:AA81"
    assert third.right == third.theirs.replace("K32", "M32")
    assert fourth.heading == "∂E/∂w4"


@pytest.mark.parametrize(
    ("slip", "cause"),
    [
        ("w5 in ∂E/∂w3", "AA32 uses N32, w5, where the chain rule has O32, w6."),
        ("targets swapped", "V32 uses C32, t2, where the error has B32, t1."),
        ("out_o1*t1 in ∂E/∂w5", "AC32 has S32*B32 where the chain rule has S32-B32."),
        ("plus in w6", "O33 has O32+J28 where gradient descent has O32-J28."),
        ("half missing in E1", "V32 lacks the factor 0.5 that the error has."),
        ("η slides in w5", "N34 takes η from J29, an empty cell; η stands in $J$28."),
        (
            "h1 carried",
            "J33 is carried on from J32, as if h1 were a weight, where the forward pass "
            "calculates it from its own row.",
        ),
        (
            "second path missing in ∂E/∂w1",
            "Y32 lacks the term (U32-C32)*U32*(1-U32)*P32 that the chain rule adds.",
        ),
    ],
)
def test_the_cause_is_said_in_the_file_s_own_cells(slip, cause):
    assert cause in [finding.cause for finding in check(make("published", slip).file).findings]


def test_numbers_without_formulas_tell_the_slip_as_well():
    made = make("pasted", "slope of h1 in ∂E/∂w3 and ∂E/∂w4")
    first = check(made.file).findings[0]
    assert "holds what out_h1 gives in place of out_h2" in first.cause


def test_the_loss_curves_are_those_of_the_file_and_of_the_engine():
    report = check(faulty_workbook())
    run = report.runs[0]
    right = descend(SEED, 1.0, 50).E_total
    np.testing.assert_allclose(run.right, right, rtol=1e-12)
    assert run.theirs[-1] == pytest.approx(0.052938512708230599, rel=1e-12)
    alone = {finding.quantity: finding.curve for finding in report.findings}
    # Mending h1 alone leaves the two other slips, which hardly move E_total; it is h1 that costs.
    assert alone["h1"][-1] == pytest.approx(0.0527929, rel=1e-5)
    assert alone["∂E/∂w3"][-1] == pytest.approx(right[-1], rel=1e-6)
    assert alone["∂E/∂w3"][-1] != right[-1]


def test_every_cell_of_the_table_has_its_part():
    report = check(faulty_workbook())
    parts = {(s.quantity, s.epoch): s.part for s in cell_states(report, report.runs[0])}
    assert len(parts) == 31 * 50
    assert parts["h1", 1] == "right"
    assert parts["h1", 2] == parts["∂E/∂w3", 1] == "slip"
    assert parts["out_h1", 2] == parts["E_total", 50] == "follows"
    assert parts["t1", 50] == "right"


@pytest.mark.parametrize("name", [n for n in PRESETS if PRESETS[n].network.biases == "none"])
def test_what_the_app_hands_out_is_right(name):
    report = check(workbook(PRESETS[name], 0.5, 12))
    assert report.right, (report.verdict, report.not_judged)


@pytest.mark.parametrize("biases", ["stay", "learn"])
def test_a_network_with_biases_is_said_to_be_another_exercise(biases):
    setup = replace(PRESETS["Mazur"], network=Network(biases=biases))
    with pytest.raises(
        FileError, match=r"a bias, b1 = 0\.35 in Backprop!\w+\. That is not this exer"
    ):
        check(workbook(setup, 0.5, 12))


@pytest.mark.parametrize(
    "text", ["b" + "-" * 198 + "x", "b" + "_" * 198 + "x", "-" * 199, "b" * 199]
)
def test_a_text_of_one_sign_takes_no_longer_than_another(text):
    # Backtracking through it took a second a cell: twenty seconds here.
    assert not [name for name in (_LABEL.fullmatch(text), *_TOLD.findall(text * 20)) if name]


@pytest.mark.parametrize(
    ("label", "number"),
    [("b1", "0.35"), ("Bias hidden", "0.35"), ("θ_1:", "0.35"), ("b1 = 0.35", "")],
)
def test_it_is_known_by_what_its_sums_add(label, number):
    network = Network(biases="stay")
    rows = descend(replace(PRESETS["Mazur"], network=network), 0.5, 12).table()
    head = [[label, number], []] if number else [[label], []]
    shown = [list(rows.columns), *rows.to_numpy().tolist()]
    text = "\n".join(",".join(map(str, line)) for line in (*head, *shown))
    with pytest.raises(FileError, match="not this exercise"):
        check(text.encode())
    without = descend(SEED, 0.5, 12).table()
    shown = [list(without.columns), *without.to_numpy().tolist()]
    text = "\n".join(",".join(map(str, line)) for line in (*head, *shown))
    assert not check(text.encode()).findings  # called a bias, and added nowhere


def test_the_mended_file_differs_only_where_it_should():
    made = make("excel style", "slope of h1 in ∂E/∂w3 and ∂E/∂w4", epochs=SHORT)
    report = check(made.file)
    copy = mended(report)
    assert mended(report) == copy
    before, after = (openpyxl.load_workbook(io.BytesIO(file)) for file in (made.file, copy))
    name = before.sheetnames[0]
    faulty_cells = {cell for _, cell in made.accused}
    for row in before[name].iter_rows():
        for cell in row:
            other = after[name][cell.coordinate]
            assert (cell.value != other.value) == (cell.coordinate in faulty_cells)
            assert (other.comment is not None) == (cell.coordinate in faulty_cells)
            marked = other.fill.fgColor.rgb == f"FF{MARK}"
            assert marked == (cell.coordinate in faulty_cells)
            assert cell.number_format == other.number_format
    charts = [n for n in zipfile.ZipFile(io.BytesIO(made.file)).namelist() if "chart" in n]
    assert charts
    for part in charts:
        old, new = (zipfile.ZipFile(io.BytesIO(file)).read(part) for file in (made.file, copy))
        assert old == new


def test_the_values_beside_mended_formulas_are_the_engine_s():
    report = check(faulty_workbook())
    values = openpyxl.load_workbook(io.BytesIO(mended(report)), data_only=True)["Backprop"]
    table = [[values.cell(11 + k, 2 + c).value for c in range(31)] for k in range(50)]
    np.testing.assert_allclose(np.array(table).T, descend(SEED, 1.0, 50).rows, rtol=1e-10)


@pytest.mark.parametrize("layout", [n for n, how in LAYOUTS.items() if how.suffix == ".xlsx"])
def test_a_spreadsheet_engine_comes_to_the_right_numbers_in_the_mended_file(layout, tmp_path):
    made = make(layout, "slope of h1 in ∂E/∂w3 and ∂E/∂w4", epochs=SHORT)
    path = tmp_path / "mended.xlsx"
    path.write_bytes(mended(check(made.file)))
    report = check(path)
    calculated = Calculated(path)
    for run in report.runs:
        table = run.reading.table
        cells = [table.at("E_total", k) for k in range(run.epochs)]
        numbers = [calculated.value(at.sheet, at.cell) for at in cells]
        np.testing.assert_allclose(numbers, run.right, rtol=1e-7 if LAYOUTS[layout].shown else 1e-9)
        states = [s for s in cell_states(check(made.file), run) if s.part == "right"]
        now = [float(calculated.value(s.at.sheet, s.at.cell)) for s in states]
        np.testing.assert_allclose(now, [s.value for s in states], rtol=1e-6, atol=1e-7)


def test_a_copy_in_which_a_right_cell_would_change_is_not_handed_out():
    """As if the checker took the right cells of a column for wrong."""
    report = check(make("pasted", "slope of h1 in ∂E/∂w3 and ∂E/∂w4", epochs=SHORT).file)
    states = cell_states(report, report.runs[0])
    right = next(s for s in states if s.part == "right" and s.quantity == "h1")
    follows = {right.at: repr(right.value + 0.5)}
    with pytest.raises(FileError, match=f"it would change Sheet1!{right.at.cell}, right as it"):
        mended(replace(report, follows=follows))


def run(*arguments):
    command = [sys.executable, "-m", "core.workbook", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_command_line_prints_the_report_and_its_verdict_is_its_status(tmp_path, capsys):
    right, wrong, other = (tmp_path / n for n in ("right.xlsx", "wrong.xlsx", "other.xlsx"))
    right.write_bytes(workbook(SEED, 1.0, 5))
    wrong.write_bytes(make("published", "w5 in ∂E/∂w3", epochs=SHORT).file)
    book = openpyxl.Workbook()
    book.active.append(["Name", "Salary"])
    book.active.append(["Ada", 100])
    book.save(other)
    assert main([str(right)]) == 0
    assert "Right: each of" in capsys.readouterr().out
    assert main([str(wrong), "--mend", str(tmp_path / "mended.xlsx")]) == 1
    assert "AA32 uses N32, w5, where the chain rule has O32, w6." in capsys.readouterr().out
    assert main([str(other)]) == 2
    assert "No table of this exercise" in capsys.readouterr().err
    assert main([str(tmp_path / "mended.xlsx")]) == 0
    result = run(wrong)
    assert result.returncode == 1
    assert result.stdout.startswith("Not right: 1 slip in 24 of 736 cells")


def test_the_command_line_ends_quietly_when_its_reader_has_read_enough(tmp_path):
    file = tmp_path / "right.xlsx"
    file.write_bytes(workbook(SEED, 1.0, 5))
    command = [sys.executable, "-m", "core.workbook", str(file)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as its:
        its.stdout.close()
        assert its.stderr.read() == b""
    assert run(tmp_path / "absent.xlsx").returncode == 2


def test_several_files_and_folders_have_a_line_each(tmp_path, capsys):
    folder = tmp_path / "class"
    (folder / "b").mkdir(parents=True)
    right, wrong = folder / "a.xlsx", folder / "b" / "c.xlsx"
    right.write_bytes(workbook(SEED, 1.0, 5))
    wrong.write_bytes(make("published", "w5 in ∂E/∂w3", epochs=SHORT).file)
    (folder / "b" / "~$c.xlsx").write_bytes(b"lock")
    (folder / "notes.txt").write_text("no workbook")
    copies = tmp_path / "mended"
    assert main([str(folder), "--mend", str(copies)]) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{right}: Right: each of")
    assert second.startswith(f"{wrong}: Not right: 1 slip in 24 of 736 cells")
    assert [p.relative_to(copies).as_posix() for p in copies.rglob("*.*")] == ["b/c.xlsx"]
    assert check(copies / "b" / "c.xlsx").right
    other = tmp_path / "other.csv"
    other.write_text("Name;Salary\nAda;100\n")
    assert main([str(right), str(other)]) == 2
    assert f"{other}: No table of this exercise" in capsys.readouterr().out
    assert main([str(copies / "nothing"), str(right)]) == 2
    capsys.readouterr()
    (tmp_path / "empty").mkdir()
    assert main([str(tmp_path / "empty")]) == 2
    assert "There is no .xlsx" in capsys.readouterr().err


def test_a_csv_has_no_formulas_to_mend():
    report = check(make("csv", "w5 in ∂E/∂w3", epochs=SHORT).file)
    with pytest.raises(FileError, match=r"A \.csv file holds no formulas"):
        mended(report)


def test_too_few_digits_are_said_and_not_called_right():
    table = descend(SEED, 0.5, 30).table().round(3)
    report = check(table.to_csv(index=False).encode())
    assert not report.findings
    assert not report.right
    assert any("rounded too far" in sentence for sentence in report.not_judged)


def test_a_label_that_contradicts_the_steps_is_a_finding():
    text = "eta,0.5\n\n" + descend(SEED, 1.0, 20).table().to_csv(index=False)
    (finding,) = check(text.encode()).findings
    assert finding.cells == ("B1",)
    assert finding.cause == "B1 says η = 0.5, but the weights move as with η = 1."


def test_columns_of_e_total_are_compared_with_the_run_of_their_rate():
    made = make("second", epochs=SHORT)
    book = openpyxl.load_workbook(io.BytesIO(made.file))
    sheet = book.worksheets[1]
    assert str(sheet["B1"].value).startswith("LR=")
    for row in range(10, SHORT + 2):
        sheet.cell(row, 2).value *= 1.001
    file = io.BytesIO()
    book.save(file)
    (finding,) = check(file.getvalue()).findings
    assert (finding.sheet, finding.cells[0]) == (sheet.title, "B10")
    assert len(finding.cells) == SHORT - 8


def test_columns_of_e_total_alone_are_taken_for_the_published_start():
    runs = descend(SEED, np.array([0.1, 0.5, 2.0]), 20).E_total
    lines = ["LR=0.1,LR=0.5,LR=2", *(",".join(map(repr, row)) for row in runs.tolist())]
    report = check("\n".join(lines).encode())
    assert report.right, report.not_judged
    assert report.remarks == ("The file has E_total alone; the published start was taken.",)
    first, rest = lines[12].split(",", 1)
    lines[12] = f"{float(first) + 1e-4!r},{rest}"
    report = check("\n".join(lines).encode())
    assert [finding.cells for finding in report.findings] == [("A13",)]
    strangers = descend(PRESETS["symmetric"], np.array([0.1, 0.5]), 20).E_total
    lines = ["LR=0.1,LR=0.5", *(",".join(map(repr, row)) for row in strangers.tolist())]
    report = check("\n".join(lines).encode())
    assert not report.right
    assert "stands nowhere in the file" in report.not_judged[0]


@pytest.mark.parametrize("layout", ["published", "pasted rounded"])
def test_whoever_waits_is_told_how_far_it_is(layout):
    shares = []
    made = make(layout, KINDS["typed over"])
    assert check(made.file, shares.append).findings
    assert shares == sorted(shares)
    assert shares[0] < 0.3
    assert 0.7 <= shares[-1] < 1


@pytest.mark.parametrize(
    ("extra", "place"), [("Δw1", 32), ("δo1", 32), ("Δw1", 20), ("δo1", 20), ("my own", 20)]
)
def test_a_pasted_column_that_nothing_judges_is_named(extra, place):
    rows = descend(SEED, 1.0, 12).table()
    rows.insert(place, extra, 7.0)
    book = openpyxl.Workbook()
    for row in (list(rows.columns), *rows.to_numpy().tolist()):
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    (said,) = [one for one in check(file.getvalue()).remarks if "were not judged" in one]
    assert said.endswith(f": {extra}.")
