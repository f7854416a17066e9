"""Networks that somebody made: each is kept as a network that every page shows, or refused."""

import json
import random
import shutil
import struct
from functools import cache

import numpy as np
import pytest
from safetensors.numpy import load, save
from streamlit.testing.v1 import AppTest

from core.mnist import portable, records, run_folder
from core.mnist.records import CheckpointError
from core.mnist.run_folder import RunError
from core.ui.text import plain
from tests.harness import ROOT
from tests.hostile.guard import assert_is_sentence, guard
from tests.hostile.made_up import MARKUP, PLACES, SURROGATE, anything, drawn
from tests.hostile.test_addresses import made_something_of

CASES = {"bytes": 200, "tensors": 150, "record": 350, "lies": 30}
SHOWN = 6  # of those that were kept, how many are opened on all three views; all that lie

FIGURES = [
    0,
    -1,
    1,
    2**31,
    2**63,
    10**400,
    -(10**30),
    1e308,
    -1e308,
    1e-320,
    float("nan"),
    float("inf"),
]
FIGURES += [
    True,
    False,
    None,
    "",
    "7",
    [],
    {},
    "\0",
    SURROGATE,
    SURROGATE * 40,
    "x" * 100_000,
    *MARKUP,
    *PLACES,
]


@cache
def whole() -> bytes:
    folder = records.CHECKPOINTS / "compact"
    return records.pack(folder, records.load_record(folder / records.RECORD))


def header(file: bytes) -> tuple[dict[str, object], bytes]:
    size = struct.unpack_from("<Q", file)[0]
    return json.loads(file[8 : 8 + size]), file[8 + size :]


def with_header(found: object, data: bytes) -> bytes:
    text = json.dumps(found).encode()
    return struct.pack("<Q", len(text)) + text + data


def of_bytes(rng: random.Random) -> bytes:
    """The bytes of a network, some of them others; mostly in its header."""
    data = bytearray(whole())
    size = struct.unpack_from("<Q", data)[0]
    for _ in range(rng.choice([1, 1, 3, 30])):
        place = rng.randrange(rng.choice([9, size, size, len(data)]))
        match rng.randrange(4):
            case 0 | 1:
                data[place] = rng.choice([rng.randrange(256), *b'0"{}[],:'])
            case 2:
                del data[place : place + rng.choice([1, 9, 5000])]
            case _:
                data[place:place] = rng.choice([b"9" * 30, b'"', b"[" * 9000, b"\xff\xfe"])
    return bytes(data)


def of_tensors(rng: random.Random) -> bytes:
    """With tensors of other names, types and sizes, and no record; or with a header that lies."""
    if rng.random() < 0.4:
        found, data = header(whole())
        name = rng.choice([one for one in found if one != "__metadata__"])
        entry = found[name]
        assert isinstance(entry, dict)
        entry[rng.choice(list(entry))] = rng.choice(
            [
                [0, 2**62],
                [-1, 4],
                [[]],
                [],
                "F4",
                "F8_E5M2",
                "U64",
                "BF16",
                "C64",
                "",
                anything(rng),
                [2**40, 2**40],
            ]
        )
        if rng.random() < 0.5:
            found.pop("__metadata__", None)
        return with_header(found, data)
    tensors = dict(load(whole()))
    strange = ["²", "٣", "9" * 5000, "", ".", "..", "\0", "x" * 50_000, *MARKUP, *PLACES]
    for name in rng.sample(sorted(tensors), rng.choice([0, 1, 3, len(tensors)])):
        tensor = tensors.pop(name)
        match rng.randrange(4):
            case 0:
                tensor = tensor.astype(rng.choice(["float16", "float64", "int8", "bool"]))
            case 1:
                tensor = tensor.reshape(-1)
            case 2:
                tensor = np.full_like(tensor, rng.choice([0, 1]))
        layer = rng.choice([*strange, name.rpartition(".")[0]])
        tensors[f"{layer}.{rng.choice([name.rpartition('.')[2], '²', 'bias'])}"] = tensor
    return save(tensors)


