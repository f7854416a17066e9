"""Files as people have them, made with known ink: what is found is compared with what was drawn."""

import contextlib
import io
import re
import struct
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFile, features
from scipy import ndimage

from core.mnist import photo
from core.mnist.photo import PhotoError, read_ink

DIGITS = {  # strokes, across and down, 0 to 1
    0: [[(0.5 + 0.4 * np.sin(t), 0.5 - 0.5 * np.cos(t)) for t in np.linspace(0, 2 * np.pi, 60)]],
    1: [[(0.35, 0.15), (0.55, 0.0), (0.5, 1.0)]],
    4: [[(0.3, 0.0), (0.1, 0.6), (0.95, 0.6)], [(0.75, 0.2), (0.65, 1.0)]],
    5: [
        [(0.25, 0.1), (0.2, 0.45), (0.6, 0.42), (0.8, 0.7), (0.5, 1.0), (0.15, 0.9)],
        [(0.4, 0.0), (0.9, 0.0)],  # its hat, apart
    ],
    7: [[(0.1, 0.0), (0.9, 0.0), (0.4, 1.0)]],
}


def drawn(digit=5, size=(450, 600), height=0.5, pen=0.03, at=(0.5, 0.5)):
    """Ink, float (H, W) of 0 to 1. height, pen: shares of the longer side; at: the middle."""
    width, tall = (4 * n for n in size)
    large = Image.new("L", (width, tall))
    draw = ImageDraw.Draw(large)
    length, thick = height * max(width, tall), pen * max(width, tall)
    for stroke in DIGITS[digit]:
        points = [
            (at[0] * width + (x - 0.5) * 0.75 * length, at[1] * tall + (y - 0.5) * length)
            for x, y in stroke
        ]
        draw.line(points, fill=255, width=round(thick))
        for x, y in points:
            draw.circle((x, y), thick / 2, fill=255)
    return np.asarray(large.resize(size, Image.Resampling.BOX)) / 255


def on_paper(ink, paper=215.0, pen=45.0, light=1.0, noise=4.0, blur=0.7):
    """A picture, uint8 (H, W), of the ink in some light, with a camera's blur and noise."""
    seen = ndimage.gaussian_filter((paper + (pen - paper) * ink) * light, blur)
    seen = seen + np.random.default_rng(0).normal(size=ink.shape) * noise
    return np.clip(seen, 0, 255).astype(np.uint8)


def places(shape):
    """Down and across, each 0 to 1 (H, W)."""
    return np.mgrid[0 : 1 : shape[0] * 1j, 0 : 1 : shape[1] * 1j]


def encoded(image, form="PNG", **options):
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def overlap(found, ink):
    """Intersection over union of the ink found and the ink drawn."""
    size = found.shape[::-1]
    known = np.asarray(Image.fromarray((255 * ink).astype(np.uint8)).resize(size)) > 127
    return ((found > 127) & known).sum() / ((found > 127) | known).sum()


def box(ink, least):
    """Top, bottom, left, right, as shares of the picture."""
    return np.array(
        [
            edge / n
            for axis, n in enumerate(ink.shape)
            for edge in np.flatnonzero((ink > least).any(axis=1 - axis))[[0, -1]]
        ]
    )


def assert_same(found, ink, least=0.85, apart=0.012):
    """Judged by the box as well: a speck in a corner is nothing to the overlap."""
    assert found.dtype == np.uint8
    assert overlap(found, ink) > least
    off = np.abs(box(found, 63) - box(ink, 0.5)).max()
    assert off <= max(apart, 1.1 / min(found.shape))


@pytest.mark.parametrize(("paper", "pen"), [(230, 30), (20, 230), (255, 0), (0, 255)])
@pytest.mark.parametrize("size", [(28, 28), (64, 48), (300, 400), (1300, 900)])
@pytest.mark.parametrize("digit", DIGITS)
def test_dark_ink_and_light_ink_of_every_size(digit, size, paper, pen):
    ink = drawn(digit, size, height=0.6, pen=0.08)
    found = read_ink(encoded(on_paper(ink, paper, pen, noise=0, blur=0)))
    assert_same(found, ink)


def test_a_photograph_of_12_megapixels():
    ink = np.kron(drawn(5, (750, 1000)), np.ones((4, 4)))
    file = encoded(on_paper(ink, light=0.5 + 0.5 * places(ink.shape)[1]), "JPEG")
    assert_same(read_ink(file), ink)


