import numpy as np
import torch

from core.mnist.pen import FORMS, NO_DIGIT, OTHERS, drawn_digits, drawn_others


def test_every_digit_is_drawn_as_often():
    images, labels = drawn_digits(200, 0)
    assert images.shape == (200, 28, 28)
    assert images.dtype == torch.uint8
    assert torch.bincount(labels, minlength=10).tolist() == [20] * 10


def test_drawings_look_as_mnist_does():
    images, _ = drawn_digits(100, 1)
    for image in images.numpy():
        rows, columns = np.nonzero(image)
        assert max(np.ptp(rows), np.ptp(columns)) + 1 <= 20
        assert image.max() == 255


def test_a_seed_is_a_set_of_drawings():
    first, again, other = (drawn_digits(40, seed)[0] for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    others, others_again = (drawn_others(40, 3)[0] for _ in range(2))
    assert torch.equal(others, others_again)


def test_no_two_drawings_are_the_same_and_pens_differ():
    images, _ = drawn_digits(300, 5)
    assert len({image.numpy().tobytes() for image in images}) == 300
    ink = (images[1::10] > 100).flatten(1).sum(1)  # of the ones
    assert ink.max() > 3 * ink.min()


def test_what_is_no_digit_is_labelled_so():
    images, labels = drawn_others(50, 0)
    assert (labels == NO_DIGIT).all()
    assert images.flatten(1).any(1).all()


def test_forms_lie_in_a_unit_box():
    for form in [form for forms in FORMS.values() for form in forms] + list(OTHERS):
        points = np.array([point for stroke in form for point in stroke])
        assert points.min() >= 0
        assert points.max() <= 1
        assert all(len(stroke) >= 2 for stroke in form)


def test_none_is_none():
    assert len(drawn_digits(0, 0)[0]) == len(drawn_others(0, 0)[0]) == 0
