import os
import re
import subprocess
import sys

import pytest

from core.mnist import checkpoint, evaluate, records, run_folder, runs, train
from core.mnist.recipe import HYPERPARAMETERS
from core.mnist.run_folder import State
from tests.core.mnist.prepared import QUICK
from tests.harness import ROOT


@pytest.fixture
def command(tmp_path):
    def run(module, *arguments):
        return subprocess.run(
            [sys.executable, "-m", f"core.mnist.{module}", *arguments],
            cwd=ROOT,
            env=os.environ | {"RUNS_ROOT": str(tmp_path / "runs")},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_a_training_prints_the_log_and_saves_what_evaluate_reads(command, tmp_path):
    saved = tmp_path / "mine"
    arguments = "--preset fast --arch compact --seed 3 --data uci --epochs 2 --batch-size 64"
    trained = command("train", *arguments.split(), "--save", str(saved))
    assert trained.returncode == 0, trained.stderr
    line = (
        r"Test set: Epoch:(\d) Average loss: (\d+\.\d{4}), "
        r"Accuracy: (\d+)/360 \((\d+\.\d\d)%\), \d+\.\d s"
    )
    epochs = re.findall(line, trained.stdout)
    assert [found[0] for found in epochs] == ["1", "2"]
    assert "batch_id=21: 100%" in trained.stderr

    _, record = checkpoint.load(saved)
    assert (record.config.seed, record.config.architecture) == (3, "compact")
    assert record.config.schedule == "one-cycle"
    evaluated = command("evaluate", str(saved))
    assert evaluated.returncode == 0, evaluated.stderr
    _, loss, correct, percent = epochs[-1]
    assert f"Average loss: {loss}, Accuracy: {correct}/360 ({percent}%)" in evaluated.stdout
    for row in record.test.confusion:
        assert "".join(f"{count:6}" for count in row) in evaluated.stdout


@pytest.mark.parametrize(
    ("module", "arguments", "sentence"),
    [
        (train, "--preset fst", "“fst” is no preset; choose one of: published, fast, best."),
        (train, "--epochs 20", "epochs is 20; it must lie between 1 and 19."),
        (train, "--arch vgg", "architecture “vgg” is unknown; choose one of: published,"),
        (train, "--epochs many", "argument --epochs: invalid int value: 'many'"),
        (train, "--batch-size 8 --parts 8", "A batch of 8 cannot be split into 8 parts"),
        (evaluate, "nowhere", "nowhere: run.json is not there"),
        (evaluate, "nowhere --data letters", "invalid choice: 'letters'"),
    ],
)
def test_bad_arguments_are_explained_in_a_sentence(capsys, module, arguments, sentence):
    with pytest.raises(SystemExit) as ended:
        module.main(arguments.split())
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize("module", ["train", "evaluate"])
@pytest.mark.parametrize("arguments", ["--help", "--nonsense"])
def test_help_and_a_wrong_argument_import_no_torch(module, arguments):
    code = (
        f"import sys\nfrom core.mnist import {module}\n"
        f"try: {module}.main([{arguments!r}])\n"
        "finally: print('torch' in sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert said.stdout.splitlines()[-1] == "False", said


def test_help_says_what_each_setting_may_be(capsys):
    with pytest.raises(SystemExit):
        train.main(["--help"])
    said = " ".join(capsys.readouterr().out.split())
    for name, one in HYPERPARAMETERS.items():
        assert f"--{name.replace('_', '-')} {one.kind.__name__.upper()}" in said
        assert f"{one.label}: {one.allowed}" in said


def test_a_training_waits_for_its_turn_in_the_queue(tmp_path, monkeypatch):
    monkeypatch.setenv("RUNS_ROOT", str(tmp_path / "runs"))
    other = runs.enter(QUICK, "own")
    arguments = "--preset fast --arch compact --data uci --epochs 1"
    with run_folder.hold(other):
        second = subprocess.Popen(
            [sys.executable, "-m", "core.mnist.train", *arguments.split()],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        said = [second.stdout.readline(), second.stdout.readline()]
        mine = max(run_folder.folders())
        assert said[1] == "Runs ahead in the queue: 1. Waiting; Ctrl+C gives up.\n"
        assert run_folder.queue() == [other, mine]
        assert runs.read(mine).ahead == 1
        run_folder.append(other, "stopped")
    rest, _ = second.communicate(timeout=120)
    assert "Test set: Epoch:1 " in rest
    assert runs.read(mine).state is State.FINISHED


def test_a_training_that_finds_the_queue_full_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RUNS_ROOT", str(tmp_path / "runs"))
    monkeypatch.setenv("RUNS_WAITING", "0")
    runs.enter(QUICK, "own")
    assert train.main(["--preset", "fast", "--data", "uci"]) == 1
    assert "The queue is full" in capsys.readouterr().err


def test_data_that_cannot_be_had_is_explained_in_a_sentence(command, tmp_path, monkeypatch):
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path))
    # No name can be resolved through this proxy, so no mirror answers.
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    result = command("evaluate", str(records.CHECKPOINTS / "published"))
    assert result.returncode == 1
    assert "UCI digits, which need no download" in result.stderr
    assert "Traceback" not in result.stderr
