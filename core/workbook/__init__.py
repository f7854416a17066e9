"""Spreadsheets of the 2-2-2 network: checked, explained, mended, and handed out.

check(path or bytes) -> Report; mended(report) -> bytes
"""

from core.workbook.checker import check
from core.workbook.mended import mended

__all__ = ["check", "mended"]
