# Votes with other thresholds, from the cached statistics: target `sweep`.


include: "functions/sweep.smk"


rule sweep_vote:
    """A vote with the thresholds of a point of the sweep."""
    input:
        unpack(sweep_inputs),
    output:
        table="<results>/{detector}{epoch}/sweep/points/{point}.csv",
    log:
        "<results>/{detector}{epoch}/logs/sweep_vote/{point}.log",
    benchmark:
        "<results>/{detector}{epoch}/benchmarks/sweep_vote/{point}.tsv"
    wildcard_constraints:
        point="[^/]+",
    resources:
        mem_mb=memory("sweep_vote"),
        disk_mb=disk("sweep_vote"),
        runtime=runtime("sweep_vote"),
    params:
        detector=detector_data,
        config=point_config,
        made_with=made_with,
        rejected=lambda wildcards: INVENTORY.rejected[source_mask_id(wildcards)],
        library=digest("sweep_vote.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: vote with {wildcards.point}"
    conda:
        CONDA_ENV
    script:
        "../scripts/sweep_vote.py"


rule sweep_table:
    """All points of the sweep as a table and a figure."""
    input:
        tables=tables_of_points,
        # With a new mask the table is made again, so that a sweep older than its mask is of an earlier mask.
        evidence="<results>/{detector}{epoch}/evidence.fits",
    output:
        table="<results>/{detector}{epoch}/sweep/sweep.csv",
        figure="<results>/{detector}{epoch}/sweep/sweep.png",
    log:
        "<results>/{detector}{epoch}/logs/sweep_table.log",
    benchmark:
        "<results>/{detector}{epoch}/benchmarks/sweep_table.tsv"
    resources:
        mem_mb=memory("sweep_table"),
        disk_mb=disk("sweep_table"),
        runtime=runtime("sweep_table"),
    params:
        points=lambda wildcards: points_of(variant_of(wildcards.epoch)),
        configured=swept_keys,
        grid=config["sweep_grid"],
        library=digest("sweep_table.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: table and figure of the sweep"
    conda:
        CONDA_ENV
    script:
        "../scripts/sweep_table.py"


rule sweep:
    """All sweeps, as a target."""
    input:
        sweep_targets,
