# Votes with other thresholds from the cached statistics, for the target `sweep`; not part of `all`.

POINTS = sweep_points(config["sweep"], config["sweep_grid"], config)


def point_config(wildcards):
    """The configuration of the vote with the values of the point."""
    own = DETECTORS[wildcards.detector].max_dead_norm_signal_dn_per_s
    as_given = {"max_dead_norm_signal": config["max_dead_norm_signal"]}
    return with_max_dead_norm_signal(vote_config(wildcards) | as_given | POINTS[wildcards.point], own)


def sweep_inputs(wildcards):
    """What the mask is made of, and the truth."""
    if wildcards.detector.endswith(INJECTED):
        return mask_inputs(wildcards) | {"truth": [f"{RESULTS}/{wildcards.detector}/truth.fits"]}
    return mask_inputs(wildcards) | {"truth": find_files("truth", config["truth"], ("truth",))}


def sweep_targets(wildcards):
    """The table and the figure of each mask."""
    if not config["sweep"]:
        raise WorkflowError("sweep: nothing is swept; give values to try, such as sweep: {max_jump_limit: [5, 8, 12]}")
    for mask_id, kinds in INVENTORY.masks.items():
        if kinds["flats"]:
            for point in POINTS.values():
                check_detector(config | point, DETECTORS[mask_id.split("/")[0]])
    return [f"{RESULTS}/{mask_id}/sweep/sweep.{end}" for mask_id in INVENTORY.masks for end in ("csv", "png")]


rule sweep_vote:
    """One more vote, with the thresholds of a point of the sweep."""
    input:
        unpack(sweep_inputs),
    output:
        table=RESULTS + "/{detector}{epoch}/sweep/points/{point}.csv",
    log:
        RESULTS + "/{detector}{epoch}/logs/sweep_vote/{point}.log",
    benchmark:
        RESULTS + "/{detector}{epoch}/benchmarks/sweep_vote/{point}.tsv"
    wildcard_constraints:
        point="[^/]+",
    resources:
        mem_mb=memory("sweep_vote"),
        disk_mb=disk("sweep_vote"),
        runtime=runtime("sweep_vote"),
    params:
        detector=detector_data,
        config=point_config,
        rejected=lambda wildcards: INVENTORY.rejected[source_mask_id(wildcards)],
        library=digest("sweep_vote.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: vote with {wildcards.point}"
    conda:
        CONDA_ENV
    script:
        "../scripts/sweep_vote.py"


rule sweep_table:
    """All points of the sweep as one table and a figure."""
    input:
        tables=expand(RESULTS + "/{{detector}}{{epoch}}/sweep/points/{point}.csv", point=POINTS),
    output:
        table=RESULTS + "/{detector}{epoch}/sweep/sweep.csv",
        figure=RESULTS + "/{detector}{epoch}/sweep/sweep.png",
    log:
        RESULTS + "/{detector}{epoch}/logs/sweep_table.log",
    benchmark:
        RESULTS + "/{detector}{epoch}/benchmarks/sweep_table.tsv"
    resources:
        mem_mb=memory("sweep_table"),
        disk_mb=disk("sweep_table"),
        runtime=runtime("sweep_table"),
    params:
        points=POINTS,
        configured={key: config[key] for key in config["sweep"]},
        grid=config["sweep_grid"],
        library=digest("sweep_table.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: table and figure of the sweep"
    conda:
        CONDA_ENV
    script:
        "../scripts/sweep_table.py"


rule sweep:
    input:
        sweep_targets,
