"""What is wrong in a formula, in words, told by the change that makes it right."""

from __future__ import annotations

from core.workbook.exercise.quantities import EXAMPLE
from core.workbook.explain.edits import Edit
from core.workbook.explain.slips import law, short
from core.workbook.find.reading import Reading
from core.workbook.formula.functions import number
from core.workbook.formula.tokens import make_ref
from core.workbook.formula.tree import Address


class Wording:
    """Sentences with the cells and the names of one table."""

    def __init__(self, reading: Reading) -> None:
        self.reading, self.book, self.say = reading, reading.book, reading.heading

    def of(self, edit: Edit, at: Address, name: str) -> str:
        """The cause, where this change of the formula in `at` makes it right."""
        the_law = law(name)
        right = f"{edit.old} where {the_law} has {edit.new}"
        match edit.kind:
            case "reference":
                said = self._of_references(edit, at, the_law)
            case "operator":
                said = f"has {right}"
            case "sign":
                said = f"has the opposite sign of what {the_law} gives"
            case "brackets":
                said = f"has {right}: brackets are misplaced"
            case "number":
                said = f"has the number {right}"
            case _ if edit.said == "has":
                said = f"has the factor {edit.new} once too often"
            case _:
                said = f"lacks the factor {edit.new} that {the_law} has"
        return f"{at.cell} {said}."

    def _of_references(self, edit: Edit, at: Address, the_law: str) -> str:
        texts = edit.old, edit.new, *(edit.also or ())
        old, new, *also = (self._cell_in_words(text, at) for text in texts)
        if edit.new_name == "η" and not also:
            return f"takes η from {old.rstrip(',')}; η stands in {edit.new}"
        more = f" and {also[0]} where it has {also[1]}" if also else ""
        return f"uses {old} where {the_law} has {new}{more}".rstrip(",")

    def _cell_in_words(self, text: str, here: Address) -> str:
        """“K32, out_h1,” – or what else stands in a cell outside the table."""
        at = make_ref(text, here).at(here)
        plain = text.replace("$", "")
        known = self.reading.known.get(at)
        if known is None:
            cell = self.book.cells.get(at)
            if cell is None:
                return f"{plain}, an empty cell,"
            if isinstance(cell.value, str):
                return f"{plain}, the text “{cell.value[:20]}”,"
            return f"{plain}, {short(float(number(self.reading.actual.value(at))))},"
        name, k = known
        own = self.reading.known.get(here, known)[1]
        if name not in ("η", *EXAMPLE) and k not in (own, own - 1):
            return f"{plain}, {self.say(name)} of {abs(own - k)} rows away,"
        return f"{plain}, {self.say(name)},"
