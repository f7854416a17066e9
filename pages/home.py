"""What is here, and where to start."""

import streamlit as st

from core.ui.site import enter

enter()
st.title("Backprop & MNIST Explorer", anchor=False)
