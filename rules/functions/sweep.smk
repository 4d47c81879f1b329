# Functions of sweep.smk.

POINTS = sweep_points(config["sweep"], config["sweep_grid"], config)


def point_config(wildcards):
    """The configuration of the vote with the values of the point."""
    default = DETECTORS[wildcards.detector].max_dead_norm_signal_dn_per_s
    as_given = {"max_dead_norm_signal": config["max_dead_norm_signal"]}
    return with_max_dead_norm_signal(vote_config(wildcards) | as_given | POINTS[wildcards.point], default)


def sweep_inputs(wildcards):
    """The inputs of the mask, and the truth if it is known."""
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
                check_detector(config | point, DETECTORS[detector_of(mask_id)])
    recorded([f"{RESULTS}/{mask_id}/sweep/points/{point}.csv" for mask_id in INVENTORY.masks for point in POINTS])
    return recorded([f"{RESULTS}/{mask_id}/sweep/sweep.{end}" for mask_id in INVENTORY.masks for end in ("csv", "png")])
