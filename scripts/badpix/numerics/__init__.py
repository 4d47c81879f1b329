"""Sigma clipping, sorting and blocks of rows: numerical methods independent of the instrument."""
