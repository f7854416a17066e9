"""Part 1: the 2-2-2 sigmoid network. Knows numpy and pandas; knows neither torch nor Streamlit."""
