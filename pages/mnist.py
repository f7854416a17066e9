"""Part 2: a small convolutional network, what it reaches, and how it learns it."""

import streamlit as st

from core.ui.site import enter

enter()
st.title("A network that reads digits", anchor=False)

# On a server that has just started, importing torch takes seconds: the page stands before it does.
from core.ui.mnist import compare, results, training
from core.ui.mnist.settings import VIEWS, settings

settings.open()
settings.complain()
tabs = st.tabs(VIEWS, default=settings["view"], **settings.widget("view"))
for tab, part in zip(tabs, (results, training, compare), strict=True):
    if tab.open:
        with tab:
            part.view()
settings.write()
