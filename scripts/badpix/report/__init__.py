"""The report page of a detector: what was measured, what it was held against, and what follows for each pixel."""
