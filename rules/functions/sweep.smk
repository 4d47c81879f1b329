# Functions of sweep.smk.


@functools.cache
def points_of(variant):
    """The points of the sweep of a variant: name -> values of the keys that differ from the variant's."""
    return sweep_points(config["sweep"], config["sweep_grid"], of_variant(config, variant))


def point_config(wildcards):
    """The configuration of the vote with the values of the point."""
    default = DETECTORS[wildcards.detector].max_dead_norm_signal_dn_per_s
    variant = variant_of(wildcards.epoch)
    as_given = {"max_dead_norm_signal": of_variant(config, variant)["max_dead_norm_signal"]}
    keys = vote_config(wildcards) | as_given | points_of(variant)[wildcards.point]
    return with_max_dead_norm_signal(of_detector(keys, detector_of(wildcards.detector)), default)


def tables_of_points(wildcards):
    """The tables of all points of the sweep of a mask."""
    folder = f"{RESULTS}/{mask_id_of(wildcards)}/sweep/points"
    return [f"{folder}/{point}.csv" for point in points_of(variant_of(wildcards.epoch))]


def swept_keys(wildcards):
    """The configured values of the swept keys, for the mask."""
    of_mask = of_variant(config, variant_of(wildcards.epoch))
    return {key: of_mask[key] for key in config["sweep"]}


def sweep_inputs(wildcards):
    """The inputs of the mask, and the truth if it is known."""
    if wildcards.detector.endswith(INJECTED):
        return mask_inputs(wildcards) | {"truth": [f"{RESULTS}/{wildcards.detector}/truth.fits"]}
    return mask_inputs(wildcards) | {"truth": find_files("truth", config["truth"], ("truth",))}


def sweep_targets(wildcards):
    """The table and the figure of each mask."""
    if not config["sweep"]:
        raise refusal("sweep: nothing is swept; give values to try, such as sweep: {max_jump_limit: [5, 8, 12]}")
    for mask_id, kinds in INVENTORY.masks.items():
        if kinds["flats"]:
            of_mask = of_variant(config, variant_of(mask_id))
            for point in points_of(variant_of(mask_id)).values():
                check_detector(of_mask | point, DETECTORS[detector_of(mask_id)])
    recorded(
        [
            f"{RESULTS}/{mask_id}/sweep/points/{point}.csv"
            for mask_id in INVENTORY.masks
            for point in points_of(variant_of(mask_id))
        ]
    )
    return recorded([f"{RESULTS}/{mask_id}/sweep/sweep.{end}" for mask_id in INVENTORY.masks for end in ("csv", "png")])
