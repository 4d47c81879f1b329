# The flats normalised by their surroundings: all together, and each on its own where single flats vote.


def segment_statistics(wildcards):
    """The statistics of the segments of a flat, or of the whole one."""
    segments = by_exposure(exposures(wildcards, "flats"))[wildcards.exposure]
    return [f"{RESULTS}/{wildcards.detector}/flats/{name}_flat_statistics.fits" for name in segments]


rule exposure_response:
    """One flat normalised on its own, for its vote."""
    priority: 1
    input:
        statistics=segment_statistics,
    output:
        response=RESULTS + "/{detector}/flats/{exposure}_exposure_response.fits",
    log:
        RESULTS + "/{detector}/logs/exposure_response/{exposure}.log",
    benchmark:
        RESULTS + "/{detector}/benchmarks/exposure_response/{exposure}.tsv"
    resources:
        mem_mb=memory("exposure_response"),
        disk_mb=disk("exposure_response"),
        runtime=runtime("exposure_response"),
    params:
        detector=detector_data,
        settings={key: config[key] for key in RESPONSE_KEYS},
        library=digest("exposure_response.py"),
    message:
        "{wildcards.exposure}: response of one flat"
    conda:
        CONDA_ENV
    script:
        "../scripts/exposure_response.py"


rule flat_response:
    """The flats stacked, clipped and normalised."""
    priority: 1
    input:
        statistics=lambda wildcards: statistics_of(wildcards, "flats"),
        outliers=outliers,
    output:
        response=RESULTS + "/{detector}{epoch}/flat_response.fits",
    log:
        RESULTS + "/{detector}{epoch}/logs/flat_response.log",
    benchmark:
        RESULTS + "/{detector}{epoch}/benchmarks/flat_response.tsv"
    resources:
        mem_mb=memory("flat_response"),
        disk_mb=disk("flat_response"),
        runtime=runtime("flat_response"),
    params:
        detector=detector_data,
        settings={key: config[key] for key in RESPONSE_KEYS},
        library=digest("flat_response.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: response of the flats"
    conda:
        CONDA_ENV
    script:
        "../scripts/flat_response.py"
