"""The backpropagation page."""
