"""Processing of a raw exposure by the unmodified calwebb_detector1, and the reference files for it."""
