"""The MNIST page."""
