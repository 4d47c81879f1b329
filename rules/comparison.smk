# The exposures of each kind, compared with each other.


rule compare_exposures:
    """The distance of each exposure from the others of its kind."""
    input:
        darks=lambda wildcards: statistics_of(wildcards, "darks"),
        flats=lambda wildcards: statistics_of(wildcards, "flats"),
        sky=sky_responses,
    output:
        table=reported("exposure_comparison.csv", "comparison of the exposures"),
    log:
        "<results>/{detector}{epoch}/logs/compare_exposures.log",
    benchmark:
        "<results>/{detector}{epoch}/benchmarks/compare_exposures.tsv"
    resources:
        mem_mb=memory("compare_exposures"),
        disk_mb=disk("compare_exposures"),
        runtime=runtime("compare_exposures"),
    params:
        detector=detector_data,
        limit=config["outlier_limit"],
        library=digest("compare_exposures.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: comparison of the exposures"
    conda:
        CONDA_ENV
    script:
        "../scripts/compare_exposures.py"
