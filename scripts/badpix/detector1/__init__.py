"""One raw exposure through the unmodified calwebb_detector1, and the references that it needs."""
