"""The digit, the answer and the reasons: all that a stroke changes."""

from __future__ import annotations

import time
from pathlib import Path

import streamlit as st
import torch
from torch import Tensor

from core.mnist import explain, records
from core.mnist.answer import Answer, answers
from core.mnist.models import ConvNet
from core.mnist.records import Record
from core.ui import networks
from core.ui.charts import draw
from core.ui.sketch.canvas import drawn
from core.ui.sketch.charts import answer_data, answer_spec, attribution_data, attribution_spec
from core.ui.sketch.digit_row import chosen_digit, digit_row
from core.ui.sketch.feature_maps import feature_maps
from core.ui.sketch.mnist_images import tested
from core.ui.sketch.photographs import snapped, uploaded
from core.ui.sketch.settings import ABOUT, settings
from core.ui.sketch.verdict import seen, verdict
from core.ui.text import plain
from core.ui.turns import in_turn

COLUMNS = (1, 1.7)  # of the reasons: picture, words
AFTER_BARS = 0.15  # seconds
SOURCE_WORDS = {"draw": "Draw", "upload": "Upload", "camera": "Camera", "test": "Test set"}
METHOD_WORDS = {
    "grad-cam": "Grad-CAM",
    "integrated-gradients": "Integrated gradients",
    "occlusion": "Occlusion",
}


def network() -> tuple[ConvNet, Record] | None:
    """The network that reads, from a list of all."""
    folder = networks.choose(settings)
    if folder is None:
        return None
    try:
        return networks.load(folder)
    except records.CheckpointError as error:
        st.error(plain(f"This network cannot be used. {error}"), icon=":material/error:")
        return None


def bench(model: ConvNet, record: Record) -> None:
    """Source, answer and reasons."""
    st.html(Path(__file__).parent / "page.css")
    _bench(model, record)


@st.fragment
def _bench(model: ConvNet, record: Record) -> None:
    settings.complain()
    with st.container(key="sketch"):  # page.css says where each of these five stands
        st.segmented_control(
            "Where the digit comes from",
            settings.spec("source").options,
            default=settings["source"],
            required=True,
            format_func=SOURCE_WORDS.__getitem__,
            label_visibility="collapsed",
            **settings.widget("source"),
        )
        with st.container(key="given"):
            images, truth = _given(record)
        found = answers(model, torch.stack(images), record.calibration) if images else []
        chosen = chosen_digit(len(images))
        image = images[chosen] if images else None
        read = found[chosen] if found else None
        seen(image)
        verdict(found, truth)
        with st.container(key="bars"):
            if len(images) > 1:
                digit_row(images, found, chosen)
            draw(
                answer_spec(),
                answer_data(read),
                key="answer",
                alt_text="The probability of each of the ten digits",
            )
            if record.calibration is None:
                st.caption(
                    "This network is not calibrated: it was trained without "
                    "held-out validation images."
                )
    if image is not None and read is not None:
        # The browser draws what comes together in one go: the bars come first, and alone.
        time.sleep(AFTER_BARS)
        _reasons(model, image, read)
    settings.write()


def _given(record: Record) -> tuple[list[Tensor], int | None]:
    """The digits, and the label of one that has it."""
    match settings["source"]:
        case "draw":
            return drawn(), None
        case "upload":
            return uploaded(), None
        case "camera":
            return snapped(), None
        case _:
            misread = record.test.misread if record.test else []
            image, label = tested(record.config.data, [one.index for one in misread])
            return [] if image is None else [image], label


@in_turn
def _reasons(model: ConvNet, image: Tensor, read: Answer) -> None:
    """Which pixels speak for the answer, and every map on the way to it."""
    st.subheader("Why", anchor=False)
    overlay, chosen = st.columns(COLUMNS, gap="large")
    with chosen:
        st.segmented_control(
            "Method",
            settings.spec("method").options,
            default=settings["method"],
            required=True,
            format_func=METHOD_WORDS.__getitem__,
            **settings.widget("method"),
        )
        st.selectbox(
            "The digit to explain",
            ABOUT,
            index=ABOUT.index(settings["about"]),
            format_func=lambda about: f"the {about}" if about in ABOUT[:2] else about,
            **settings.widget("about"),
        )
        method, about = settings["method"], settings["about"]
        asked = {"answer": read.digit, "runner-up": read.runner_up}
        digit = asked[about] if about in asked else int(about)
        st.markdown(f"**Why {digit}?** {explain.METHODS[method]}")
        values = explain.attribute(model, image, digit, method)
        if not values.any():
            st.info(
                f"{METHOD_WORDS[method]} finds nothing that speaks for a {digit} here: it is zero "
                "everywhere. Another method, or another digit, shows more.",
                icon=":material/visibility_off:",
            )
    with overlay, st.container(key="overlay"):
        draw(
            attribution_spec(),
            attribution_data(image, values),
            key="attribution",
            alt_text="The image with what each pixel does for the digit laid over it",
            width="content",
        )
    st.subheader("What each layer sees", anchor=False)
    feature_maps(image, explain.feature_maps(model, image), key="maps")
