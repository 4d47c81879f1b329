"""Reduction of an exposure to images of measured quantities."""
