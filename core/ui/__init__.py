"""What the pages are drawn with: Streamlit controls, Altair charts, the state in the URL."""
