"""The MNIST page with no MNIST on the machine: what is shipped, and training on the UCI digits."""

import json
import re
import shutil
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import torch
from playwright.sync_api import expect
from safetensors.torch import save

from core.mnist import checkpoint, data, portable, records, runs
from core.mnist.evaluation import evaluate
from core.mnist.recipe import preset
from tests.core.mnist.prepared import stopped
from tests.harness import (
    LAPTOP,
    PHONE,
    ROOT,
    BackpropPage,
    MnistPage,
    SketchPage,
    server,
)
from tests.strokes import FORMS

TRAINING = 600_000  # milliseconds a short training may take on a very busy machine


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder for runs, and one where MNIST is not."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def offline(place):
    env = {"RUNS_ROOT": str(place), "MNIST_ROOT": str(place / "no-data")}
    with server(ROOT / "streamlit_app.py", env=env) as url:
        yield url


@pytest.fixture
def mnist(new_page, offline):
    def open_mnist(query="", **options):
        return MnistPage(new_page(**options), offline, query)

    return open_mnist


def start(page, **fields):
    """Start a run on the UCI digits; fields: whole numbers to type into the form."""
    page.open("Train")
    page.choose("Digits", "UCI")
    for label, value in fields.items():
        field = page.page.get_by_label(label.replace("_", " "), exact=True)
        field.fill(str(value))
        field.press("Enter")
        page.settle()
    page.page.get_by_role("button", name="Start").click()
    page.settle()


def newest(place):
    return max(place.glob("2*-*"), key=lambda folder: folder.stat().st_ctime_ns)


def test_a_checkpoint_is_there_at_once_with_no_data(mnist):
    page = mnist()
    _, record = checkpoint.load_checkpoint("published")
    expect(page.say(f"{100 * record.test.accuracy:.2f} %")).to_be_visible()
    expect(page.say("15,738")).to_be_visible()
    for title in ("Confusion matrix", "Accuracy of each epoch", "Loss of each epoch"):
        expect(page.chart(title)).to_be_visible()
    words = page.chart("Confusion matrix").text_content()
    for row, counts in enumerate(record.test.confusion):
        assert str(counts[row]) in words
    page.page.get_by_role("tab", name="Text").click()
    for epoch in record.epochs:
        expect(page.say(epoch.line())).to_be_attached()
    page.page.get_by_role("tab", name="torchinfo").click()
    expect(page.say("Total params: 15,738")).to_be_visible()
    expect(page.say("MNIST must be on this machine")).to_be_visible()
    # A hand reads a cell of the matrix, and an epoch of the curve.
    square = page.chart("Confusion matrix").locator(".mark-rect path").first
    square.scroll_into_view_if_needed()
    square.hover(force=True)
    tip = page.page.locator("#vg-tooltip-element")
    expect(tip).to_contain_text("0 classified correctly")
    expect(tip).to_contain_text(str(record.test.confusion[0][0]))
    box = page.chart("Accuracy of each epoch").bounding_box()
    page.page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.5)
    expect(tip).to_contain_text("notebook")


def share_of_nines(name):
    """What stands in the last cell of the diagonal when shares are shown."""
    _, record = checkpoint.load_checkpoint(name)
    return f"{100 * record.test.confusion[9][9] / sum(record.test.confusion[9]):.2f}"


def test_shares_of_the_row_and_another_network_are_in_the_link(mnist, new_page, offline):
    page = mnist()
    page.page.get_by_text("% of the row").click()
    expect(page.chart("Confusion matrix")).to_contain_text(share_of_nines("published"))
    page.settle()
    page.choose("Trained network", "Compact, shipped")
    expect(page.chart("Confusion matrix")).to_contain_text(share_of_nines("compact"))
    assert "cells=shares" in page.page.url
    assert "network=compact" in page.page.url
    _, record = checkpoint.load_checkpoint("compact")
    other = MnistPage(new_page(), offline, page.page.url.split("?")[1])
    expect(other.chart("Confusion matrix")).to_contain_text(share_of_nines("compact"))
    expect(other.say(f"{100 * record.test.accuracy:.2f} %")).to_be_visible()


