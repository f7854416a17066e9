"""The mended copy of a checked file, or why there is none."""

from __future__ import annotations

from core.workbook.file.book import FileError
from core.workbook.mended import mended
from core.workbook.report.report import Report


def copy_of(report: Report) -> bytes | str:
    """The file, or a sentence; "" where there is nothing to mend, or nothing in a .csv that can be.

    It is made before it is offered: a download cannot say that it was refused.
    """
    if not report.findings or report.book.kind != "xlsx":
        return ""
    try:
        return mended(report)
    except FileError as refused:
        return str(refused)
