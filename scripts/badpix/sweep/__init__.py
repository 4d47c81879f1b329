"""Votes at other thresholds."""
