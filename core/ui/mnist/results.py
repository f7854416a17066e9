"""What a finished run or a checkpoint reached, and the network it trained."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import streamlit as st

from core.mnist import notebook, records, runs, task
from core.mnist.figures import Evaluation, calibration_error, confused_pairs, scores
from core.mnist.recipe import NETWORK_NOTES
from core.mnist.records import CheckpointError, EpochRecord, Network, Record
from core.mnist.source import DataError, available, test_pictures
from core.ui import networks
from core.ui.charts import draw
from core.ui.mnist.charts import (
    confusion_data,
    confusion_spec,
    history_data,
    history_rows,
    history_spec,
    reliability_data,
    reliability_spec,
)
from core.ui.mnist.loading import foreign, loader, refusal
from core.ui.mnist.misread import misread_pictures
from core.ui.mnist.settings import settings
from core.ui.text import plain

SHOWN_PAIRS = 10
VERDICTS = {True: ("check", "met"), False: ("close", "not met"), None: ("help", "not known")}
BYTES = "application/octet-stream"
NETWORK_HELP = "Weights and record in one file. “Load a file” takes it, here and elsewhere."
CURVE_ALT = {
    "loss": "Loss on the test set and the training set against the epoch, the notebook's beside it",
    "accuracy": "Accuracy on the test set and the training set against the epoch, the notebook's "
    "beside it",
}


def view() -> None:
    """All of the chosen network."""
    chooser, file = st.columns([5, 1], vertical_alignment="bottom")
    with file:
        loader()
    with chooser:
        folder = networks.choose(settings)
    refusal()
    if folder is None:
        return
    try:
        record, made_of = networks.told(folder)
    except CheckpointError as error:
        st.error(plain(f"This network cannot be shown. {error}"), icon=":material/error:")
        return
    headline(record, made_of)
    for difference in record.differs:
        st.caption(plain(f"Its record is of another version: {difference}"))
    if sentence := seeds_sentence(folder):
        st.markdown(sentence)
    if not record.epochs:
        foreign(folder, record)
    if record.test is not None:
        pictures(record, record.test)
    log_side, network_side = st.columns(2, gap="large")
    with log_side:
        if record.epochs:
            st.subheader("Log", anchor=False)
            log(record.epochs)
        demands(record, made_of)
    with network_side:
        network(record, made_of)
    if record.test is not None:
        per_digit(record.test)
        if record.epochs:
            calibration(record)
        misread(record.config.data, record.test)
    downloads(folder)


def headline(record: Record, made_of: Network) -> None:
    """The numbers that a person asks for first."""
    found: dict[str, str] = {}
    if test := record.test:
        when = ", last epoch" if record.epochs else ""
        found[f"Test accuracy{when}"] = f"{100 * test.accuracy:.2f} %"
        found["Misclassified"] = f"{test.total - test.correct} of {test.total:,}"
    found["Parameters"] = f"{made_of.parameters:,}"
    if record.epochs:
        found["Epochs"] = f"{len(record.epochs)}"
        found["Training"] = duration(record.seconds)
    with st.container(horizontal=True, gap="medium"):
        for label, value in found.items():
            st.metric(label, value, width="content")


def duration(seconds: float) -> str:
    """Seconds in the words that fit their size."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{seconds / 3600:.1f} h"


