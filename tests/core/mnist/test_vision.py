import subprocess
import sys

import pytest

from core.mnist import vision
from tests.harness import ROOT


def run(code):
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_datasets_and_transforms_can_be_imported():
    """In a fresh interpreter, beside whatever torch is installed."""
    result = run("""
from core.mnist import vision
found = vision.load()
assert found.datasets.MNIST and found.transforms.RandomAffine
assert vision.load() is found
""")
    assert result.returncode == 0, result.stderr


def test_nothing_is_declared_where_torchvision_imports_by_itself():
    result = run("""
import sys, types
sys.modules["torchvision"] = types.ModuleType("torchvision")
from core.mnist import vision
assert vision.load() is sys.modules["torchvision"]
assert vision._declared is None
""")
    assert result.returncode == 0, result.stderr


def test_other_errors_of_the_import_are_not_hidden(monkeypatch):
    def broken(name):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(vision.importlib, "import_module", broken)
    with pytest.raises(RuntimeError, match="disk is full"):
        vision.load()
