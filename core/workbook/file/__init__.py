"""Files of cells, .xlsx and .csv: what stands in each cell, and what it comes to."""
