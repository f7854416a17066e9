import pytest
import torch
from torch import nn

from core.mnist import notebook
from core.mnist.models import (
    ARCHITECTURES,
    ConvNet,
    build,
    described,
    layers,
    parameters,
    summary,
)
from core.mnist.recipe import NETWORK_NOTES, NETWORKS
from core.mnist.task import demands

# Layer, output shape, parameters: the published network's own summary.
PUBLISHED = [
    ("Conv2d-1", (8, 26, 26), 80),
    ("BatchNorm2d-2", (8, 26, 26), 16),
    ("Conv2d-3", (16, 24, 24), 1168),
    ("BatchNorm2d-4", (16, 24, 24), 32),
    ("Conv2d-5", (16, 22, 22), 2320),
    ("BatchNorm2d-6", (16, 22, 22), 32),
    ("MaxPool2d-7", (16, 11, 11), 0),
    ("Dropout-8", (16, 11, 11), 0),
    ("Conv2d-9", (16, 9, 9), 2320),
    ("BatchNorm2d-10", (16, 9, 9), 32),
    ("Conv2d-11", (16, 7, 7), 2320),
    ("BatchNorm2d-12", (16, 7, 7), 32),
    ("Conv2d-13", (16, 5, 5), 2320),
    ("BatchNorm2d-14", (16, 5, 5), 32),
    ("Dropout-15", (16, 5, 5), 0),
    ("Conv2d-16", (32, 3, 3), 4640),
    ("BatchNorm2d-17", (32, 3, 3), 64),
    ("Conv2d-18", (10, 3, 3), 330),
    ("AvgPool2d-19", (10, 1, 1), 0),
]


def test_the_published_network_layer_by_layer():
    found = [(row.name, row.shape, row.parameters) for row in layers(build("published"))]
    assert found == PUBLISHED
    assert parameters(build("published")) == 15_738


def test_receptive_fields_are_the_pixels_that_reach_one_output():
    """A gradient from the middle output of each layer must touch exactly that many pixels."""
    rows = layers(build("published"))
    model = build("published").double().eval()
    for index, row in enumerate(rows):
        x = torch.rand(1, 1, 28, 28, dtype=torch.double, requires_grad=True)
        y = nn.Sequential(*list(model)[: index + 1])(x)
        middle = y[0, :, y.shape[2] // 2, y.shape[3] // 2]
        (touched,) = torch.autograd.grad(middle.sum(), x)
        side = (touched[0, 0] != 0).any(dim=1).sum().item()
        # Max-pooling hands the gradient to one pixel of its window, so fewer may be touched.
        assert side <= row.receptive_field
        if index < 6:
            assert side == row.receptive_field


def test_relu_comes_between_convolution_and_normalisation():
    model = build("published").eval()
    x = torch.randn(2, 1, 28, 28)
    by_hand = model[1](torch.relu(model[0](x)))
    seen = []
    model[1].register_forward_hook(lambda _module, _given, out: seen.append(out))
    model(x)
    assert torch.equal(seen[0], by_hand)


def test_both_heads_give_the_same_logits_for_the_same_weights():
    convolution, linear = build("published"), build("fc-head")
    for module in convolution.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
    values = list(convolution.state_dict().values())
    names = list(linear.state_dict())
    shapes = [value.shape for value in linear.state_dict().values()]
    linear.load_state_dict({n: v.reshape(s) for n, v, s in zip(names, values, shapes, strict=True)})
    x = torch.randn(16, 1, 28, 28)
    with torch.inference_mode():
        torch.testing.assert_close(convolution.eval()(x), linear.eval()(x))
    assert parameters(convolution) == parameters(linear) == 15_738


def test_compact_has_fewer_than_8000_parameters():
    assert parameters(build("compact")) < 8_000


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_network_meets_every_demand(name):
    assert build(name)(torch.zeros(3, 1, 28, 28)).shape == (3, 10)
    network = described(build(name))
    assert [d.asked for d in demands(network, 0.05, 19) if not d.met] == []
    unknown = [d.asked for d in demands(network, 0.05, 0) if d.met is None]
    assert unknown == ["fewer than 20 epochs"]
    assert f"{parameters(build(name)):,}" in summary(build(name))


def test_the_summary_counts_in_millions():
    assert "Total mult-adds (M): 2.25" in summary(build("published"))


def test_demands_are_read_from_the_layers():
    bare = described(ConvNet(nn.Conv2d(1, 40, 3), nn.MaxPool2d(26), nn.Conv2d(40, 600, 1)))
    missed = {d.asked for d in demands(bare, 0.05, 20) if not d.met}
    assert missed == {d.asked for d in demands(bare, 0.05, 20)}
    without = build("published")
    without[-1] = nn.AvgPool2d(2)  # the notebook's pooling: not the whole map
    missed = [d.asked for d in demands(described(without), 0.05, 19) if not d.met]
    assert missed == ["fully connected layer", "global average pooling"]
    (missed,) = [d.asked for d in demands(described(build("compact")), 0.0, 19) if not d.met]
    assert missed == "dropout"


def test_what_the_notebook_says_of_its_size_is_the_networks():
    assert parameters(build("published")) == notebook.PARAMETERS


def test_an_unknown_network_is_refused_with_the_names_there_are():
    with pytest.raises(ValueError, match="published, fc-head, compact"):
        build("resnet")


def test_every_network_that_a_recipe_can_name_can_be_built():
    assert list(ARCHITECTURES) == list(NETWORKS) == list(NETWORK_NOTES)
