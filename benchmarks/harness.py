"""What of the harness two tests still look for here; it lives in `tests.harness`."""

from tests.harness import ROOT, process

__all__ = ["ROOT", "process"]
