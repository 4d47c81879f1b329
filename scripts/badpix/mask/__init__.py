"""The mask from the result of a vote: DQ flags, manual flags, provenance, output files and their check."""
