"""The same file with its slips mended."""
