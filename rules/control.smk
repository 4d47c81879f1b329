# How far the mask can be trusted, when the configuration asks for it.


def control_inputs(wildcards):
    """What votes, and the table of outliers, if they are to be left out."""
    return ballots(wildcards) | {"outliers": outliers(wildcards)}


rule statistical_control:
    """False flags to expect, stability of each flag, and what more exposures would settle."""
    input:
        unpack(control_inputs),
    output:
        table=RESULTS + "/{detector}{epoch}/control.csv",
        stability=RESULTS + "/{detector}{epoch}/stability.fits",
    log:
        RESULTS + "/{detector}{epoch}/logs/statistical_control.log",
    benchmark:
        RESULTS + "/{detector}{epoch}/benchmarks/statistical_control.tsv"
    resources:
        mem_mb=memory("statistical_control"),
        disk_mb=disk("statistical_control"),
        runtime=runtime("statistical_control"),
    params:
        detector=detector_facts,
        config=vote_config,
        response_settings={key: config[key] for key in RESPONSE_KEYS},
        flats=lambda wildcards: list(by_exposure(exposures(wildcards, "flats"))),
        library=digest("statistical_control.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: statistical control of the mask"
    conda:
        CONDA_ENV
    script:
        "../scripts/statistical_control.py"
