"""Columns as an Arrow table, the form in which numbers travel to the browser quickest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


def as_table(columns: Mapping[str, Any]) -> pa.Table:
    """A table of equally long `columns`.

    pyarrow is imported here because that takes longer than the page's first numbers may.
    """
    import pyarrow as pa

    return pa.table(dict(columns))
