"""The view in which networks stand side by side."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.mnist import notebook, records
from core.mnist.recipe import TrainConfig, preset
from core.mnist.records import Network, Record
from core.ui import networks
from core.ui.charts import draw
from core.ui.mnist.charts import Curve, compare_data, compare_spec
from core.ui.mnist.results import duration
from core.ui.mnist.settings import settings
from core.ui.text import plain

NOTEBOOK = "notebook"  # among the names of networks: the published notebook's log
NOTEBOOK_LABEL = "The notebook's own log"


def view() -> None:
    """A choice of networks, their curves, and a table of their final numbers."""
    sources = networks.sources()
    labels = {name: label for name, (label, _) in sources.items()} | {NOTEBOOK: NOTEBOOK_LABEL}
    for name in [name for name in settings["compared"] if name not in labels]:
        st.error(f"There is no network called “{plain(name)}” here; it may have been deleted.")
    here = [name for name in settings["compared"] if name in labels]
    if here != settings["compared"]:
        settings.adjust({"compared": here})
    st.multiselect(
        "Compare",
        labels,
        format_func=labels.__getitem__,
        default=settings["compared"],
        max_selections=settings.spec("compared").most,
        **settings.widget("compared"),
    )
    curves: dict[str, Curve] = {}
    rows = []
    for name in settings["compared"]:
        label = labels[name]
        if name == NOTEBOOK:
            curves[label] = _notebooks_curve()
            rows.append(_notebooks_row())
            continue
        try:
            record, made_of = networks.told(sources[name][1])
        except records.CheckpointError as error:
            st.error(plain(f"{label} cannot be shown. {error}"))
            continue
        rows.append(_row(label, record, made_of))
        if record.epochs:
            curves[label] = [(e.epoch, e.test_loss, e.test_accuracy) for e in record.epochs]
    if not rows:
        st.markdown("Choose two or more.")
        return
    if curves:
        for what, column in zip(("accuracy", "loss"), st.columns(2, gap="large"), strict=True):
            with column:
                draw(
                    compare_spec(what),
                    compare_data(what, curves),
                    key=f"compare_{what}",
                    alt_text=f"Test {what} against the epoch, one line a run",
                )
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        placeholder="",
        alt="Final numbers of the compared runs",
    )


def _notebooks_curve() -> Curve:
    log = enumerate(notebook.TEST_LOG, 1)
    return [(epoch, loss, correct / notebook.TEST_TOTAL) for epoch, (loss, correct) in log]


def _notebooks_row() -> dict[str, str | int | None]:
    epoch, loss, accuracy = _notebooks_curve()[-1]
    config = preset("published")
    return {
        "network": NOTEBOOK_LABEL,
        "test accuracy": f"{100 * accuracy:.2f} %",
        "misclassified": round((1 - accuracy) * notebook.TEST_TOTAL),
        "test loss": f"{loss:.4f}",
        "parameters": f"{notebook.PARAMETERS:,}",
        "epochs": epoch,
        "optimiser": _optimiser(config),
        "batch": config.batch_size,
    }


def _optimiser(config: TrainConfig) -> str:
    return f"{config.optimiser}, {config.schedule}, {config.peak_rate:g}"


def _row(label: str, record: Record, made_of: Network) -> dict[str, str | int | None]:
    """A run's final numbers, as far as they are known."""
    config, test = record.config, record.test
    row: dict[str, str | int | None] = {
        "network": label,
        "test accuracy": f"{100 * test.accuracy:.2f} %" if test else None,
        "misclassified": test.total - test.correct if test else None,
        "test loss": f"{test.loss:.4f}" if test else None,
        "parameters": f"{made_of.parameters:,}",
    }
    if record.epochs:
        row |= {
            "epochs": len(record.epochs),
            "training": duration(record.seconds),
            "optimiser": _optimiser(config),
            "batch": config.batch_size,
            "seed": config.seed,
        }
    return row
