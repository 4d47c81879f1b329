"""One exposure reduced to images of measured quantities."""
