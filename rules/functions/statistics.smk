# Functions of statistics.smk.


def given_dark(wildcards):
    """The given products of a dark; a relative pedestal needs the raw file too."""
    given = exposures(wildcards, "darks")[wildcards.exposure].files
    files = {name: given[name] for name in ("jump", "rateints", "fitopt")}
    if DETECTORS[wildcards.detector].relative_pedestal:
        files["uncal"] = given["uncal"]
    check_statistics(wildcards, "darks", files.items())
    return files


def raw_dark(wildcards):
    """The raw file of a dark; its measured reference pixels are checked."""
    raw = raw_file(wildcards, "darks")
    path = f"{RESULTS}/{wildcards.detector}/darks/{wildcards.exposure}_reference_statistics.fits"
    check_current(Wanted(path, {}, (("uncal", raw),)))
    return raw


def reference_statistics_of(wildcards):
    """The measured reference pixels of all darks of a mask with a raw file; none without `bad_reference_pixels`."""
    if config_of(mask_id_of(wildcards))["bad_reference_pixels"] is None:
        return []
    folder = f"{RESULTS}/{wildcards.detector}/darks"
    return [
        f"{folder}/{name}_reference_statistics.fits"
        for name, dark in exposures(wildcards, "darks").items()
        if "uncal" in dark.files
    ]


def given_flat(wildcards):
    """The given rates of a flat, and the raw file (for the flux check) if there is a raw file."""
    given = exposures(wildcards, "flats")[wildcards.exposure].files
    files = {"rateints": given["rateints"]}
    if raw := given.get("flux_check", given.get("uncal")):
        files["uncal"] = raw
    check_statistics(wildcards, "flats", files.items())
    return files
