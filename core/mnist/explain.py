"""What a network sees in one image, and which pixels its answer for a digit rests on.

Feature maps are read layer by layer; attributions are computed by Captum, on a copy of the network:
one model object serves many threads, and Captum hangs hooks on the modules it is given, which calls
at the same time would take from each other.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.mnist.evaluation import as_input
from core.mnist.models import ConvNet, layers
from core.mnist.recipe import CLASSES

SIDE = 28
WINDOW = 5  # pixels: wider than a stroke, much smaller than a digit
IG_STEPS = 256  # the sum then misses by less than 1 % for 19 of 20 test digits
BATCH = 64  # images at once; larger batches are no faster

# Grad-CAM reads the third 3×3 convolution from the end: 7×7 values, each of 16×16 pixels. The last
# two mean more, but their 5×5 and 3×3 values have their middles in the inner 10×10 and 6×6 pixels
# and place little. On 80 test digits, read by the published and the compact network, the maps of
# this layer are the most like those of occlusion, and covering the 150 pixels that they show as
# strongest takes the most from the logit.
CAM_LAYER = -3

METHODS: dict[str, str] = {
    "grad-cam": "Which regions support the digit, from the 7×7 feature maps of an inner layer: "
    "coarse, and without a value in the outer 7 pixels.",
    "integrated-gradients": "How much each pixel adds to the digit's logit while the ink fades in "
    "from blank paper; all pixels together add up to the logit's whole change.",
    "occlusion": "How far the digit's logit falls when blank paper covers the 5×5 pixels around; "
    "below zero where it rises.",
}


@dataclass(frozen=True)
class MapLayer:
    """The feature maps of one convolution for one image.

    name: as `models.layers` names it; maps: float32 (C, H, W), the output after its ReLU, or of
    the 1×1 convolution, which has none, scores per digit; kernels: float32 (C, C_in, k, k);
    bias: float32 (C,); receptive_field: the side in input pixels of what one value depends on;
    step: input pixels between neighbouring values.
    """

    name: str
    maps: Tensor
    kernels: Tensor
    bias: Tensor
    receptive_field: int
    step: int

    def strongest(self) -> list[tuple[int, int]]:
        """Row and column of the largest value of each map, of equal ones the first."""
        width = self.maps.shape[2]
        return [divmod(place, width) for place in self.maps.flatten(1).argmax(1).tolist()]

    def patch(self, row: int, column: int) -> tuple[int, int, int, int]:
        """The input pixels a value depends on: top, left, bottom, right, the last two exclusive.

        Nothing is padded, so the first value's patch begins at pixel 0, and none is cut off.
        """
        top, left = row * self.step, column * self.step
        return top, left, top + self.receptive_field, left + self.receptive_field


def feature_maps(model: ConvNet, image: Tensor) -> list[MapLayer]:
    """The maps of each convolution, first to last, for an image, uint8 (28, 28).

    The tensors are copies. Raises ValueError for another image.
    """
    x = _checked(image)
    network = _own(model) if model.training else model  # which is only read
    found, step = [], 1
    with torch.no_grad():
        for layer, row in zip(network, layers(network), strict=True):
            x = ConvNet(layer)(x).unflatten(1, row.shape)  # alone, yet with the ReLU if it has one
            step *= _stride(layer)
            if isinstance(layer, nn.Conv2d):
                assert layer.bias is not None
                kernels = layer.weight.detach().clone(memory_format=torch.contiguous_format)
                bias = layer.bias.detach().clone()
                found.append(MapLayer(row.name, x[0], kernels, bias, row.receptive_field, step))
    return found


def attribute(model: ConvNet, image: Tensor, digit: int, method: str) -> Tensor:
    """What each pixel does for the logit of `digit`, float32 (28, 28), by one of METHODS.

    image: uint8 (28, 28). The network is read in eval mode and left as it was. Compared with
    blank paper (0), not with the mean grey that normalisation takes to zero. All in logits:

    grad-cam: ReLU(Σ α·A) over the maps A, α the mean of ∂logit/∂A over a map (Selvaraju et al.,
    2017), never negative. Each value is put at the middle of its receptive field, bilinear in
    between; the outer 7 pixels, where no field has its middle, are 0.
    integrated-gradients: (x − blank)·∫∂logit/∂x along the straight line from blank to x, by
    the midpoint rule with IG_STEPS points; sums to logit(x) − logit(blank) but for that rule's
    error (Sundararajan, Taly and Yan, 2017).
    occlusion: how far the logit falls when blank paper covers 5×5 pixels, the mean over all such
    windows within the image that cover the pixel (Zeiler and Fergus, 2014).

    Raises ValueError for an unknown method, no digit, or another image.
    """
    if method not in METHODS:
        raise ValueError(f"“{method}” is no method here; choose one of: {', '.join(METHODS)}.")
    if digit not in range(CLASSES):
        raise ValueError(f"{digit} is no digit; choose one of 0 to {CLASSES - 1}.")
    x = _checked(image)
    blank = as_input(torch.zeros_like(image)[None])
    network = _own(model)
    found: Tensor
    from captum.attr import IntegratedGradients, Occlusion  # Matplotlib comes with it: 40 MB

    if method == "grad-cam":
        found = _grad_cam(network, x, digit)
    elif method == "integrated-gradients":
        # Captum's default, Gauss-Legendre, misses as much, for the gradient jumps at each ReLU; and
        # its points come from an eigenvalue problem whose threads wait a second beside a training.
        found = IntegratedGradients(network).attribute(
            x,
            blank,
            target=digit,
            n_steps=IG_STEPS,
            method="riemann_middle",
            internal_batch_size=BATCH,
        )
    else:
        found = Occlusion(network).attribute(
            x,
            (1, WINDOW, WINDOW),
            strides=1,
            baselines=blank,
            target=digit,
            perturbations_per_eval=BATCH,
        )
    return found[0, 0].detach().contiguous()


def _grad_cam(network: ConvNet, x: Tensor, digit: int) -> Tensor:
    from captum.attr import LayerAttribution, LayerGradCam

    # ReLU is no module of its own, and a hook on the convolution would read the values before it.
    # The batch normalisation that follows gives what the block hands on.
    blocks = [i for i, layer in enumerate(network) if isinstance(layer, nn.BatchNorm2d)]
    block = blocks[CAM_LAYER]
    coarse = LayerGradCam(network, network[block]).attribute(
        x.requires_grad_(), digit, relu_attributions=True
    )
    # Grad-CAM's maps are usually stretched over the whole image. These convolutions pad nothing,
    # so the middles of the receptive fields span less than the image: the outermost value, of the
    # first 16 pixels, would be drawn at pixel 2.
    step = 1
    for layer in list(network)[: block + 1]:
        step *= _stride(layer)
    spanned = step * coarse.shape[-1]
    fine = LayerAttribution.interpolate(coarse, (spanned, spanned), "bilinear")
    return F.pad(fine, [(SIDE - spanned) // 2] * 4)


def _own(model: ConvNet) -> ConvNet:
    """A copy in eval mode that computes no gradients of its weights."""
    return copy.deepcopy(model).eval().requires_grad_(False)


def _checked(image: Tensor) -> Tensor:
    if image.dtype != torch.uint8 or image.shape != (SIDE, SIDE):
        shape, kind = "×".join(map(str, image.shape)), str(image.dtype).removeprefix("torch.")
        raise ValueError(f"The image is {shape or 'one number'} {kind}; it must be 28×28 uint8.")
    return as_input(image[None])


def _stride(layer: nn.Module) -> int:
    if not isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
        return 1
    return layer.stride if isinstance(layer.stride, int) else layer.stride[0]
