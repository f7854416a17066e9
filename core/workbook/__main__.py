"""What is wrong in spreadsheets of this exercise, where, and copies that are mended.

    python -m core.workbook FILE.xlsx
    python -m core.workbook FOLDER FILE.xlsx FILE.csv

Of one file the whole report is printed, of several, or of all in a folder, a line each. The exit
status is 0 for a right sheet, 1 where there are findings or where something could not be judged, 2
for a file that is no such sheet; of several files it is the highest.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.workbook.checker import check
from core.workbook.file.book import FileError
from core.workbook.mended import mended
from core.workbook.report.report import lines

_KINDS = (".xlsx", ".xlsm", ".csv")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the result is the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m core.workbook",
        description="Find what is wrong in spreadsheets of the 2-2-2 network.",
    )
    parser.add_argument(
        "path", type=Path, nargs="+", help=".xlsx or .csv, or a folder with such files"
    )
    parser.add_argument(
        "--mend", type=Path, metavar="COPY", help="write a mended copy here; of several, a folder"
    )
    chosen = parser.parse_args(arguments)
    if len(chosen.path) == 1 and not chosen.path[0].is_dir():
        return _one(chosen.path[0], chosen.mend, whole=True)
    files = list(_files(chosen.path))
    if not files:
        print(f"There is no {', '.join(_KINDS)} in there.", file=sys.stderr)
        return 2
    return max(
        _one(file, chosen.mend and chosen.mend / file.relative_to(home), whole=False)
        for file, home in files
    )


def _files(paths: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    """The files, and those of the folders, each with the folder that it was found in or below."""
    for path in paths:
        if not path.is_dir():
            yield path, path.parent
            continue
        for file in sorted(path.rglob("*")):
            # Excel keeps a lock beside each workbook that is open.
            if file.suffix.lower() in _KINDS and not file.name.startswith("~$"):
                yield file, path


def _one(file: Path, copy: Path | None, *, whole: bool) -> int:
    """Judge a file, print its report or a line, and write its copy."""
    try:
        report = check(file)
    except FileError as wrong:
        said, where = (wrong, sys.stderr) if whole else (f"{file}: {wrong}", sys.stdout)
        print(said, file=where, flush=True)
        return 2
    print("\n".join(lines(report)) if whole else f"{file}: {report.verdict}", flush=True)
    if copy and report.findings:
        try:
            data = mended(report)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(data)
        except FileError as refused:
            print(f"{copy}: {refused}", file=sys.stderr)
    return 0 if report.right else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:  # whoever reads has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
