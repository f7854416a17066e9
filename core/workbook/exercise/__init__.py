"""The exercise itself: its quantities, and what each follows from."""
