"""What is wrong in a spreadsheet of this exercise, where, and a copy that is mended.

    python -m core.workbook FILE.xlsx

prints the report and exits with 0 for a right sheet, 1 where there are findings or where something
could not be judged, 2 for a file that is no such sheet.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from core.workbook.checker import check
from core.workbook.file.book import FileError
from core.workbook.mend.repair import mended
from core.workbook.report.report import lines


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the result is the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m core.workbook",
        description="Find what is wrong in a spreadsheet of the 2-2-2 network.",
    )
    parser.add_argument("file", type=Path, help=".xlsx or .csv")
    parser.add_argument("--mend", type=Path, metavar="COPY", help="write a mended copy here")
    chosen = parser.parse_args(arguments)
    try:
        report = check(chosen.file)
        print("\n".join(lines(report)))
        if chosen.mend and report.findings:
            chosen.mend.write_bytes(mended(report))
    except FileError as wrong:
        print(wrong, file=sys.stderr)
        return 2
    return 0 if report.right else 1


if __name__ == "__main__":
    sys.exit(main())
