"""A disk that is full, at each page and at each file that is to be written on it."""

import itertools
import shutil
import tempfile
from dataclasses import replace

import pytest
from safetensors.torch import load, save

from core.mnist import checkpoint, data, portable, records, run_folder, runs, train, worker
from core.mnist.events import EpochDone
from core.mnist.run_folder import RunError, State
from core.mnist.source import DataError, mnist_folder
from tests.core.mnist.prepared import QUICK
from tests.faults.tried import tried

FULL = "The disk is full. Delete runs or other files, then resume this one."
ONE = replace(QUICK, epochs=1, batch_size=32)
TWO = replace(ONE, epochs=2)
# What a worker writes, in this order.
WRITTEN = ("weights-01.safetensors", "evaluation.json", "state.safetensors", "model.safetensors")


@pytest.fixture(autouse=True)
def _as_it_is(monkeypatch):
    """A worker lowers its priority; here that would be the tests' own."""
    monkeypatch.setattr("core.mnist.train.stand_back", lambda: None)


@pytest.fixture(autouse=True)
def few_digits(monkeypatch):
    """So few that a run takes a moment: what it writes is what matters."""
    uci = data.load("uci")
    few = {name: tensor[:40] for name, tensor in vars(uci).items() if name != "source"}
    monkeypatch.setitem(data._loaded, "uci", data.Digits("uci", **few))


def work(folder):
    """What the worker's process does; its exit status."""
    return train.main(["--worker", str(folder)])


def join(folder):
    with run_folder.door():
        run_folder.take_ticket(folder)


def nothing_is_left():
    return [p.name for p in run_folder.root().glob("*") if p.name != ".door"] == []


def missing(folder):
    """The first of a worker's files that is not there."""
    return next((name for name in WRITTEN if not (folder / name).exists()), records.RECORD)


def try_run(disk, room):
    """A run with so much room; what could not be written, None if all was, and the run."""
    disk.leave(**room)
    folder, sentence = tried(lambda: runs.enter(ONE, "own"), RunError)
    if folder is None:
        assert "No space left" in sentence
        assert nothing_is_left()
        return "run", None
    status = work(folder)
    run = runs.read(folder)
    if run.state is State.FINISHED:
        return None, folder
    assert status == 1
    assert run.state is State.FAILED
    assert "No space left" in run.message or run.message == FULL
    return missing(folder), folder


@pytest.mark.parametrize("kind", ["pages", "files"])
def test_wherever_the_disk_is_full_a_run_says_so_and_goes_on_once_there_is_room(disk, kind):
    """Each amount of room, from none to enough."""
    failed = set()
    for room in itertools.count():
        disk.leave()
        for folder in run_folder.folders():
            runs.delete(folder)
        what, folder = try_run(disk, {kind: room})
        if what is None:
            break
        if what in failed or folder is None:
            failed.add(what)
            continue
        failed.add(what)
        disk.leave()
        for epoch in runs.read(folder).epochs:
            checkpoint.load_tensors(folder / f"weights-{epoch.epoch:02}.safetensors")
        join(folder)
        assert work(folder) == 0
        assert [epoch.epoch for epoch in runs.read(folder).epochs] == [1]
        checkpoint.load(folder)
    assert failed == {"run", *WRITTEN, records.RECORD}


def test_a_log_that_finds_no_room_loses_one_line_and_no_epoch(disk):
    folder = runs.enter(TWO, "own")
    for event in worker.work(folder):
        if isinstance(event, EpochDone):
            (folder / run_folder.STOP).touch()
    join(folder)
    (before,) = runs.read(folder).epochs
    size = (folder / run_folder.LOG).stat().st_size
    to_the_end = disk.PAGE - (size + 200) % disk.PAGE  # the line after the next crosses it
    run_folder.append(folder, "note", text="x" * to_the_end)
    disk.leave(pages=0)
    assert work(folder) == 1
    run = runs.read(folder)
    assert (run.state, run.message, run.epochs) == (State.FAILED, FULL, [before])
    disk.leave()
    join(folder)
    assert work(folder) == 0
    run = runs.read(folder)
    assert (run.state, run.done, run.epochs[0]) == (State.FINISHED, 2, before)
    lines = (folder / run_folder.LOG).read_text().splitlines()
    assert len(lines) - len(run_folder.events(folder)) == 1


