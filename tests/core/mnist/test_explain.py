from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from core.mnist.checkpoint import load_checkpoint
from core.mnist.data import normalised
from core.mnist.explain import METHODS, attribute, feature_maps
from core.mnist.models import ARCHITECTURES, build, layers

BLANK = torch.zeros(28, 28, dtype=torch.uint8)


def drawn(*strokes):
    """An image of boxes (top, bottom, left, right) of ink with a paler rim below each."""
    image = BLANK.clone()
    for top, bottom, left, right in strokes:
        image[top:bottom, left:right] = 255
        image[bottom, left:right] = 90
    return image


SEVEN = drawn((5, 8, 7, 20), (8, 14, 16, 19), (14, 22, 13, 16))
FOUR = drawn((5, 14, 8, 11), (12, 15, 8, 20), (5, 23, 16, 19))


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Work this small takes several times as long on threads that wait for a busy core."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module", params=ARCHITECTURES)
def model(request):
    return load_checkpoint(request.param)[0]


@pytest.fixture(scope="module")
def published():
    return load_checkpoint("published")[0]


def by_hand(model, x):
    """The documented network, written out: maps of each convolution, what each block gives, logits.

    Every 3×3 convolution is followed by ReLU and batch normalisation; 2×2 max-pooling follows the
    third; the head is a 1×1 convolution and the mean, or the mean and a linear layer.
    """
    state = model.state_dict()
    maps, blocks = [], []
    for conv in (0, 2, 4, 8, 10, 12, 15):
        maps.append(F.relu(F.conv2d(x, state[f"{conv}.weight"], state[f"{conv}.bias"])))
        norm = [state[f"{conv + 1}.{n}"] for n in ("running_mean", "running_var", "weight", "bias")]
        mean, var, weight, bias = (n[:, None, None] for n in norm)
        x = (maps[-1] - mean) / (var + 1e-5).sqrt() * weight + bias
        blocks.append(x)
        if conv == 4:
            x = F.max_pool2d(x, 2)
    if "17.weight" in state:
        maps.append(F.conv2d(x, state["17.weight"], state["17.bias"]))
        return maps, blocks, maps[-1].mean((2, 3))
    return maps, blocks, F.linear(x.mean((2, 3)), state["19.weight"], state["19.bias"])


def logit(model, image, digit):
    with torch.no_grad():
        return by_hand(model, normalised(image[None]))[2][0, digit].item()


def test_feature_maps_are_those_of_the_network_written_out(model):
    maps, _, logits = by_hand(model, normalised(SEVEN[None]))
    torch.testing.assert_close(logits, model(normalised(SEVEN[None])), rtol=1e-4, atol=1e-4)
    found = feature_maps(model, SEVEN)
    named = [row for row in layers(model) if row.name.startswith("Conv2d")]
    assert [layer.name for layer in found] == [row.name for row in named]
    assert [layer.receptive_field for layer in found] == [row.receptive_field for row in named]
    assert [tuple(layer.maps.shape) for layer in found] == [row.shape for row in named]
    for layer, expected in zip(found, maps, strict=True):
        assert layer.maps.dtype == torch.float32
        assert not layer.maps.requires_grad
        torch.testing.assert_close(layer.maps, expected[0], rtol=1e-4, atol=1e-4)


