"""What the first page takes long to import, for a server that starts."""

from __future__ import annotations

from core.ui.arrow import as_table
from core.ui.backprop.charts import compare_spec, loss_spec, sweep_spec
from core.ui.backprop.diagram import diagram_spec


def warm() -> None:
    """Import Altair and pyarrow, and make the charts' specifications, which are kept."""
    as_table({})
    diagram_spec("weights")
    for make in (loss_spec, compare_spec, sweep_spec):
        make("linear")
