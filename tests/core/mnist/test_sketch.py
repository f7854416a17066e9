import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageDraw

from core.mnist.sketch import NoInkError, to_mnist


def seven(size: tuple[int, int], corner: tuple[int, int], height: int, pen: int) -> np.ndarray:
    """A 7 drawn with a round pen; size, corner: (rows, columns)."""
    image = Image.new("L", size[::-1])
    top, left = corner
    points = [(left, top), (left + 0.6 * height, top), (left + 0.2 * height, top + height)]
    draw = ImageDraw.Draw(image)
    draw.line(points, fill=255, width=pen, joint="curve")
    for x, y in points:
        draw.ellipse([x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2], fill=255)
    return np.asarray(image)


def ink_box(image: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(image)
    return rows.min(), rows.max() + 1, columns.min(), columns.max() + 1


def centre(image: np.ndarray) -> tuple[float, float]:
    weight = image.astype(float)
    rows, columns = np.indices(image.shape)
    return (weight * rows).sum() / weight.sum(), (weight * columns).sum() / weight.sum()


@pytest.mark.parametrize("pen", [2, 8, 20, 45])
@pytest.mark.parametrize(
    ("size", "corner", "height"),
    [((320, 320), (60, 90), 200), ((320, 320), (0, 0), 60), ((2000, 1500), (300, 200), 1500)],
)
def test_it_has_mnists_box_and_centre(size, corner, height, pen):
    made = to_mnist(seven(size, corner, height, pen))
    assert made.shape == (28, 28)
    assert made.dtype == np.uint8
    assert made.max() == 255
    top, bottom, left, right = ink_box(made)
    assert max(bottom - top, right - left) == 20
    assert np.abs(np.array(centre(made)) - 14).max() <= 0.5


def test_the_aspect_ratio_is_kept():
    drawing = np.zeros((300, 300), np.uint8)
    drawing[20:220, 100:150] = 255
    top, bottom, left, right = ink_box(to_mnist(drawing))
    assert (bottom - top, right - left) == (20, 5)


def test_where_it_was_drawn_and_how_large_makes_no_difference():
    here = to_mnist(seven((320, 320), (20, 20), 100, 10))
    there = to_mnist(seven((320, 320), (180, 200), 100, 10))
    assert (here == there).all()
    larger = np.kron(seven((320, 320), (20, 20), 100, 10), np.ones((3, 3), np.uint8))
    assert np.abs(to_mnist(larger).astype(int) - here).max() < 32  # pixels are averaged whole


def test_a_pixel_is_the_mean_of_what_it_covers():
    drawing = np.zeros((40, 40), np.uint8)
    drawing[:, :] = 255
    drawing[0:2, 1] = 0  # half of the first new pixel
    made = to_mnist(drawing)
    top, _, left, _ = ink_box(made)
    assert made[top, left] == 128
    assert made[top + 1, left + 1] == 255


def test_faint_lines_are_brightened_and_a_haze_does_not_count():
    strong = seven((320, 320), (60, 90), 200, 20)
    difference = to_mnist(strong // 5).astype(int) - to_mnist(strong)
    assert np.abs(difference).max() <= 1
    hazy = strong.copy()
    hazy[0:5, 0:5] = 20
    assert (to_mnist(hazy) == to_mnist(strong)).all()


def test_ink_at_the_border_is_not_lost():
    drawing = np.zeros((50, 50), np.uint8)
    drawing[:, -3:] = 255
    made = to_mnist(drawing)
    assert ink_box(made)[1] - ink_box(made)[0] == 20


def test_several_strokes_are_one_digit():
    drawing = np.zeros((320, 320), np.uint8)
    drawing[50:60, 50:150] = 255
    drawing[250:260, 50:150] = 255
    made = to_mnist(drawing)
    top, bottom, _, _ = ink_box(made)
    assert bottom - top == 20
    assert (made[top + 2 : bottom - 2] == 0).all()


def test_what_would_leave_the_image_stays_inside():
    drawing = np.zeros((200, 200), np.uint8)
    drawing[0:20, :] = 255  # nearly all weight at the top
    drawing[20:200, 0:2] = 255
    top, bottom, left, right = ink_box(to_mnist(drawing))
    assert (bottom - top, right - left) == (20, 20)


@pytest.mark.parametrize("shape", [(28, 28), (1, 1), (0, 0), (0, 5)])
def test_an_empty_canvas_is_no_digit(shape):
    with pytest.raises(NoInkError, match="no ink"):
        to_mnist(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("image", [np.zeros((5, 5, 3), np.uint8), np.ones((5, 5))])
def test_what_is_no_drawing_is_refused(image):
    with pytest.raises(ValueError, match="uint8 with two axes"):
        to_mnist(image)


@given(
    arrays(np.uint8, st.tuples(st.integers(1, 60), st.integers(1, 60))).filter(lambda a: a.any())
)
def test_any_ink_fits(image):
    made = to_mnist(image)
    assert made.shape == (28, 28)
    assert made.max() == 255
    top, bottom, left, right = ink_box(made)
    assert max(bottom - top, right - left) <= 20
