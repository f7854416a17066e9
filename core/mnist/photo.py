"""The ink in an uploaded picture: a photograph, a scan, a screenshot or a drawing of a digit.

Files come from anyone, so each is judged by its header before a pixel of it is decoded. Nothing
here knows what a digit looks like, only that it is thin, in one place, and unlike its paper.
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, TiffImagePlugin, UnidentifiedImageError
from pillow_heif import HeifImagePlugin  # noqa: F401 - Pillow reads HEIF once it is imported
from scipy import ndimage

FORMATS = {  # with the suffixes of their files
    "PNG": ("png",),
    "JPEG": ("jpg", "jpeg"),
    "WebP": ("webp",),
    "GIF": ("gif",),
    "BMP": ("bmp",),
    "TIFF": ("tif", "tiff"),
    "HEIC": ("heic", "heif"),
    "AVIF": ("avif",),
    "PDF": ("pdf",),
}
FOR_PILLOW = ["HEIF" if name == "HEIC" else name for name in FORMATS if name != "PDF"]
SUFFIXES = tuple(suffix for suffixes in FORMATS.values() for suffix in suffixes)
MOVING = (b"ftypmsf1", b"ftyphevc", b"ftyphevx", b"ftyphevm", b"ftyphevs")  # HEIF sequences
PAGED = ("MPO", "TIFF", "HEIF")  # several pictures in one are no animation; its first counts
TILE_WIDTH, TILE_LENGTH = 322, 323  # tags of a TIFF
MAX_BYTES = 20_000_000
MAX_PIXELS = 50_000_000  # decoding takes up to 8 bytes for each
PDF_SECONDS, PDF_MEMORY = 20, 2**30  # seconds and bytes to draw a page in
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

CLEAREST_NOISE = 1.25  # the contrast of what is ink by its colour, over that of the rest

ALONG = 0.8  # the border: as far as this, over the root of its area, is no digit's stroke

# of the digit's largest part
SMALLEST_PART = 0.06
SMALLEST_PART_INSIDE = 0.01  # its box
THICKEST = 0.3  # its stroke, of its longer side
LEAST_INWARDS = 0.3  # how far it reaches from a side of the picture that cuts it, of the same
MOST_PARTS = 8  # a 4 and a 5 have two; a bad pen makes more

Grey = npt.NDArray[np.float32]
Colours = npt.NDArray[np.float32]  # (H, W, 3), red, green, blue, 0 to 255
Mask = npt.NDArray[np.bool_]
Ink = npt.NDArray[np.uint8]


class PhotoError(Exception):
    """No digit can be had from the file; the message says why and what to do."""


def read_ink(file: bytes) -> Ink:
    """The digit's ink in the picture `file`: uint8 (H, W), 255 = ink, 0 = paper, at most SIDE long.

    Dark ink on light paper, light on dark, or of another colour, in even light or not, upright as
    its EXIF says; of several pages the first. Raises PhotoError.
    """
    colours = _read(file)
    blur = max(colours.shape) / SIDE
    return _clearest(ndimage.gaussian_filter(colours, (blur, blur, 0)))


def _read(file: bytes) -> Colours:
    if not file:
        raise PhotoError("The file is empty. Save the picture again and upload that.")
    if len(file) > MAX_BYTES:
        raise PhotoError(
            f"The file is larger than {MAX_BYTES / 1e6:.0f} MB. "
            "Make the picture smaller, or save it as JPEG, and upload that."
        )
    if file[4:12] in MOVING:
        raise PhotoError(_ANIMATED)
    try:
        with _opened(file) as image:
            _refuse(image, file)
            return _colours(image)
    except PhotoError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PhotoError(_TOO_LARGE) from error
    except UnidentifiedImageError as error:
        *most, last = FORMATS
        raise PhotoError(
            f"The file is not a picture in {', '.join(most)} or {last}, or it is damaged. "
            "Open it (an SVG, a document, a video) where it can be seen, "
            "take a screenshot and upload that."
        ) from error
    except Exception as error:  # Pillow raises a dozen types when a file is not what it says
        raise PhotoError(
            "The picture is damaged: it cannot be read to its end. "
            "Save or copy it again and upload that."
        ) from error


def _opened(file: bytes) -> Image.Image:
    if b"%PDF-" in file[:1024]:
        return _first_page(file)
    return Image.open(io.BytesIO(file), formats=FOR_PILLOW)


_TOO_LARGE = (
    f"The picture has more than {MAX_PIXELS / 1e6:.0f} million pixels. "
    "Make it smaller, or cut out the digit, and upload that."
)
_ANIMATED = "The picture is animated. Upload a screenshot of the moment you mean."
_PDF_COMPLAINTS = {  # by the exit status of `_draw`
    3: _TOO_LARGE,
    4: "The PDF has no page. Upload one with a digit on its first.",
    5: "The PDF is locked with a password. "
    "Save it without one, or take a screenshot of the page, and upload that.",
}


def _first_page(file: bytes) -> Image.Image:
    """The first page of a PDF, on white, twice SIDE long whatever its size; no script is run.

    It is drawn in a process of its own: pdfium is not thread-safe, and there are pages that never
    end.
    """
    command = [sys.executable, "-P", __file__]
    calm = os.environ | {"OPENBLAS_NUM_THREADS": "1"}  # each would count to PDF_MEMORY
    try:
        drawn = subprocess.run(  # noqa: S603 - nothing of the file is in the command
            command, input=file, capture_output=True, check=True, timeout=PDF_SECONDS, env=calm
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        damaged = (
            "The PDF is damaged, or there is too much on its first page. "
            "Save it again, or take a screenshot of the page, and upload that."
        )
        status = getattr(error, "returncode", 1)
        raise PhotoError(_PDF_COMPLAINTS.get(status, damaged)) from error
    return Image.open(io.BytesIO(drawn.stdout), formats=["PPM"])


def _draw() -> int:
    """A PDF on standard input: its first page on standard output, as PPM. Returns a status."""
    import pypdfium2 as pdfium

    with contextlib.suppress(ImportError, ValueError):  # Windows has none; or less is allowed
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (PDF_MEMORY, PDF_MEMORY))
    try:
        document = pdfium.PdfDocument(sys.stdin.buffer.read())
    except pdfium.PdfiumError as error:
        locked = pdfium.raw.FPDF_ERR_PASSWORD, pdfium.raw.FPDF_ERR_SECURITY
        return 5 if error.err_code in locked else 1
    if not len(document):
        return 4
    page = document[0]
    pictures = page.get_objects(filter=[pdfium.raw.FPDF_PAGEOBJ_IMAGE])
    sizes = (picture.get_px_size() for picture in pictures)
    if any(width * height > MAX_PIXELS for width, height in sizes):
        return 3
    drawn = page.render(scale=2 * SIDE / max(page.get_size()), may_draw_forms=False)
    drawn.to_pil().convert("RGB").save(sys.stdout.buffer, "PPM")
    return 0


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
    if image.format not in PAGED and getattr(image, "is_animated", False):
        raise PhotoError(_ANIMATED)
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        tile = [image.tag_v2.get(tag, 0) for tag in (TILE_WIDTH, TILE_LENGTH)]
        if tile[0] * tile[1] > MAX_PIXELS:
            raise PhotoError(_TOO_LARGE)
    if image.format in ("JPEG", "MPO") and file.count(b"\xff\xda") > MAX_SCANS:
        raise PhotoError("The JPEG is of an unusual kind. Save it as PNG and upload that.")


def _colours(image: Image.Image) -> Colours:
    """Upright, at most SIDE long; what has nothing behind it is put on its opposite."""
    width, height = image.size
    scale = min(1, SIDE / max(width, height))
    image.draft("RGB", (round(width * scale), round(height * scale)))  # JPEG: decode no more
    white = 65535 if image.mode.startswith("I;16") else None
    if white:
        image = image.convert("I")
    elif image.mode in ("1", "P"):  # whose values do not average
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    image.thumbnail((SIDE, SIDE))
    image = ImageOps.exif_transpose(image)
    if image.mode in ("I", "F"):
        shades = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0, neginf=0)
        black, white = (0, white) if white else (shades.min(), shades.max())
        shades = np.clip((shades - black) * (255 / max(white - black, 1e-9)), 0, 255)
        return np.repeat(shades[..., None], 3, axis=2).astype(np.float32)
    if not image.has_transparency_data:
        return np.asarray(image.convert("RGB"), dtype=np.float32)
    both = np.asarray(image.convert("RGBA"), dtype=np.float32)
    colours, alpha = both[..., :3], both[..., 3:] / 255
    shade = float((_lightness(colours) * alpha[..., 0]).sum() / max(1, alpha.sum()))
    behind = 255 if shade < 128 else 0
    return np.asarray(behind + (colours - behind) * alpha, dtype=np.float32)


def _lightness(colours: Colours) -> Grey:
    """Luminance, 0 to 255 (ITU-R BT.601)."""
    return np.asarray(colours @ np.array([0.299, 0.587, 0.114], dtype=np.float32))


def _likeness(colours: Colours) -> Grey:
    """How like the paper's each colour is, however light or dark: 255 = the same, 0 to 255.

    The paper's is the median. A pixel is that, dimmed by the light and, where there is ink, more in
    one primary than in another: the least share that is left, over the largest. No shadow counts.
    """
    paper = np.median(colours, axis=(0, 1))
    left = colours * (255 / np.maximum(paper, 16)) + 8  # or noise in the dark had a colour
    return np.asarray(255 * left.min(axis=2) / left.max(axis=2), dtype=np.float32)


def _clearest(colours: Colours) -> Ink:
    """The digit, by its lightness or by its colour, as it stands out more. Raises PhotoError."""
    ink, clarity, complaint = None, 0.0, PhotoError(_NO_INK)
    try:
        ink, clarity = _ink(_lightness(colours))
    except PhotoError as error:
        complaint = error
    likeness = _likeness(colours)
    if likeness.min() < 255 - FAINTEST_INK:
        with contextlib.suppress(PhotoError):
            coloured, clearer = _ink(likeness)
            if clearer > max(clarity, CLEAREST_NOISE):
                return coloured
    if ink is None:
        raise complaint
    return ink


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


def _ink(grey: Grey) -> tuple[Ink, float]:
    """The digit in the picture: all its parts, without lines, dust or the edge of the paper.

    With it, how clear it is: its contrast over that of all but the strongest hundredth of the rest.
    """
    contrast = _contrast(_evenly_lit(grey if _ink_is_dark(grey) else 255 - grey))
    ink = _digit(contrast)
    ink = _digit(np.where(ink, contrast, 0))  # ruled lines that touch it are fainter
    full = np.percentile(contrast[ink], 75)
    if full < FAINTEST_INK:
        raise PhotoError(_NO_INK)
    rest = contrast[~_grown(ink, 11)]
    clarity = full / (10 + (np.percentile(rest, 99) if rest.size else 0))
    soft = ndimage.binary_dilation(ink, iterations=2)
    shades = np.where(soft, np.clip(255 * contrast / full, 0, 255), 0)
    return shades.astype(np.uint8), float(clarity)


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
    cut: Mask  # whether it is thin and touches one side of the picture, as a digit cut there
    foreign: Mask  # whether it runs along the border as a table, a finger or a shadow does

    def mask(self, which: Mask) -> Mask:
        """(H, W): where the pieces are, of which each is taken or left."""
        return np.append(False, which)[self.labels]


def _digit(contrast: Grey) -> Mask:
    """The parts of the digit. Raises PhotoError if there is none, or more than a digit.

    What is foreign (a table beside the paper, a finger) is peeled off until something stands out
    that is not; with nothing else there, it is a digit cut out without a margin, or cut at a side.
    """
    outside = np.pad(np.zeros_like(contrast, dtype=bool), 1, constant_values=True)
    left, peeled = contrast, []
    for _ in range(8):
        if not (left > FAINTEST_EDGE).any():
            break
        parts = _parts(left, outside)
        smallest = np.where(parts.edge > 0, 5, 1) * SMALLEST_DIGIT
        whole = ~parts.foreign & (parts.length > smallest)
        if whole.any():
            return _largest(parts, whole)
        peeled.append(parts)
        outside[1:-1, 1:-1] |= _grown(parts.mask(parts.foreign), 7)
        left = np.where(_grown(parts.labels > 0, 7), 0, left)
    if peeled and _cut_out(peeled[0].labels > 0):
        return _largest(peeled[0], np.ones_like(peeled[0].cut))
    if peeled and (bars := peeled[0].cut & (peeled[0].length > 5 * SMALLEST_DIGIT)).any():
        return _largest(peeled[0], bars)  # a 1 along a side
    raise PhotoError(_NO_INK)


def _largest(parts: _Parts, eligible: Mask) -> Mask:
    """The largest eligible piece with all that belongs to it: what is in its box, or not small."""
    best = int(np.argmax(parts.mass * eligible * np.where(parts.edge > 0, 0.3, 1)))
    share = parts.mass / parts.mass[best]
    box = ndimage.find_objects(parts.labels)[best]
    inside, beside = (
        np.isin(np.arange(1, len(share) + 1), parts.labels[within]) for within in (box, _wider(box))
    )
    cut_too = (parts.edge[best] > 0) & (eligible | ~parts.foreign | beside)
    cut_too |= parts.cut & beside  # the hat of a 5
    kept = (share >= SMALLEST_PART) & ((parts.edge == 0) | cut_too)
    kept |= inside & (share >= SMALLEST_PART_INSIDE)
    if kept.sum() > MOST_PARTS:
        raise PhotoError(
            "There is more than one digit to see. "
            "Cut out the digit, or photograph it on plain paper, and upload that."
        )
    return parts.mask(kept)


def _wider(box: tuple[slice, ...]) -> tuple[slice, ...]:
    """The box and a fifth of its longer side around it."""
    more = max(side.stop - side.start for side in box) // 5
    return tuple(slice(max(0, side.start - more), side.stop + more) for side in box)


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
    rim = ndimage.sum_labels(mask & ~ndimage.minimum_filter(mask, 3), labels, index)
    boxes = ndimage.find_objects(labels)
    box = np.array([[(side.start, side.stop) for side in both] for both in boxes]).reshape(-1, 2, 2)
    extent = box[..., 1] - box[..., 0]  # of each piece, down and across
    length = extent.max(axis=1, initial=0)
    at_start, at_end = box[..., 0] <= 2, box[..., 1] >= np.array(mask.shape) - 2
    one_side = (at_start.sum(axis=1) + at_end.sum(axis=1)) == 1
    inwards = (extent * (at_start | at_end)).sum(axis=1)
    cut = one_side & (2 * area < THICKEST * length * rim)
    edge = border / np.sqrt(area)
    return _Parts(
        labels,
        mass=ndimage.sum_labels(contrast, labels, index),
        length=length / max(mask.shape),
        edge=edge,
        cut=cut,
        foreign=(edge > ALONG) & ~(cut & (inwards > LEAST_INWARDS * length)),
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


if __name__ == "__main__":  # `_first_page` runs it
    sys.exit(_draw())
