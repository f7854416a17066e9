"""Spreadsheet formulas: tokens, trees, and what they come to. Knows no file and no network."""
