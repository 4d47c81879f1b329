# How far the mask can be trusted, when the configuration asks for it: votes without each exposure, and what follows.


rule leave_one_out:
    """The vote without each exposure in turn: which one changes far more than the others?"""
    input:
        unpack(vote_files),
    output:
        table=reported("leave_one_out.csv", "votes without each exposure"),
        stability=RESULTS + "/{detector}{epoch}/leave_one_out.fits",
    log:
        RESULTS + "/{detector}{epoch}/logs/leave_one_out.log",
    benchmark:
        RESULTS + "/{detector}{epoch}/benchmarks/leave_one_out.tsv"
    resources:
        mem_mb=memory("leave_one_out"),
        disk_mb=disk("leave_one_out"),
        runtime=runtime("leave_one_out"),
    params:
        detector=detector_data,
        config=vote_config,
        outlier_factor=config["outlier_factor"],
        exclude_outliers=config["reject_outliers"],
        library=digest("leave_one_out.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: the vote without each exposure in turn"
    conda:
        CONDA_ENV
    script:
        "../scripts/leave_one_out.py"


def reliability_inputs(wildcards):
    """What votes, and the table of outliers, if they are to be left out."""
    files = {kind: statistics_of(wildcards, kind) for kind in KINDS}
    return files | {"outliers": outliers(wildcards)}


rule reliability:
    """False flags to expect, stability of each flag, and what more exposures would settle."""
    input:
        unpack(reliability_inputs),
        evidence=RESULTS + "/{detector}{epoch}/evidence.fits",
        votes=RESULTS + "/{detector}{epoch}/leave_one_out.fits",
    output:
        table=RESULTS + "/{detector}{epoch}/reliability.csv",
        stability=RESULTS + "/{detector}{epoch}/stability.fits",
    log:
        RESULTS + "/{detector}{epoch}/logs/reliability.log",
    benchmark:
        RESULTS + "/{detector}{epoch}/benchmarks/reliability.tsv"
    resources:
        mem_mb=memory("reliability"),
        disk_mb=disk("reliability"),
        runtime=runtime("reliability"),
    params:
        detector=detector_data,
        config=vote_config,
        library=digest("reliability.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: statistical control of the mask"
    conda:
        CONDA_ENV
    script:
        "../scripts/reliability.py"
