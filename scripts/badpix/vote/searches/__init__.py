"""The searches of darks beyond the official algorithm: one module per search, listed in `registry`."""