def download(page, button):
    with page.page.expect_download() as found:
        page.page.get_by_role("button", name=button, exact=True).click()
    return Path(found.value.path()).read_bytes()


def drop(page, name, file):
    page.page.get_by_role("button", name="Load a file").click()
    given = {"name": name, "mimeType": "application/octet-stream", "buffer": file}
    page.page.locator("input[type=file]").set_input_files(given)
    expect(page.page.locator("input[type=file]")).to_have_count(0)  # the popover closes
    page.settle()


def test_downloads_are_the_network_its_record_and_its_log(mnist):
    page = mnist("network=fc-head")
    model, record = checkpoint.load_checkpoint("fc-head")
    weights, its_record = portable.unpack(download(page, "Network"), "it")
    assert its_record == record
    assert weights.keys() == model.state_dict().keys()
    assert json.loads(download(page, "Record")) == json.loads(json.dumps(record.to_json()))
    lines = download(page, "Log as CSV").decode().splitlines()
    assert lines[0].startswith("epoch,training loss")
    assert len(lines) == 20


def test_what_was_downloaded_is_dropped_and_stands_in_every_list(mnist, new_page, offline):
    page = mnist("network=compact")
    before = page.page.url
    drop(page, "notes.txt", b"I am a text.")
    expect(page.say("notes.txt is damaged or no safetensors file.")).to_be_visible()
    drop(page, "other.safetensors", save({"weight": torch.zeros(2, 2)}))
    expect(page.say("other.safetensors has 1 tensors")).to_be_visible()
    expect(page.say("notes.txt")).to_have_count(0)
    assert page.page.url == before  # a file that is no network is a sentence and changes nothing
    file = download(page, "Network")
    drop(page, "compact.safetensors", file)
    chosen = page.page.get_by_label("Trained network", exact=True)
    expect(chosen).to_have_value(re.compile("Compact, MNIST, loaded, "))
    name = chosen.input_value()
    _, record = checkpoint.load_checkpoint("compact")
    expect(page.say(f"{100 * record.test.accuracy:.2f} %")).to_be_visible()
    query = page.page.url.split("?")[1]
    drop(page, "again.safetensors", file)
    assert page.page.url.split("?")[1] == query  # the same network, kept once
    page.open("Compare")
    page.choose("Compare", name)
    expect(page.chart("Test accuracy of each epoch")).to_contain_text("loaded")
    sketch = SketchPage(new_page(), offline, query)
    expect(sketch.page.get_by_label("Trained network", exact=True)).to_have_value(name)
    sketch.draw(FORMS["3 round"].strokes)
    assert "3" in sketch.verdict()


def test_a_foreign_file_is_shown_without_figures_until_they_are_measured(mnist, new_page, offline):
    page = mnist()
    model, _ = checkpoint.load_checkpoint("published")
    tensors = {f"net.{n}": tensor.contiguous() for n, tensor in model.state_dict().items()}
    drop(page, "theirs.safetensors", save(tensors))
    expect(page.say("This file came without a record")).to_be_visible()
    expect(page.say("fewer than 20 epochs: not known")).to_be_visible()
    expect(page.page.get_by_text("Test accuracy")).to_have_count(0)
    measure = page.page.get_by_role("button", name="Measure on")
    expect(measure.nth(0)).to_be_disabled()  # MNIST is not here
    page.open("Compare")
    page.choose("Compare", "Published, loaded")
    page.page.keyboard.press("Escape")  # the list of a choice of several stays open
    page.open("Results")
    measure.nth(1).click()
    digits = data.load("uci")
    found = evaluate(model, digits.test_images, digits.test_labels)
    expect(page.say(f"{100 * found.accuracy:.2f} %")).to_be_visible()
    expect(page.say("measured here on UCI's test set")).to_be_visible()
    expect(page.chart("Confusion matrix")).to_contain_text(str(found.confusion[0][0]))
    name = page.page.get_by_label("Trained network", exact=True).input_value()
    train = mnist("view=Train")
    train.choose("Run", name)
    expect(train.say("Loaded from a file, without a log.")).to_be_visible()


