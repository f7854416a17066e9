"""All feature maps of a network for one image; a map under the hand shows where it comes from."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st
from torch import Tensor

from core.mnist.explain import MapLayer
from core.ui.colours import FORWARD, NEUTRAL

_HERE = Path(__file__).parent
_STEPS = 127  # a signed byte's: fine enough for a shade, and the numbers are sent beside

_mount = st.components.v2.component(
    "feature_maps",
    html='<div class="maps"><section class="focus"></section><div class="layers"></div></div>',
    css=(_HERE / "feature_maps.css").read_text(encoding="utf-8")
    + f":host {{ --forward: {FORWARD}; --neutral: {NEUTRAL}; }}",
    js=f"const FORWARD = '{FORWARD}', NEUTRAL = '{NEUTRAL}', STEPS = {_STEPS};\n"
    + (_HERE / "feature_maps.js").read_text(encoding="utf-8"),
)


def feature_maps(image: Tensor, layers: Sequence[MapLayer], *, key: str) -> None:
    """Draw every map of `layers`, and the image, uint8 (28, 28), that they were computed from."""
    data = {
        "image": base64.b64encode(image.numpy().tobytes()).decode("ascii"),
        "layers": [_layer(layer) for layer in layers],
    }
    _mount(key=key, data=data)


def _layer(layer: MapLayer) -> dict[str, Any]:
    count, height, width = layer.maps.shape
    spots, values = layer.strongest(), layer.maps.flatten(1).amax(1).tolist()
    return {
        "name": layer.name,
        "shape": [count, height, width],
        "field": layer.receptive_field,
        "maps": _bytes(layer.maps),
        "scale": float(layer.maps.abs().max()),
        "peaks": [
            {"spot": spot, "value": value, "patch": layer.patch(*spot)}
            for spot, value in zip(spots, values, strict=True)
        ],
        "kernels": _bytes(layer.kernels),
        "kernel": list(layer.kernels.shape[1:]),
        "weight": float(layer.kernels.abs().max()),
        "bias": layer.bias.tolist(),
    }


def _bytes(values: Tensor) -> str:
    """Signed bytes, ±_STEPS at the largest magnitude."""
    scale = values.abs().max().clamp(min=1e-12)
    steps = (values / scale * _STEPS).round().char()
    return base64.b64encode(steps.numpy().tobytes()).decode("ascii")
