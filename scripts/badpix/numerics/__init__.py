"""Clipping, sorting and blocks of rows: numerical methods that know no astronomy."""
