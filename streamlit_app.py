"""Entry point: `streamlit run streamlit_app.py`."""

import streamlit as st

from core.ui.site import navigation

st.set_page_config(page_title="Backprop & MNIST Explorer", page_icon="📉", layout="wide")
navigation().run()
