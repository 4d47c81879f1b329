"""The instruments: DQ flags, detectors, geometry, readout, names of files."""
