"""What the columns hold that stand on the way to a table's own: δ, σ′, Δw, whatever their headers.

This module knows where such columns are, and that a sheet has one sign for all its δ and one for
all its steps. What fits best trial.py tells.
"""

from __future__ import annotations

from dataclasses import replace

from core.backprop.network import WEIGHTS
from core.workbook.exercise.quantities import DELTA, HELPERS, NEXT, STEP, STEPPED, opposite
from core.workbook.find.reading import Reading
from core.workbook.find.trial import Naming, Trial

_NEXT = {NEXT[w]: STEPPED[w] for w in WEIGHTS}
_OF_ONE_SIGN = ({*DELTA.values()}, {*STEP.values()})


def with_helpers(reading: Reading) -> Reading:
    """The reading with such columns called what most numbers follow with."""
    naming = Naming(reading.table, lambda table: Trial(replace(reading, table=table)))
    if reading.table.drops or not naming.now.drawn:
        return reading
    told, own = _names(naming.now)
    names = {**own, **told}
    for kinds in _OF_ONE_SIGN:
        names |= _with_one_sign(names, own, kinds)
    named = {name: column for column, name in sorted(names.items(), reverse=True)}
    naming.put(replace(reading.table, columns={**named, **reading.table.columns}))
    for kinds in _OF_ONE_SIGN:
        here = {n: c for n, c in naming.table.columns.items() if n.removeprefix("−") in kinds}
        if any(own.get(column) != name for name, column in here.items()):
            naming.call({name: opposite(name) for name in here})
    for column, name in own.items():
        columns = naming.table.columns
        if name not in columns:
            naming.call({other: name for other, c in columns.items() if c == column})
    return replace(reading, table=naming.table)


def _names(trial: Trial) -> tuple[dict[int, str], dict[int, str]]:
    """Column -> what its header says; and what most of its numbers are."""
    meant = {c: _NEXT.get(hint, hint) for c, hint in trial.reading.table.hints.items()}
    told = {c: name for c, name in meant.items() if name in HELPERS}
    on_the_way = _on_the_way(trial)
    found = {}
    for column in sorted(on_the_way | {*told}):
        header = [told[column]] if column in told else []
        found[column] = trial.name_of(column, (*header, *HELPERS))
    own = {c: name for c, name in found.items() if name is not None}
    # Headers of numbers that nothing asks for are believed if most of them are what they say.
    idle = told.keys() - on_the_way
    if 2 * sum(own.get(c) == told[c] for c in idle) <= len(idle):
        told = {c: name for c, name in told.items() if c in on_the_way}
    return told, own


def _on_the_way(trial: Trial) -> set[int]:
    """The columns that the table's formulas go through, besides its own."""
    table = trial.reading.table
    cells = [table.at(name, k) for k in range(min(2, table.epochs)) for name in table.columns]
    behind = [there for at in cells for there in trial.worlds.behind(at)]
    return {at.row if table.across else at.column for at in behind}


def _with_one_sign(names: dict[int, str], own: dict[int, str], kinds: set[str]) -> dict[int, str]:
    """Columns of these kinds with the sign that most of their numbers have."""
    plus = {c: n.removeprefix("−") for c, n in names.items() if n.removeprefix("−") in kinds}
    turned = sum(own[c].startswith("−") for c in plus if c in own)
    most = 2 * turned > sum(c in own for c in plus)
    return {c: opposite(name) for c, name in plus.items()} if most else plus
