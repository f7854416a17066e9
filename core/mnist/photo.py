"""The ink in an uploaded picture: a photograph, a scan, a screenshot or a drawing of a digit.

Files come from anyone, so each is judged by its header before a pixel of it is decoded.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError
from scipy import ndimage

FORMATS = ["PNG", "JPEG", "WEBP", "GIF", "BMP"]
MAX_BYTES = 20_000_000
MAX_PIXELS = 50_000_000
MAX_SCANS = 100  # of a progressive JPEG: 10 are usual, and each is decoded over the whole picture
MIN_SIDE = 16  # pixels
SIDE = 600  # the longest, in pixels, at which ink is looked for

STROKE = 0.3  # the widest, as a share of the longest side; what is wider is paper, shadow or table
SCALES = (0.016, 0.032, 0.064, 0.128, 0.256)  # of surroundings, as a share of the longest side
FAINTEST = 20.0  # contrast of ink with its paper, of 255
GAP = 0.012  # between parts of one stroke, as a share of the longest side
SMALLEST_PART = 0.06  # of a digit, as a share of its largest part
SMALLEST_DIGIT = 0.04  # its height or width, as a share of the longest side
EVEN = 0.85
HUGGING = 0.8
BUSIEST = 0.5

Grey = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


class PhotoError(Exception):
    """No digit can be had from the file; the message says why and what to do."""


def read_ink(file: bytes) -> npt.NDArray[np.uint8]:
    """The ink of the picture in `file`: uint8 (H, W), 255 = ink, 0 = paper, H and W up to SIDE.

    Dark ink on light paper or light on dark, upright as its EXIF says. Raises PhotoError.
    """
    grey = _read(file)
    grey = ndimage.gaussian_filter(grey, max(grey.shape) / SIDE)
    grey = grey if _ink_is_dark(grey) else 255 - grey
    return _ink(_contrast(_evenly_lit(grey)))


def _read(file: bytes) -> Grey:
    if not file:
        raise PhotoError("The file is empty. Save the picture again and upload that.")
    if len(file) > MAX_BYTES:
        raise PhotoError(
            f"The file has {len(file) / 1e6:.0f} MB; {MAX_BYTES / 1e6:.0f} MB is the most. "
            "Make the picture smaller, or save it as JPEG."
        )
    try:
        with Image.open(io.BytesIO(file), formats=FORMATS) as image:
            _refuse(image, file)
            return _grey(image)
    except PhotoError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PhotoError(_TOO_LARGE) from error
    except UnidentifiedImageError as error:
        raise PhotoError(
            "The file is not a picture in PNG, JPEG, WebP, GIF or BMP, or is damaged. "
            "Save it as PNG or JPEG, also if it is HEIC, SVG or PDF, and upload that."
        ) from error
    except Exception as error:  # of a dozen types, when what a file says of itself is not so
        raise PhotoError(
            "The picture is damaged: it cannot be read to its end. "
            "Save or copy it again, and upload that."
        ) from error


_TOO_LARGE = (
    f"The picture has more than {MAX_PIXELS / 1e6:.0f} million pixels. "
    "Make it smaller, or cut out the digit, and upload that."
)


def _refuse(image: Image.Image, file: bytes) -> None:
    """Raise PhotoError for what is not worth decoding, or not safe to."""
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise PhotoError(_TOO_LARGE)
    if min(width, height) * min(1, SIDE / max(width, height)) < MIN_SIDE:
        raise PhotoError(
            f"The picture is {width} × {height} pixels, too small or too narrow for a digit. "
            f"Upload one of at least {MIN_SIDE} × {MIN_SIDE} pixels, and not a strip."
        )
    # an MPO is a JPEG with a preview or a depth map behind it, as many phones write it
    if image.format != "MPO" and getattr(image, "is_animated", False):
        raise PhotoError("The picture moves. Upload a single picture, such as a screenshot of it.")
    if image.format in ("JPEG", "MPO") and file.count(b"\xff\xda") > MAX_SCANS:
        raise PhotoError("The JPEG is of an unusual kind. Save it as PNG and upload that.")


def _grey(image: Image.Image) -> Grey:
    """Luminance, 0 to 255, upright and at most SIDE long; what is transparent is paper."""
    width, height = image.size
    scale = min(1, SIDE / max(width, height))
    image.draft("L", (round(width * scale), round(height * scale)))  # JPEG: decode no more
    if image.mode.startswith("I;16"):
        image = image.convert("I")
    elif image.mode in ("1", "P") or "transparency" in image.info:  # cannot be reduced as they are
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    image.thumbnail((SIDE, SIDE))
    image = ImageOps.exif_transpose(image)
    if image.mode == "I":
        return np.asarray(image, dtype=np.float32) / 257
    if not image.has_transparency_data:
        return np.asarray(image.convert("L"), dtype=np.float32)
    grey, alpha = np.moveaxis(np.asarray(image.convert("LA"), dtype=np.float32), 2, 0)
    visible = alpha > 127
    if not visible.any():
        return np.zeros_like(grey)
    middle = float(np.median(grey[visible]))
    if visible.mean() < 0.5:  # it is ink that is seen, not paper
        middle = 255.0 if middle < 128 else 0.0
    return middle + (grey - middle) * alpha / 255


def _ink_is_dark(grey: Grey) -> bool:
    """Whether what differs from its surroundings is mostly darker than they are.

    By the skewness of the difference, on several scales: what is rare makes the longer tail. A
    straight edge, of a shadow or of the paper, has two tails alike and no say.
    """
    small = Image.fromarray(grey)
    small.thumbnail((SIDE // 3, SIDE // 3), Image.Resampling.BOX)
    scene = np.asarray(small)
    skewness = 0.0
    for share in SCALES:
        difference = scene - ndimage.gaussian_filter(scene, share * max(scene.shape))
        skewness += np.mean(difference**3) / (np.mean(difference**2) + 1) ** 1.5
    return skewness <= 0


def _evenly_lit(grey: Grey) -> Grey:
    """Divided by the quadratic surface that lies on the paper, found by leaving out what does not.

    What is left to `_closing` are the edges of shadows; a slope at the border would mislead it.
    """
    rows, columns = (np.linspace(-1, 1, n, dtype=np.float32) for n in grey.shape)
    y, x = np.meshgrid(rows, columns, indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)
    step = max(1, max(grey.shape) // 60)
    some, values = terms[::step, ::step].reshape(-1, 6), grey[::step, ::step].ravel()
    paper = np.ones(len(values), dtype=bool)
    for _ in range(3):
        surface = some @ np.linalg.lstsq(some[paper], values[paper])[0]
        paper = np.abs(values - surface) <= 12
        if paper.mean() < EVEN:
            return grey
    light = terms @ np.linalg.lstsq(some[paper], values[paper])[0]
    return grey * (light.max() / np.maximum(light, 0.2 * light.max()))


def _closing(grey: Grey, share: float) -> Grey:
    """Grey-level closing: what is dark and narrower than `share` of the longest side is filled.

    Edges between wide areas, as of a shadow, stay where they are.
    """
    window = max(3, round(share * max(grey.shape)) | 1)
    padded = np.pad(grey, window // 2 + 1, mode="reflect")
    closed = ndimage.minimum_filter(ndimage.maximum_filter(padded, window), window)
    return closed[window // 2 + 1 : -window // 2, window // 2 + 1 : -window // 2]


def _contrast(grey: Grey) -> Grey:
    """How much darker than its paper each pixel is, 0 to 255, the same in light and in shadow."""
    paper = _closing(grey, STROKE)
    contrast = 255 * (paper - grey) / np.maximum(paper, 64)
    return np.maximum(contrast - np.median(contrast), 0)


@dataclass(frozen=True)
class _Parts:
    """What a threshold leaves: labels (H, W), 0 = nothing; of each label from 1 on the rest."""

    labels: npt.NDArray[np.int32]
    mass: npt.NDArray[np.float64]  # contrast, summed
    length: npt.NDArray[np.int64]  # the longer side of its box, in pixels
    edge: npt.NDArray[np.float64]  # pixels at the border, over the root of its area

    def __len__(self) -> int:
        return len(self.mass)


def _ink(contrast: Grey) -> npt.NDArray[np.uint8]:
    """The digit in the contrast: all its parts, without lines, dust or the edge of the paper."""
    fine = contrast - ndimage.uniform_filter(contrast, 7)
    floor = max(FAINTEST, 6 * 1.4826 * float(np.median(np.abs(fine))))
    ink = _digit(contrast, floor)
    ink = _digit(np.where(ink, contrast, 0), floor)  # lines that touch it are fainter than it
    near = ndimage.binary_dilation(ink, iterations=2)
    full = np.median(contrast[ink])
    return np.where(near, np.clip(255 * contrast / full, 0, 255), 0).astype(np.uint8)


def _digit(contrast: Grey, floor: float) -> Mask:
    shortest = SMALLEST_DIGIT * max(contrast.shape)
    left, peeled = contrast, []
    while (left > floor).any():
        parts = _parts(left, floor)
        whole = (parts.edge < HUGGING) & (parts.length >= shortest)
        if whole.any():
            break
        peeled.append(parts)
        left = np.where(ndimage.binary_dilation(parts.labels > 0, iterations=3), 0, left)
    else:
        parts = peeled[0] if peeled else None
        if parts is None or not _fills(parts.labels > 0):
            raise PhotoError("No ink found. ")
        whole = np.ones(len(parts))
    best = int(np.argmax(parts.mass * whole * np.where(parts.edge > 0, 0.3, 1)))
    keep = (parts.mass >= SMALLEST_PART * parts.mass[best]) & (parts.edge == 0)
    keep[best] = True
    box = ndimage.find_objects(parts.labels)[best]
    inside = np.unique(parts.labels[box])
    keep[inside[inside > 0] - 1] = True
    return np.isin(parts.labels, 1 + np.flatnonzero(keep))


def _fills(mask: Mask) -> bool:
    """Whether it reaches from side to side and from top to bottom, nearly."""
    return min(mask.any(axis).mean() for axis in (0, 1)) > 0.9


def _parts(contrast: Grey, floor: float) -> _Parts:
    """What is above a threshold by Otsu, and what is above a lower one and touches that.

    Parts less than GAP apart are one.
    """
    high = _otsu(contrast[contrast > floor])
    mask = ndimage.binary_propagation(contrast > high, mask=contrast > max(0.6 * high, floor))
    reach = 2 * max(1, round(GAP * max(mask.shape) / 2)) + 1
    joined, count = ndimage.label(ndimage.maximum_filter(mask, reach), np.ones((3, 3)))
    labels = np.where(mask, joined, 0)
    index = np.arange(1, count + 1)
    outer = np.pad(labels[2:-2, 2:-2], 2) != labels
    return _Parts(
        labels,
        mass=ndimage.sum_labels(contrast, labels, index),
        length=np.array(
            [max(s.stop - s.start for s in box) for box in ndimage.find_objects(labels)]
        ),
        edge=ndimage.sum_labels(outer, labels, index)
        / 2
        / np.sqrt(ndimage.sum_labels(mask, labels, index)),
    )


def _otsu(values: npt.NDArray[np.float32]) -> float:
    """The threshold that parts the values into two classes with the least variance within them.

    N. Otsu, 1979, "A Threshold Selection Method from Gray-Level Histograms".
    """
    counts, edges = np.histogram(values, 256, (0, 255))
    middles = (edges[1:] + edges[:-1]) / 2
    below = np.cumsum(counts)
    total = np.cumsum(counts * middles)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (total[-1] * below / below[-1] - total) ** 2 / (below * (below[-1] - below))
    return float(edges[1 + np.nan_to_num(between).argmax()])
