"""The vote across exposures: ballots, searches, significance, and which type takes priority."""
