"""The flats normalised by their surroundings."""
