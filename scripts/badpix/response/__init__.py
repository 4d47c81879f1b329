"""The response of the detector from its flats, normalised by the local level."""
