"""The view in which networks stand side by side."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.mnist import checkpoint, models
from core.mnist.checkpoint import Record
from core.mnist.models import ConvNet
from core.ui import networks
from core.ui.charts import draw
from core.ui.mnist.charts import compare_data, compare_spec
from core.ui.mnist.results import duration
from core.ui.mnist.settings import settings
from core.ui.text import plain


def view() -> None:
    """A choice of networks, their curves, and a table of their final numbers."""
    choices = networks.sources()
    for name in [name for name in settings["compared"] if name not in choices]:
        st.error(f"There is no network called “{plain(name)}” here; it may have been deleted.")
    here = [name for name in settings["compared"] if name in choices]
    if here != settings["compared"]:
        settings.adjust({"compared": here})
    st.multiselect(
        "Compare",
        choices,
        format_func=lambda name: choices[name][0],
        max_selections=settings.spec("compared").most,
        **settings.widget("compared"),
    )
    records = {}
    for name in settings["compared"]:
        label, folder = choices[name]
        try:
            records[label] = networks.load(folder)
        except checkpoint.CheckpointError as error:
            st.error(plain(f"{label} cannot be shown. {error}"))
    if not records:
        st.markdown("Choose two or more.")
        return
    epochs = {label: record.epochs for label, (_, record) in records.items() if record.epochs}
    for what, column in zip(("accuracy", "loss"), st.columns(2, gap="large"), strict=True):
        if not epochs:
            break
        with column:
            draw(
                compare_spec(what),
                compare_data(what, epochs),
                key=f"compare_{what}",
                alt_text=f"Test {what} against the epoch, one line a run",
            )
    st.dataframe(
        pd.DataFrame([_row(label, *found) for label, found in records.items()]),
        hide_index=True,
        alt="Final numbers of the compared runs",
    )


def _row(label: str, model: ConvNet, record: Record) -> dict[str, str | int | None]:
    """A run's final numbers, as far as they are known."""
    config, test = record.config, record.test
    row: dict[str, str | int | None] = {
        "network": label,
        "test accuracy": f"{100 * test.accuracy:.2f} %" if test else None,
        "misclassified": test.total - test.correct if test else None,
        "test loss": f"{test.loss:.4f}" if test else None,
        "parameters": f"{models.parameters(model):,}",
    }
    if record.epochs:
        row |= {
            "epochs": len(record.epochs),
            "training": duration(record.seconds),
            "optimiser": f"{config.optimiser}, {config.schedule}, {config.peak_rate:g}",
            "batch": config.batch_size,
            "seed": config.seed,
        }
    return row
