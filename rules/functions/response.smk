# Functions of response.smk.


def segment_statistics(wildcards):
    """The statistics files of the segments of a flat; a flat without segments has a single file."""
    segments = by_exposure(exposures(wildcards, "flats"))[wildcards.exposure]
    files = [f"{RESULTS}/{wildcards.detector}/flats/{name}_flat_statistics.fits" for name in segments]
    path = f"{RESULTS}/{wildcards.detector}/flats/{wildcards.exposure}_exposure_response.fits"
    check_response(path, files, {key: config[key] for key in RESPONSE_KEYS})
    return files


def sky_statistics(wildcards):
    """The statistics files of the segments of a flat of a set with flats of the sky."""
    segments = by_exposure(exposures(wildcards, "flats"))[wildcards.exposure]
    files = [f"{RESULTS}/{wildcards.detector}/flats/{name}_flat_statistics.fits" for name in segments]
    path = f"{RESULTS}/{wildcards.detector}/flats/{wildcards.exposure}_sky_response.fits"
    check_response(path, files, {key: config[key] for key in (*RESPONSE_KEYS, *SKY_KEYS)})
    return files


def all_flat_statistics(wildcards):
    """The statistics files of all flats of a mask."""
    files = statistics_of(wildcards, "flats")
    more = [("comparison", path) for path in outliers(wildcards)]
    more += [("exposure_response", path) for path in sky_responses(wildcards)]
    path = f"{RESULTS}/{mask_id_of(wildcards)}/flat_response.fits"
    check_response(path, files, response_settings(wildcards), more)
    return files
