# Functions of response.smk.


def segment_statistics(wildcards):
    """The statistics files of the segments of a flat; a flat without segments has a single file."""
    segments = by_exposure(exposures(wildcards, "flats"))[wildcards.exposure]
    return [f"{RESULTS}/{wildcards.detector}/flats/{name}_flat_statistics.fits" for name in segments]
