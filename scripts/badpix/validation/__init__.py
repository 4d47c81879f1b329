"""Validation with simulated detectors: the plan, and the page of results."""
