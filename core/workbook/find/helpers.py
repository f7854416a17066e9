"""What the columns hold that stand on the way to a table's own: δ, σ′, Δw, whatever their headers.

This module knows where such columns are, and that a sheet has one sign for all its δ and one for
all its steps. What fits best trial.py tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from core.backprop.network import WEIGHTS
from core.workbook.exercise.quantities import DELTA, HELPERS, NEXT, STEP, STEPPED, opposite
from core.workbook.find.layout import Table
from core.workbook.find.reading import Reading
from core.workbook.find.trial import Trial, better

_NEXT = {NEXT[w]: STEPPED[w] for w in WEIGHTS}


def with_helpers(reading: Reading) -> Reading:
    """The reading with such columns called what most numbers follow with."""
    trial = Trial(reading)
    if reading.table.drops or not trial.drawn:
        return reading
    return replace(reading, table=_called(reading.table, _Naming(trial).named()))


def _called(table: Table, names: Mapping[int, str]) -> Table:
    """The table with these columns too; of several of a name the first."""
    columns = {name: column for column, name in sorted(names.items(), reverse=True)}
    return replace(table, columns={**columns, **table.columns})


class _Naming:
    """told: column -> what its header says; own: what most of its numbers are."""

    def __init__(self, plain: Trial) -> None:
        self.plain = plain
        meant = {c: _NEXT.get(hint, hint) for c, hint in plain.reading.table.hints.items()}
        told = {c: name for c, name in meant.items() if name in HELPERS}
        on_the_way = self._on_the_way()
        self.own = {
            c: name
            for c in sorted({*on_the_way, *told})
            if (name := plain.name_of(c, [*([told[c]] if c in told else []), *HELPERS]))
        }
        # Headers of numbers that nothing asks for are believed if most of them are what they say.
        idle = told.keys() - on_the_way
        believed = 2 * sum(self.own.get(c) == told[c] for c in idle) > len(idle)
        self.told = {c: name for c, name in told.items() if believed or c in on_the_way}
        self.names = self.own | self.told
        self.now = self.plain

    def named(self) -> dict[int, str]:
        """Column -> what it holds."""
        self.now = self._trial(self.names)
        for kinds in (DELTA.values(), STEP.values()):
            self._sign(kinds)
        for column, name in self.own.items():
            self._try({column: name})
        return self.names

    def _on_the_way(self) -> set[int]:
        """The columns that the table's formulas go through, besides its own."""
        table, worlds = self.plain.reading.table, self.plain.worlds
        cells = [table.at(name, k) for k in range(min(2, table.epochs)) for name in table.columns]
        behind = [there for at in cells for there in worlds.behind(at)]
        return {at.row if table.across else at.column for at in behind}

    def _sign(self, kinds: Iterable[str]) -> None:
        """Give all columns of a kind the sign of most; a header with a minus has its own."""
        bare = {c: name.removeprefix("−") for c, name in self.names.items()}
        plus = {
            c: name
            for c, name in bare.items()
            if name in kinds and not self.told.get(c, "").startswith("−")
        }
        own = {c: self.own[c] for c in plus if c in self.own}
        minus = {c: opposite(name) for c, name in plus.items()}
        turned = sum(name.startswith("−") for name in own.values())
        start, other = (minus, plus) if 2 * turned > len(own) else (plus, minus)
        self.names |= start
        self.now = self._trial(self.names)
        if own != start:
            self._try(other)

    def _try(self, names: Mapping[int, str]) -> None:
        """Call columns so, if clearly more follows then."""
        other = {**self.names, **names}
        changed = {n for c in names if self.names[c] != other[c] for n in (self.names[c], other[c])}
        if changed:
            trial = better(self.now, changed, lambda: self._trial(other))
            if trial is not self.now:
                self.now, self.names = trial, other

    def _trial(self, names: Mapping[int, str]) -> Trial:
        return self.plain.called(_called(self.plain.reading.table, names))