def seeds_sentence(folder: Path) -> str | None:
    """How far the accuracy depends on the seed, where it was measured; else None."""
    try:
        found = json.loads((folder / records.SEEDS).read_text(encoding="utf-8"))
        percent = pd.Series([100 * run["correct"] / run["total"] for run in found["runs"]])
        command = found["command"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if len(percent) < 2:
        return None
    return (
        f"Over {len(percent)} seeds: mean **{percent.mean():.3f} %** ± {percent.std():.3f} (sd), "
        f"from {percent.min():.2f} to {percent.max():.2f} %, each at its last epoch. "
        f"This is seed 0. Reproduce it: `{command}`"
    )


def pictures(record: Record, test: Evaluation) -> None:
    """Confusion matrix and curves."""
    confusion, curves = st.columns(2, gap="large")
    with confusion:
        draw(
            confusion_spec(),
            confusion_data(test.confusion, settings["cells"]),
            key="confusion",
            alt_text="Confusion matrix: how many of each true digit got each answer",
        )
        st.segmented_control(
            "Cells",
            settings.spec("cells").options,
            default=settings["cells"],
            required=True,
            format_func=lambda cells: "% of the row" if cells == "shares" else cells,
            label_visibility="collapsed",
            **settings.widget("cells"),
        )
    if not record.epochs:
        return
    with curves:
        is_mnist = record.config.data == "mnist"
        history(record.epochs, [], "results", notebook_too=is_mnist)
        if is_mnist:
            st.caption(notebook_sentence())


def notebook_sentence() -> str:
    """What the grey line is."""
    percent = [100 * correct / notebook.TEST_TOTAL for _, correct in notebook.TEST_LOG]
    best = max(percent)
    return (
        f"Grey: the published notebook's own log. It reached {best:.2f} % at epoch "
        f"{percent.index(best) + 1} and {percent[-1]:.2f} % at its last, and quoted the best."
    )


def history(
    epochs: Sequence[EpochRecord],
    progress: Sequence[runs.Progress],
    key: str,
    *,
    notebook_too: bool,
) -> None:
    """Accuracy and loss against the epoch."""
    for what in ("accuracy", "loss"):
        rows = history_rows(what, epochs, notebook_too=notebook_too)
        draw(
            history_spec(what, tuple(rows)),
            history_data(what, rows, progress),
            key=f"{key}_{what}",
            alt_text=CURVE_ALT[what],
        )


def log_table(epochs: Sequence[EpochRecord]) -> pd.DataFrame:
    """The log as a table, accuracies in percent."""
    rows = [
        {
            "epoch": e.epoch,
            "training loss": e.loss,
            "training accuracy": 100 * e.accuracy,
            "test loss": e.test_loss,
            "test accuracy": 100 * e.test_accuracy,
            "learning rate": e.rate,
            "seconds": e.seconds,
        }
        for e in epochs
    ]
    return pd.DataFrame(rows)


def log(epochs: Sequence[EpochRecord]) -> None:
    """The epochs' log, as a table or as the text that the notebook prints."""
    with st.container(key="log"):
        table, text = st.tabs(["Table", "Text"])
    percent = st.column_config.NumberColumn(format="%.2f %%")
    loss = st.column_config.NumberColumn(format="%.4f")
    table.dataframe(
        log_table(epochs),
        hide_index=True,
        height="content",
        column_order=[
            "epoch",
            "training loss",
            "training accuracy",
            "test loss",
            "test accuracy",
            "seconds",
        ],
        column_config={
            "training loss": loss,
            "test loss": loss,
            "training accuracy": percent,
            "test accuracy": percent,
            "seconds": st.column_config.NumberColumn(format="%.1f", help="of training"),
        },
        alt="The log: loss and accuracy of each epoch",
    )
    text.code(log_text(epochs), language=None)


def log_text(epochs: Sequence[EpochRecord]) -> str:
    """One line an epoch, as the notebook prints it."""
    return "\n".join(e.line() for e in epochs)


def calibration(record: Record) -> None:
    """The reliability diagram, and what it says in numbers."""
    st.subheader("Calibration", anchor=False)
    found = record.calibration
    if found is None:
        st.markdown(
            "Not calibrated: this run had no validation images. Set “Held-out validation images”, "
            "and its probabilities are calibrated on them."
        )
        return
    words, picture = st.columns([1, 1.5], gap="large")
    before, after = calibration_error(found.before), calibration_error(found.after)
    with words:
        st.markdown(
            "Of the answers with 90 % confidence, 90 % should be correct: the dashed line. "
            "Above it the network is underconfident, below it overconfident.\n\n"
            f"All its logits are divided by one temperature, **{found.temperature:.3f}**, fitted "
            f"on {found.held_out:,} images that it was not trained on. On the test set its "
            f"expected calibration error is then **{100 * after:.2f} %**; before, "
            f"{100 * before:.2f} %.\n\n"
            "Whiskers: where each share lies with 95 %, as few answers fall into most bins."
        )
    with picture:
        draw(
            reliability_spec(),
            reliability_data(found),
            key="reliability",
            alt_text="Reliability diagram: how often answers are right against how sure they are",
        )


def per_digit(test: Evaluation) -> None:
    """Precision, recall and F1 of each digit, and the most confused pairs."""
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Each digit**")
        frame = pd.DataFrame([dataclasses.asdict(s) for s in scores(test.confusion)])
        share = st.column_config.NumberColumn
        st.dataframe(
            frame.assign(**{name: 100 * frame[name] for name in ("precision", "recall", "f1")}),
            hide_index=True,
            height=388,
            column_config={
                "precision": share(
                    format="%.2f %%", help="share of predictions of this digit that are correct"
                ),
                "recall": share(
                    format="%.2f %%", help="share of this digit's images classified correctly"
                ),
                "f1": share("F1", format="%.2f %%", help="harmonic mean of both"),
                "support": share("support", help="test images of this digit"),
            },
            alt="Precision, recall and F1 of each digit",
        )
    with right:
        st.markdown("**Most confused**")
        pairs = confused_pairs(test.confusion)[:SHOWN_PAIRS]
        if not pairs:
            st.markdown("None: every test digit is classified correctly.")
            return
        st.dataframe(
            pd.DataFrame(pairs, columns=["true digit", "answer", "times"]),
            hide_index=True,
            alt="The most frequent wrong answers",
        )


def misread(source: str, test: Evaluation) -> None:
    """The misread digits, if the data set is on this machine."""
    found = sorted(test.misread, key=lambda one: -one.probabilities[one.prediction])
    st.subheader("Misclassified digits", anchor=False)
    if not found:
        st.markdown("None.")
        return
    if not available(source):
        st.markdown(
            f"All {len(found)} are listed in the record. To see them, MNIST must be on this "
            "machine: train once on MNIST, and it is downloaded."
        )
        return
    try:
        images = test_pictures(source)
    except DataError as error:
        st.error(plain(str(error)))
        return
    if len(images) != test.total:
        st.markdown(f"It was measured on {test.total:,} images, which are not the test set here.")
        return
    st.markdown(f"All {len(found)}, highest confidence first: the probability of the wrong answer.")
    misread_pictures(found, images)


def network(record: Record, made_of: Network) -> None:
    """The network: its layers, what it meets of the task, torchinfo's summary."""
    st.subheader("Network", anchor=False)
    st.markdown(NETWORK_NOTES[record.config.architecture])
    with st.container(key="layers"):
        table, summary = st.tabs(["Layers", "torchinfo"])
    rows = made_of.layers
    table.dataframe(
        pd.DataFrame(
            [
                {
                    "layer": row.name,
                    "output shape": " × ".join(map(str, row.shape)),
                    "parameters": row.parameters,
                    "share": 100 * row.parameters / made_of.parameters,
                    "receptive field": f"{row.receptive_field} × {row.receptive_field}",
                }
                for row in rows
            ]
        ),
        hide_index=True,
        height=35 * (len(rows) + 1) + 3,
        column_config={
            "output shape": st.column_config.TextColumn(help="maps × rows × columns"),
            "parameters": st.column_config.NumberColumn(format="localized"),
            "share": st.column_config.ProgressColumn(
                "share of parameters", format="%.1f %%", min_value=0, max_value=100, color="gray"
            ),
            "receptive field": st.column_config.TextColumn(
                help="the pixels of the image that one output number depends on"
            ),
        },
        alt="The network's layers with output shape, parameters and receptive field",
    )
    summary.code(made_of.summary, language=None)


def demands(record: Record, made_of: Network) -> None:
    """What the task demanded, each with what is here."""
    st.markdown("**Task requirements**")
    lines = [
        f":material/{icon}: {d.asked}: **{verdict}**{d.found and ', ' + d.found}"
        for d in task.demands(made_of, record.config.dropout, len(record.epochs))
        for icon, verdict in [VERDICTS[d.met]]
    ]
    st.markdown("  \n".join(lines))


class File(NamedTuple):
    """A download, and what its button says."""

    label: str
    content: str | bytes
    name: str
    mime: str


def downloads(folder: Path) -> None:
    """The run as files; small, so they are there at once, and a click never finds them gone."""
    try:
        files = _files(folder, networks.written(folder), networks.written(folder, records.WEIGHTS))
    except CheckpointError as error:  # deleted or damaged since it was read
        st.error(plain(f"This network can no longer be downloaded. {error}"))
        return
    with st.container(horizontal=True):
        for file in files:
            st.download_button(
                file.label,
                file.content,
                file_name=file.name,
                mime=file.mime,
                icon=":material/download:",
                on_click="ignore",
                help=NETWORK_HELP if file.label == "Network" else None,
            )


@lru_cache(maxsize=16)
def _files(folder: Path, record_at: int, weights_at: int) -> list[File]:
    """Made once for all who look at this network. Raises CheckpointError."""
    record, _ = networks.told(folder)
    name = record.config.architecture
    files = [
        File("Network", records.pack(folder, record), f"{name}.safetensors", BYTES),
        File("Record", json.dumps(record.to_json(), indent=1), f"{name}.json", "application/json"),
    ]
    if record.epochs:
        table = log_table(record.epochs).to_csv(index=False)
        files.append(File("Log as CSV", table, f"{name}-log.csv", "text/csv"))
    return files
