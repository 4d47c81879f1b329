# Functions of response.smk.


def segment_statistics(wildcards):
    """The statistics files of the segments of a flat; a flat without segments has a single file."""
    segments = by_exposure(exposures(wildcards, "flats"))[wildcards.exposure]
    files = [f"{RESULTS}/{wildcards.detector}/flats/{name}_flat_statistics.fits" for name in segments]
    check_response(f"{RESULTS}/{wildcards.detector}/flats/{wildcards.exposure}_exposure_response.fits", files)
    return files


def all_flat_statistics(wildcards):
    """The statistics files of all flats of a mask."""
    files = statistics_of(wildcards, "flats")
    more = [("comparison", path) for path in outliers(wildcards)]
    check_response(f"{RESULTS}/{mask_id_of(wildcards)}/flat_response.fits", files, more)
    return files