def test_a_training_from_press_to_finished_curve(new_page, offline, place):
    first = BackpropPage(
        new_page(), offline, "w1=0.9"
    )  # a visit of which the training hears nothing
    first.page.get_by_role("radio", name="zeros").click()
    first.settle()
    first.field("epochs").fill("23")
    first.field("epochs").press("Enter")
    for tab in ("Derivation", "Learning rates", "Landscape", "Check"):
        first.open(tab)
    first.page.get_by_role("link", name="MNIST", exact=True).click()
    page = MnistPage(first.page)
    page.open("Train")
    expect(page.page.get_by_label("Seed", exact=True)).to_have_value("0")
    start(page, Epochs=2)
    expect(page.say("Finished:")).to_be_visible(timeout=TRAINING)
    folder = newest(place)
    _, record = checkpoint.load(folder)
    assert record.config.data == "uci"
    expect(page.say(record.epochs[-1].line())).to_be_visible()
    points = page.chart("Accuracy of each epoch").locator(".role-mark.mark-symbol path")
    assert points.count() == 2 * 2  # test and training
    expect(page.page.get_by_role("button", name="Compare with the notebook's")).to_have_count(0)
    sketch = page.page.get_by_role("link", name="Sketch with this network")
    assert f"network={folder.name}" in sketch.get_attribute("href")
    page.page.get_by_role("button", name="See its results").click()
    chosen = page.page.get_by_label("Trained network", exact=True)
    expect(chosen).to_have_value(re.compile("Published, UCI, "))
    expect(page.say(f"{record.test.total - record.test.correct} of 360")).to_be_visible()
    figures = page.page.locator(".misread figure")
    expect(figures).to_have_count(len(record.test.misread))
    page.page.get_by_role("link", name="Backpropagation", exact=True).click()
    first.settle()
    expect(first.field("epochs")).to_have_value("23")
    assert "None" not in page.page.url


def test_a_run_outlives_a_refresh_and_a_stop(mnist, place):
    page = mnist()
    start(page, Epochs=8)
    expect(page.say("Test set: Epoch:1 ")).to_be_visible(timeout=TRAINING)
    stop = page.page.get_by_role("button", name="Stop")
    expect(stop).to_be_visible(timeout=TRAINING)
    page.page.reload()
    expect(page.say("Test set: Epoch:1 ")).to_be_visible(timeout=TRAINING)
    expect(stop).to_be_in_viewport()
    form = page.page.get_by_role("button", name="Start")
    assert stop.bounding_box()["y"] < form.bounding_box()["y"]  # what trains stands first
    other = mnist("view=Train")
    expect(other.say("Test set: Epoch:1 ")).to_be_visible(timeout=TRAINING)
    stop.click()
    expect(page.say("Stopped. Resume goes on after epoch")).to_be_visible(timeout=TRAINING)
    expect(other.say("Stopped. Resume goes on after epoch")).to_be_visible(timeout=TRAINING)
    other.page.close()  # it would draw each further epoch too
    page.page.get_by_role("button", name="Resume").click()
    expect(page.say("Finished:")).to_be_visible(timeout=TRAINING)
    _, record = checkpoint.load(newest(place))
    assert [epoch.epoch for epoch in record.epochs] == list(range(1, 9))


def test_a_second_person_waits_in_the_queue_and_a_stopped_run_can_be_deleted(
    mnist, place, monkeypatch
):
    monkeypatch.setenv("RUNS_ROOT", str(place))
    first = runs.start(preset("fast", data="uci", epochs=19), "fast")  # the first person's
    two = mnist()
    start(two, Epochs=19, Seed=1)
    expect(two.say("Waiting: 1 run is ahead in the queue.")).to_be_visible(timeout=TRAINING)
    expect(two.say("2 runs train or wait")).to_be_visible(timeout=TRAINING)
    two.page.get_by_role("button", name="Stop").click()
    expect(two.say("Stopped.")).to_be_visible(timeout=TRAINING)
    (name,) = parse_qs(urlsplit(two.page.url).query)["run"]
    folder = place / name
    assert folder.exists()
    two.page.get_by_role("button", name="Delete").click()
    two.page.get_by_role("button", name="Delete this run").click()
    expect(two.say("Stopped.")).to_be_hidden(timeout=TRAINING)
    expect(two.say("There is no run called")).to_be_hidden()
    assert not folder.exists()
    runs.stop(first)


