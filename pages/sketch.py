"""Sketch a digit: what the network answers, and why."""

import streamlit as st

from core.ui.site import enter

enter()
heading, chooser = st.columns([1.7, 1], vertical_alignment="bottom")
heading.title("Sketch a digit, and see why", anchor=False)

# On a server that has just started, importing torch takes seconds: the page stands before it does.
import time

from torch import Tensor

from core.mnist import checkpoint, explain
from core.mnist.answer import Answer, answer, use_one_thread
from core.mnist.checkpoint import Record
from core.mnist.models import ConvNet
from core.ui import networks, sketch
from core.ui.charts import draw
from core.ui.feature_maps import feature_maps
from core.ui.sketch_charts import answer_data, answer_spec, attribution_data, attribution_spec
from core.ui.sketch_settings import ABOUT, SOURCES, settings

state = st.session_state
COLUMNS = (1, 1.7)  # pictures, words
AFTER_BARS = 0.15  # seconds
SOURCE_WORDS = {"draw": "Draw", "upload": "Upload", "camera": "Camera", "test": "Test set"}
METHOD_WORDS = {
    "grad-cam": "Grad-CAM",
    "integrated-gradients": "Integrated gradients",
    "occlusion": "Occlusion",
}


def network() -> tuple[ConvNet, Record] | None:
    folder = networks.choose()
    if folder is None:
        return None
    try:
        return networks.load(folder)
    except checkpoint.CheckpointError as error:
        st.error(f"This network cannot be used. {error}", icon=":material/error:")
        return None


@st.fragment
def bench(model: ConvNet, record: Record) -> None:
    """The digit, the answer and the reasons: all that a stroke changes."""
    given, told = st.columns(COLUMNS, gap="large")
    truth = None
    with given:
        st.segmented_control(
            "Where the digit comes from",
            SOURCES,
            key="source",
            required=True,
            format_func=SOURCE_WORDS.__getitem__,
            label_visibility="collapsed",
        )
        match state.source:
            case "draw":
                image = sketch.drawn()
            case "upload":
                image = sketch.uploaded()
            case "camera":
                image = sketch.snapped()
            case _:
                misread = [one.index for one in record.test.misread]
                found = sketch.tested(record.config.data, misread)
                image, truth = found if found else (None, None)
    temperature = record.calibration.temperature if record.calibration else 1.0
    read = answer(model, image, temperature) if image is not None else None
    with told:
        with st.container(horizontal=True, vertical_alignment="center", gap="large"):
            sketch.seen(image)
            sketch.verdict(read, truth)
        draw(
            answer_spec(),
            answer_data(read),
            key="answer",
            alt_text="The probability of each of the ten digits",
        )
        if record.calibration is None:
            st.caption(
                "This network held no images back to learn how sure it may be: "
                "its probabilities are as it gives them."
            )
    if image is not None and read is not None:
        # The browser draws what comes together in one go: the bars come first, and alone.
        time.sleep(AFTER_BARS)
        reasons(model, image, read)
    settings.save()


def reasons(model: ConvNet, image: Tensor, read: Answer) -> None:
    """Which pixels speak for the answer, and every map on the way to it."""
    st.subheader("Why", anchor=False)
    overlay, chosen = st.columns(COLUMNS, gap="large")
    with chosen:
        st.segmented_control(
            "Method",
            tuple(explain.METHODS),
            key="method",
            required=True,
            format_func=METHOD_WORDS.__getitem__,
        )
        st.selectbox(
            "The digit to explain",
            ABOUT,
            key="about",
            format_func=lambda about: f"the {about}" if about in ABOUT[:2] else about,
        )
        asked = {"answer": read.digit, "runner-up": read.runner_up}
        digit = asked[state.about] if state.about in asked else int(state.about)
        st.markdown(f"**Why {digit}?** {explain.METHODS[state.method]}")
    with overlay:
        draw(
            attribution_spec(),
            attribution_data(image, explain.attribute(model, image, digit, state.method)),
            key="attribution",
            alt_text="The image with what each pixel does for the digit laid over it",
            width="content",
        )
    st.subheader("What each layer sees", anchor=False)
    feature_maps(image, explain.feature_maps(model, image), key="maps")


settings.restore()
for complaint in settings.complaints():
    st.error(complaint, icon=":material/link_off:")
use_one_thread()
with chooser:
    chosen_network = network()
if chosen_network:
    bench(*chosen_network)
settings.save()