@pytest.mark.parametrize("size", [(28, 28), (600, 450), (2000, 1500), (900, 1300), (80, 600)])
def test_a_large_picture_is_made_smaller_and_a_small_one_left(size):
    found = read_ink(encoded(on_paper(drawn(1, size, height=0.9 * min(size) / max(size)))))
    scale = min(1, photo.SIDE / max(size))
    assert found.shape == pytest.approx((size[1] * scale, size[0] * scale), abs=1)


DOWN, ACROSS = places((600, 450))
LIGHT = {
    "even": np.ones((600, 450)),
    "gradient": 0.4 + 0.6 * ACROSS,
    "lamp": 1.1 - 1.2 * ((DOWN - 0.3) ** 2 + (ACROSS - 0.6) ** 2),
    "shadow": np.where(DOWN + 0.6 * ACROSS > 0.8, 0.5, 1.0),
    "soft shadow": 0.5 + 0.5 / (1 + np.exp((ACROSS + 0.3 * DOWN - 0.7) / 0.03)),
    "shadow of a hand": np.where(np.hypot(DOWN - 1, ACROSS - 1) < 0.6, 0.55, 1.0),
}


@pytest.mark.parametrize("pen", [0.012, 0.03, 0.08])
@pytest.mark.parametrize("digit", [0, 4, 5])
@pytest.mark.parametrize("light", LIGHT)
def test_light_and_shadow_are_not_ink(light, digit, pen):
    ink = drawn(digit, pen=pen)
    file = encoded(on_paper(ink, light=LIGHT[light]), "JPEG", quality=70)
    assert_same(read_ink(file), ink, least=0.7 if pen < 0.02 else 0.85)


def test_chalk_on_an_unevenly_lit_board():
    ink = drawn(4)
    file = encoded(on_paper(ink, paper=60, pen=200, light=LIGHT["gradient"]), "JPEG")
    assert_same(read_ink(file), ink)


def test_noise_and_coarse_jpeg():
    ink = drawn(5, pen=0.02)
    file = encoded(on_paper(ink, noise=18, light=LIGHT["gradient"]), "JPEG", quality=30)
    assert_same(read_ink(file), ink, least=0.75)


def test_textured_paper():
    ink = drawn(4, pen=0.02)
    grain = ndimage.gaussian_filter(np.random.default_rng(1).normal(size=ink.shape), 2) * 60
    assert grain.std() > 7
    assert_same(read_ink(encoded(on_paper(ink, paper=210 + grain))), ink, least=0.75)


def test_a_pencil_on_unevenly_lit_paper():
    ink = drawn(5, pen=0.01)
    file = encoded(on_paper(ink, pen=140, light=LIGHT["lamp"]), "JPEG", quality=80)
    assert_same(read_ink(file), ink, least=0.6)


BLANK = np.zeros((600, 450))
LINES = (DOWN * 600 + 4 * ACROSS) % 30 < 2
RULED = {"lines": LINES, "squares": LINES | (ACROSS * 450 % 30 < 2)}


@pytest.mark.parametrize("light", ["even", "soft shadow"])
@pytest.mark.parametrize("strength", [35.0, 100.0])
@pytest.mark.parametrize("ruled", RULED)
def test_ruled_paper(ruled, strength, light):
    """The ink is 170 darker than the paper."""
    ink = drawn(4, pen=0.015)
    paper = 215 - strength * RULED[ruled]
    file = encoded(on_paper(ink, paper=paper, light=LIGHT[light], noise=12), "JPEG")
    assert_same(read_ink(file), ink, least=0.8)


@pytest.mark.parametrize("digit", [0, 5])
def test_dust_is_left_out(digit):
    """All but what lies so near that it might be a piece of the stroke."""
    ink = drawn(digit)
    random = np.random.default_rng(2)
    dust = np.zeros_like(ink)
    dust[random.integers(0, 600, 80), random.integers(0, 450, 80)] = 1
    dust = ndimage.maximum_filter(dust, 5) * (ndimage.maximum_filter(ink, 41) == 0)
    assert ndimage.label(dust)[1] > 40
    found = read_ink(encoded(on_paper(np.maximum(ink, dust))))
    assert_same(found, ink)
    assert not found[dust > 0].any()


