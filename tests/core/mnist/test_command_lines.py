import os
import re
import subprocess
import sys

import pytest

from core.mnist import checkpoint
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
        ("train", "--preset fst", "“fst” is no preset; choose one of: published, fast, best."),
        ("train", "--epochs 20", "epochs is 20; it must lie between 1 and 19."),
        ("train", "--arch vgg", "architecture “vgg” is unknown; choose one of: published,"),
        ("train", "--epochs many", "argument --epochs: invalid int value: 'many'"),
        ("evaluate", "nowhere", "nowhere: run.json is not there"),
    ],
)
def test_bad_arguments_are_explained_in_a_sentence(command, module, arguments, sentence):
    result = command(module, *arguments.split())
    assert result.returncode == 2
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_data_that_cannot_be_had_is_explained_in_a_sentence(command, tmp_path, monkeypatch):
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path))
    # No name can be resolved through this proxy, so no mirror answers.
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    result = command("evaluate", str(checkpoint.CHECKPOINTS / "published"))
    assert result.returncode == 1
    assert "UCI digits, which need no download" in result.stderr
    assert "Traceback" not in result.stderr
