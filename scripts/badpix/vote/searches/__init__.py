"""The searches of darks beyond the official algorithm: a module each, listed in `registry`."""
