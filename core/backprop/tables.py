"""Where the table of this exercise stands in a book, whatever its headers are called.

This module knows names and places, not arithmetic: it finds rows (or columns) of headers, says
which quantity of network.py each is, which rows below are epochs, and where η and the initial
values are labelled.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from core.backprop.cells import Book, Calculator, Cell
from core.backprop.formula import Address, FormulaError, Value
from core.backprop.network import COLUMNS, WEIGHTS

EXAMPLE = ("t1", "t2", "i1", "i2")
COMPUTED = tuple(name for name in COLUMNS if name not in (*EXAMPLE, *WEIGHTS))
_QUANTITIES = (*COLUMNS, "epoch", "η")
MOST_EPOCHS = 1000

_LOSS = r"(?:e|l|j|c|err|error|fehler|loss|cost)"
_TOTAL = r"(?:t|to|tot|total|gesamt|sum|summe|all)"
_NET = r"(?:net|z|in|sum|pre|preact|preactivation|input|raw)"
_OUT = r"(?:a|act|activation|activated|out|output|sig|sigm|sigmoid|f|g|s|phi)"
_PATTERNS = [
    (r"(?:i|in|inp|input|x)([12])", "i{}"),
    (r"(?:t|tgt|tar|targ|target|y|ytrue|expected|desired|label)([12])", "t{}"),
    (r"(?:old|cur|current)?(?:w|wt|weight|gewicht)([1-8])(?:old|cur|current|t|k|n)?", "w{}"),
    (rf"(?:d?{_LOSS}{_TOTAL}?)?(?:by|over|wrt)?dw(?:t|eight)?([1-8])", "∂E/∂w{}"),
    (rf"d?{_LOSS}{_TOTAL}?(?:by|over|wrt)?w([1-8])", "∂E/∂w{}"),
    (r"de1dw([56])", "∂E/∂w{}"),
    (r"de2dw([78])", "∂E/∂w{}"),
    (rf"d?{_LOSS}?(?:by|over|wrt)?d(?:elta|net|z)?([oh][12])|(?:d|delta)elta([oh][12])", "∂E/∂{}"),
    (r"(?:g|grad|gradient|deriv|derivative|slope)(?:of)?w([1-8])", "∂E/∂w{}"),
    (r"w([1-8])(?:grad|gradient)", "∂E/∂w{}"),
    (rf"{_NET}?h([12]){_NET}?|(?:hidden|neuronh)([12])", "h{}"),
    (rf"{_NET}?o([12]){_NET}?", "o{}"),
    (rf"(?:{_OUT}|o)h([12])|h([12]){_OUT}|(?:{_OUT})hidden([12])", "out_h{}"),
    (rf"{_OUT}o([12])|o([12]){_OUT}|oo([12])", "out_o{}"),
    (r"(?:out|output|pred|prediction|predicted|yhat|ypred)([12])", "out_o{}"),
    (rf"{_LOSS}o?([12])", "E{}"),
    (rf"{_LOSS}{_TOTAL}?|{_TOTAL}{_LOSS}|total|sige|mse|sse|e1e2|etotale1e2", "E_total"),
    (
        r"(?:epochs?|epoche|schritt|steps?|iter|iterations?|it|n|no|nr|num|number|round|cycle|index)",
        "epoch",
    ),
    (r"(?:η|eta|lr|α|alpha|rate|stepsize|learn(?:ing)?rate)(?:η|eta|lr|α|alpha)?", "η"),
    (r"(?:η|α)learn(?:ing)?rate|lernrate(?:η|α)?", "η"),
]
_NAMES = [(re.compile(pattern), name) for pattern, name in _PATTERNS]
_TO_LATIN = str.maketrans({**dict.fromkeys("∂δ∇𝛿", "d"), "σ": "sig", "ς": "sig", "ƞ": "η"})
_RATE = re.compile(
    r"\W*(?:η|eta|lr|α|alpha|(?:learn(?:ing)?[ _-]?)?rate)(?:\s*\((?:η|eta|lr|α|alpha)\))?"
    r"[\s_:=of-]*(\d*[.,]?\d+(?:e-?\d+)?)\W*",
    re.IGNORECASE,
)


def quantity(text: str) -> str | None:
    """The name of `COLUMNS`, "epoch" or "η" that a header means; None if it means none of them.

    A gradient with a minus before it is "−∂E/∂w1".

    >>> [quantity(header) for header in ("a_h1", "E∂w3", "δE/δw3", "Etot", "net h2", "Notes")]
    ['out_h1', '∂E/∂w3', '∂E/∂w3', 'E_total', 'h2', None]
    """
    text = unicodedata.normalize("NFKC", text[:80]).replace("Σ", "sum").replace("∑", "sum").strip()
    bare = _BRACKETS.sub("", text)
    if bare != text and _NEXT.search(text):
        return None  # "w1 (new)" is not the w1 of its row
    for part in (text, bare, *text.splitlines()):
        if found := _quantity(part):
            return found
    return None


_BRACKETS = re.compile(r"\s*[\^_]?[(\[{][^)\]}]*[)\]}]")
_NEXT = re.compile(r"new|next|updat|[kt] ?\+ ?1", re.IGNORECASE)


def _quantity(text: str) -> str | None:
    plain = text.casefold().split("=")[0].translate(_TO_LATIN)
    minus = plain.strip(" $")[:1] in ("-", "−")
    plain = re.sub(r"[^a-z0-9ηα]", "", plain)
    for pattern, name in _NAMES:
        if match := pattern.fullmatch(plain):
            found = name.format(next(filter(None, match.groups()), ""))
            return found if not minus else f"−{found}" if found.startswith("∂") else None
    return None


def rate_in(text: str) -> float | None:
    """The number in a text such as "LR=0.1" or "η = 0,5"; None if it is no such text."""
    match = _RATE.fullmatch(unicodedata.normalize("NFKC", text[:60]))
    return float(match[1].replace(",", ".")) if match else None


@dataclass(frozen=True, eq=False)
class Table:
    """Columns that list epochs.

    columns: quantity -> its column, or its row if the epochs run across. hints: column -> what its
    header seems to mean, for those that are not in `COLUMNS`. lines: the rows of the epochs, or
    their columns, in the order of descent: upwards if the newest is on top. head: the row (column)
    of the headers. rate: η, where the header itself says it. across: whether epochs run across.
    shifts: quantity -> how many lines after its epoch's it stands. last_step: whether the weights
    stand there that the last epoch leads to, which have no epoch of their own.
    """

    sheet: str
    head: int
    columns: Mapping[str, int]
    lines: tuple[int, ...]
    across: bool = False
    rate: float | None = None
    hints: Mapping[int, str] = field(default_factory=dict)
    shifts: Mapping[str, int] = field(default_factory=dict)
    last_step: bool = False

    def at(self, name: str, k: int) -> Address:
        """The cell of a quantity at the k-th epoch, counted from 0.

        It may lie beyond the table's lines: one with a shift, or the weights after the last epoch.
        """
        return self.cell(self._line(k + self.shifts.get(name, 0)), self.columns[name])

    def _line(self, k: int) -> int:
        last = len(self.lines) - 1
        if 0 <= k <= last:
            return self.lines[k]
        step = self.lines[1] - self.lines[0] if last else 1
        return self.lines[0] + k * step if k < 0 else self.lines[last] + (k - last) * step

    def has(self, name: str, k: int) -> bool:
        """Whether the k-th cell of a quantity is in one of the table's lines."""
        return 0 <= k + self.shifts.get(name, 0) < len(self.lines)

    def heading(self, name: str) -> Address:
        """The cell of its header."""
        return self.cell(self.head, self.columns[name])

    def cell(self, line: int, column: int) -> Address:
        """The cell in a line of the table, in the sheet's own terms."""
        return Address(self.sheet, *((column, line) if self.across else (line, column)))

    @property
    def epochs(self) -> int:
        return len(self.lines)

    @property
    def steps(self) -> int:
        """How often the weights are listed: once for each epoch, and perhaps after the last."""
        return self.epochs + self.last_step

    @property
    def where(self) -> str:
        """The range it takes, from its headers on: B31:AF81."""
        columns = sorted(self.columns.values())
        first, last = (
            self.cell(self.head, columns[0]),
            self.cell(max(self.lines), columns[-1]),
        )
        return f"{first.cell}:{last.cell}"


