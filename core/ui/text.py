"""Text from outside, so that it stays text: from an address, a file, a cell, the name of a run."""

from __future__ import annotations

import re

_MOST = 40
_MARKUP = frozenset("\\`*_{}[]()#+-.!|~<>$:&@/")
# What Streamlit's Markdown looks for in finished text, escaped or not: addresses, mail, emoji.
_LATE = re.compile(r"(?<=:)(?=[\w/])|(?<=www)(?=\.)|(?=@)", re.IGNORECASE)
_JOINER = "\N{WORD JOINER}"  # unseen, and no letter
_HALF = re.compile("[\ud800-\udfff]")  # of a letter: JSON can write it, nobody can send it


def plain(text: str) -> str:
    """`text` for Streamlit's Markdown, which shows it as it is: no link, no picture, no colour."""
    whole = _HALF.sub("\N{REPLACEMENT CHARACTER}", re.sub(r"[ \t\r\n]+", " ", text))
    broken = _LATE.sub(_JOINER, whole)
    return "".join(f"\\{c}" if c in _MARKUP else c for c in broken)


def cut(text: str) -> str:
    """`text`, or its beginning if it is long, for a sentence that quotes it."""
    return text if len(text) <= _MOST else f"{text[:_MOST]}…"
