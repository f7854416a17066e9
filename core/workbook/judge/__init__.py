"""What is right and what is wrong: formulas, and numbers without formulas."""
