"""How far a mask can be trusted: false flags to expect, votes without each exposure, stability of each flag."""
