"""Sketch a digit: what the network answers, and why."""

import streamlit as st

from core.ui.site import enter

enter()
heading, chooser = st.columns([1.7, 1], vertical_alignment="bottom")
heading.title("Sketch a digit, and see why", anchor=False)

# On a server that has just started, importing torch takes seconds: the page stands before it does.
from core.mnist.answer import use_one_thread
from core.ui.sketch.bench import bench, network
from core.ui.sketch.settings import settings

settings.open()
use_one_thread()
with chooser:
    chosen_network = network()
if chosen_network:
    bench(*chosen_network)
settings.write()
