"""Part 1: the 2-2-2 network, every number of it under the hand."""

import streamlit as st

from core.ui.backprop.bench import start
from core.ui.backprop.settings import settings
from core.ui.backprop.view import downloads, view
from core.ui.site import enter

enter()
settings.open()
st.title("Backpropagation, number by number", anchor=False)
with st.container(key="bench"):
    start()
looks, files = st.columns([2, 1], vertical_alignment="bottom")
with looks:
    view()
with files:
    downloads()
