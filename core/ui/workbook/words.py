"""Words that both tasks of the page use."""

from __future__ import annotations

from collections.abc import Mapping

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def in_words(values: Mapping[str, float]) -> str:
    """Every value with its name on one line: the blanks between them do not break."""
    words = (f"{name} = {value:g}" for name, value in values.items())
    return ", ".join(word.replace(" ", "\N{NO-BREAK SPACE}") for word in words)
