"""Mask against mask: new, recovered and reclassified pixels, their limits, files and figure."""
