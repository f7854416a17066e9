"""Everything behind the pages: `core.backprop` is Part 1, `core.ui` is what pages draw with."""
