"""Where the exercise stands in a file: its tables, blocks and curves, and what each cell is."""
