"""Part 2: a small convolutional network that reads handwritten digits. Knows no Streamlit."""
