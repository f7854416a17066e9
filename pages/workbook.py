"""Workbooks of the 2-2-2 network: one to hand out, one to check, one to mend."""

import streamlit as st

from core.ui.site import enter

enter()
st.title("Check a workbook, or hand one out", anchor=False)

# Reading workbooks takes libraries whose import the first words need not wait for.
from core.ui.backprop.settings import epochs_in_workbook, schedule_of, setup_of
from core.ui.backprop.settings import settings as backprop
from core.ui.workbook import check, hand_out
from core.ui.workbook.settings import TASK_WORDS, settings

settings.open()
settings.complain()
st.segmented_control(
    "What to do",
    settings.spec("task").options,
    default=settings["task"],
    required=True,
    format_func=TASK_WORDS.__getitem__,
    label_visibility="collapsed",
    **settings.widget("task"),
)
if settings["task"] == "check":
    check.view()
else:
    set_now = backprop.values
    hand_out.view(setup_of(set_now), schedule_of(set_now), epochs_in_workbook(set_now))
settings.write()
