# The check of a mask by CRDS, and the folder of its delivery.


include: "functions/delivery.smk"


rule certify_mask:
    """crds certify with the cache of CRDS alone."""
    input:
        mask=certified_mask,
    output:
        certificate=reported("certify.json", "check by CRDS"),
    log:
        "<results>/{detector}{epoch}/logs/certify_mask.log",
    benchmark:
        "<results>/{detector}{epoch}/benchmarks/certify_mask.tsv"
    resources:
        mem_mb=memory("certify_mask"),
        disk_mb=disk("certify_mask"),
        runtime=runtime("certify_mask"),
    params:
        # The mask is made from them; as inputs, Snakemake would look up all of them for this job too.
        statistics=all_statistics,
        crds=crds_settings(),
        library=digest("certify_mask.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: crds certify"
    conda:
        CONDA_ENV
    script:
        "../scripts/certify_mask.py"


rule certify:
    """All masks accepted by CRDS, as a target: fails also where crds certify was not run."""
    input:
        certificates=certificates,
    output:
        touch("<results>/certified"),
    log:
        "<results>/logs/certify.log",
    params:
        library=digest("certify.py"),
    message:
        "check of all masks by CRDS"
    localrule: True
    conda:
        CONDA_ENV
    script:
        "../scripts/certify.py"


rule deliver_mask:
    """The folder of the delivery of a mask, complete or not at all."""
    input:
        unpack(delivered_files),
        mask=mask_of,
        statistics=all_statistics,
        evidence="<results>/{detector}{epoch}/evidence.fits",
        summary="<results>/{detector}{epoch}/summary.csv",
        rejected="<results>/{detector}{epoch}/rejected_exposures.csv",
        inputs="<results>/{detector}{epoch}/inputs.csv",
    output:
        # Not deleted before the job, which keeps a form filled in by hand.
        update(directory("<results>/{detector}{epoch}/delivery")),
    log:
        "<results>/{detector}{epoch}/logs/deliver_mask.log",
    benchmark:
        "<results>/{detector}{epoch}/benchmarks/deliver_mask.tsv"
    resources:
        mem_mb=memory("deliver_mask"),
        disk_mb=disk("deliver_mask"),
        runtime=runtime("deliver_mask"),
    params:
        geometry=geometry_of,
        division=lambda wildcards: division_name(mask_id_of(wildcards)),
        delivery=config["delivery"],
        crds=crds_settings(),
        library=digest("deliver_mask.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: delivery"
    conda:
        CONDA_ENV
    script:
        "../scripts/deliver_mask.py"


rule deliver:
    """The deliveries of all masks, as a target."""
    input:
        deliveries,
