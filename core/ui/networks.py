"""The trained networks that a person can choose from: checkpoints and finished runs."""

from __future__ import annotations

import time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from core.mnist import records, runs
from core.mnist.recipe import DIGITS, NETWORKS, PRESETS
from core.mnist.records import CheckpointError, Network, Record
from core.mnist.run_folder import State
from core.mnist.runs import Run
from core.ui.settings import Settings
from core.ui.text import plain

if TYPE_CHECKING:
    from core.mnist.models import ConvNet


def sources() -> dict[str, tuple[str, Path]]:
    """Everything that has a result: checkpoints, then finished runs; name, label and folder."""
    found = {}
    for name in records.shipped():
        title = NETWORKS.get(name, name)
        found[name] = (f"{title}, shipped", records.CHECKPOINTS / name)
    order = {name: index for index, name in enumerate(NETWORKS)}
    found = dict(sorted(found.items(), key=lambda item: order.get(item[0], len(order))))
    for run in runs.every():
        if run.state is State.FINISHED:
            found[run.id] = (label(run), run.folder)
    return found


def label(run: Run) -> str:
    """A run in a list: a name that no other has, and that stays as the run goes on.

    Streamlit finds a chosen option again by its label.
    """
    words = [NETWORKS[run.config.architecture]]
    if run.title != runs.FOREIGN:  # of one without a record nobody knows what it was trained on
        words.append(DIGITS[run.config.data])
    if run.title in (runs.FOREIGN, runs.LOADED):
        words.append("loaded")
    else:
        recipe = PRESETS[run.title].title.lower() if run.title in PRESETS else "own"
        words.append(f"{recipe} recipe")
    words.append(time.strftime("%d %b %H:%M:%S", time.strptime(run.id[:15], "%Y%m%d-%H%M%S")))
    number = run.id.rsplit("-", 1)[1]
    return ", ".join(words) + ("" if number == "1" else f" ({number})")


def choose(settings: Settings) -> Path | None:
    """A list of all networks; the folder of the chosen one, or None where there is none.

    settings: of the page, with one called `network`.
    """
    choices = sources()
    if not choices:
        st.info("There is no trained network here yet. Train one on the MNIST page.")
        return None
    if settings["network"] not in choices:
        gone = plain(settings["network"])
        st.error(f"There is no network called “{gone}” here; it may have been deleted.")
        settings.adjust({"network": next(iter(choices))})
    st.selectbox(
        "Trained network",
        choices,
        index=[*choices].index(settings["network"]),
        format_func=lambda name: choices[name][0],
        **settings.widget("network"),
    )
    return choices[settings["network"]][1]


def load(folder: Path) -> tuple[ConvNet, Record]:
    """The network and the record of a folder, read once. Raises CheckpointError."""
    return _load(folder, written(folder))


def told(folder: Path) -> tuple[Record, Network]:
    """The record of a folder and what the network is made of, read once.

    Needs no torch where the record is of this version. Raises CheckpointError.
    """
    return _told(folder, written(folder))


def written(folder: Path, file: str = records.RECORD) -> int:
    """When a file of a network was last written: what was made of it is good until it changes.

    Raises CheckpointError if it is not there.
    """
    try:
        return (folder / file).stat().st_mtime_ns
    except OSError as error:
        raise CheckpointError("It has just been deleted.") from error


@lru_cache(maxsize=16)
def _load(folder: Path, at: int) -> tuple[ConvNet, Record]:
    from core.mnist import checkpoint

    return checkpoint.load(folder)


@lru_cache(maxsize=64)
def _told(folder: Path, at: int) -> tuple[Record, Network]:
    if (found := records.load_whole(folder)) is not None:
        return found
    from core.mnist import models

    model, record = _load(folder, at)
    return record, models.described(model)
