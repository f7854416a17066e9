"""The sketch page."""
