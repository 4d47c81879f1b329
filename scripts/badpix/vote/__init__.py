"""The vote across exposures: votes, searches, significance, and which type takes priority."""
