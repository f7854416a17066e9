"""Entry point: `streamlit run streamlit_app.py`."""

import streamlit as st

from core.ui.site import ICON, navigation

page = navigation()
st.set_page_config(
    page_title=f"{page.title} · Backprop & MNIST Explorer", page_icon=ICON, layout="wide"
)
page.run()
