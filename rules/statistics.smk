# The statistics of each exposure of which products are given: measurements without thresholds. Raw exposures:
# detector1.smk.


include: "functions/statistics.smk"


rule dark_statistics:
    """Slopes, pedestals, jump counts, saturation and noise of a dark, from given products."""
    input:
        unpack(given_dark),
    output:
        statistics="<results>/{detector}/darks/{exposure}_dark_statistics.fits",
    log:
        "<results>/{detector}/logs/dark_statistics/{exposure}.log",
    benchmark:
        "<results>/{detector}/benchmarks/dark_statistics/{exposure}.tsv"
    wildcard_constraints:
        detector=MEASURED,
        exposure=names_pattern("darks", from_products=True),
    resources:
        mem_mb=memory("dark_statistics", "darks"),
        disk_mb=disk("dark_statistics", "darks"),
        runtime=runtime("dark_statistics", "darks"),
        scratch=scratch,
    params:
        detector=detector_data,
        early_cutoff_fraction=config["early_cutoff_fraction"],
        library=digest("dark_statistics.py"),
    message:
        "{wildcards.detector}: statistics of the dark {wildcards.exposure}{PROGRESS}"
    conda:
        CONDA_ENV
    script:
        "../scripts/dark_statistics.py"


rule reference_statistics:
    """Noise, level and railing of the reference pixels of a raw dark."""
    input:
        uncal=raw_dark,
    output:
        statistics="<results>/{detector}/darks/{exposure}_reference_statistics.fits",
    log:
        "<results>/{detector}/logs/reference_statistics/{exposure}.log",
    benchmark:
        "<results>/{detector}/benchmarks/reference_statistics/{exposure}.tsv"
    resources:
        mem_mb=memory("reference_statistics", "darks"),
        disk_mb=disk("reference_statistics", "darks"),
        runtime=runtime("reference_statistics", "darks"),
        scratch=scratch,
    params:
        detector=detector_data,
        library=digest("reference_statistics.py"),
    message:
        "{wildcards.detector}: reference pixels of the dark {wildcards.exposure}"
    conda:
        CONDA_ENV
    script:
        "../scripts/reference_statistics.py"


rule flat_statistics:
    """Slopes and last raw groups of a flat, from given products."""
    priority: 1
    input:
        unpack(given_flat),
    output:
        statistics="<results>/{detector}/flats/{exposure}_flat_statistics.fits",
    log:
        "<results>/{detector}/logs/flat_statistics/{exposure}.log",
    benchmark:
        "<results>/{detector}/benchmarks/flat_statistics/{exposure}.tsv"
    wildcard_constraints:
        detector=MEASURED,
        exposure=names_pattern("flats", from_products=True),
    resources:
        mem_mb=memory("flat_statistics", "flats"),
        disk_mb=disk("flat_statistics", "flats"),
        runtime=runtime("flat_statistics", "flats"),
        scratch=scratch,
    params:
        library=digest("flat_statistics.py"),
    message:
        "{wildcards.detector}: statistics of the flat {wildcards.exposure}{PROGRESS}"
    conda:
        CONDA_ENV
    script:
        "../scripts/flat_statistics.py"
