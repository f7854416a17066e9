"""Files that are whole: after a crash or a power cut, the old one or the new one is there.

Needs no torch.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # what an OSError says then
_PATIENCE = 2.0  # seconds; on Windows a file that somebody reads cannot be replaced


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A place to write to, beside `path`, that replaces it once it is complete and on the disk.

    Its name is unique: several may write the same file, and the last one done stays. Where the body
    or the disk fails, `path` is as it was, and the error goes on to the caller.
    """
    beside = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        yield beside
        _to_disk(beside)
        _replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    if sys.platform != "win32":  # which opens no folders, and keeps their entries safe by itself
        _to_disk(path.parent)


def save_json(path: Path, found: Any) -> None:
    """Write a JSON file whole or not at all."""
    with whole(path) as beside:
        beside.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _to_disk(path: Path) -> None:
    """Have the system write what it holds of a file, or of a folder's entries, to the disk."""
    flags = os.O_RDWR if sys.platform == "win32" else os.O_RDONLY
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _replace(beside: Path, path: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            os.replace(beside, path)
        except PermissionError:
            if sys.platform != "win32" or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
