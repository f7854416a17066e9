"""The engine rooms of the explorer: `core.backprop` (Part 1) and `core.ui` (what the pages draw with)."""