@dataclass
class Layout:
    """Everything found in a book.

    tables: with headers of several quantities. curves: single columns of E_total under a header
    that names their η. labels: (quantity, cell) of numbers with a label beside or above them.
    unread: sentences about rows that look like epochs and belong to no table.
    """

    tables: list[Table]
    curves: list[Table]
    labels: list[tuple[str, Address]]
    unread: list[str]


def find(book: Book) -> Layout:
    """The tables, curves and labels of a book."""
    values = Calculator(book)
    unread: list[str] = []
    tables = [table for sheet in book.sheets for table in _tables(book, values, sheet, unread)]
    inside = {at for table in tables for at in _cells_of(table)}
    labels = [(name, at) for name, at in _labels(book, values) if at not in inside]
    taken = inside | {at for _, at in labels}
    curves = [
        curve
        for sheet in book.sheets
        for curve in _curves(book, values, sheet)
        if taken.isdisjoint(curve.at("E_total", k) for k in range(min(4, curve.epochs)))
    ]
    return Layout(tables, curves, labels, unread)


def _cells_of(table: Table) -> Iterator[Address]:
    for line in (table.head, *table.lines):
        for column in table.columns.values():
            yield table.cell(line, column)


Ask = Callable[[int, int], Address]


def _tables(book: Book, values: Calculator, sheet: str, unread: list[str]) -> Iterator[Table]:
    for across in (False, True):
        found = list(_tables_along(book, values, sheet, unread, across=across))
        yield from found
        if found:
            return


