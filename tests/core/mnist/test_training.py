import json
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from core.mnist import data, fields
from core.mnist.data import Digits, normalised
from core.mnist.evaluation import evaluate, log_probabilities
from core.mnist.events import BatchDone, EpochDone, Finished
from core.mnist.images import split
from core.mnist.models import build, channels_last, set_dropout
from core.mnist.parts import Part, gather_gradients, sharing
from core.mnist.pen import drawn_digits, drawn_others
from core.mnist.recipe import (
    HYPERPARAMETERS,
    PRESETS,
    Augmentation,
    ConfigError,
    TrainConfig,
    preset,
)
from core.mnist.training import learning_rate, train

SMALL = TrainConfig(
    architecture="compact",
    data="uci",
    epochs=3,
    batch_size=64,
    peak_rate=0.01,
    schedule="one-cycle",
    weight_decay=1e-3,
    label_smoothing=0.1,
    augmentation=Augmentation(rotation=5, shift=1, scale=0.05, shear=5, elastic=0.5),
    dropout=0.1,
    averaging=0.9,
    validation=100,
    precision="bfloat16",
    parts=2,
)


@pytest.fixture(scope="module", autouse=True)
def _one_core():
    """As many threads for `train` as for the loops here, or they round differently."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.cpu_count", torch.get_num_threads)
        yield


@pytest.fixture(scope="module")
def digits() -> Digits:
    found = data.load("uci")
    return replace(
        found,
        train_images=found.train_images[:420],
        train_labels=found.train_labels[:420],
    )


@pytest.fixture(scope="module")
def events(digits):
    """All that a run of SMALL says."""
    return list(train(SMALL, digits))


def epochs(config, digits, state=None):
    return [e for e in train(config, digits, state) if isinstance(e, EpochDone)]


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name


def test_events_come_batch_by_batch_and_epoch_by_epoch(events, digits):
    kinds = [type(e) for e in events]
    assert kinds == ([BatchDone] * 5 + [EpochDone]) * 3 + [Finished]
    assert [e.batch for e in events[:5]] == [1, 2, 3, 4, 5]
    last, finished = events[-2], events[-1]
    assert last.total == 5 * 64
    assert last.validation.total == 100
    assert_same(last.weights, finished.model.state_dict())
    assert evaluate(finished.model, digits.test_images, digits.test_labels) == last.test


@pytest.mark.parametrize("optimiser", HYPERPARAMETERS["optimiser"].options)
def test_the_same_seed_gives_the_same_numbers_and_going_on_is_the_unbroken_run(optimiser, digits):
    config = replace(SMALL, optimiser=optimiser)
    unbroken = epochs(config, digits)
    again = epochs(config, digits)
    for one, other in zip(unbroken, again, strict=True):
        assert (one.loss, one.correct, one.test) == (other.loss, other.correct, other.test)
        assert_same(one.weights, other.weights)
    resumed = epochs(config, digits, state=unbroken[0].state)
    assert [e.epoch for e in resumed] == [2, 3]
    for one, other in zip(unbroken[1:], resumed, strict=True):
        assert (one.loss, one.correct, one.test) == (other.loss, other.correct, other.test)
        assert_same(one.weights, other.weights)
        assert_same(one.state, other.state)


def test_another_seed_gives_other_numbers(events, digits):
    other = next(train(replace(SMALL, seed=1), digits))
    assert events[0].loss != other.loss


def test_the_notebooks_recipe_is_the_textbook_loop(digits):
    """No averaging, no change of images, float32: what anyone would write by hand."""
    config = preset("published", data="uci", epochs=1, batch_size=64, dropout=0.0)
    batches = [e.loss for e in train(config, digits) if isinstance(e, BatchDone)]

    torch.manual_seed(config.seed)
    model = channels_last(build("published"))
    set_dropout(model, 0.0)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    indices, _ = split(config, digits)
    shuffler = torch.Generator().manual_seed((config.seed << 16) + (1 << 8))
    order = indices[torch.randperm(len(indices), generator=shuffler)]
    for chosen, loss in zip(order.split(64), batches, strict=False):
        optimiser.zero_grad()
        images = normalised(digits.train_images[chosen])
        answers = model(images.contiguous(memory_format=torch.channels_last))
        expected = F.cross_entropy(answers, digits.train_labels[chosen])
        expected.backward()
        optimiser.step()
        assert loss == pytest.approx(expected.item(), rel=1e-4)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_parts_add_up_to_the_gradient_of_the_whole_batch(count, digits):
    """Of each batch anew. With frozen statistics nothing depends on how a batch is split."""
    config = replace(SMALL, precision="float32", dropout=0.0, augmentation=Augmentation())

    def gradients(count):
        torch.manual_seed(0)
        model = channels_last(build(config.architecture))
        set_dropout(model, 0.0)
        networks = [model, *(sharing(model) for _ in range(count - 1))]
        parts = [
            Part(network, (digits.train_images, digits.train_labels), config)
            for network in networks
        ]
        for part in parts:
            part.begin(torch.Generator(), config.augmentation)
            part.model.eval()  # the statistics stay what they are
        for chosen in torch.arange(2 * config.batch_size).split(config.batch_size):
            model.zero_grad()
            for part, share in zip(parts, chosen.tensor_split(count), strict=True):
                part.prepare(share)
                part.step()
            gather_gradients(parts)
            yield {name: weight.grad.clone() for name, weight in model.named_parameters()}

    for whole, summed in zip(gradients(1), gradients(count), strict=True):
        assert whole.keys() == summed.keys()
        for name, gradient in whole.items():
            assert gradient.any(), name
            torch.testing.assert_close(summed[name], gradient, rtol=1e-4, atol=1e-6)


def test_a_batch_need_not_divide_evenly_into_its_parts(digits):
    (done,) = epochs(replace(SMALL, batch_size=11, parts=5, epochs=1, validation=0), digits)
    assert done.total == 420 // 11 * 11
    assert done.correct > 0


def test_settling_counts_the_statistics_of_plain_images(digits):
    """A first normalisation's mean is that of the first convolution on the images themselves."""
    config = replace(SMALL, settling=320, epochs=1)
    (done,) = epochs(config, digits)
    weights = done.weights
    plain = normalised(digits.train_images[split(config, digits)[0]])
    first = F.relu(F.conv2d(plain, weights["0.weight"], weights["0.bias"]))
    expected = first.mean((0, 2, 3))  # torch's normalisation adds up a little less exactly
    torch.testing.assert_close(weights["1.running_mean"], expected, rtol=2e-3, atol=1e-5)
    (without,) = epochs(replace(config, settling=0), digits)
    assert not torch.allclose(without.weights["1.running_mean"], expected, rtol=2e-2, atol=1e-5)


