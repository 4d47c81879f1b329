"""Comparison of each exposure with the other exposures of its kind."""