def _tables_along(
    book: Book, values: Calculator, sheet: str, unread: list[str], *, across: bool
) -> Iterator[Table]:
    """The tables of a sheet whose headers stand side by side; `across`: one below the other."""

    def cell(line: int, column: int) -> Address:
        return Address(sheet, *((column, line) if across else (line, column)))

    rows: dict[int, list[tuple[int, str]]] = {}
    for at, content in book.cells.items():
        if at.sheet == sheet:
            text = _text(values, at, content)
            if text is not None and (name := quantity(text)):
                line, column = (at.column, at.row) if across else (at.row, at.column)
                rows.setdefault(line, []).append((column, name))

    used: set[tuple[int, int]] = set()
    for head, headers in sorted(rows.items()):
        for columns in _segments(sorted(headers)):
            if any((head, column) in used for column in columns.values()):
                continue
            computed = _telling(columns)
            known = [name for name in columns if name not in ("epoch", "η")]
            if len(known) < 5 or not computed:
                continue
            lines, rest = _lines(book, values, cell, head, list(columns.values()), computed)
            if len(lines) < (1 if len(known) >= 10 else 2):
                continue
            if rest:
                word = "column" if across else "row"
                unread.append(f"{sheet or 'The file'}: {rest} from {word} {lines[-1] + 1} on.")
            columns = {
                name: column
                for name, column in columns.items()
                if name != "η" or all(cell(line, column) in book.cells for line in lines)
            }
            used.update((line, c) for line in range(head, lines[-1] + 1) for c in columns.values())
            hints = {c: name for name, c in columns.items() if name not in _QUANTITIES}
            columns = {name: c for name, c in columns.items() if name in _QUANTITIES}
            if _runs_upwards(book, values, cell, lines, columns):
                lines.reverse()
            yield Table(sheet, head, columns, tuple(lines), across, hints=hints)


def _telling(columns: Mapping[str, int]) -> list[int]:
    """The columns that tell which lines are epochs.

    Gradients only where there is little else: they may stand a line below their epoch.
    """
    computed = {name: column for name, column in columns.items() if name in COMPUTED}
    forward = [column for name, column in computed.items() if not name.startswith("∂")]
    return forward if len(forward) > 2 else list(computed.values())


