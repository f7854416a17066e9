"""One byte of a file is another than was written, anywhere in it."""

import shutil
from functools import partial

import pytest
import torch

from core.mnist import checkpoint, portable, records, run_folder, runs
from core.mnist.records import CheckpointError
from core.mnist.run_folder import RunError
from tests.core.mnist.prepared import stopped
from tests.faults.tried import tried

TRIED = 100  # places in a file, evenly
MASKS = (0x01, 0x80, 0xFF, 0x10)  # what is flipped of the byte there, in turn


def flipped(whole: bytes):
    """The file with one byte changed; the first 16 bytes each, then at even distances."""
    places = sorted({*range(16), *range(0, len(whole), max(1, len(whole) // TRIED))})
    for number, place in enumerate(places):
        changed = bytearray(whole)
        changed[place] ^= MASKS[number % len(MASKS)]
        yield place, bytes(changed)


@pytest.fixture
def copy(tmp_path):
    """A shipped network, beside its record."""
    for name in (records.WEIGHTS, records.RECORD):
        shutil.copy(records.CHECKPOINTS / "compact" / name, tmp_path)
    return tmp_path


def same_weights(model, tensors):
    own = model.state_dict()
    return own.keys() == tensors.keys() and all(torch.equal(own[n], t) for n, t in tensors.items())


@pytest.mark.parametrize("name", [records.WEIGHTS, records.RECORD])
def test_a_network_is_loaded_as_it_was_saved_or_refused(copy, name):
    saved, record = checkpoint.load(copy)
    weights, made_of = saved.state_dict(), record.network
    refused = 0
    for place, file in flipped((copy / name).read_bytes()):
        (copy / name).write_bytes(file)
        loaded, sentence = tried(lambda: checkpoint.load(copy), CheckpointError)
        if loaded is None:
            assert records.WEIGHTS in sentence or name in sentence, place
            refused += 1
        else:
            assert same_weights(loaded[0], weights), place
            assert name == records.RECORD or loaded[1] == record
        told, _ = tried(lambda: records.load_whole(copy), CheckpointError)
        if told and name == records.WEIGHTS:
            assert told == (record, made_of), place
    assert refused > TRIED / 4


def test_a_download_is_taken_as_it_was_made_or_refused(copy):
    saved, record = checkpoint.load(copy)
    refused = 0
    for place, file in flipped(records.pack(copy, record)):
        found, sentence = tried(partial(portable.unpack, file, "mine.safetensors"), CheckpointError)
        if found is None:
            assert "mine.safetensors" in sentence, place
            refused += 1
        else:
            assert same_weights(saved, found[0]), place
    assert refused > TRIED / 2


@pytest.mark.parametrize("name", [runs.CONFIG, run_folder.LOG])
def test_a_run_is_read_or_refused(tmp_path, monkeypatch, name):
    monkeypatch.setenv("RUNS_ROOT", str(tmp_path))
    folder = stopped(tmp_path / "20260101-000000-compact-1", epochs=3)
    whole = (folder / name).read_bytes()
    for place, file in flipped(whole):
        (folder / name).write_bytes(file)
        (shown,) = runs.every() or [None]
        if name == run_folder.LOG:
            assert len(shown.epochs) >= 1, place  # the end of a line is worth two
        elif shown is None:
            with pytest.raises(RunError, match="cannot be read; delete it"):
                runs.read(folder)
