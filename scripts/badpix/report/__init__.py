"""The report page of a detector: measurements, thresholds, votes and result of each pixel."""