def _runs_upwards(
    book: Book, values: Calculator, cell: Ask, lines: list[int], columns: Mapping[str, int]
) -> bool:
    """Whether the newest epoch is on top: weights follow from those below, or epochs count down."""
    weights = [columns[name] for name in WEIGHTS if name in columns]
    asked = {-1: 0, 1: 0}
    for line in lines[len(lines) // 2 :][:2]:
        for column in weights:
            at = cell(line, column)
            try:
                found = book.asked(at)
            except FormulaError:
                continue
            for away in asked:
                asked[away] += cell(line + away, column) in found
    if any(asked.values()):
        return asked[1] > asked[-1]
    if "epoch" not in columns or len(lines) < 2:
        return False
    numbers = [_shown(values, cell(line, columns["epoch"])) for line in lines]
    return all(
        isinstance(a, float) and isinstance(b, float) and b < a
        for a, b in pairwise(numbers)
    )


def _segments(headers: list[tuple[int, str]]) -> list[dict[str, int]]:
    """Several tables may stand side by side: a quantity that comes again begins the next.

    Unless nothing calculated came before: then what came first was a label beside the table. A
    second set of gradients or weights alone (Δw, the new w) is no table but a helper's columns.
    """
    segments: list[dict[str, int]] = [{}]
    for column, name in headers:
        if name in segments[-1] and any(n in COMPUTED for n in segments[-1]):
            segments.append({})
        segments[-1][name] = column
    whole = [s for s in segments if any(n in COMPUTED and not n.startswith("∂") for n in s)]
    return whole or segments[:1]


def _lines(
    book: Book,
    values: Calculator,
    cell: Ask,
    head: int,
    columns: list[int],
    computed: list[int],
) -> tuple[list[int], str]:
    """The epochs below `head`, and what more looks like epochs and was left out."""

    def filled(line: int) -> bool:
        count = 0
        for column in computed:
            at = cell(line, column)
            content = book.cells.get(at)
            if content is not None:
                text = content.text is None and isinstance(content.value, str)
                count += 1 if not text or quantity(str(content.value)) is None else -1
        return 2 * count >= len(computed) and any(
            not isinstance(_shown(values, cell(line, c)), str) for c in computed
        )

    first = next((line for line in range(head + 1, head + 4) if filled(line)), None)
    if first is None:
        return [], ""
    lines = []
    line = first
    while line:
        while filled(line):
            lines.append(line)
            line += 1
            if len(lines) == MOST_EPOCHS and filled(line):
                return lines, f"only the first {MOST_EPOCHS:,} epochs were judged, not those"
        after = next((line + gap for gap in (1, 2, 3) if filled(line + gap)), None)
        if after is None or not _goes_on(book, cell, lines[-1], after, columns):
            break
        line = after
    if after is not None and not _has_headers(book, cell, range(lines[-1] + 1, after), columns):
        return lines, "after a gap there is more that was not judged,"
    return lines, ""


def _goes_on(book: Book, cell: Ask, last: int, after: int, columns: list[int]) -> bool:
    """Whether an epoch that stands after a gap follows from the last one before it."""
    before = {cell(last, column) for column in columns}
    formulas = [at for column in columns if book.formula_text(at := cell(after, column))]
    for at in formulas:
        try:
            if not before.isdisjoint(book.asked(at)):
                return True
        except FormulaError:
            continue
    gap = range(last + 1, after)
    return not formulas and not _has_headers(book, cell, gap, columns)


def _has_headers(book: Book, cell: Ask, lines: range, columns: list[int]) -> bool:
    texts = [book.cells.get(cell(line, column)) for line in lines for column in columns]
    return sum(isinstance(c.value, str) and bool(quantity(c.value)) for c in texts if c) > 4


def _curves(book: Book, values: Calculator, sheet: str) -> Iterator[Table]:
    for at, content in book.cells.items():
        if at.sheet != sheet:
            continue
        rate = None
        if (text := _text(values, at, content)) is not None:
            rate = rate_in(text)
        elif isinstance(content.value, float) and _is_rate(book, at):
            rate = content.value
        if rate is None:
            continue
        lines = []
        line = at.row + 1
        while isinstance(_shown(values, Address(sheet, line, at.column)), float):
            lines.append(line)
            line += 1
            if len(lines) == MOST_EPOCHS:
                break
        if len(lines) > 2:
            yield Table(sheet, at.row, {"E_total": at.column}, tuple(lines), rate=rate)


def _shown(values: Calculator, at: Address) -> Value:
    """What the file shows in a cell; calculated only where it was saved without."""
    cell = values.book.cells.get(at)
    return cell.value if cell and cell.value is not None else values.value(at)


_HEADING = re.compile(r'.*".*|(?:.+!)?\$?[A-Z]{1,3}\$?\d+', re.DOTALL)
"""A formula that may give text: one with text in it, or that repeats a cell."""


def _text(values: Calculator, at: Address, cell: Cell) -> str | None:
    """The text in a cell, if it is one."""
    if cell.value is None and cell.text and _HEADING.fullmatch(cell.text.formula):
        calculated = values.value(at)
        return calculated if isinstance(calculated, str) else None
    return cell.value if isinstance(cell.value, str) else None


def _is_rate(book: Book, at: Address) -> bool:
    """A number heads a curve if its row begins with "epoch" or "η" and lists only numbers."""
    column = at.column
    while column > 1 and at.column - column < 30:
        column -= 1
        content = book.cells.get(Address(at.sheet, at.row, column))
        if content is None or content.text is not None:
            return False
        if isinstance(content.value, str):
            return quantity(content.value) in ("epoch", "η")
    return False


def _labels(book: Book, values: Calculator) -> Iterator[tuple[str, Address]]:
    """The numbers that stand right of a label, or below it."""
    for at, content in book.cells.items():
        if not isinstance(content.value, str) or rate_in(content.value) is not None:
            continue
        name = quantity(content.value)
        if name not in ("η", *EXAMPLE, *WEIGHTS):
            name = "η" if name == "epoch" and len(content.value.strip(" :=")) == 1 else None
        if name is None:
            continue
        right = Address(at.sheet, at.row, at.column + 1)
        below = Address(at.sheet, at.row + 1, at.column)
        for place in (right, below):
            if isinstance(_shown(values, place), float):
                yield name, place
                break
