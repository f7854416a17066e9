"""What the first page takes long to import, for a server that starts."""

from __future__ import annotations

import importlib

from core.ui.arrow import as_table
from core.ui.backprop.bench import start  # noqa: F401 (the page's modules)
from core.ui.backprop.charts import loss_spec
from core.ui.backprop.diagram import diagram_spec


def warm() -> None:
    """Import pandas, Altair and pyarrow, and make the charts' specifications, which are kept."""
    importlib.import_module("pandas")  # by Streamlit, for the data of a component
    as_table({})
    diagram_spec("weights")
    loss_spec("linear")
