"""A trained network from one file: its weights as safetensors, its record in their metadata.

What was downloaded anywhere can be loaded here again, and stands beside the runs of this machine.
So does a file of somebody else's that has the right tensors and no record.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from core.mnist import checkpoint, data, records, run_folder, runs
from core.mnist.evaluation import evaluate
from core.mnist.files import save_json
from core.mnist.models import ARCHITECTURES, build
from core.mnist.recipe import TrainConfig
from core.mnist.records import PACKED, CheckpointError, Record, parse_record, verify
from core.mnist.run_folder import RunError
from core.mnist.runs import FOREIGN, LOADED

_ROLES = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


def unpack(file: bytes, name: str) -> tuple[dict[str, Tensor], Record]:
    """The weights, named as our networks name them, and the record, of a file called `name`.

    The record of a file that has none names the network alone, and no epoch. Raises
    CheckpointError.
    """
    if len(file) > records.MAX_BYTES:
        raise CheckpointError(
            f"{name} has {len(file) / 1e6:.0f} MB, far more than any network here; it is not read."
        )
    try:
        found, metadata = load(file), _metadata(file)
    except (SafetensorError, LookupError, ValueError, TypeError) as error:
        raise CheckpointError(
            f"{name} is damaged or no safetensors file. Give one that was downloaded on this "
            "page, or weights saved with safetensors."
        ) from error
    if PACKED in metadata:
        record = parse_record(metadata[PACKED], f"The record in {name}")
    else:
        architecture, found = _recognised(found, name)
        record = Record(TrainConfig(architecture=architecture), [], None)
    checkpoint.fill(record.config, found, name)
    verify(record, found, name)
    return found, record


def _metadata(file: bytes) -> dict[str, str]:
    """What a safetensors file that has been loaded says besides its tensors.

    It begins with the length of a head in JSON, 8 bytes, the lowest first.
    """
    head = json.loads(file[8 : 8 + int.from_bytes(file[:8], "little")])
    found: dict[str, str] = head.get("__metadata__") or {}
    return found


def _recognised(found: dict[str, Tensor], name: str) -> tuple[str, dict[str, Tensor]]:
    """Which of our networks has these tensors, and the tensors with its names.

    Where the names are others, the layers are taken in the order of theirs, numbers by their
    value. The counters of batch normalisation, which no answer depends on, may be missing.
    """
    for architecture in ARCHITECTURES:
        wanted = build(architecture).state_dict()
        for order in (_as_they_are, _by_layers):
            names = dict(zip(order(wanted), order(found), strict=False))
            fits = len(names) == len(order(wanted)) == len(order(found))
            if fits and all(found[b].shape == wanted[a].shape for a, b in names.items()):
                return architecture, wanted | {a: found[b] for a, b in names.items()}
    raise CheckpointError(
        f"{name} has {len(found)} tensors, which are not those of any network here: "
        f"{', '.join(ARCHITECTURES)}. They must have the same shapes, layer by layer."
    )


def _as_they_are(tensors: dict[str, Tensor]) -> list[str]:
    return sorted(name for name in tensors if not name.endswith(_ROLES[-1]))


def _by_layers(tensors: dict[str, Tensor]) -> list[str]:
    """The names in the order of the layers: "block2.0.weight" before "block10.0.weight"."""

    def place(name: str) -> tuple[list[tuple[int, str]], int]:
        layer, _, role = name.rpartition(".")
        pieces = ((p, p.lstrip("0")) for p in re.split(r"([0-9]+)", layer))
        # As long as two numbers are equally long, they are in the order of their digits.
        parts = [(len(digits), digits) if p.isdigit() else (-1, p) for p, digits in pieces]
        return parts, _ROLES.index(role) if role in _ROLES else len(_ROLES)

    return sorted(_as_they_are(tensors), key=place)


def keep(file: bytes, name: str, owner: str = "") -> Path:
    """Put a network beside the runs of this machine; the folder, of an equal one if there is one.

    owner: the mark of who may delete it. Raises CheckpointError or RunError, and leaves nothing
    then.
    """
    weights, record = unpack(file, name)
    digest = hashlib.sha256(file).hexdigest()
    model = checkpoint.fill(record.config, weights, name)

    def fill(folder: Path) -> None:
        for epoch in record.epochs:
            run_folder.append(folder, "epoch", **vars(epoch))
        run_folder.append(folder, run_folder.State.FINISHED)
        checkpoint.save(folder, model, record)

    return runs.add(record.config, LOADED if record.epochs else FOREIGN, digest, fill, owner)


def measure(folder: Path, source: str) -> None:
    """Read a test set with a network that came without figures, and write them into its record.

    source: one of recipe.DIGITS that is available. Raises CheckpointError, DataError, RunError.
    """
    model, record = checkpoint.load(folder)
    test = evaluate(model, *data.load_test(source))
    measured = replace(record, config=replace(record.config, data=source), test=test)
    try:
        save_json(folder / records.RECORD, measured.to_json())
    except OSError as error:
        if not folder.is_dir():
            raise run_folder.gone(folder) from error
        raise RunError(f"The figures cannot be written: {error.strerror}.") from error
