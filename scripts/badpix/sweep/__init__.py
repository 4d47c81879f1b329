"""Votes with varied thresholds."""
