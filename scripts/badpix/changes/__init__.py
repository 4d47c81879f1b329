"""Comparison of two masks: new, recovered and reclassified pixels, their limits, files and figure."""
