"""Numbers as people and programs write them: "-0.5", "0,05", "5e-3", "50 %"."""

from __future__ import annotations

import math
import re
from decimal import Decimal

_SIGN, _EXPONENT = "[-+\N{MINUS SIGN}]?", "(?:[eE][-+\N{MINUS SIGN}]?[0-9]{1,3})?"
WITH_POINT = rf"{_SIGN}(?:[0-9]++\.?[0-9]*+|\.[0-9]++){_EXPONENT}"
"""Pattern of a number in a list, where a comma stands between two."""
UNSIGNED = rf"(?:[0-9]++[.,]?[0-9]*+|[.,][0-9]++){_EXPONENT}"
NUMERAL = _SIGN + UNSIGNED
"""Pattern of a number that stands alone: a comma in it is a decimal one."""
_WHOLE = re.compile(rf"({NUMERAL})( ?%)?")


def digits(text: str) -> str | None:
    """What a text writes as a number, as Python writes it; None if that is no number.

    >>> digits("−0,05"), digits("50 %"), digits("w1")
    ('-0.05', '0.50', None)
    """
    match = _WHOLE.fullmatch(text.strip())
    if match is None:
        return None
    plain = match[1].replace(",", ".").replace("\N{MINUS SIGN}", "-")
    return str(Decimal(plain).scaleb(-2)) if match[2] else plain


def value(text: str) -> float:
    """The number that a text writes; NaN if it writes none, or one too large for a float."""
    found = float(digits(text) or "nan")
    return found if math.isfinite(found) else math.nan
