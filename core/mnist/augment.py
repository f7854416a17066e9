"""Random changes of shape to whole batches of images, each image its own."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from core.mnist.data import MEAN, STD, normalised
from core.mnist.recipe import Augmentation

KNOTS = 6


def prepare(images: Tensor, augmentation: Augmentation, generator: torch.Generator) -> Tensor:
    """uint8 (N, 28, 28) to float32 (N, 1, 28, 28), changed at random and normalised."""
    if augmentation.is_none:
        return normalised(images)
    theta = _inverse_maps(len(images), augmentation, generator, images.shape[-1])
    grid = F.affine_grid(theta, [len(images), 1, *images.shape[1:]], align_corners=False)
    if augmentation.elastic:
        grid += _displacements(len(images), augmentation.elastic, generator, images.shape[-1])
    pixels = images.unsqueeze(1).float()
    changed = F.grid_sample(pixels, grid, align_corners=False)  # outside is 0: paper
    if augmentation.pen:
        changed = _rewritten(changed, augmentation.pen, generator)
    return changed.div_(255 * STD).sub_(MEAN / STD)


def _displacements(n: int, pixels: float, generator: torch.Generator, side: int) -> Tensor:
    """(n, side, side, 2): how far each pixel is drawn from its place, −1 to 1 across the image.

    Independent at knots 5 pixels or so apart, smooth between them.
    """
    knots = torch.randn(n, 2, KNOTS, KNOTS, generator=generator).mul_(2 * pixels / side)
    smooth = F.interpolate(knots, size=(side, side), mode="bicubic", align_corners=True)
    return smooth.permute(0, 2, 3, 1)


def _rewritten(images: Tensor, limit: float, generator: torch.Generator) -> Tensor:
    """Images (n, 1, side, side) as a wider or a narrower pen would have written them.

    Dilation or erosion by a pixel to each side, blended in as far as the width asks for; the
    brightest pixel stays as bright as it was, so that thin strokes are not faint ones.
    """
    sides = torch.rand(len(images), 1, 1, 1, generator=generator).mul_(limit).sub_(limit / 2)
    wider = F.max_pool2d(images, 3, 1, 1)
    narrower = -F.max_pool2d(-images, 3, 1, 1)
    blended = torch.lerp(images, torch.where(sides > 0, wider, narrower), sides.abs())
    peak, now = images.amax((2, 3), keepdim=True), blended.amax((2, 3), keepdim=True)
    return blended.mul_(peak / now.clamp_(min=1))


def _inverse_maps(n: int, limits: Augmentation, generator: torch.Generator, side: int) -> Tensor:
    """(n, 2, 3): for each image, from a pixel of the changed image to its place in the original.

    Coordinates run from −1 to 1. The linear part is rotation · shear / scale.
    """
    draw = torch.rand(5, n, generator=generator).mul_(2).sub_(1)
    angle = draw[0] * math.radians(limits.rotation)
    slant = (draw[1] * math.radians(limits.shear)).tan()
    size = 1 / (1 + draw[2] * limits.scale)
    shift = draw[3:] * (2 * limits.shift / side)
    cos, sin = angle.cos() * size, angle.sin() * size
    top = torch.stack([cos, cos * slant - sin, shift[0]], dim=1)
    bottom = torch.stack([sin, sin * slant + cos, shift[1]], dim=1)
    return torch.stack([top, bottom], dim=1)
