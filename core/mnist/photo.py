"""The ink in an uploaded picture: a photograph, a scan, a screenshot or a drawing of a digit.

Files come from anyone, so each is judged by its header before a pixel of it is decoded. Nothing
here knows what a digit looks like, only that it is thin, in one place, and unlike its paper.
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
MAX_PIXELS = 50_000_000  # decoding takes up to 8 bytes for each
MAX_SCANS = 100  # of a progressive JPEG: 10 are usual, and each goes over the whole picture
MIN_SIDE = 16  # pixels
SIDE = 600  # pixels; a picture is made this long before anything is looked for

# shares of the picture's longer side
SURROUNDINGS = (0.016, 0.032, 0.064, 0.128, 0.256)
WIDEST_STROKE = 0.3
SMALLEST_DIGIT = 0.04  # its height or its width
GAP = 0.012  # in a stroke, from noise or a dry pen

# contrast with the paper, of 255
FAINTEST_EDGE = 20.0
FAINTEST_INK = 32.0

# of the digit's largest part
SMALLEST_PART = 0.06
SMALLEST_PART_INSIDE = 0.01  # its box
MOST_PARTS = 8  # a 4 and a 5 have two; a bad pen makes more

Grey = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


class PhotoError(Exception):
    """No digit can be had from the file; the message says why and what to do."""


def read_ink(file: bytes) -> npt.NDArray[np.uint8]:
    """The digit's ink in the picture `file`: uint8 (H, W), 255 = ink, 0 = paper, at most SIDE long.

    Dark ink on light paper or light on dark, in even light or not, upright as its EXIF says. Raises
    PhotoError.
    """
    grey = _read(file)
    grey = ndimage.gaussian_filter(grey, max(grey.shape) / SIDE)
    if not _ink_is_dark(grey):
        grey = 255 - grey
    return _ink(_contrast(_evenly_lit(grey)))


def _read(file: bytes) -> Grey:
    if not file:
        raise PhotoError("The file is empty. Save the picture again and upload that.")
    if len(file) > MAX_BYTES:
        raise PhotoError(
            f"The file is larger than {MAX_BYTES / 1e6:.0f} MB. "
            "Make the picture smaller, or save it as JPEG, and upload that."
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
            "The file is not a picture in PNG, JPEG, WebP, GIF or BMP, or it is damaged. "
            "Save it as PNG or JPEG (a HEIC, an SVG or a PDF too) and upload that."
        ) from error
    except Exception as error:  # Pillow raises a dozen types when a file is not what it says
        raise PhotoError(
            "The picture is damaged: it cannot be read to its end. "
            "Save or copy it again and upload that."
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
            f"Upload one of at least {MIN_SIDE} × {MIN_SIDE} pixels that is not a strip."
        )
    # an MPO is a JPEG with a preview or a depth map behind it, as many phones write it
    if image.format != "MPO" and getattr(image, "is_animated", False):
        raise PhotoError("The picture is animated. Upload a screenshot of the moment you mean.")
    if image.format in ("JPEG", "MPO") and file.count(b"\xff\xda") > MAX_SCANS:
        raise PhotoError("The JPEG is of an unusual kind. Save it as PNG and upload that.")


def _grey(image: Image.Image) -> Grey:
    """Luminance, 0 to 255, upright, at most SIDE long; with nothing behind it, on its opposite."""
    width, height = image.size
    scale = min(1, SIDE / max(width, height))
    image.draft("L", (round(width * scale), round(height * scale)))  # JPEG: decode no more
    if image.mode.startswith("I;16"):
        image = image.convert("I")
    elif image.mode in ("1", "P"):  # whose values do not average
        image = image.convert("RGBA" if image.has_transparency_data else "L")
    image.thumbnail((SIDE, SIDE))
    image = ImageOps.exif_transpose(image)
    if image.mode == "I":
        return np.asarray(image, dtype=np.float32) / np.float32(257)  # of 16 bits
    if not image.has_transparency_data:
        return np.asarray(image.convert("L"), dtype=np.float32)
    both = np.asarray(image.convert("LA"), dtype=np.float32)
    grey, alpha = both[..., 0], both[..., 1] / 255
    shade = float((grey * alpha).sum() / max(1, alpha.sum()))
    behind = 255 if shade < 128 else 0
    return np.asarray(behind + (grey - behind) * alpha, dtype=np.float32)


def _ink_is_dark(grey: Grey) -> bool:
    """Whether what differs from its surroundings is mostly darker than they are.

    By the skewness of the difference, on several scales: what is rare makes the longer tail. A
    straight edge, of a shadow or of the paper, has two tails alike and no say.
    """
    small = Image.fromarray(grey)
    small.thumbnail((SIDE // 3, SIDE // 3), Image.Resampling.BOX)
    scene = np.asarray(small)
    skewness = 0.0
    for share in SURROUNDINGS:
        difference = scene - ndimage.gaussian_filter(scene, share * max(scene.shape))
        skewness += float(np.mean(difference**3) / (np.mean(difference**2) + 1) ** 1.5)
    return skewness <= 0


def _evenly_lit(grey: Grey) -> Grey:
    """Divided by the quadratic surface that nearly all of the picture lies on, if there is one.

    A slope that reaches the border would mislead `_contrast`; edges of shadows do not.
    """
    rows, columns = (np.linspace(-1, 1, n, dtype=np.float32) for n in grey.shape)
    y, x = np.meshgrid(rows, columns, indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)
    step = max(1, max(grey.shape) // 60)
    some, values = terms[::step, ::step].reshape(-1, 6), grey[::step, ::step].ravel()
    paper = np.ones(len(values), dtype=bool)
    for _ in range(3):
        surface = np.linalg.lstsq(some[paper], values[paper])[0]
        paper = np.abs(values - some @ surface) < 12
        if paper.mean() < 0.85:
            return grey
    light = terms @ surface
    return np.asarray(grey * light.max() / np.maximum(light, max(1, 0.2 * light.max())))


def _contrast(grey: Grey) -> Grey:
    """How much darker than its paper each pixel is, 0 to 255, as much in a shadow as in the light.

    The paper is the grey-level closing: whatever is dark and narrower than WIDEST_STROKE is filled,
    and edges between wide areas stay where they are.
    """
    window = max(3, round(WIDEST_STROKE * max(grey.shape)) | 1)
    margin = window // 2 + 1
    padded = np.pad(grey, margin, mode="reflect")
    closed = ndimage.minimum_filter(ndimage.maximum_filter(padded, window), window)
    paper = closed[margin:-margin, margin:-margin]
    contrast = 255 * (paper - grey) / np.maximum(paper, 64)
    return np.asarray(np.clip(contrast - np.median(contrast), 0, 255))


def _ink(contrast: Grey) -> npt.NDArray[np.uint8]:
    """The digit in the contrast: all its parts, without lines, dust or the edge of the paper."""
    ink = _digit(contrast)
    ink = _digit(np.where(ink, contrast, 0))  # ruled lines that touch it are fainter
    full = np.percentile(contrast[ink], 75)
    if full < FAINTEST_INK:
        raise PhotoError(_NO_INK)
    soft = ndimage.binary_dilation(ink, iterations=2)
    return np.where(soft, np.clip(255 * contrast / full, 0, 255), 0).astype(np.uint8)


_NO_INK = (
    "No ink found: no digit stands out from its paper. Write it with a dark pen on plain light "
    "paper, photograph it from near with room on all sides, and upload that."
)


@dataclass(frozen=True)
class _Parts:
    """Pieces of a picture. labels: (H, W), 0 = none; the rest: of each label, from 1 on."""

    labels: npt.NDArray[np.int32]
    mass: npt.NDArray[np.float64]  # contrast, summed
    length: npt.NDArray[np.float64]  # the longer side of its box, as a share of the picture's
    edge: npt.NDArray[np.float64]  # how far it runs along the border, over the root of its area

    def mask(self, which: Mask) -> Mask:
        """(H, W): where the pieces are, of which each is taken or left."""
        return np.append(False, which)[self.labels]


def _digit(contrast: Grey) -> Mask:
    """The parts of the digit. Raises PhotoError if there is none, or more than a digit.

    What runs along the border (a table beside the paper, a finger) is peeled off until something
    stands out that does not; with nothing else there, it is a digit cut out without a margin.
    """
    outside = np.pad(np.zeros_like(contrast, dtype=bool), 1, constant_values=True)
    left, peeled = contrast, []
    for _ in range(8):
        if not (left > FAINTEST_EDGE).any():
            break
        parts = _parts(left, outside)
        along = parts.edge > 0.8
        smallest = np.where(parts.edge > 0, 5, 1) * SMALLEST_DIGIT
        whole = ~along & (parts.length > smallest)
        if whole.any():
            return _largest(parts, whole)
        peeled.append(parts)
        outside[1:-1, 1:-1] |= _grown(parts.mask(along), 7)
        left = np.where(_grown(parts.labels > 0, 7), 0, left)
    if not peeled or not _cut_out(peeled[0].labels > 0):
        raise PhotoError(_NO_INK)
    return _largest(peeled[0], np.ones_like(peeled[0].mass, dtype=bool))


def _largest(parts: _Parts, eligible: Mask) -> Mask:
    """The largest eligible piece with all that belongs to it: what is in its box, or not small."""
    best = int(np.argmax(parts.mass * eligible * np.where(parts.edge > 0, 0.3, 1)))
    share = parts.mass / parts.mass[best]
    kept = (share >= SMALLEST_PART) & ((parts.edge == 0) | (parts.edge[best] > 0))
    box = ndimage.find_objects(parts.labels)[best]
    inside = np.isin(np.arange(1, len(share) + 1), parts.labels[box])
    kept |= inside & (share >= SMALLEST_PART_INSIDE)
    if kept.sum() > MOST_PARTS:
        raise PhotoError(
            "There is more than one digit to see. "
            "Cut out the digit, or photograph it on plain paper, and upload that."
        )
    return parts.mask(kept)


def _parts(contrast: Grey, outside: Mask) -> _Parts:
    """What is above a threshold, and above a lower one and joined to that; GAPs are bridged.

    outside: (H + 2, W + 2), what to take for the border of the picture.
    """
    high = max(_otsu(contrast[contrast > FAINTEST_EDGE]), FAINTEST_EDGE)
    low = max(0.7 * high, FAINTEST_EDGE)
    mask = ndimage.binary_propagation(contrast > high, mask=contrast > low)
    bridged = _grown(mask, 2 * max(1, round(GAP * max(mask.shape) / 2)) + 1)
    joined, count = ndimage.label(bridged, np.ones((3, 3)))
    labels = np.where(mask, joined, 0)
    index = np.arange(1, count + 1)
    area = ndimage.sum_labels(mask, labels, index)
    border = ndimage.sum_labels(_grown(outside, 5)[1:-1, 1:-1], labels, index) / 2
    boxes = ndimage.find_objects(labels)
    lengths = [max(rows.stop - rows.start, cols.stop - cols.start) for rows, cols in boxes]
    return _Parts(
        labels,
        mass=ndimage.sum_labels(contrast, labels, index),
        length=np.array(lengths) / max(mask.shape),
        edge=border / np.sqrt(area),
    )


def _grown(mask: Mask, window: int) -> Mask:
    """The mask and all within half a window of it."""
    return np.asarray(ndimage.maximum_filter(mask, window), dtype=bool)


def _cut_out(mask: Mask) -> bool:
    """Whether it reaches all four sides, nearly, and most of the border is free, as no table's."""
    border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    reach = min(mask.any(axis=0).mean(), mask.any(axis=1).mean())
    return bool(reach > 0.9 and border.mean() < 0.4)


def _otsu(values: npt.NDArray[np.float32]) -> float:
    """The threshold that parts the values, 0 to 255, with the least variance on either side.

    N. Otsu, 1979, "A Threshold Selection Method from Gray-Level Histograms".
    """
    counts, edges = np.histogram(values, 256, (0, 255))
    below = counts.cumsum()
    total = (counts * (edges[1:] + edges[:-1]) / 2).cumsum()
    above = below[-1] - below
    between = (total[-1] * below / below[-1] - total) ** 2 / np.maximum(below * above, 1)
    return float(edges[1 + between.argmax()])
