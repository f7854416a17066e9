"""Changes of a formula, one thing at a time: what a person may have meant to write.

This module knows the slips that people make in formulas, and not which is right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from core.workbook.exercise.quantities import kind_of
from core.workbook.formula.tokens import Token, make_ref, quoted, ref_parts, tokens
from core.workbook.formula.tree import Address, letters

Place = tuple[str, int]
"""A quantity and its epoch, from 0."""


@dataclass
class Edit:
    """A change of a formula: the new text, and what was changed, for the sentence about it."""

    text: str
    kind: str
    old: str = ""
    new: str = ""
    old_name: str = ""
    new_name: str = ""
    old_away: int = 0
    said: str = ""
    also: tuple[str, str] | None = None

    @property
    def has_alike(self) -> bool:
        """Whether the old and the new quantity are of one kind: two weights, two outputs."""
        return kind_of(self.old_name) == kind_of(self.new_name)

    def alike(self, other: Edit) -> bool:
        """Whether it is the same slip as in another row."""
        same = (self.kind, self.new_name, self.said) == (other.kind, other.new_name, other.said)
        return same and (self.kind != "reference" or self.old_name == other.old_name)


@dataclass(frozen=True)
class Edits:
    """The changes that are tried on formulas of one table.

    cells: what each cell of the table is. fixed: quantities that stand in one cell for all rows.
    rate: η as text, where it is typed into formulas; else None.
    """

    cells: Mapping[Address, Place]
    fixed: frozenset[str]
    rate: str | None

    def of(
        self, formula: str, at: Address, options: Sequence[tuple[str, Address]]
    ) -> Iterator[Edit]:
        """Changes of one thing, the likeliest first; at last of two references at once.

        options: the quantities that a right formula of the cell `at` may use, likeliest first, and
        their cells.
        """
        pieces = tokens(formula)
        yield from self._other_references(pieces, at, options)
        yield from _other_signs(pieces)
        yield from _other_brackets(pieces)
        yield from self._other_numbers(pieces)
        yield from _other_factors(pieces, options)
        yield from self._two_references(pieces, at, options)

    def _other_references(
        self, pieces: list[Token], at: Address, options: Sequence[tuple[str, Address]]
    ) -> Iterator[Edit]:
        olds = list(dict.fromkeys(p.text for p in pieces if p.kind == "ref"))
        for name, new in options:
            for old in olds:
                if make_ref(old, at).at(at) == new:
                    continue
                text = self._written(new, name, old, at)
                everywhere = [i for i, p in enumerate(pieces) if p.text == old]
                for places in (everywhere, *([i] for i in everywhere if len(everywhere) > 1)):
                    changed = dict.fromkeys(places, text)
                    yield self._reference_edit(_joined(pieces, changed), old, text, name, at)

    def _reference_edit(self, text: str, old: str, new: str, name: str, at: Address) -> Edit:
        there = make_ref(old, at).at(at)
        old_name = self._name(there)
        away = there.row - at.row if old_name and old_name not in self.fixed else 0
        return Edit(text, "reference", old, new, old_name, name, away)

    def _name(self, at: Address) -> str:
        return self.cells.get(at, ("", 0))[0]

    def _written(self, new: Address, name: str, old: str, at: Address) -> str:
        """The new reference as its formula would write it, with the $ of the old one."""
        _, fix_column, _, fix_row, _ = ref_parts(old)
        text = new.cell
        if name in self.fixed:
            text = f"${letters(new.column)}${new.row}"
        elif fix_column and not fix_row:
            text = f"${text}"
        return text if new.sheet == at.sheet else f"{quoted(new.sheet)}!{text}"

    def _other_numbers(self, pieces: list[Token]) -> Iterator[Edit]:
        numbers = [*([self.rate] if self.rate else []), "0.5", "1", "2"]
        for i, piece in enumerate(pieces):
            if piece.kind == "number":
                for number in numbers:
                    text = _joined(pieces, {i: number})
                    yield Edit(text, "number", old=piece.text, new=number)

    def _two_references(
        self, pieces: list[Token], at: Address, options: Sequence[tuple[str, Address]]
    ) -> Iterator[Edit]:
        olds = {
            p.text: kind_of(self._name(make_ref(p.text, at).at(at)))
            for p in pieces
            if p.kind == "ref"
        }
        for one, two in combinations(olds, 2):
            alike = [[o for o in options if kind_of(o[0]) == olds[old]][:8] for old in (one, two)]
            for (name_a, a), (name_b, b) in product(*alike):
                new_a, new_b = self._written(a, name_a, one, at), self._written(b, name_b, two, at)
                changed = {i: new_a for i, p in enumerate(pieces) if p.text == one}
                changed |= {i: new_b for i, p in enumerate(pieces) if p.text == two}
                edit = self._reference_edit(_joined(pieces, changed), one, new_a, name_a, at)
                edit.said = f"{self._name(make_ref(two, at).at(at))}→{name_b}"
                edit.also = (two, new_b)
                yield edit


def _other_factors(pieces: list[Token], options: Sequence[tuple[str, Address]]) -> Iterator[Edit]:
    whole = _joined(pieces, {})
    yield Edit(f"-({whole})", "sign", said="all of it")
    factors = ["0.5", "2"]
    for _, at in options[:12]:
        factors += [at.cell, f"(1-{at.cell})", f"{at.cell}*(1-{at.cell})"]
    for factor in factors:
        yield Edit(f"({whole})*{factor}", "factor", new=factor, said="lacks")
        yield Edit(f"({whole})/({factor})", "factor", new=factor, said="has")
    solid = [i for i, p in enumerate(pieces) if p.kind in ("ref", "number")]
    for i in solid:
        for factor in factors[2:]:
            changed = {i: f"{pieces[i].text}*{factor}"}
            yield Edit(_joined(pieces, changed), "factor", new=factor, said="lacks")


def _other_signs(pieces: list[Token]) -> Iterator[Edit]:
    for i, piece in enumerate(pieces):
        if piece.text not in ("+", "-", "*", "/", "^"):
            continue
        old = _around(pieces, i, piece.text)
        for sign in "-+*/^":
            if sign != piece.text:
                new = _around(pieces, i, sign)
                yield Edit(
                    _joined(pieces, {i: sign}), "operator", old, new, said=f"{piece.text}{sign}"
                )


def _around(pieces: list[Token], i: int, sign: str) -> str:
    """The operator with its neighbours, as far as they are single cells or numbers."""
    left = pieces[i - 1].text if i and pieces[i - 1].kind in ("ref", "number") else "…"
    after = pieces[i + 1] if i + 1 < len(pieces) else None
    right = after.text if after and after.kind in ("ref", "number") else "…"
    return f"{left}{sign}{right}"


def _other_brackets(pieces: list[Token]) -> Iterator[Edit]:
    """Brackets set around two or three operands that stand side by side, or one pair dropped."""
    solid = [i for i, p in enumerate(pieces) if p.kind != "space"]
    starts = [
        i for i in solid if pieces[i].kind in ("ref", "number", "call") or pieces[i].text == "("
    ]
    ends = [i for i in solid if pieces[i].kind in ("ref", "number") or pieces[i].text == ")"]
    for i in starts:
        for j in ends:
            inside = [p.text for p in pieces[i : j + 1]]
            if 1 < j - i < 40 and inside.count("(") == inside.count(")"):
                changed = {i: f"({pieces[i].text}", j: f"{pieces[j].text})"}
                inner = "".join(inside)
                yield Edit(_joined(pieces, changed), "brackets", inner, f"({inner})", said="in")
    opened: list[int] = []
    for i, piece in enumerate(pieces):
        if piece.text == "(":
            opened.append(i)
        elif piece.text == ")" and opened:
            first = opened.pop()
            if first == 0 or pieces[first - 1].kind != "call":
                inner = "".join(p.text for p in pieces[first + 1 : i])
                changed = {first: "", i: ""}
                yield Edit(_joined(pieces, changed), "brackets", f"({inner})", inner, said="out")


def without_a_term(rule: str) -> Iterator[tuple[str, str]]:
    """Each addend of a rule, and the rule without it."""
    pieces = tokens(rule)
    for i, piece in enumerate(pieces):
        if piece.text not in "+-" or not i or pieces[i - 1].text in "(+-*/^":
            continue
        first, last = _reach(pieces, i, -1), _reach(pieces, i, 1)
        for start, end in ((first, i), (i, last)):
            inside = "".join(p.text for p in pieces[start : end + 1]).strip("+-")
            yield inside, _joined(pieces, dict.fromkeys(range(start, end + 1), ""))


def _reach(pieces: list[Token], i: int, step: int) -> int:
    """How far the operand of the + or − at `i` goes to the left (−1) or right (1)."""
    depth, last = 0, i
    at = i + step
    while 0 <= at < len(pieces):
        text = pieces[at].text
        depth += (text == "(") - (text == ")")
        if depth * step < 0 or (depth == 0 and text in ("+", "-", ",")):
            break
        last = at
        at += step
    return last


def _joined(pieces: list[Token], changed: Mapping[int, str]) -> str:
    return "".join(changed.get(i, piece.text) for i, piece in enumerate(pieces))
