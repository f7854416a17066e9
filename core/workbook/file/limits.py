"""How large a file may be, and the sentences for one that is larger or damaged."""

from __future__ import annotations

MOST_UNPACKED = 100_000_000
MOST_CELLS = 200_000

TOO_MUCH = (
    f"Unpacked the file would take more than {MOST_UNPACKED / 1e6:.0f} MB or hold more cells, far "
    "more than a workbook of this exercise. It was not read."
)
DAMAGED = (
    "The file is damaged: it begins like a workbook, but cannot be read. Open it in a spreadsheet "
    "program and save it as .xlsx again."
)


def too_many(where: str) -> str:
    """The sentence for a file with more than `MOST_CELLS`, passed at `where`."""
    return (
        f"The file has more than {MOST_CELLS:,} cells, passed at {where}: more than 1,000 epochs "
        "at six learning rates take. Leave the first 1,000 epochs and try again."
    )