def test_a_recipe_fills_the_form_and_an_edit_makes_it_ones_own(mnist):
    page = mnist("view=Train")
    page.choose("Digits", "UCI")
    expect(page.page.get_by_role("radio", name="Fast")).to_be_checked()
    expect(page.page).to_have_url(re.compile("batch_size=32"))
    page.choose("Digits", "MNIST")
    page.page.get_by_role("radio", name="Best").click()
    page.settle()
    expect(page.page.get_by_label("Epochs", exact=True)).to_have_value("19")
    expect(page.page).to_have_url(re.compile("epochs=19"))
    page.page.get_by_text("All settings").click()
    field = page.page.get_by_label("Dropout", exact=True)
    field.fill("0.3")
    field.press("Enter")
    page.settle()
    expect(page.page).to_have_url(re.compile(r"dropout=0\.3"))
    expect(page.page.get_by_role("radio", name="Your own")).to_be_checked()


def test_settings_that_contradict_each_other_are_refused_in_words(mnist):
    page = mnist("view=Train&batch_size=8&parts=8&data=uci")
    page.page.get_by_role("button", name="Start").click()
    expect(page.say("cannot be split into 8 parts")).to_be_visible()
    expect(page.page.get_by_label("Seed", exact=True)).to_have_value("0")


def test_a_finished_run_on_mnist_leads_to_the_notebooks_log(mnist, place):
    folder = stopped(place / "20260101-000000-published-1", epochs=3, data="mnist")
    (folder / records.RECORD).write_bytes(
        (records.CHECKPOINTS / "published" / records.RECORD).read_bytes()
    )
    shutil.copy(records.CHECKPOINTS / "published" / records.WEIGHTS, folder)
    page = mnist(f"view=Train&run={folder.name}")
    page.page.get_by_role("button", name="Compare with the notebook's").click()
    for label in ("The notebook's own log", "MNIST, fast recipe"):
        expect(page.chart("Test accuracy of each epoch")).to_contain_text(label)
    assert f"compared={folder.name}+notebook" in page.page.url
    shutil.rmtree(folder)


def test_what_a_link_names_and_is_not_there_is_said(mnist):
    compared = mnist("view=Compare&compared=compact+20200101-000000-gone-1")
    expect(compared.say("There is no network called “20200101-000000-gone-1”")).to_be_visible()
    expect(compared.chart("Test loss of each epoch")).to_contain_text("Compact, shipped")
    page = mnist("network=20200101-000000-gone-1&cells=colours")
    expect(page.say("There is no network called “20200101-000000-gone-1”")).to_be_visible()
    expect(page.say("cells stays counts")).to_be_visible()
    expect(page.chart("Confusion matrix")).to_be_visible()


def test_runs_are_compared_side_by_side_and_nothing_scrolls_sideways(mnist):
    page = mnist()
    for width, height in (LAPTOP, PHONE):
        page.page.set_viewport_size({"width": width, "height": height})
        page.settle()
        for view in ("Results", "Train", "Compare"):
            page.open(view)
            wide = page.page.evaluate(
                "() => document.querySelector('[data-testid=stMain]').scrollWidth - innerWidth"
            )
            assert wide <= 0, view
        for label in ("Published, shipped", "Compact, shipped"):
            expect(page.chart("Test accuracy of each epoch")).to_contain_text(label)


def test_a_servers_secrets_decide_what_visitors_may_do(new_page, tmp_path):
    secrets = tmp_path / "secrets.toml"
    secrets.write_text('RUNS_TRAINING = "off"\nRUNS_WAITING = 2\n')
    with server(ROOT / "streamlit_app.py", "--secrets.files", str(secrets)) as address:
        page = MnistPage(new_page(), address, "view=Train")
        page.say("Training is switched off on this server.").wait_for()
        assert page.page.get_by_role("button", name="Start", exact=True).count() == 0
