"""The right rule with one thing changed, and what that gives in words: how numbers went wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from core.workbook.explain.edits import Edit, Edits, without_a_term
from core.workbook.formula.tokens import tokens
from core.workbook.formula.tree import Address


def changes(
    rule: str, here: Address, cells: Mapping[str, Address], told: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """What a change gives, in words, and the changed rule, the likeliest first.

    rule: as a formula in the cell `here`. cells: quantity -> its cell, those of the rule first.
    told: the cells as the rule writes them -> what the file calls their quantities.
    """
    edits = Edits({cell: (name, 0) for name, cell in cells.items()}, frozenset(), None)
    found = list(edits.of(rule, here, list(cells.items())))
    for rank in range(5):
        yield from ((_words(e, told), e.text) for e in found if _likelihood(e, rule) == rank)
        for term, shorter in without_a_term(rule) if rank == 0 else ():
            yield f"what is left without {_named(term, told)}", shorter


def _likelihood(edit: Edit, rule: str) -> int | None:
    """0 is likeliest. None for what so many numbers come from that one of them would often fit."""
    match edit.kind:
        case "reference" if edit.also:
            return 4
        case "reference":
            return 0 if edit.has_alike else 3
        case "factor":
            is_whole = edit.text.startswith(f"({rule})")
            return 1 if is_whole and (edit.said == "lacks" or edit.new in rule) else None
        case "brackets":
            return 1 if edit.said == "out" else None
        case "number":
            return 2
    return 1


def _words(edit: Edit, told: Mapping[str, str]) -> str:
    named = partial(_named, told=told)
    match edit.kind:
        case "reference" if edit.also:
            new, old, second, instead = map(named, (edit.new, edit.old, *edit.also))
            return f"what {new} and {instead} give in place of {old} and {second}"
        case "operator":
            return f"what {edit.said[1]} gives in place of {edit.said[0]}"
        case "sign":
            return "the right number with the other sign"
        case "brackets":
            return f"what is left without the brackets of {named(edit.new)}"
        case "factor" if edit.new in ("2", "0.5"):
            doubled = (edit.new == "2") == (edit.said == "lacks")
            return f"{'twice' if doubled else 'half'} the right number"
        case "factor" if edit.said == "lacks":
            return f"the right number times {named(edit.new)}"
        case "factor":
            return f"the right number without the factor {named(edit.new)}"
    return f"what {named(edit.new)} gives in place of {named(edit.old)}"


def _named(text: str, told: Mapping[str, str]) -> str:
    """A part of the rule with the names of its quantities."""
    return "".join(told.get(piece.text, piece.text) for piece in tokens(text)).replace("-", " − ")