@pytest.mark.parametrize("pen", [45, 120])
@pytest.mark.parametrize(
    "table",
    [
        ACROSS < 0.1 + 0.05 * DOWN,
        (ACROSS < 0.06) | (DOWN > 0.93 + 0.03 * ACROSS),
        (ACROSS < 0.2) | (DOWN < 0.25 - 0.05 * ACROSS),
        (np.abs(ACROSS - 0.5 + 0.04 * DOWN) > 0.38) | (np.abs(DOWN - 0.5) > 0.4),
    ],
    ids=["a strip", "two thin strips", "two wide strips", "all around"],
)
def test_the_table_beside_the_paper_is_left_out(table, pen):
    """With a pencil too, though the edge of the paper is much stronger than that."""
    ink = drawn(4, height=0.35, pen=0.02)
    picture = on_paper(np.where(table, 0, ink), paper=np.where(table, 50, 215), pen=pen)
    assert_same(read_ink(encoded(picture, "JPEG")), ink, least=0.75)


def test_a_finger_at_the_edge_is_left_out():
    ink = drawn(4, height=0.4)
    finger = (np.abs(ACROSS - 0.9) < 0.09) & (DOWN > 0.88)
    picture = on_paper(ink, paper=np.where(finger, 90, 215))
    assert_same(read_ink(encoded(picture)), ink)


def test_a_pen_that_lies_at_the_edge_is_left_out():
    ink = drawn(4, height=0.4)
    pen = (np.abs(DOWN - 0.9 - 0.05 * ACROSS) < 0.03) & (ACROSS > 0.2)
    assert pen.sum() > ink.sum()
    assert_same(read_ink(encoded(on_paper(ink, paper=np.where(pen, 60, 215)))), ink)


def test_a_dashed_stroke_is_kept_whole():
    angle = np.arctan2(DOWN - 0.5, ACROSS - 0.5)
    dashes = drawn(0, pen=0.02) * (np.sin(30 * angle) > -0.7)
    assert ndimage.label(dashes > 0.5)[1] == 30
    assert_same(read_ink(encoded(on_paper(dashes))), dashes, least=0.7)


def test_a_stroke_that_is_broken_is_kept_whole():
    ink = drawn(0, pen=0.02)
    torn = ndimage.gaussian_filter(np.random.default_rng(3).normal(size=ink.shape), 4)
    torn = np.where(torn > np.quantile(torn, 0.85), 0, ink)
    assert ndimage.label(torn > 0.5)[1] > 4
    assert_same(read_ink(encoded(on_paper(torn))), torn, least=0.7)


def test_a_stroke_of_uneven_pressure_is_kept_whole():
    ink = drawn(0)
    file = encoded(on_paper(ink * (0.4 + 0.6 * DOWN), light=LIGHT["gradient"]))
    assert_same(read_ink(file), ink, least=0.8)


@pytest.mark.parametrize("digit", [4, 5, 7])
@pytest.mark.parametrize(("paper", "pen"), [(255, 0), (0, 255)])
def test_a_digit_cut_out_without_a_margin(digit, paper, pen):
    ink = drawn(digit, pen=0.04)
    rows, columns = (np.flatnonzero((ink > 0.5).any(axis=1 - axis)) for axis in (0, 1))
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    assert_same(read_ink(encoded(on_paper(ink, paper, pen, noise=0, blur=0))), ink)


def at_side(digit, side, size=(450, 600), height=0.6, pen=0.03):
    """A digit that one side of the picture touches along its outermost stroke."""
    ink = drawn(digit, size, height, pen)
    rows, columns = (np.flatnonzero((ink > 0.5).any(axis=1 - axis)) for axis in (0, 1))
    by = {"top": -rows[0], "bottom": len(ink) - 1 - rows[-1], "left": -columns[0]}
    by["right"] = ink.shape[1] - 1 - columns[-1]
    return np.roll(ink, by[side], axis=0 if side in ("top", "bottom") else 1)


@pytest.mark.parametrize("side", ["top", "bottom", "left", "right"])
@pytest.mark.parametrize("digit", DIGITS)
@pytest.mark.parametrize(("paper", "pen"), [(225, 45), (45, 215)])
def test_a_digit_that_touches_one_side(digit, side, paper, pen):
    ink = at_side(digit, side)
    file = encoded(on_paper(ink, paper, pen, light=LIGHT["gradient"], noise=6), "JPEG")
    assert_same(read_ink(file), ink, least=0.8)


@pytest.mark.parametrize("side", ["top", "bottom", "left", "right"])
def test_a_1_along_a_side(side):
    ink = np.zeros((600, 450))
    ink[100:500, :20] = 1
    if side in ("top", "bottom"):
        ink = np.zeros((600, 450))
        ink[:20, 70:380] = 1
    ink = ink[::-1] if side == "bottom" else ink[:, ::-1] if side == "right" else ink
    assert_same(read_ink(encoded(on_paper(ink))), ink)


