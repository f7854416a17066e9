"""Part 1: the 2-2-2 network, every number of it under the hand."""

import streamlit as st

from core.ui.backprop.bench import start
from core.ui.backprop.rates import rest
from core.ui.backprop.settings import settings
from core.ui.site import enter

enter()
settings.open()
st.title("Backpropagation, number by number", anchor=False)
with st.container(key="bench"):
    start()
rest()
