"""The reliability of a mask: expected false flags, votes without each exposure, stability of each flag."""
