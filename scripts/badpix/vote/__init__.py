"""The vote over the exposures: votes, searches, significance, and priorities between the types."""
