import json
import math
import pickle

import pytest
import torch
from safetensors.torch import load_file, save_file

from core.mnist import checkpoint, data, records
from core.mnist.evaluation import evaluate
from core.mnist.models import build, channels_last, described
from core.mnist.recipe import MAX_EPOCHS, TrainConfig
from core.mnist.records import CheckpointError, EpochRecord, Record
from core.mnist.source import available
from core.ui import networks

CONFIG = TrainConfig(architecture="compact", data="uci", epochs=1)


@pytest.fixture
def saved(tmp_path):
    digits = data.load("uci")
    model = channels_last(build("compact")).eval()
    test = evaluate(model, digits.test_images, digits.test_labels)
    epoch = EpochRecord(1, 0.5, 1300, 1408, test.loss, test.correct, test.total, 0.01, 2.5)
    checkpoint.save(tmp_path, model, Record(CONFIG, [epoch], test, checkpoint.versions()))
    return tmp_path


def test_a_checkpoint_comes_back_as_it_went(saved):
    model, record = checkpoint.load(saved)
    digits = data.load("uci")
    assert not model.training
    assert evaluate(model, digits.test_images, digits.test_labels) == record.test
    assert record.config == CONFIG
    assert torch.__version__.startswith(record.versions["torch"].split("+")[0])
    assert record.seconds == 2.5
    assert {p.name for p in saved.iterdir()} == {"model.safetensors", "run.json"}


def spoil(folder, change):
    path = folder / records.WEIGHTS
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda t: t.pop("0.weight"), "lacks “0.weight”"),
        (lambda t: t.update({"0.weight": torch.zeros(8, 1, 5, 5)}), "8×1×5×5 float32"),
        (lambda t: t.update({"0.bias": t["0.bias"].double()}), "8 float64"),
        (lambda t: t["0.bias"].fill_(math.nan), "not finite"),
        (lambda t: t.update({"extra": torch.zeros(1)}), "has “extra”"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(saved, change, sentence):
    spoil(saved, change)
    with pytest.raises(CheckpointError, match=sentence):
        checkpoint.load(saved)


def test_a_number_that_changed_on_the_disk_is_noticed(saved):
    spoil(saved, lambda t: t["0.weight"].view(-1)[3].mul_(1 + 1e-6))
    assert records.load_whole(saved) is None
    with pytest.raises(CheckpointError, match="is damaged: its numbers are not those"):
        checkpoint.load(saved)


def test_a_record_tells_what_its_network_is_made_of(saved):
    record, made_of = records.load_whole(saved)
    assert made_of == record.network == described(build("compact"))
    assert record == checkpoint.load(saved)[1]


@pytest.mark.parametrize("lacking", ["network", "checksum"])
def test_where_a_record_does_not_tell_the_network_is_asked(saved, lacking):
    path = saved / records.RECORD
    found = json.loads(path.read_text())
    del found[lacking]
    path.write_text(json.dumps(found))
    assert records.load_whole(saved) is None
    record, made_of = networks.told(saved)
    assert made_of == described(build("compact"))
    assert record.differs == []


class Bomb:
    def __reduce__(self):
        return (print, ("this must never run",))


@pytest.mark.parametrize(
    "content", [b"", b"not a tensor", pickle.dumps(Bomb()), bytes(200), b"\xff" * 64]
)
def test_a_damaged_or_foreign_file_is_refused_and_runs_nothing(saved, content, capsys):
    (saved / records.WEIGHTS).write_bytes(content)
    with pytest.raises(CheckpointError, match=r"damaged or no safetensors file"):
        checkpoint.load(saved)
    assert capsys.readouterr().out == ""


def test_a_truncated_file_is_refused(saved):
    path = saved / records.WEIGHTS
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoint.load(saved)


def test_a_huge_file_is_not_read(saved, monkeypatch):
    monkeypatch.setattr(records, "MAX_BYTES", 1000)
    with pytest.raises(CheckpointError, match="far larger"):
        checkpoint.load(saved)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"config": {}}', '"run"', "nul"])
def test_a_record_that_is_none_is_refused(saved, text):
    (saved / records.RECORD).write_text(text)
    with pytest.raises(CheckpointError, match=r"run\.json"):
        checkpoint.load(saved)


def test_a_record_of_a_network_we_do_not_have_is_refused_by_name(saved):
    path = saved / records.RECORD
    found = json.loads(path.read_text())
    found["config"]["architecture"] = "vgg"
    path.write_text(json.dumps(found))
    with pytest.raises(CheckpointError, match="architecture “vgg” is unknown"):
        checkpoint.load(saved)


def test_an_unknown_checkpoint_is_refused_with_the_names_there_are():
    with pytest.raises(CheckpointError, match="published"):
        checkpoint.load_checkpoint("../secrets")


@pytest.mark.parametrize("name", ["published", "fc-head", "compact"])
def test_shipped_records_are_whole(name):
    model, record = checkpoint.load_checkpoint(name)
    assert not model.training
    assert record.config.architecture == name
    assert record.config.seed == 0
    assert record.config.data == "mnist"
    assert len(record.epochs) == record.config.epochs <= MAX_EPOCHS
    assert record.calibration is not None
    assert record.calibration.held_out == record.config.validation > 0
    last = record.epochs[-1]
    assert (last.test_loss, last.test_correct) == (record.test.loss, record.test.correct)
    assert record.versions.keys() >= {"torch", "python"}
    assert records.load_whole(records.CHECKPOINTS / name) == (record, record.network)
    assert record.network == described(build(name))


@pytest.mark.skipif(not available("mnist"), reason="MNIST is not here: set MNIST_ROOT")
@pytest.mark.parametrize("name", ["published", "fc-head", "compact"])
def test_shipped_accuracies_follow_from_the_weights(name):
    model, record = checkpoint.load_checkpoint(name)
    digits = data.load("mnist")
    found = evaluate(model, digits.test_images, digits.test_labels)
    # Another processor rounds differently: a digit on the edge may fall to the other side.
    assert abs(found.correct - record.test.correct) <= 1
    assert found.loss == pytest.approx(record.test.loss, rel=1e-3)
    mine, theirs = ({m.index for m in e.misread} for e in (found, record.test))
    assert len(mine ^ theirs) <= 2