def test_a_run_whose_process_finds_no_room_to_start_says_so(disk):
    folder = runs.enter(QUICK, "own")
    disk.leave(files=0)  # for the second run there will be as much room as the first one takes
    shutil.rmtree(folder)
    with pytest.raises(RunError, match="No process could be started for the run: No space left"):
        runs.start(QUICK, "own")
    (run,) = runs.every()
    assert run.state is State.FAILED
    assert "No space left" in run.message
    with pytest.raises(RunError, match=r"No process could be started|cannot be written"):
        runs.resume(run.folder)


@pytest.mark.parametrize("room", [{"pages": 0}, {"files": 0}], ids=["pages", "files"])
def test_a_run_that_waits_is_stopped_on_a_full_disk(disk, room):
    folder = runs.enter(QUICK, "own")
    with run_folder.hold(folder):
        disk.leave(**room)
        runs.stop(folder)
        assert runs.read(folder).state is State.STOPPING
    assert work(folder) == 0
    assert runs.read(folder).state is State.STOPPED


def test_a_stop_that_finds_no_room_is_a_sentence_and_works_later(disk):
    folder = runs.enter(QUICK, "own")
    (folder / run_folder.RESERVE).unlink()
    with run_folder.hold(folder):
        disk.leave(files=0)
        with pytest.raises(RunError, match="cannot be told to stop: No space left"):
            runs.stop(folder)
        assert runs.read(folder).state is State.WAITING
        disk.leave()
        runs.stop(folder)
        assert runs.read(folder).state is State.STOPPING
    assert work(folder) == 0
    assert runs.read(folder).state is State.STOPPED


@pytest.fixture(scope="module")
def packed():
    """A shipped network as its download."""
    _, record = checkpoint.load_checkpoint("compact")
    return records.pack(records.CHECKPOINTS / "compact", record)


@pytest.mark.parametrize("kind", ["pages", "files"])
def test_wherever_the_disk_is_full_an_uploaded_network_is_refused_whole(disk, packed, kind):
    for room in itertools.count():
        disk.leave(**{kind: room})
        folder, sentence = tried(lambda: portable.keep(packed, "mine.safetensors"), RunError)
        if folder:
            break
        assert "No space left" in sentence
        assert nothing_is_left()
    assert room > 3
    _, record = checkpoint.load(folder)
    assert record == portable.unpack(packed, "mine.safetensors")[1]


def test_an_upload_needs_no_room_elsewhere(disk, packed, monkeypatch):
    """Where the disk of temporary files is full."""
    monkeypatch.setattr(tempfile, "tempdir", str(disk.place))
    monkeypatch.setenv("RUNS_ROOT", str(disk.place.parent / "runs"))
    disk.leave(pages=0, files=0)
    checkpoint.load(portable.keep(packed, "mine.safetensors"))


def test_figures_that_find_no_room_leave_the_record_as_it_was(disk, packed):
    foreign = save({name: tensor.contiguous() for name, tensor in load(packed).items()})
    folder = portable.keep(foreign, "theirs.safetensors")
    before = (folder / records.RECORD).read_bytes()
    disk.leave(pages=1)
    with pytest.raises(RunError, match="The figures cannot be written: No space left"):
        portable.measure(folder, "uci")
    assert (folder / records.RECORD).read_bytes() == before
    disk.leave()
    portable.measure(folder, "uci")
    assert checkpoint.load(folder)[1].test is not None


@pytest.mark.parametrize("kind", ["pages", "files"])
def test_wherever_the_disk_is_full_a_download_leaves_nothing(disk, mirrors, monkeypatch, kind):
    monkeypatch.setenv("MNIST_ROOT", str(disk.place / "data"))
    mnist_folder().mkdir()
    for room in itertools.count():
        disk.leave(**{kind: room})
        digits, sentence = tried(lambda: data.load("mnist"), DataError)
        if digits:
            break
        assert "No space left" in sentence
        assert {path.name for path in mnist_folder().rglob("*")} <= {"MNIST", "raw"}
    assert room > 3
    assert digits.train_images.shape == (60, 28, 28)


def test_a_network_that_is_to_be_saved_on_a_full_disk_is_kept_in_its_run(disk, root, capsys):
    disk.leave(pages=4)
    place = disk.place / "mine"
    arguments = "--preset fast --arch compact --data uci --epochs 1 --batch-size 32 --save"
    assert train.main([*arguments.split(), str(place)]) == 1
    said = capsys.readouterr().err
    assert f"{place} cannot be written: No space left on device. The network is in" in said
    (run,) = runs.every()
    assert (run.state, run.folder.parent) == (State.FINISHED, root)
    checkpoint.load(run.folder)
    assert list(place.iterdir()) == []