def of_record(rng: random.Random) -> bytes:
    """With a record that says what it should not, and numbers that may be its own."""
    found, data = header(whole())
    metadata = found["__metadata__"]
    assert isinstance(metadata, dict)
    record = json.loads(metadata[records.PACKED])
    for _ in range(rng.choice([1, 1, 2, 4])):
        change(rng, record)
    text = json.dumps(record)
    if rng.random() < 0.1:
        text = rng.choice(
            [text[: rng.randrange(len(text))], "[" * 50_000, "9" * 5000, "NaN", "", "null"]
        )
    metadata[records.PACKED] = text
    return with_header(found, data)


def of_lies(rng: random.Random) -> bytes:
    """With a record whose figures agree with each other, and with nothing else."""
    found, data = header(whole())
    metadata = found["__metadata__"]
    assert isinstance(metadata, dict)
    record = json.loads(metadata[records.PACKED])
    test, epochs = record["test"], record["epochs"]
    match rng.randrange(6):
        case 0:
            rng.choice(test["misread"])["index"] = rng.choice([test["total"], 2**31, 2**62, 0])
        case 1:
            more = rng.choice([2**40, 2**62, 10**30, 10**400, 1])
            test["confusion"][3][3] += more
            test["correct"], test["total"] = test["correct"] + more, test["total"] + more
        case 2:
            seconds = rng.choice([1e308, 1e9, 3e5, 1e-320, float("inf"), float("nan")])
            epochs[:] = [epoch | {"seconds": seconds} for epoch in epochs]
        case 3:
            epochs *= rng.choice([2, 500])
        case 4:
            words = [name for name, value in record["config"].items() if isinstance(value, str)]
            record["config"][rng.choice(words)] = SURROGATE + "x" * 100_000
        case _:
            name = rng.choice(["loss", "test_loss", "rate"])
            rng.choice(epochs)[name] = rng.choice([1e308, -1e308, float("inf"), float("nan")])
    metadata[records.PACKED] = json.dumps(record)
    return with_header(found, data)


def change(rng: random.Random, record: object) -> None:
    """Another value somewhere in it, or none, or more."""
    inside, keys = record, []
    while isinstance(inside, dict | list) and inside:
        key = rng.choice(list(inside)) if isinstance(inside, dict) else rng.randrange(len(inside))
        keys.append((inside, key))
        inside = inside[key]
        if rng.random() < 0.15:
            break
    if not keys:
        return
    holder, key = keys[-1]
    match rng.randrange(6):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[rng.choice([*MARKUP, SURROGATE, "__class__", "differs", "x" * 9000])] = (
                rng.choice(FIGURES)
            )
        case 2 if isinstance(holder, list):
            holder += [holder[key]] * rng.choice([1, 3000])
        case _:
            holder[key] = rng.choice([*FIGURES, anything(rng)])


MAKERS = {"bytes": of_bytes, "tensors": of_tensors, "record": of_record, "lies": of_lies}


def keep(file: bytes, name: str):
    """Its folder; or a sentence, which the page can say."""
    try:
        return portable.keep(file, name)
    except (CheckpointError, RunError) as refused:
        assert_is_sentence(plain(str(refused)), most=1000)
        return str(refused)


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("RUNS_ROOT", str(tmp_path / "runs"))
    return tmp_path / "runs"


@pytest.mark.parametrize("kind", MAKERS)
def test_a_network_is_kept_and_shown_or_refused(kind):
    rng = drawn(kind)
    kept, shown = 0, 0
    whole()
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60).run()
    with guard() as case:
        for n in range(CASES[kind]):
            file = MAKERS[kind](rng)
            with case(n):
                found = keep(file, "file.safetensors")
                if isinstance(found, str):
                    assert run_folder.folders() == []
                    continue
                kept += 1
                if shown < SHOWN or kind == "lies":
                    shown += 1
                    show(app, found.name)
                shutil.rmtree(found)
    assert 0 < kept < CASES[kind]


def show(app: AppTest, network: str) -> None:
    """Open it on every view of it."""
    for view in (
        {"network": network},
        {"view": "Train", "run": network},
        {"view": "Compare", "compared": network},
    ):
        app.query_params.clear()
        app.query_params.update(view)
        app.switch_page("pages/mnist.py").run()
        assert not app.exception
        assert not made_something_of(app)
