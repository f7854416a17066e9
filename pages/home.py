"""What is here, and where to start."""

import streamlit as st

from core.ui.site import enter, link, picture

enter()
st.title("Backprop & MNIST Explorer", anchor=False)
st.markdown("See gradient descent work: touch a number, and watch everything that follows from it.")

with st.container(border=True):
    words, image = st.columns([2, 3], gap="large", vertical_alignment="center")
    with words:
        st.subheader("Backpropagation, number by number", anchor=False)
        st.markdown(
            "The 2-2-2 sigmoid network of every backpropagation course. Drag the learning rate, "
            "edit inputs, targets and weights, step through the epochs: the diagram, the error "
            "curve and the table of all 31 columns follow while your hand moves."
        )
        st.markdown(
            "**Start here:** drag η up to 10, then press play and watch the weights turn over."
        )
        link("backprop", "Open it", icon=":material/arrow_forward:")
    with image:
        picture(
            "backprop", "The backpropagation page: sliders, network diagram, error curve, table"
        )

with st.container(border=True):
    words, image = st.columns([2, 3], gap="large", vertical_alignment="center")
    with words:
        st.subheader("The spreadsheet, checked", anchor=False)
        st.markdown(
            "Most spreadsheets of that network are wrong, and nobody notices. Drop one in: every "
            "cell is judged, every formula read. You get each slip with its cause, and the same "
            "file mended. Or hand out one that is right."
        )
        st.markdown("**Start here:** press Check a faulty one, and read what is wrong with it.")
        link("workbook", "Open it", icon=":material/arrow_forward:")
    with image:
        picture("workbook", "The workbook page: verdict, loss curves, a map of the table's slips")

with st.container(border=True):
    words, image = st.columns([2, 3], gap="large", vertical_alignment="center")
    with words:
        st.subheader("A network that reads digits", anchor=False)
        st.markdown(
            "A convolutional network of 15,738 parameters, trained on MNIST: what it reaches, what "
            "it confuses, every layer of it. Train it yourself and watch the curves grow."
        )
        st.markdown(
            "**Start here:** look for the strongest colour in the confusion matrix, then press "
            "Train and Start."
        )
        link("mnist", "Open it", icon=":material/arrow_forward:")
    with image:
        picture("mnist", "The MNIST page: key figures, confusion matrix, accuracy and loss curves")

with st.container(border=True):
    words, image = st.columns([2, 3], gap="large", vertical_alignment="center")
    with words:
        st.subheader("Your own digit", anchor=False)
        st.markdown(
            "Draw a digit with the mouse or a finger, or photograph one. The network answers when "
            "the pen lifts, says how sure it is, and shows which pixels decided and what each of "
            "its layers saw."
        )
        st.markdown("**Start here:** draw a 7, then make it a 1, and watch the bars change sides.")
        link("sketch", "Open it", icon=":material/arrow_forward:")
    with image:
        picture("sketch", "The sketch page: a drawn digit, ten bars, what the network sees")
