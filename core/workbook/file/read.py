"""A file of cells, .xlsx or .csv, read.

What is read are numbers, texts and formulas, bounded in time and memory; macros, links and whatever
else a file holds stay unread.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

from lxml import etree

from core.workbook.file.book import Book, FileError
from core.workbook.file.limits import DAMAGED
from core.workbook.file.progress import Tell, silent
from core.workbook.file.separated import read_csv
from core.workbook.file.xlsx import read_package

MOST_BYTES = 10_000_000
"""In a file: one of this exercise has less than a tenth."""


def read(source: str | Path | bytes, tell: Tell = silent) -> Book:
    """The cells of an .xlsx (.xlsm) or .csv file, given as its path or its bytes.

    Raises FileError with a sentence for every file that is neither, is damaged, is protected by a
    password, or would take more memory than such a file ever needs.
    """
    data = source if isinstance(source, bytes) else _load(Path(source))
    if len(data) > MOST_BYTES:
        raise _too_large(len(data))
    if not data.strip():
        raise FileError("The file is empty.")
    try:
        if data.startswith(b"PK"):
            return read_package(data, tell)
        if data.startswith(b"\xd0\xcf\x11\xe0"):
            raise FileError(_old_format(data))
        return read_csv(data)
    except FileError:
        raise
    except (
        *(zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError),
        *(etree.LxmlError, LookupError, ValueError),
    ) as wrong:
        raise FileError(DAMAGED) from wrong


def refuse_lock(name: str) -> None:
    """Raise FileError if a file's name says that it is no workbook but the lock beside one."""
    if name.startswith("~$"):
        raise FileError(
            f"{name} is the lock that Excel keeps while a workbook is open. Give {name[2:]} itself."
        )


def _load(path: Path) -> bytes:
    refuse_lock(path.name)
    try:
        if path.exists() and not path.is_file():
            raise FileError(f"{path} is not a file.")
        if path.stat().st_size > MOST_BYTES:
            raise _too_large(path.stat().st_size)
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as wrong:
        raise FileError(f"{path} cannot be opened: {wrong.strerror}.") from wrong


def _too_large(size: int) -> FileError:
    return FileError(
        f"The file has {size / 1e6:.0f} MB. A workbook of this exercise has less than "
        f"one; up to {MOST_BYTES / 1e6:.0f} are read. Save the sheet with the table alone."
    )


def _old_format(data: bytes) -> str:
    if "EncryptedPackage".encode("utf-16-le") in data:
        return (
            "The workbook is protected by a password. Open it, remove the password "
            "(File, Info, Protect Workbook) and save it."
        )
    return "This is not an .xlsx workbook but an older format. Save it as .xlsx and try again."
