"""Simulated detectors: which are run, and the page of results."""
