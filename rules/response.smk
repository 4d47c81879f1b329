# The normalised flats: all flats together, and each flat if single flats vote.


include: "functions/response.smk"


rule exposure_response:
    """A single flat, normalised for its vote."""
    priority: 1
    input:
        statistics=segment_statistics,
    output:
        response="<results>/{detector}/flats/{exposure}_exposure_response.fits",
    log:
        "<results>/{detector}/logs/exposure_response/{exposure}.log",
    benchmark:
        "<results>/{detector}/benchmarks/exposure_response/{exposure}.tsv"
    resources:
        mem_mb=memory("exposure_response"),
        disk_mb=disk("exposure_response"),
        runtime=runtime("exposure_response"),
        scratch=scratch,
    params:
        detector=detector_data,
        settings={key: config[key] for key in RESPONSE_KEYS},
        library=digest("exposure_response.py"),
    message:
        "{wildcards.exposure}: response of a single flat"
    conda:
        CONDA_ENV
    script:
        "../scripts/exposure_response.py"


rule sky_response:
    """A single flat of a set with flats of the sky: its response, the error of the response, and its sources."""
    priority: 1
    input:
        statistics=sky_statistics,
    output:
        response="<results>/{detector}/flats/{exposure}_sky_response.fits",
    log:
        "<results>/{detector}/logs/sky_response/{exposure}.log",
    benchmark:
        "<results>/{detector}/benchmarks/sky_response/{exposure}.tsv"
    resources:
        mem_mb=memory("sky_response"),
        disk_mb=disk("sky_response"),
        runtime=runtime("sky_response"),
        scratch=scratch,
    params:
        detector=detector_data,
        settings={key: config[key] for key in (*RESPONSE_KEYS, *SKY_KEYS)},
        library=digest("sky_response.py"),
    message:
        "{wildcards.exposure}: sources and response of a single flat"
    conda:
        CONDA_ENV
    script:
        "../scripts/sky_response.py"


rule flat_response:
    """The flats stacked, clipped and normalised."""
    priority: 1
    input:
        statistics=all_flat_statistics,
        outliers=outliers,
        sky=sky_responses,
    output:
        response="<results>/{detector}{epoch}/flat_response.fits",
    log:
        "<results>/{detector}{epoch}/logs/flat_response.log",
    benchmark:
        "<results>/{detector}{epoch}/benchmarks/flat_response.tsv"
    resources:
        mem_mb=memory("flat_response"),
        disk_mb=disk("flat_response"),
        runtime=runtime("flat_response"),
    params:
        detector=detector_data,
        settings=response_settings,
        library=digest("flat_response.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: response of the flats"
    conda:
        CONDA_ENV
    script:
        "../scripts/flat_response.py"
