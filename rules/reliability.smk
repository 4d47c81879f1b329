# Reliability of the mask: votes without each exposure, false flags to expect, exposures needed.


include: "functions/reliability.smk"


rule leave_one_out:
    """The vote without each exposure in turn."""
    input:
        unpack(leave_one_out_inputs),
    output:
        table=reported("leave_one_out.csv", "votes without each exposure"),
        stability="<results>/{detector}{epoch}/leave_one_out.fits",
    log:
        "<results>/{detector}{epoch}/logs/leave_one_out.log",
    benchmark:
        "<results>/{detector}{epoch}/benchmarks/leave_one_out.tsv"
    resources:
        mem_mb=memory("leave_one_out"),
        disk_mb=disk("leave_one_out"),
        runtime=runtime("leave_one_out"),
    params:
        detector=detector_data,
        config=vote_config,
        made_with=made_with,
        library=digest("leave_one_out.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: the vote without each exposure in turn"
    conda:
        CONDA_ENV
    script:
        "../scripts/leave_one_out.py"


rule reliability:
    """False flags to expect, stability of each flag, and exposures needed for the unclassified pixels."""
    input:
        unpack(reliability_inputs),
        evidence="<results>/{detector}{epoch}/evidence.fits",
        votes="<results>/{detector}{epoch}/leave_one_out.fits",
    output:
        table="<results>/{detector}{epoch}/reliability.csv",
        stability="<results>/{detector}{epoch}/stability.fits",
    log:
        "<results>/{detector}{epoch}/logs/reliability.log",
    benchmark:
        "<results>/{detector}{epoch}/benchmarks/reliability.tsv"
    resources:
        mem_mb=memory("reliability"),
        disk_mb=disk("reliability"),
        runtime=runtime("reliability"),
    params:
        detector=detector_data,
        config=vote_config,
        made_with=made_with,
        library=digest("reliability.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: reliability of the mask"
    conda:
        CONDA_ENV
    script:
        "../scripts/reliability.py"
