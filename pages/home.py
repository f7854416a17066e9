"""What is here, and where to start."""

import streamlit as st

from core.ui.site import enter, link, picture

OTHERS = [
    (
        "workbook",
        "Check a workbook",
        "Most spreadsheets of that network are wrong, and nobody notices. Drop one in: every cell "
        "is judged, every slip explained, and you get the same file mended.",
        "press “Check a faulty one”, and read what is wrong with it.",
        "Open Workbooks",
        "The workbook page: the verdict, the loss curves, a map of the table's slips",
    ),
    (
        "mnist",
        "A network that reads digits",
        "A convolutional network of 15,738 parameters: what it gets right, what it confuses, and "
        "what each layer is for. Train it yourself and watch the curves grow.",
        "find the strongest colour in the confusion matrix, then open Train and press Start.",
        "Open MNIST",
        "The MNIST page: key figures, the confusion matrix, accuracy and loss curves",
    ),
    (
        "sketch",
        "Sketch a digit",
        "Draw a digit, or photograph one. The network answers when the pen lifts, says how sure it "
        "is, and shows which pixels decided.",
        "draw a 7, then make it a 1, and watch the bars change sides.",
        "Open Sketch",
        "The sketch page: a drawn digit, ten bars, what the network sees",
    ),
]

enter()
st.title("Backprop & MNIST Explorer", anchor=False)
st.markdown("See gradient descent work: touch a number, and watch everything that follows from it.")

with st.container(border=True, key="first"):
    words, image = st.columns([2, 3], gap="large", vertical_alignment="center")
    with words:
        st.subheader("Backpropagation, number by number", anchor=False)
        st.markdown(
            "The 2-2-2 network of every backpropagation course. Drag the learning rate or edit a "
            "weight: the diagram, the error curve and all 31 columns of the table follow. Take an "
            "epoch step by step, or click an edge, and its derivative is taken apart, rule by rule."
        )
        st.markdown(
            "**Start here:** drag η up to 10, then press play and watch w5 and w6 change sign."
        )
        link("backprop", "Open Backpropagation", icon=":material/arrow_forward:")
    with image:
        picture(
            "backprop", "The backpropagation page: sliders, network diagram, error curve, table"
        )

with st.container(key="others"):
    for page, title, about, hint, label, shown in OTHERS:
        image, words = st.columns([1, 4], gap="medium", vertical_alignment="center")
        with image:
            picture(page, shown)
        with words:
            st.markdown(f"### {title}\n{about}  \n**Start here:** {hint}")
            link(page, label, icon=":material/arrow_forward:")