COLOURS = {  # paper and pen
    "yellow marker": ((235, 235, 232), (245, 232, 80)),
    "pale yellow": ((240, 240, 238), (248, 242, 160)),
    "orange": ((230, 230, 228), (250, 170, 60)),
    "pink": ((235, 232, 232), (250, 160, 200)),
    "light cyan": ((235, 235, 235), (150, 230, 240)),
    "light green": ((235, 235, 235), (170, 240, 150)),
    "red on green, as light": ((110, 160, 80), (215, 105, 80)),
    "yellow on light blue": ((185, 215, 245), (245, 235, 110)),
    "white on pink": ((250, 170, 200), (248, 248, 248)),
    "blue on red": ((200, 60, 50), (60, 80, 190)),
    "black on brown": ((190, 150, 105), (50, 45, 40)),
    "yellow chalk": ((50, 85, 65), (225, 215, 120)),
    "blue on black": ((35, 35, 38), (50, 70, 200)),
}


def coloured(ink, paper, pen, light=1.0, ruled=None):
    """A photograph, uint8 (H, W, 3). ruled: where the paper has lines of light blue."""
    sheet = np.broadcast_to(np.float64(paper), (*ink.shape, 3))
    if ruled is not None:
        sheet = np.where(ruled[..., None], (150, 180, 225), sheet)
    covered, light = ink[..., None], np.broadcast_to(light, ink.shape)[..., None]
    seen = (sheet + (np.float64(pen) - sheet) * covered) * light
    seen = ndimage.gaussian_filter(seen, (0.7, 0.7, 0))
    noise = np.random.default_rng(0).normal(size=seen.shape) * 5
    return np.clip(seen + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("light", ["gradient", "soft shadow"])
@pytest.mark.parametrize("digit", [0, 4, 5])
@pytest.mark.parametrize("colour", COLOURS)
def test_ink_of_another_colour(colour, digit, light):
    ink = drawn(digit)
    file = encoded(coloured(ink, *COLOURS[colour], LIGHT[light]), "JPEG", quality=80)
    assert_same(read_ink(file), ink, least=0.75)


@pytest.mark.parametrize("ruled", RULED)
@pytest.mark.parametrize("pen", [(40, 60, 150), (45, 45, 45), (250, 170, 60), (245, 232, 80)])
def test_ink_of_a_colour_on_light_blue_lines(pen, ruled):
    ink = drawn(4, pen=0.02)
    file = encoded(coloured(ink, (235, 235, 232), pen, ruled=RULED[ruled]), "JPEG", quality=80)
    assert_same(read_ink(file), ink, least=0.7)


@pytest.mark.parametrize("colour", [(255, 244, 225), (205, 225, 255)], ids=["lamp", "sky"])
def test_coloured_light_is_not_ink(colour):
    paper = coloured(BLANK, colour, colour, LIGHT["lamp"])
    with pytest.raises(PhotoError, match="No ink found"):
        read_ink(encoded(paper, "JPEG", quality=60))


def test_edges_stay_soft_and_strokes_are_full():
    found = read_ink(encoded(on_paper(drawn(7), blur=1.5)))
    assert ((found > 30) & (found < 225)).sum() > 0.1 * (found > 127).sum()
    assert (found[found > 127] > 230).mean() > 0.6
    assert (found == 0).mean() > 0.9


UPRIGHT = drawn(5, (300, 400))
PAGE = Image.fromarray(on_paper(UPRIGHT, noise=0))
ALPHA = Image.fromarray((255 * UPRIGHT).astype(np.uint8))


def with_alpha(shade, alpha=ALPHA, mode="RGBA"):
    picture = Image.new(mode[:-1], alpha.size, (shade,) * len(mode[:-1]))
    picture.putalpha(alpha)
    return picture


def palette_with_a_clear_colour(pen):
    picture = Image.fromarray((UPRIGHT > 0.5).astype(np.uint8)).convert("P")
    picture.putpalette([200, 10, 10] + [pen] * 3)
    return encoded(picture, "PNG", transparency=0)


def of_16_bits(image):
    return Image.fromarray(np.asarray(image).astype(np.uint16) * 257)


def pages(form):
    """The page, and a blank one after it."""
    first, blank = PAGE.convert("RGB"), Image.new("RGB", (300, 400), "white")
    return encoded(first, form, save_all=True, append_images=[blank])


MODES = {
    "grey": encoded(PAGE),
    "colour": encoded(PAGE.convert("RGB")),
    "1 bit": encoded(Image.fromarray(UPRIGHT < 0.5)),
    "palette": encoded(PAGE.convert("RGB").quantize(16)),
    "16 bits": encoded(of_16_bits(PAGE)),
    "light 16 bits": encoded(of_16_bits(ALPHA)),
    "opaque": encoded(PAGE.convert("RGBA")),
    "dark on nothing": encoded(with_alpha(20)),
    "light on nothing": encoded(with_alpha(240)),
    "grey on nothing": encoded(with_alpha(20, mode="LA")),
    "dark palette on nothing": palette_with_a_clear_colour(0),
    "light palette on nothing": palette_with_a_clear_colour(255),
    "clear colour": encoded(Image.fromarray(UPRIGHT < 0.5).convert("L"), transparency=255),
    "JPEG": encoded(PAGE.convert("RGB"), "JPEG"),
    "grey JPEG": encoded(PAGE, "JPEG"),
    "progressive JPEG": encoded(PAGE.convert("RGB"), "JPEG", progressive=True),
    "CMYK JPEG": encoded(PAGE.convert("RGB").convert("CMYK"), "JPEG"),
    "JPEG with a preview": encoded(
        PAGE.convert("RGB"), "MPO", save_all=True, append_images=[PAGE.convert("RGB").reduce(4)]
    ),
    "BMP": encoded(PAGE, "BMP"),
    "GIF": encoded(PAGE, "GIF"),
    "GIF on nothing": encoded(with_alpha(20), "GIF"),
    "TIFF": encoded(PAGE, "TIFF"),
    "TIFF of a fax": encoded(Image.fromarray(UPRIGHT < 0.5), "TIFF", compression="group4"),
    "TIFF of 16 bits": encoded(of_16_bits(PAGE), "TIFF", compression="tiff_lzw"),
    "TIFF of 32 bits": encoded(Image.fromarray(np.asarray(PAGE).astype(np.int32) * 9000), "TIFF"),
    "TIFF of floats": encoded(Image.fromarray(np.float32(PAGE) / 255), "TIFF"),
    "TIFF of several pages": pages("TIFF"),
    "HEIC": encoded(PAGE.convert("RGB"), "HEIF"),
    "HEIC on nothing": encoded(with_alpha(20), "HEIF"),
    "HEIC of several pictures": pages("HEIF"),
    "PDF": encoded(PAGE.convert("RGB"), "PDF"),
    "PDF of several pages": pages("PDF"),
}
if features.check("webp"):
    MODES["WebP"] = encoded(PAGE, "WEBP")
    MODES["WebP on nothing"] = encoded(with_alpha(240), "WEBP")
if features.check("avif"):
    MODES["AVIF"] = encoded(PAGE, "AVIF")
    MODES["AVIF on nothing"] = encoded(with_alpha(240), "AVIF")


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_and_format(mode):
    assert_same(read_ink(MODES[mode]), UPRIGHT)


def test_a_palette_is_reduced_by_its_colours():
    """The palette is out of order, so that what lies between two numbers is neither's colour."""
    page = PAGE.resize((900, 1200))
    order = np.random.default_rng(0).permutation(256)
    numbered = Image.fromarray(np.argsort(order)[np.asarray(page)].astype(np.uint8))
    numbered.putpalette(np.repeat(order, 3).tolist())
    assert numbered.mode == "P"
    np.testing.assert_array_equal(read_ink(encoded(numbered)), read_ink(encoded(page)))


def test_transparent_corners_of_paper_are_paper():
    corners = Image.new("L", PAGE.size)
    ImageDraw.Draw(corners).rounded_rectangle((0, 0, 299, 399), 60, fill=255)
    paper = PAGE.convert("RGB")
    paper.putalpha(corners)
    assert_same(read_ink(encoded(paper)), UPRIGHT)


TURNS = {
    1: lambda upright: upright,
    2: np.fliplr,
    3: lambda upright: np.rot90(upright, 2),
    4: np.flipud,
    5: np.transpose,
    6: np.rot90,
    7: lambda upright: np.rot90(upright.T, 2),
    8: lambda upright: np.rot90(upright, -1),
}


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", TURNS)
def test_a_picture_is_turned_as_its_exif_says(orientation, form):
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = Image.fromarray(np.ascontiguousarray(TURNS[orientation](np.asarray(PAGE))))
    assert_same(read_ink(encoded(turned, form, exif=exif)), UPRIGHT)


@pytest.mark.parametrize("orientation", TURNS)
def test_a_heic_is_turned_once(orientation):
    """A phone writes how to turn it twice: in the HEIC and in its EXIF."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = Image.fromarray(np.ascontiguousarray(TURNS[orientation](np.asarray(PAGE))))
    assert_same(read_ink(encoded(turned, "HEIF", exif=exif.tobytes())), UPRIGHT)


@pytest.mark.parametrize("suffix", photo.SUFFIXES)
def test_every_suffix_is_of_a_format_that_is_read(suffix):
    names = {"jpg": "JPEG", "tif": "TIFF", "heic": "HEIF"}
    form = names.get(suffix, suffix.upper())
    assert_same(read_ink(encoded(PAGE.convert("RGB"), form)), UPRIGHT)


def pdf(drawing=b"", media=b"0 0 300 400", trailer=b"", image=b""):
    """A PDF of one page; drawing: its operators, image: the entries of a picture named I."""
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [%s] /Contents 4 0 R "
        b"/Resources << /XObject << /I 5 0 R >> >> >>" % media,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawing), drawing),
        b"<< /Type /XObject /Subtype /Image /ColorSpace /DeviceGray /BitsPerComponent 8 "
        b"/Length 0 %s >>\nstream\n\nendstream" % image,
    ]
    file, places = b"%PDF-1.7\n", b""
    for number, part in enumerate(parts, 1):
        places += b"%010d 00000 n \n" % len(file)
        file += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"xref\n0 6\n0000000000 65535 f \n%strailer\n<< /Size 6 /Root 1 0 R %s >>\n"
    return file + table % (places, trailer) + b"startxref\n%d\n%%%%EOF" % len(file)


SEVEN = b"12 w 60 370 m 240 370 l 120 30 l S"
LOCK = b"/Encrypt << /Filter /Standard /V 1 /R 2 /O <%s> /U <%s> /P -4 >> /ID [<00> <00>]" % (
    b"00" * 32,
    b"11" * 32,
)


@pytest.mark.parametrize("zoom", [0.01, 1, 1000])
def test_a_page_of_any_size_is_drawn_alike(zoom):
    media = b"0 0 %g %g" % (300 * zoom, 400 * zoom)
    found = read_ink(pdf(b"%g 0 0 %g 0 0 cm " % (zoom, zoom) + SEVEN, media))
    assert found.shape == (600, 450)
    ink = Image.new("L", (600, 800))
    ImageDraw.Draw(ink).line([(120, 60), (480, 60), (240, 740)], 255, 24)
    assert_same(found, np.asarray(ink) / 255)


def test_a_page_that_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr(photo, "PDF_SECONDS", 1)
    with pytest.raises(PhotoError, match="too much on its first page"):
        read_ink(pdf(b"0 0 m 300 400 l S\n" * 1_000_000))


def test_pdfs_are_read_at_the_same_time():
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(read_ink, [MODES["PDF"]] * 4):
            assert_same(found, UPRIGHT)


def png(width, height, body, depth=8):
    """A PNG, grey, that claims a size and holds this."""

    def chunk(kind, content):
        crc = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    pieces = chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + pieces


def bomb():
    """A PNG of 50,000 × 50,000 zeros in a third of a megabyte."""
    squeeze = zlib.compressobj()
    rows = bytes(500 * (1 + 50_000 // 8))
    body = b"".join(squeeze.compress(rows) for _ in range(100)) + squeeze.flush()
    return png(50_000, 50_000, body, depth=1)


def many_digits():
    places = [(x, y) for x in (0.2, 0.5, 0.8) for y in (0.2, 0.4, 0.6, 0.8)]
    return encoded(on_paper(sum(drawn(5, height=0.12, pen=0.01, at=at) for at in places)))


def large_tile():
    """A TIFF of 300 × 400 pixels in one compressed tile of 30,000 × 30,000."""
    tags = {256: 300, 257: 400, 258: 8, 259: 8, 262: 1, 322: 30_000, 323: 30_000, 324: 0, 325: 0}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + bytes(4)


FRAME = (np.abs(ACROSS - 0.5) > 0.42) | (np.abs(DOWN - 0.5) > 0.44)
JPEG, PNG = MODES["JPEG"], MODES["colour"]
FRAMES = [PAGE, PAGE.point(lambda shade: 255 - shade)]
NOT_A_PICTURE, DAMAGED, NO_INK = "not a picture", "damaged", "No ink found"
BAD = {
    "empty": (b"", "empty"),
    "text": (b"I am a text, not a picture.", NOT_A_PICTURE),
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'><path d='M0 0'/></svg>", NOT_A_PICTURE),
    "Word": (b"PK\x03\x04" + bytes(100), NOT_A_PICTURE),
    "video": (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(100), NOT_A_PICTURE),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", DAMAGED),
    "half a PDF": (MODES["PDF"][: len(MODES["PDF"]) // 2], DAMAGED),
    "locked PDF": (pdf(SEVEN, trailer=LOCK), "password"),
    "PDF without a page": (
        pdf().replace(b"/Kids [3 0 R] /Count 1", b"/Kids [] /Count 0     "),
        "PDF",
    ),
    "blank PDF": (pdf(), NO_INK),
    "PDF of a strip": (pdf(SEVEN, b"0 0 3 400"), "not a strip"),
    "PDF of a large picture": (
        pdf(b"300 0 0 400 0 0 cm /I Do", image=b"/Width 30000 /Height 30000"),
        "million pixels",
    ),
    "HEIC": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100), "HEIC"),
    "half a HEIC": (MODES["HEIC"][: len(MODES["HEIC"]) // 2], DAMAGED),
    "half a TIFF": (MODES["TIFF"][: len(MODES["TIFF"]) // 2], DAMAGED),
    "TIFF of a large tile": (large_tile(), "million pixels"),
    "signature alone": (PNG[:8], DAMAGED),
    "half a header": (PNG[:20], DAMAGED),
    "half a PNG": (PNG[: len(PNG) // 2], DAMAGED),
    "half a JPEG": (JPEG[: len(JPEG) // 2], DAMAGED),
    "half a GIF": (MODES["GIF"][: len(MODES["GIF"]) // 2], DAMAGED),
    "half a BMP": (MODES["BMP"][: len(MODES["BMP"]) // 2], DAMAGED),
    "no data": (png(300, 300, b""), DAMAGED),
    "wrong data": (png(300, 300, b"no zlib stream"), DAMAGED),
    "1 × 1": (encoded(np.zeros((1, 1), np.uint8)), "1 × 1"),
    "2 × 1000": (encoded(np.zeros((1000, 2), np.uint8)), "2 × 1000 .* not a strip"),
    "30 × 3000": (encoded(np.zeros((3000, 30), np.uint8)), "30 × 3000 .* not a strip"),
    "large header": (png(30_000, 30_000, zlib.compress(b"")), "million pixels"),
    "a little too large": (png(7_100, 7_100, zlib.compress(b"")), "million pixels"),
    "many bytes": (PNG + bytes(photo.MAX_BYTES), "20 MB"),
    "many scans": (JPEG[:-2] + b"\xff\xda\0\x08\x01\x01\0\0\x3f\0" * 200, "unusual"),
    "animated GIF": (encoded(FRAMES[0], "GIF", save_all=True, append_images=FRAMES), "animated"),
    "animated PNG": (encoded(FRAMES[0], "PNG", save_all=True, append_images=FRAMES), "animated"),
    "animated HEIC": (b"\0\0\0\x18ftyphevc\0\0\0\0msf1hevc" + bytes(100), "animated"),
    "white": (encoded(np.full((300, 200), 255, np.uint8)), NO_INK),
    "black": (encoded(np.zeros((300, 200), np.uint8)), NO_INK),
    "all transparent": (encoded(Image.new("RGBA", (200, 200))), NO_INK),
    "blank paper": (encoded(on_paper(BLANK, light=LIGHT["lamp"]), "JPEG"), NO_INK),
    "shadow alone": (encoded(on_paper(BLANK, light=LIGHT["shadow"])), NO_INK),
    "soft shadow alone": (encoded(on_paper(BLANK, light=LIGHT["soft shadow"])), NO_INK),
    "hand alone": (encoded(on_paper(BLANK, light=LIGHT["shadow of a hand"])), NO_INK),
    "table alone": (encoded(on_paper(BLANK, paper=np.where(FRAME, 50, 215))), NO_INK),
    "lines alone": (encoded(on_paper(BLANK, paper=215 - 35.0 * LINES)), NO_INK),
    "half black": (encoded(np.repeat(np.uint8([[0, 255]]), 150, 1).repeat(300, 0)), NO_INK),
    "a gradient": (encoded(Image.linear_gradient("L")), NO_INK),
    "a speck": (encoded(on_paper(drawn(0, height=0.01, pen=0.01))), NO_INK),
    "many digits": (many_digits(), "more than one digit"),
}
if features.check("avif"):
    BAD["half an AVIF"] = (MODES["AVIF"][: len(MODES["AVIF"]) // 2], DAMAGED)
    moving = encoded(FRAMES[0], "AVIF", save_all=True, append_images=FRAMES)
    BAD["animated AVIF"] = (moving, "animated")


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_is_answered_in_a_sentence(name):
    file, words = BAD[name]
    with pytest.raises(PhotoError, match=words) as caught:
        read_ink(file)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert re.search(r"\b(Upload|upload) (that|one|a screenshot)\b", sentence)  # what to do


def test_what_is_too_large_is_refused_before_it_is_decoded(monkeypatch):
    def load(self):
        raise AssertionError("decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", load)
    with pytest.raises(PhotoError, match="damaged"):
        read_ink(PNG)  # loading is what it would do
    for name in ("large header", "a little too large", "animated GIF", "many scans", "2 × 1000"):
        with pytest.raises(PhotoError, match=BAD[name][1]):
            read_ink(BAD[name][0])


def test_a_decompression_bomb_takes_no_memory(tmp_path):
    """Decoded, it would take 2.5 GB. Measured in a process of its own: the peak never falls."""
    pytest.importorskip("resource")
    (tmp_path / "bomb.png").write_bytes(bomb())
    script = (
        "import pathlib, resource, sys\n"
        "from core.mnist.photo import PhotoError, read_ink\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "file, before = pathlib.Path(sys.argv[1]).read_bytes(), peak()\n"
        "try:\n"
        "    read_ink(file)\n"
        "except PhotoError as error:\n"
        "    print(error)\n"
        "unit = 1 if sys.platform == 'darwin' else 1024\n"
        "print((peak() - before) * unit // 2**20)\n"
    )
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, str(tmp_path / "bomb.png")],
        capture_output=True,
        text=True,
        check=True,
    )
    sentence, megabytes = told.stdout.splitlines()
    assert "million pixels" in sentence
    assert int(megabytes) < 50


def quiet(file):
    """Read it; nothing but PhotoError may come of it."""
    with contextlib.suppress(PhotoError):
        found = read_ink(file)
        assert found.dtype == np.uint8
        assert found.any()


STARTS = [
    b"",
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff\xe0",
    b"GIF89a",
    b"BM",
    b"RIFF\x40\0\0\0WEBP",
    b"II\x2a\0\x08\0\0\0",
]
STARTS += [b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0mif1" for brand in (b"heic", b"avif")]


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, of tags that make no sense
@settings(deadline=None)  # a PDF takes a process
@given(st.sampled_from(STARTS), st.binary(max_size=400))
def test_random_bytes_never_raise_anything_else(start, rest):
    quiet(start + rest)


SMALL = Image.fromarray(on_paper(drawn(4, (48, 64), height=0.7, pen=0.06), noise=0, blur=0))
EXIF = Image.Exif()
EXIF[0x0112], EXIF[0x010F] = 6, "a camera"
VALID = [
    encoded(SMALL),
    encoded(SMALL.convert("P")),
    encoded(of_16_bits(SMALL)),
    encoded(SMALL, "JPEG", exif=EXIF),
    encoded(SMALL.convert("RGB"), "JPEG", progressive=True),
    encoded(SMALL, "GIF"),
    encoded(SMALL, "BMP"),
    encoded(SMALL, "TIFF", compression="tiff_lzw"),
    encoded(SMALL.convert("RGB"), "HEIF"),
    *([encoded(SMALL, "AVIF", exif=EXIF)] if features.check("avif") else []),
    *([encoded(SMALL, "WEBP", exif=EXIF)] if features.check("webp") else []),
]


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, of tags that make no sense
@settings(deadline=None, max_examples=300)
@given(st.sampled_from(VALID), st.data())
def test_a_damaged_file_never_raises_anything_else(file, data):
    """Bytes changed anywhere, most often where the headers are, and perhaps the end lost."""
    damaged = bytearray(file)
    anywhere = st.integers(0, len(file) - 1)
    for place in data.draw(st.lists(st.integers(0, 99) | anywhere, min_size=1, max_size=6)):
        damaged[place % len(file)] = data.draw(st.integers(0, 255))
    quiet(bytes(damaged[: data.draw(st.just(len(file)) | anywhere)]))


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 40), st.integers(1, 40), st.sampled_from(["1", "L", "P", "RGB", "RGBA", "LA"])
)
def test_noise_of_any_size_and_mode_never_raises_anything_else(width, height, mode):
    noise = np.random.default_rng(width * height).integers(0, 256, (height, width, 4), np.uint8)
    quiet(encoded(Image.fromarray(noise).convert(mode)))