def test_the_last_epochs_can_train_on_unchanged_images(digits):
    changed = replace(SMALL, epochs=2, plain_epochs=1)
    same = replace(changed, augmentation=Augmentation(), plain_epochs=0)
    first = epochs(changed, digits)[0]
    onward = epochs(changed, digits, state=first.state)[0]
    assert onward.loss == epochs(same, digits, state=first.state)[0].loss


def test_validation_images_are_not_trained_on(digits):
    kept, held_out = split(SMALL, digits)
    assert len(held_out) == 100
    assert sorted(torch.cat([kept, held_out]).tolist()) == list(range(420))


def test_closing_the_generator_stops_after_the_batch(digits):
    run = train(SMALL, digits)
    assert isinstance(next(run), BatchDone)
    run.close()
    with pytest.raises(StopIteration):
        next(run)


def test_one_cycle_rises_and_falls():
    config = replace(SMALL, peak_rate=1.0, warmup=0.25)
    rates = [learning_rate(config, step, 100) for step in range(100)]
    peak = rates.index(max(rates))
    assert peak == 25
    assert max(rates) == 1
    assert rates[:26] == sorted(rates[:26])
    assert rates[25:] == sorted(rates[25:], reverse=True)
    assert 0 < rates[-1] < 0.02
    constant = replace(config, schedule="constant")
    assert {learning_rate(constant, step, 100) for step in range(100)} == {1.0}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"epochs": 20}, "epochs is 20; it must lie between 1 and 19"),
        ({"architecture": "vgg"}, "architecture “vgg” is unknown"),
        ({"peak_rate": float("nan")}, "peak rate is nan"),
        ({"batch_size": 8, "parts": 5}, "cannot be split into 5 parts"),
        ({"shift": -1}, "shift is -1; it must lie between 0 and 6"),
        ({"epochs": 2.5}, "epochs is '2.5'; it must be a whole number"),
        ({"seed": True}, "seed is 'True'; it must be a whole number"),
        ({"optimiser": "adam"}, "choose one of: sgd, adamw, muon"),
    ],
)
def test_a_setting_out_of_range_is_refused_with_what_is_allowed(change, sentence):
    with pytest.raises(ConfigError, match=sentence.replace("(", r"\(")):
        SMALL.with_values(change)


def test_a_batch_larger_than_the_data_is_refused(digits):
    with pytest.raises(ConfigError, match="more than the 320 images"):
        next(train(replace(SMALL, batch_size=512), digits))


@pytest.mark.parametrize("name", PRESETS)
def test_configurations_survive_json(name):
    written = json.loads(json.dumps(preset(name).to_json()))
    assert fields.read(TrainConfig, written) == (preset(name), [])
    with pytest.raises(ValueError, match=r"“augmentation\.shift” is 'far', which cannot be"):
        fields.read(TrainConfig, {**written, "augmentation": {"shift": "far"}})


def test_drawings_are_trained_on_besides_and_only_digits_are_counted(digits):
    config = replace(SMALL, epochs=1, drawn=100, drawn_others=60, plain_epochs=0)
    events = list(train(config, digits))
    batches = (320 + 160) // 64
    assert [type(e) for e in events] == [BatchDone] * batches + [EpochDone, Finished]
    done = events[-2]
    assert batches * 64 - 60 <= done.total <= batches * 64 - 60 + 480 % 64
    assert done.loss == pytest.approx(sum(e.loss for e in events[:batches]) / batches, rel=0.1)


def test_no_digit_means_that_every_answer_is_equally_likely(digits):
    config = replace(SMALL, epochs=12, drawn=400, drawn_others=400, label_smoothing=0.0)
    model = next(e.model for e in train(config, digits) if isinstance(e, Finished))

    def confidence(images):
        return log_probabilities(model, images).exp().max(1).values.mean()

    assert confidence(drawn_others(200, 77)[0]) < confidence(drawn_digits(200, 77)[0]) - 0.2


def test_a_preset_for_the_small_data_set_fits_it():
    config = preset("best", data="uci")
    assert len(data.load("uci").train_labels) > 4 * config.validation
    assert config.batch_size < preset("best").batch_size
    assert preset("best", data="uci", batch_size=256).batch_size == 256


def test_more_held_out_than_there_are_is_refused(digits):
    with pytest.raises(ConfigError, match="420 images cannot be held out of 420"):
        next(train(replace(SMALL, validation=420), digits))


def test_a_run_is_calibrated_on_what_it_held_out(events, digits):
    finished = events[-1]
    assert finished.calibration.held_out == SMALL.validation
    tested = sum(one.count for one in finished.calibration.after)
    assert tested == len(digits.test_labels)
    assert list(train(replace(SMALL, epochs=1, validation=0), digits))[-1].calibration is None
