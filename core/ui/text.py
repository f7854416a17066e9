"""Text from outside, so that it stays text: from an address, a file, a cell, the name of a run."""

from __future__ import annotations

import re

_MOST = 40
_MARKUP = frozenset("\\`*_{}[]()#+-.!|~<>$:&@/")


def plain(text: str) -> str:
    """`text` for Streamlit's Markdown, which shows it unchanged: no link, no picture, no colour."""
    return "".join(f"\\{c}" if c in _MARKUP else c for c in re.sub(r"[ \t\r\n]+", " ", text))


def cut(text: str) -> str:
    """`text`, or its beginning if it is long, for a sentence that quotes it."""
    return text if len(text) <= _MOST else f"{text[:_MOST]}…"
