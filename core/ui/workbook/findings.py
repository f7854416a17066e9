"""The findings in a checked workbook, in words and formulas."""

from __future__ import annotations

import difflib
import html

import streamlit as st

from core.workbook.formula.tokens import tokens
from core.workbook.formula.tree import FormulaError
from core.workbook.report.report import Finding


def finding_card(number: int, finding: Finding, effect: str) -> None:
    """One slip: where, what, the formula there and the right one, what it does to E_total."""
    count = len(finding.changes)
    cells = "1 cell" if count == 1 else f"{count:,} cells"
    place = f"{finding.sheet}!" if finding.sheet else ""
    theirs, right = _marked(finding.theirs, finding.right)
    with st.container(border=True):
        st.html(
            '<div class="finding">'
            f"<h3><span>{number}</span> {html.escape(finding.heading)}"
            f"<small>{html.escape(place + finding.where)} · {cells}</small></h3>"
            f"<p>{html.escape(finding.cause)}</p>"
            f"<dl><dt>there</dt><dd><code>{theirs}</code></dd>"
            f"<dt>right</dt><dd><code>{right}</code></dd></dl>"
            f"{f'<p><small>{html.escape(effect)}</small></p>' if effect else ''}</div>"
        )


def _marked(theirs: str, right: str) -> tuple[str, str]:
    """Both as HTML, what differs between two formulas marked."""
    if not (theirs.startswith("=") and right.startswith("=")):
        return html.escape(theirs), html.escape(right)
    try:
        a = [piece.text for piece in tokens(theirs[1:])]
        b = [piece.text for piece in tokens(right[1:])]
    except FormulaError:
        return html.escape(theirs), html.escape(right)
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    if matcher.ratio() < 0.5:
        return html.escape(theirs), html.escape(right)
    left, other = ["="], ["="]
    for kind, i, j, k, m in matcher.get_opcodes():
        for parts, pieces in ((left, a[i:j]), (other, b[k:m])):
            text = html.escape("".join(pieces))
            parts.append(text if kind == "equal" or not text else f"<mark>{text}</mark>")
    return "".join(left), "".join(other)
