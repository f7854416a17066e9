"""Tables whose epochs are blocks, one below the other, in which every number has its own label."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from core.backprop.network import WEIGHTS
from core.workbook.exercise.quantities import COMPUTED, FORWARD, NEXT, STEPPED
from core.workbook.find.layout import Shown, Table
from core.workbook.find.words import quantity, rate_in

_STEPS = {NEXT[w]: STEPPED[w] for w in WEIGHTS}
_LISTED = (*WEIGHTS, *COMPUTED, *STEPPED.values())
_LEAST_ALONE = 16
"""Labels of an epoch that is alone in its sheet."""


def blocks_in(shown: Shown, sheet: str) -> Table | None:
    """A table whose epochs are blocks, one below the other: labels, each with its number."""
    for above in (False, True):
        places = _labelled_again(shown, sheet, above=above)
        steps = Counter(b - a for rows in places.values() for a, b in pairwise(rows))
        if not steps:
            continue
        step = steps.most_common(1)[0][0]
        again = {
            key: rows
            for key, rows in places.items()
            if len(rows) > 1 and {b - a for a, b in pairwise(rows)} == {step}
        }
        firsts = {rows[0] for rows in again.values()}
        if step < 3 or len(again) < 10 or not any(name in FORWARD for name, _ in again):
            continue
        if len(firsts) < 3:
            continue  # one line of headers, again for each of several tables
        top = min(firsts)
        epochs = Counter(len(rows) for rows in again.values()).most_common(1)[0][0]
        columns = {name: column + (not above) for name, column in again}
        drops = {name: rows[0] - top + above for (name, _), rows in again.items()}
        lines = tuple(range(top, top + step * epochs, step))
        return Table(sheet, top, columns, lines, drops=drops, labels_above=above)
    return None


def one_block(shown: Shown, sheet: str) -> Table | None:
    """One step of descent, its labels in several columns, each with its number on the right."""
    labelled = _labelled_again(shown, sheet, above=False)
    places = {name: (column, rows) for (name, column), rows in labelled.items()}
    once = {name: (c, rows[0]) for name, (c, rows) in places.items() if len(rows) == 1}
    columns = {name: column + 1 for name, (column, _) in once.items()}
    several = len(set(columns.values())) > 1 and len(once) == len(places)
    if not several or len(once) < _LEAST_ALONE or not once.keys() & set(FORWARD):
        return None
    top = min(row for _, row in once.values())
    drops = {name: row - top for name, (_, row) in once.items()}
    return Table(sheet, top, columns, (top,), drops=drops)


def _labelled_again(shown: Shown, sheet: str, *, above: bool) -> dict[tuple[str, int], list[int]]:
    """Quantity and column -> the rows of labels for it, with a number on the right, or below."""
    places: dict[tuple[str, int], list[int]] = {}
    for at, text in shown.texts(sheet):
        name = quantity(text)
        name = _STEPS.get(name or "", name)
        there = at._replace(row=at.row + above, column=at.column + (not above))
        if name in _LISTED and rate_in(text) is None and shown.is_number(there):
            places.setdefault((name, at.column), []).append(at.row)
    return places
