"""The workbook page."""
