"""Comparison of findings with planted pixels: completeness, purity, curves."""
