"""Imports torchvision, also beside a torch without CUDA.

The torchvision that package registries serve is built for CUDA. Beside a CPU-only torch its
compiled operators do not load, and then its own import fails, because it registers shapes for
operators that no one has declared. Declaring the two schemas is enough: the data sets and
transforms used here never call them. Where torchvision's operators load, nothing is declared.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import torch

SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_declared: torch.library.Library | None = None  # the declarations live as long as this object


def _declare() -> None:
    global _declared
    _declared = torch.library.Library("torchvision", "DEF")
    for schema in SCHEMAS:
        _declared.define(schema)


def load() -> ModuleType:
    """The torchvision package. Raises ImportError as any import does if it is not installed."""
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error) or _declared is not None:
            raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]  # half imported
    _declare()
    return importlib.import_module("torchvision")
