"""Spreadsheets of the 2-2-2 network: checked, explained, mended, and handed out.

check(path or bytes) -> Report
"""

from core.workbook.checker import check

__all__ = ["check"]
