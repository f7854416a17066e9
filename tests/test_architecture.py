import importlib
import subprocess
import sys

import pytest

from tests.harness import ROOT


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


MODULES = (path.stem for path in (ROOT / "benchmarks").glob("[a-z]*.py"))
BENCHMARKS = sorted(set(MODULES) - {"command", "crowd"})  # these are parts of others


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_prints_help_and_refuses_what_it_does_not_know(name, monkeypatch, capsys):
    main = importlib.import_module(f"benchmarks.{name}").main
    for argument, code in (("--help", 0), ("--nonsense", 2)):
        monkeypatch.setattr(sys, "argv", [name, argument])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == code
    assert f"usage: python -m benchmarks.{name}" in capsys.readouterr().out


def test_imports_point_one_way():
    result = run(
        sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_backprop_page_never_imports_torch():
    """In a fresh interpreter, the page run to its end."""
    code = """
import sys
from streamlit.testing.v1 import AppTest
app = AppTest.from_file("streamlit_app.py", default_timeout=60).run()
app.switch_page("pages/backprop.py").run()
assert not app.exception, app.exception
assert app.title[0].value.startswith("Backpropagation")
assert not {"torch", "torchvision"} & set(sys.modules), "torch was imported"
"""
    result = run(sys.executable, "-c", code)
    assert result.returncode == 0, result.stderr


def test_the_readme_starts_the_app_and_the_tests_with_one_line_each():
    readme = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    commands = [line for line in readme if line.startswith("python3 -m venv .venv")]
    assert len(commands) == 2
    assert commands[0].endswith("streamlit run streamlit_app.py")
    assert commands[1].endswith("pytest")
