"""What is wrong in a formula, in words, told by the change that makes it right."""

from __future__ import annotations

from core.workbook.exercise.quantities import EXAMPLE
from core.workbook.explain.edits import Edit
from core.workbook.explain.slips import law, short
from core.workbook.find.reading import Reading
from core.workbook.formula.tokens import make_ref
from core.workbook.formula.tree import Address


class Wording:
    """Sentences with the cells and the names of one table."""

    def __init__(self, reading: Reading) -> None:
        self.reading, self.book, self.say = reading, reading.book, reading.heading

    def of(self, edit: Edit, at: Address, name: str) -> str:
        """The cause, where this change of the formula in `at` makes it right."""
        the_law = law(name)
        if edit.kind == "reference":
            words = (
                f"{at.cell} uses {self._cell_in_words(edit.old, at)} where {the_law} has "
                f"{self._cell_in_words(edit.new, at)}"
            )
            if edit.new_name == "η" and edit.also is None:
                taken = self._cell_in_words(edit.old, at).rstrip(",")
                words = f"{at.cell} takes η from {taken}; η stands in {edit.new}"
            if edit.also:
                old, new = edit.also
                words = words.rstrip(",") + (
                    f", and {self._cell_in_words(old, at)} where it has "
                    f"{self._cell_in_words(new, at)}"
                )
            return words.rstrip(",") + "."
        if edit.kind == "operator":
            return f"{at.cell} has {edit.old} where {the_law} has {edit.new}."
        if edit.kind == "sign":
            return f"{at.cell} has the opposite sign of what {the_law} gives."
        if edit.kind == "brackets":
            return (
                f"{at.cell} has {edit.old} where {the_law} has {edit.new}: brackets are misplaced."
            )
        if edit.kind == "number":
            return f"{at.cell} has the number {edit.old} where {the_law} has {edit.new}."
        if edit.said == "has":
            return f"{at.cell} has the factor {edit.new} once too often."
        return f"{at.cell} lacks the factor {edit.new} that {the_law} has."

    def _cell_in_words(self, text: str, here: Address) -> str:
        """K32, out_h1 – or what else stands in a cell outside the table."""
        at = make_ref(text, here).at(here)
        plain = text.replace("$", "")
        known = self.reading.known.get(at)
        if known is None:
            cell = self.book.cells.get(at)
            if cell is None:
                return f"{plain}, an empty cell,"
            if isinstance(cell.value, str):
                return f"{plain}, the text “{cell.value[:20]}”,"
            value = self.reading.actual.value(at)
            return f"{plain}, {short(value)}," if isinstance(value, float) else f"{plain}"
        name, k = known
        own = self.reading.known.get(here, known)[1]
        if name not in ("η", *EXAMPLE) and k not in (own, own - 1):
            return f"{plain}, {self.say(name)} of {abs(own - k)} rows away,"
        return f"{plain}, {self.say(name)},"
