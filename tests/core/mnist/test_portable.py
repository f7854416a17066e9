"""A network as one file: out, in, somebody else's, and what is none."""

import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace

import pytest
import torch
from safetensors.torch import load, save

from core.mnist import checkpoint, data, portable, records, run_folder, runs
from core.mnist.evaluation import evaluate
from core.mnist.figures import Bin, Calibration
from core.mnist.models import ARCHITECTURES, build, channels_last
from core.mnist.records import CheckpointError
from core.mnist.run_folder import RunError, State
from tests.core.mnist.prepared import stopped


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("RUNS_ROOT", str(tmp_path / "runs"))
    return tmp_path / "runs"


@pytest.fixture(scope="module")
def shipped():
    return checkpoint.load_checkpoint("compact")


@pytest.fixture(scope="module")
def packed(shipped):
    return records.pack(records.CHECKPOINTS / "compact", shipped[1])


def contiguous(model):
    return {name: tensor.contiguous() for name, tensor in model.state_dict().items()}


@pytest.mark.parametrize("name", records.shipped())
def test_what_was_packed_is_loaded_as_it_was_and_stands_in_the_lists(root, name):
    model, record = checkpoint.load_checkpoint(name)
    folder = portable.keep(records.pack(records.CHECKPOINTS / name, record), "mine.safetensors")
    loaded, its_record = checkpoint.load(folder)
    assert its_record == record
    for key, tensor in model.state_dict().items():
        assert torch.equal(tensor, loaded.state_dict()[key])
    (run,) = runs.every()
    assert (run.folder, run.state, run.title) == (folder, State.FINISHED, runs.LOADED)
    assert run.epochs == record.epochs
    with pytest.raises(RunError, match="only a run that has stopped"):
        runs.resume(folder)
    runs.delete(folder)
    assert runs.every() == []


def test_the_same_file_is_kept_once_however_many_drop_it(root, packed):
    with ThreadPoolExecutor(6) as people:
        folders = list(people.map(lambda _: portable.keep(packed, "a"), range(6)))
    assert len(set(folders)) == 1
    assert [run.folder for run in runs.every()] == folders[:1]
    assert sorted(p.name for p in root.iterdir() if p.name != ".door") == [folders[0].name]


def renamed(tensors):
    """As a network written with blocks of its own names would save them, without counters."""
    names = {}
    for key in tensors:
        layer, role = key.split(".")
        names[key] = f"conv{layer}.{role}"
    return {names[k]: t for k, t in tensors.items() if not k.endswith("num_batches_tracked")}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("change", [dict, renamed], ids=["same names", "other names"])
def test_a_foreign_file_of_the_right_shapes_loads_without_a_record(architecture, change):
    torch.manual_seed(3)
    model = channels_last(build(architecture)).eval()
    for layer in model:
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2)
    folder = portable.keep(save(change(contiguous(model))), "foreign.safetensors")
    loaded, record = checkpoint.load(folder)
    assert (record.config.architecture, record.epochs, record.test) == (architecture, [], None)
    digits = data.load("uci")
    images, labels = digits.test_images, digits.test_labels
    assert evaluate(loaded, images, labels) == evaluate(model, images, labels)
    assert runs.read(folder).title == runs.FOREIGN

    portable.measure(folder, "uci")
    measured = records.load_record(folder / records.RECORD)
    assert measured.test == evaluate(model, images, labels)
    assert measured.config.data == "uci"


def test_measuring_a_network_that_has_just_been_deleted_brings_nothing_back(shipped, monkeypatch):
    folder = portable.keep(save(contiguous(shipped[0])), "foreign.safetensors")
    test = data.load_test

    def deleted_meanwhile(source):
        runs.delete(folder)
        return test(source)

    monkeypatch.setattr(data, "load_test", deleted_meanwhile)
    with pytest.raises(RunError, match="has been deleted"):
        portable.measure(folder, "uci")
    assert not folder.exists()


