import re
from dataclasses import replace

import numpy as np
import pytest

from core.backprop.activations import ACTIVATIONS
from core.backprop.network import PARAMETERS, SEED, Network, descend
from core.backprop.phases import PHASES, phase_steps
from core.backprop.presets import PRESETS
from core.workbook.formula.parse import parse
from core.workbook.formula.tree import Address

NETWORKS = [
    Network(),
    Network(biases="stay"),
    Network(biases="learn", kept=frozenset({"w2", "b1"})),
    *(Network(hidden, output) for hidden in ACTIVATIONS for output in ACTIVATIONS),
]
RATE = 0.7


def result(number):
    return repr(number).replace("-", "−")


def shown(number):
    return f"({result(number)})" if number < 0 else result(number)


def calculated(numbers):
    """The value of a printed expression, as a spreadsheet has it."""
    text = numbers.replace("−", "-").replace("½", "0.5").replace("·", "*").replace("²", "^2")
    text = text.replace("e^", "EXP(1)^").replace("max(", "MAX(")
    text = re.sub(r"\[(.*?) > 0\]", r"IF(\1>0,1,0)", text)
    here = Address("", 1, 1)
    return parse(text, here).value(here, lambda at: None)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("seed", range(4))
def test_each_printed_line_comes_to_the_table_s_number(network, seed):
    rng = np.random.default_rng(seed)
    start = {name: float(rng.normal()) for name in SEED.numbers}
    if network.biases != "none":
        start |= {"b1": float(rng.normal()), "b2": float(rng.normal())}
    first = SEED if network.biases == "none" else PRESETS["Mazur"]
    history = descend(replace(first, network=network, **start), RATE, 2)
    row, after = history.row(1), history.row(2)
    for step in phase_steps(network):
        formula = step.formula(row, RATE, shown, result)
        left, _, right = formula.numbers.rpartition(" = ")
        printed = float(right.replace("−", "-"))
        assert calculated(left) == pytest.approx(printed, rel=1e-9, abs=1e-15), step.name
        values = after if step.is_update else row
        if step.name in values:
            assert printed == values[step.name]
        assert set(step.used) <= row.keys()


def test_the_phases_follow_each_other_and_miss_nothing():
    network = Network(biases="learn")
    steps = phase_steps(network)
    assert list(dict.fromkeys(step.phase for step in steps)) == list(PHASES)
    names = [step.name for step in steps]
    computed = [c for c in network.columns if c not in ("i1", "i2", "t1", "t2", *PARAMETERS)]
    assert sorted(names) == sorted([*computed, "∂E/∂o1", "∂E/∂o2", *PARAMETERS])
    known = {"i1", "i2", "t1", "t2", *PARAMETERS}
    for step in steps:  # nothing is used before it is computed
        assert set(step.used) <= known, step.name
        known.add(step.name)


def test_what_is_kept_takes_no_step():
    steps = phase_steps(Network(kept=frozenset({"w5"})))
    assert "w5" not in [step.name for step in steps if step.is_update]
    assert "∂E/∂w5" in [step.name for step in steps]


def test_the_line_of_the_course():
    row = descend(SEED, 1.0, 2).row(1)
    lines = [
        step.line(row, 1.0, "{:.4g}".format, "{:.4g}".format) for step in phase_steps(Network())
    ]
    assert "w5 ← w5 − η·∂E/∂w5 = 0.4 − 1·0.07216 = 0.3278" in lines
    assert "h1 = w1·i1 + w2·i2 = 0.15·0.05 + 0.2·0.1 = 0.0275" in lines
