"""Pictures that somebody made: each has ink in it, or is refused with a sentence."""

import io
import random
import struct
import zlib
from functools import cache

import numpy as np
import pytest
from PIL import Image, ImageDraw

from core.mnist.photo import MAX_PIXELS, SIDE, PhotoError, read_ink
from core.ui.sketch.ink import as_mnist
from tests.hostile.guard import assert_is_sentence, guard
from tests.hostile.made_up import drawn
from tests.hostile.test_messages import ANCILLARY, BOMB, chunk, chunks, png_of

FORMS = ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "HEIF", "AVIF"]
CASES = {"bytes": 320, "parts": 160, "sizes": 60, "PDF": 8}


@cache
def picture(form: str) -> bytes:
    """A 7, and what a camera writes beside it."""
    image = Image.new("RGB", (90, 120), (225, 225, 220))
    ImageDraw.Draw(image).line([(20, 20), (70, 20), (35, 100)], fill=(30, 30, 40), width=8)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "<b>zqx</b>"
    file, options = io.BytesIO(), {"exif": exif} if form not in ("GIF", "BMP", "TIFF") else {}
    image.save(file, form, **options)
    return file.getvalue()


def of_bytes(rng: random.Random) -> bytes:
    """The bytes of a picture, some of them others; mostly in its head."""
    data = bytearray(picture(rng.choice(FORMS)))
    for _ in range(rng.choice([1, 1, 4, 20])):
        place = rng.randrange(min(len(data), rng.choice([40, 200, 10**6])))
        match rng.randrange(4):
            case 0 | 1:
                data[place] = rng.choice([rng.randrange(256), 0, 255])
            case 2:
                data[place : place + 4] = rng.choice([b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff"])
            case _:
                del data[place : place + rng.choice([1, 7, 4000])]
        if len(data) < 8:
            break
    return bytes(data)


def of_parts(rng: random.Random) -> bytes:
    """A PNG whose check sums are right, or EXIF and TIFF, with parts that are not."""
    if rng.random() < 0.3:
        exif = bytearray(b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">H", 40) + rng.randbytes(480))
        image, file = Image.open(io.BytesIO(picture("PNG"))), io.BytesIO()
        image.save(file, rng.choice(["JPEG", "PNG", "WEBP"]), exif=bytes(exif))
        return file.getvalue()
    parts = chunks(picture("PNG"))
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(1, len(parts) + 1)
        content = rng.choice([b"", rng.randbytes(rng.randrange(60)), b"x\0\0" + BOMB])
        parts.insert(place, (rng.choice(ANCILLARY), content))
        if rng.random() < 0.3:
            del parts[rng.randrange(len(parts))]
    return png_of(parts)


def of_sizes(rng: random.Random) -> bytes:
    """A picture that says it is huge, tiny or a strip; with as much to unpack, or less."""
    wide, high = rng.choice(
        [
            (0, 0),
            (1, 1),
            (15, 900),
            (1, 10**9),
            (2**31 - 1, 2**31 - 1),
            (7000, 7000),
            (7100, 7100),
            (20_000, 2000),
        ]
    )
    depth, colour = rng.choice([(1, 0), (8, 0), (8, 2), (16, 6), (8, 3)])
    head = struct.pack(">II5B", wide, high, depth, colour, 0, 0, rng.randrange(2))
    unpacked = min(wide * high, rng.choice([0, 1000, MAX_PIXELS])) + high if high < 10_000 else 1000
    data = zlib.compress(bytes(unpacked), 1)
    if rng.random() < 0.3:
        return b"BM" + struct.pack(
            "<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, wide, high, 1, 24, 0, 0, 0, 0, 0, 0
        )
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def of_pdf(rng: random.Random) -> bytes:
    """A PDF that is broken, huge, or asks for files and programs."""
    action = rng.choice(
        [
            "/S /URI /URI (https://zqx.example)",
            "/S /Launch /F (/bin/sh)",
            "/S /JavaScript /JS (app.alert(1))",
        ]
    )
    size = rng.choice(["600 800", "1 1", "99999999 99999999", "-1 0", "0 0", "1e9 3"])
    drawn = rng.choice(
        [b"10 w 100 700 m 500 700 l 200 100 l S", b"q " * 20_000, b"\xff" * 99, b"1 0 0 RG " * 9000]
    )
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R /OpenAction << {action} >> >>".encode(),
        b"<< /Type /Pages /Kids [3 0 R] /Count %d >>" % rng.choice([1, 0, 10**9]),
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {size}] /Contents 4 0 R >>".encode(),
        b"<< /Length %d >> stream\n%s\nendstream" % (len(drawn), drawn),
    ]
    file = b"%PDF-1.7\n" + b"".join(
        b"%d 0 obj %s endobj\n" % (k, one) for k, one in enumerate(objects, 1)
    )
    return file + b"trailer << /Root 1 0 R /Size 5 >>\n%%EOF"


MAKERS = {"bytes": of_bytes, "parts": of_parts, "sizes": of_sizes, "PDF": of_pdf}


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::PIL.Image.DecompressionBombWarning")
def test_a_picture_has_ink_or_is_refused(kind):
    rng = drawn(kind)
    read = 0
    for form in FORMS:
        picture(form)
    with guard() as case:
        for n in range(CASES[kind]):
            file = MAKERS[kind](rng)
            with case(n):
                try:
                    ink = read_ink(file)
                except PhotoError as refused:
                    assert_is_sentence(str(refused))
                    continue
                read += 1
                assert ink.dtype == np.uint8
                assert max(ink.shape) <= SIDE
                assert all(tuple(image.shape) == (28, 28) for image in as_mnist(ink))
    assert read < CASES[kind]
