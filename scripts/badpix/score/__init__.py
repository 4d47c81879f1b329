"""Findings against planted pixels: completeness, purity, curves."""
