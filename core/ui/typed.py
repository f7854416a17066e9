"""Numbers as people type them: `0,5`, `−0.5` out of a PDF, `1/2`, `1e-3`, `.5`, Arabic digits."""

from __future__ import annotations

import re
import unicodedata

# The signs that stand for one of ASCII's: of other keyboards and scripts, and of PDF files.
_SIGNS = str.maketrans(
    {
        **dict.fromkeys(
            "\N{MINUS SIGN}\N{EN DASH}\N{FULLWIDTH HYPHEN-MINUS}\N{SMALL HYPHEN-MINUS}", "-"
        ),
        **dict.fromkeys("\N{NON-BREAKING HYPHEN}\N{HYPHEN}\N{FIGURE DASH}", "-"),
        "\N{FULLWIDTH PLUS SIGN}": "+",
        **dict.fromkeys("\N{FULLWIDTH FULL STOP}\N{ARABIC DECIMAL SEPARATOR}", "."),
        **dict.fromkeys("\N{FULLWIDTH COMMA}\N{IDEOGRAPHIC COMMA}\N{ARABIC COMMA}", ","),
        **dict.fromkeys("\N{FULLWIDTH SEMICOLON}\N{ARABIC SEMICOLON}", ";"),
        **dict.fromkeys("\N{FULLWIDTH SOLIDUS}\N{FRACTION SLASH}\N{DIVISION SLASH}", "/"),
        **dict.fromkeys(
            "\N{FULLWIDTH LATIN SMALL LETTER E}\N{FULLWIDTH LATIN CAPITAL LETTER E}", "e"
        ),
        # Marks of the writing direction, which come along when Arabic or Hebrew is copied.
        **dict.fromkeys("\u200e\u200f\u061c\u2066\u2067\u2068\u2069\ufeff"),
    }
)
# Digits once taken are not tried again, or a text of many would take the square of their number.
_DECIMAL = re.compile(r"[+-]?(\d++\.?\d*+|\.\d++)(e[+-]?\d++)?", re.ASCII | re.IGNORECASE)


def _ascii(text: str) -> str:
    """With the digits and signs of ASCII in place of those of other scripts."""
    digits = (unicodedata.decimal(c, None) for c in text)
    written = "".join(c if d is None else str(d) for c, d in zip(text, digits, strict=True))
    return written.translate(_SIGNS).strip()


def typed_number(text: str, *, whole: bool = False) -> float | None:
    """The number that all of `text` stands for, with `whole` an int; else None.

    A comma is a decimal one: `1,5` is 1.5. In a whole number it could also part thousands, and is
    not taken.
    """
    text = _ascii(text)
    if len(text) == 1 and unicodedata.decomposition(text).startswith("<fraction>"):
        text = _ascii(unicodedata.normalize("NFKC", text))  # ½
    if "," in text:
        if whole or "." in text or text.count(",") > 1:
            return None
        text = text.replace(",", ".")
    parts = [part.strip() for part in text.split("/")]
    if len(parts) > 2 or not all(_DECIMAL.fullmatch(part) for part in parts):
        return None
    value = float(parts[0])
    if len(parts) == 2:
        if not float(parts[1]):
            return None
        value /= float(parts[1])
    if not whole:
        return value
    return int(value) if value.is_integer() else None


def numbers_in(text: str) -> list[str]:
    """The numbers of a list, each as text: between them blanks, semicolons or commas.

    A comma without a blank behind it is a decimal one, unless the piece has a point or more commas.
    """
    fractions = "/".join(part.strip() for part in _ascii(text).split("/"))
    pieces = re.split(r"[;\s]+|,\s+", fractions)
    found: list[str] = []
    for piece in pieces:
        is_list = piece.count(",") > 1 or ("," in piece and "." in piece)
        found += piece.split(",") if is_list else [piece.strip(",")]
    return [piece for piece in found if piece]