def with_record(packed, change):
    """The file with its record changed."""
    _, record = portable.unpack(packed, "file")
    found = record.to_json()
    change(found)
    return save(load(packed), {records.PACKED: json.dumps(found)})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda r: r["config"].update(epochs=20), "epochs is 20; it must lie between 1 and 19"),
        (lambda r: r["config"].update(architecture="vgg"), "architecture “vgg” is unknown"),
        (lambda r: r["config"].update(architecture="published"), "not a “published” network|has"),
        (lambda r: r.pop("test"), "lacks “test”"),
        (lambda r: r.update(test=7), "“test” is '7', which cannot be"),
        (lambda r: r["test"].update(correct=10_000), "the numbers of correct answers differ"),
        (lambda r: r["test"]["confusion"].pop(), "not one of 10 × 10"),
        (lambda r: r["test"]["confusion"][3].__setitem__(2, "<b>"), r"“test.confusion\[3\]\[2\]”"),
        (lambda r: r["test"]["misread"].pop(), "number of wrong answers differ"),
        (lambda r: r["test"]["misread"][0].update(label=10), "has the label 10"),
        (lambda r: r["epochs"][0].update(correct=-1), "has -1 of"),
        (lambda r: r["epochs"][0].update(total=True), "“epochs\\[0\\].total” is 'True'"),
        (lambda r: r.update(epochs={}), "“epochs” is '{}'"),
        (lambda r: r["calibration"].update(temperature=0), "temperature is 0"),
        (lambda r: r["calibration"]["after"][0].update(correct=10**9), "cannot be right"),
    ],
)
def test_a_record_that_cannot_be_is_refused_with_the_place(root, packed, change, sentence):
    with pytest.raises(CheckpointError, match=sentence):
        portable.keep(with_record(packed, change), "file")
    assert run_folder.folders() == []


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (b"", "damaged or no safetensors file"),
        (b"I am a text.", "damaged or no safetensors file"),
        (pickle.dumps({"a": 1}), "damaged or no safetensors file"),
        (bytes(11_000_000), "far more than any network here"),
        (save({"a": torch.zeros(3)}), "1 tensors, which are not those of any network here"),
        (save({}), "0 tensors"),
        (save({"a": torch.zeros(1)}, {"record": "["}), "The record in file is damaged"),
        (save({"a": torch.zeros(1)}, {"record": "[" * 100_000}), "The record in file is damaged"),
        (save({"a": torch.zeros(1)}, {"record": "7"}), "cannot be used"),
    ],
)
def test_anything_else_is_a_sentence(root, file, sentence):
    with pytest.raises(CheckpointError, match=sentence):
        portable.keep(file, "file")
    assert run_folder.folders() == []


def test_weights_that_cannot_be_are_refused(packed):
    _, record = portable.unpack(packed, "file")
    tensors = load(packed)
    tensors["0.bias"][0] = torch.nan
    for file in (save(tensors), save(tensors, {"record": json.dumps(record.to_json())})):
        with pytest.raises(CheckpointError, match="not finite"):
            portable.keep(file, "file")
    half = {name: t.half() if t.is_floating_point() else t for name, t in load(packed).items()}
    with pytest.raises(CheckpointError, match="float16"):
        portable.keep(save(half), "file")


def test_a_number_that_changed_on_the_way_is_noticed(root, packed):
    changed = bytearray(packed)
    changed[-40] ^= 1
    with pytest.raises(CheckpointError, match="file is damaged: its numbers are not those"):
        portable.keep(bytes(changed), "file")
    assert runs.every() == []


def test_a_file_cut_at_any_thousand_bytes_is_a_sentence(root, packed):
    for cut in range(0, len(packed), 1000):
        with pytest.raises(CheckpointError, match="damaged or no safetensors file"):
            portable.unpack(packed[:cut], "file")


def test_a_record_of_another_version_is_said(packed):
    file = with_record(packed, lambda r: (r["config"].pop("pen", None), r.update(mood="good")))
    _, record = portable.unpack(file, "file")
    assert record.differs == ["“mood” is unknown to this version, and was passed over."]


def test_older_runs_make_room_for_a_loaded_network(root, packed, monkeypatch):
    root.mkdir()
    old = stopped(root / "20260101-000000-compact-1")
    monkeypatch.setattr(runs, "MAX_BYTES", 0)
    folder = portable.keep(packed, "file")
    assert run_folder.folders() == [folder]
    assert not old.exists()


def test_calibration_travels_with_the_network(shipped):
    _, record = shipped
    bins = [Bin(0, 1, 10, 9, 0.8)]
    mine = replace(record, calibration=Calibration(1.25, 10, bins, bins))
    _, found = portable.unpack(records.pack(records.CHECKPOINTS / "compact", mine), "file")
    assert asdict(found.calibration) == asdict(mine.calibration)
