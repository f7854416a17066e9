"""Entry point: `streamlit run streamlit_app.py`."""

import streamlit as st
from starlette.middleware import Middleware
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.ui.backprop.warm import warm
from core.ui.left_pages import LeftPages
from core.ui.site import ICON, navigation, routes

app = st.App(__file__, routes=routes(), middleware=[Middleware(LeftPages)])

if get_script_run_ctx(suppress_warning=True):  # a session runs this file
    page = navigation()
    st.set_page_config(
        page_title=f"{page.title} · Backprop & MNIST Explorer", page_icon=ICON, layout="wide"
    )
    page.run()
else:  # the server starts: what it does now, no person waits for later
    PagesManager.uses_pages_directory = False  # else a link to a page runs the app twice at first
    warm()
