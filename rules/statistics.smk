# One file of measurements per exposure; no thresholds.


def dark_inputs(wildcards):
    """The products of a dark; a relative pedestal needs the raw file too."""
    files = {name: product(wildcards, "darks", name) for name in ("jump", "rateints", "fitopt")}
    if DETECTORS[wildcards.detector].relative_pedestal:
        files["uncal"] = raw_file(wildcards, "darks")
    return files


def flat_inputs(wildcards):
    """The rates of a flat, and the raw file (for the flux check) where there is one."""
    files = {"rateints": product(wildcards, "flats", "rateints")}
    given = exposures(wildcards, "flats")[wildcards.exposure].files
    if raw := given.get("flux_check", given.get("uncal")):
        files["uncal"] = raw
    return files


rule dark_statistics:
    """Slopes, pedestals, jump counts, saturation and noise of a dark."""
    # Before anything else: it is what frees the disk of the large intermediates.
    priority: 3
    input:
        unpack(dark_inputs),
    output:
        statistics=RESULTS + "/{detector}/darks/{exposure}_dark_statistics.fits",
    log:
        RESULTS + "/{detector}/logs/dark_statistics/{exposure}.log",
    benchmark:
        RESULTS + "/{detector}/benchmarks/dark_statistics/{exposure}.tsv"
    resources:
        mem_mb=memory("dark_statistics", "darks"),
        disk_mb=disk("dark_statistics", "darks"),
        runtime=runtime("dark_statistics", "darks"),
        keep_intermediates=int(config["keep_intermediates"]),
    params:
        detector=detector_data,
        early_cutoff_fraction=config["early_cutoff_fraction"],
        library=digest("dark_statistics.py"),
    message:
        "{wildcards.detector}: statistics of the dark {wildcards.exposure}"
    conda:
        CONDA_ENV
    script:
        "../scripts/dark_statistics.py"


rule flat_statistics:
    """Slopes and last raw groups of a flat."""
    priority: 1
    input:
        unpack(flat_inputs),
    output:
        statistics=RESULTS + "/{detector}/flats/{exposure}_flat_statistics.fits",
    log:
        RESULTS + "/{detector}/logs/flat_statistics/{exposure}.log",
    benchmark:
        RESULTS + "/{detector}/benchmarks/flat_statistics/{exposure}.tsv"
    resources:
        mem_mb=memory("flat_statistics", "flats"),
        disk_mb=disk("flat_statistics", "flats"),
        runtime=runtime("flat_statistics", "flats"),
    params:
        library=digest("flat_statistics.py"),
    message:
        "{wildcards.detector}: statistics of the flat {wildcards.exposure}"
    conda:
        CONDA_ENV
    script:
        "../scripts/flat_statistics.py"
