"""The masks of a detector over time."""