def test_kernels_and_bias_are_copies_of_the_weights():
    model = load_checkpoint("published")[0]
    before = {name: value.clone() for name, value in model.state_dict().items()}
    for layer in feature_maps(model, SEVEN):
        position = int(layer.name.split("-")[1]) - 1
        assert torch.equal(layer.kernels, before[f"{position}.weight"])
        assert torch.equal(layer.bias, before[f"{position}.bias"])
        layer.kernels.zero_()
        layer.bias.zero_()
        layer.maps.zero_()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_the_strongest_place_holds_the_largest_value(published):
    places = set()
    for layer in feature_maps(published, SEVEN):
        for values, (row, column) in zip(layer.maps, layer.strongest(), strict=True):
            assert values[row, column] == values.max()
            places.add(row == column)
    assert places == {True, False}  # rows and columns are told apart


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_value_depends_on_its_patch_and_on_nothing_else(name):
    # Which pixels count follows from the layers alone; a trained one may be silent on noise.
    torch.manual_seed(0)
    model = build(name).eval()
    for weights in model.parameters():
        weights.data *= 2  # or what one row of pixels does would fade on the way
    generator = torch.Generator().manual_seed(1)

    def noise():
        return torch.randint(0, 256, (28, 28), dtype=torch.uint8, generator=generator)

    image = noise()
    for index, layer in enumerate(feature_maps(model, image)):
        last = layer.maps.shape[1] - 1
        for row, column in ((0, last // 2), (last, last)):
            top, left, bottom, right = layer.patch(row, column)
            assert 0 <= top < bottom <= 28
            assert 0 <= left < right <= 28
            outside = noise()
            outside[top:bottom, left:right] = image[top:bottom, left:right]
            same = feature_maps(model, outside)[index].maps[:, row, column]
            torch.testing.assert_close(same, layer.maps[:, row, column], rtol=1e-5, atol=1e-5)
            # Each of the four sides of the patch matters, so it is not too large either.
            sides = (
                (slice(top, top + 1), slice(left, right)),
                (slice(bottom - 1, bottom), slice(left, right)),
                (slice(top, bottom), slice(left, left + 1)),
                (slice(top, bottom), slice(right - 1, right)),
            )
            for side in sides:
                inside = image.clone()
                inside[side] = 255 - inside[side]
                other = feature_maps(model, inside)[index].maps[:, row, column]
                assert (other - layer.maps[:, row, column]).abs().max() > 1e-3
    assert layer.patch(last, last)[2:] == (28, 28)


@pytest.mark.parametrize(("image", "digit"), [(SEVEN, 7), (SEVEN, 1), (FOUR, 4), (FOUR, 9)])
def test_integrated_gradients_sum_to_what_the_ink_changes(model, image, digit):
    found = attribute(model, image, digit, "integrated-gradients")
    change = logit(model, image, digit) - logit(model, BLANK, digit)
    assert found.sum().item() == pytest.approx(change, rel=0.02, abs=0.2)
    assert (found[image == 0] == 0).all()  # paper that stays paper brings nothing
    assert (found[image == 255] != 0).any()


@pytest.mark.parametrize(("row", "column"), [(4, 3), (13, 17), (6, 27), (27, 12)])
def test_occlusion_is_the_mean_fall_over_the_windows_that_cover_a_pixel(model, row, column):
    image = SEVEN.clone()
    image[0:6, 0:6] = image[4:9, 23:28] = image[24:28, 10:14] = 255
    falls = []
    for top in range(max(0, row - 4), min(row, 23) + 1):
        for left in range(max(0, column - 4), min(column, 23) + 1):
            covered = image.clone()
            covered[top : top + 5, left : left + 5] = 0
            falls.append(logit(model, image, 7) - logit(model, covered, 7))
    assert any(abs(fall) > 0.02 for fall in falls)
    found = attribute(model, image, 7, "occlusion")[row, column].item()
    assert found == pytest.approx(sum(falls) / len(falls), abs=2e-4)


@pytest.mark.parametrize(("image", "digit"), [(SEVEN, 7), (SEVEN, 2), (FOUR, 4)])
def test_grad_cam_is_selvarajus_formula_at_the_middles_of_the_fields(model, image, digit):
    _, blocks, logits = by_hand(model, normalised(image[None]).requires_grad_())
    maps = blocks[4]
    (gradients,) = torch.autograd.grad(logits[0, digit], maps)
    alpha = gradients.mean((2, 3))[0]
    coarse = sum(a * m for a, m in zip(alpha, maps[0].detach(), strict=True)).clamp(min=0)
    assert coarse.shape == (7, 7)
    found = attribute(model, image, digit, "grad-cam")
    assert (found >= 0).all()
    assert (found > 0).any()
    layer = feature_maps(model, image)[4]
    for row in range(7):
        for column in range(7):
            top, left, bottom, right = layer.patch(row, column)
            y, x = (top + bottom) // 2, (left + right) // 2
            # The middle lies between four pixels, each ¼ of a step from it: bilinear.
            for down, across in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
                r, c = min(max(row + down, 0), 6), min(max(column + across, 0), 6)
                expected = (
                    9 * coarse[row, column]
                    + 3 * coarse[r, column]
                    + 3 * coarse[row, c]
                    + coarse[r, c]
                ) / 16
                pixel = found[y - (down < 0), x - (across < 0)]
                torch.testing.assert_close(pixel, expected, rtol=1e-3, atol=1e-4)
    border = found.clone()
    border[7:21, 7:21] = 0
    assert not border.any()


@pytest.mark.parametrize("method", METHODS)
def test_attributions_are_finite_also_of_a_blank_image(model, method):
    for image in (BLANK, ~BLANK):
        found = attribute(model, image, 3, method)
        assert found.shape == (28, 28)
        assert found.dtype == torch.float32
        assert not found.requires_grad
        assert found.isfinite().all()
    if method != "grad-cam":  # nothing changes between paper and paper
        assert attribute(model, BLANK, 3, method).abs().max() < 1e-4
    assert all(layer.maps.isfinite().all() for layer in feature_maps(model, BLANK))


@pytest.mark.parametrize("training", [False, True])
def test_the_network_is_read_in_eval_mode_and_left_as_it_was(training):
    model = load_checkpoint("published")[0]
    expected = [attribute(model, SEVEN, 7, method) for method in METHODS]
    maps = feature_maps(model, SEVEN)
    model.train(training)
    model[1].eval()  # modes may differ by layer
    model[0].weight.requires_grad_(False)
    state = {name: value.clone() for name, value in model.state_dict().items()}
    modes = [module.training for module in model.modules()]
    asked = [p.requires_grad for p in model.parameters()]
    image = SEVEN.clone()
    for method, values in zip(METHODS, expected, strict=True):
        torch.testing.assert_close(attribute(model, image, 7, method), values)
    for layer, before in zip(feature_maps(model, image), maps, strict=True):
        torch.testing.assert_close(layer.maps, before.maps)
    assert torch.equal(image, SEVEN)
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert [module.training for module in model.modules()] == modes
    assert [p.requires_grad for p in model.parameters()] == asked
    assert all(p.grad is None for p in model.parameters())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_threads_that_share_one_network_do_not_disturb_each_other(published):
    jobs = [(image, digit, "grad-cam") for image in (SEVEN, FOUR) for digit in range(10)] * 2
    jobs += [(image, 7, method) for method in METHODS for image in (SEVEN, FOUR)]
    expected = [attribute(published, *job) for job in jobs]
    maps = [feature_maps(published, image)[-1].maps for image, _, _ in jobs]
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda job: attribute(published, *job), jobs)
        seen = pool.map(lambda job: feature_maps(published, job[0])[-1].maps, jobs)
        for one, other in zip((*found, *seen), (*expected, *maps), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_captum_hooks_no_module_of_the_shared_network(published, monkeypatch):
    """What would let threads disturb each other, whether or not they happen to meet."""
    ours = set(published.modules())
    hook = nn.Module.register_forward_hook
    hooked = []
    monkeypatch.setattr(
        nn.Module,
        "register_forward_hook",
        lambda self, *given, **named: hooked.append(self) or hook(self, *given, **named),
    )
    for method in METHODS:
        attribute(published, SEVEN, 7, method)
    assert hooked  # or this test looks at nothing
    assert ours.isdisjoint(hooked)


def test_what_is_wrong_is_said_with_what_is_allowed(published):
    with pytest.raises(ValueError, match="grad-cam, integrated-gradients, occlusion"):
        attribute(published, SEVEN, 7, "saliency")
    for digit in (-1, 10):
        with pytest.raises(ValueError, match=f"{digit} is no digit; choose one of 0 to 9"):
            attribute(published, SEVEN, digit, "occlusion")
    for image in (SEVEN.float(), SEVEN[None], SEVEN[:27], torch.tensor(0, dtype=torch.uint8)):
        with pytest.raises(ValueError, match="must be 28×28 uint8"):
            attribute(published, image, 7, "grad-cam")
        with pytest.raises(ValueError, match="must be 28×28 uint8"):
            feature_maps(published, image)
