"""Facts of the instruments: DQ flags, detectors, geometry, read-out, names of files."""
