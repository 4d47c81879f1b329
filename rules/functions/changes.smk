# Functions of changes.smk, and the check of `compare_with`.

COMPARISON = ("mask_changes.csv", "changed_pixels.csv", "changed_pixels.fits", "mask_changes.json", "mask_changes.png")


def limits_of(mask_id):
    """The limits of the release check of a mask: change -> largest fraction, or None."""
    return {change: config_of(mask_id)[f"max_{change}_fraction"] for change in ("new", "recovered")}


def check_compare_with(mask_ids):
    """Refuse a mask of `compare_with` that is missing, or that this run makes."""
    for setting in {of_variant(config, variant_of(mask_id))["compare_with"] for mask_id in mask_ids}:
        if setting in (None, "crds", "previous"):
            continue
        if not os.path.isfile(setting):
            raise refusal(f"compare_with: no such file: {setting!r}; it must be a mask file, or crds, or previous")
        for made in map(mask_file, mask_ids):
            if is_same_file(setting, made):
                raise refusal(
                    f"compare_with: {setting!r} is the mask {made}, which this run makes; set it to a copy, or to crds or"
                    " previous"
                )


check_compare_with([*INVENTORY.masks, *INVENTORY.refused])


def compared_mask(mask_id):
    """The mask to compare the mask `mask_id` with, from `compare_with`; None without a comparison."""
    setting = config_of(mask_id)["compare_with"]
    if setting == "crds":
        return f"{RESULTS}/{mask_id}/changes/crds_mask.fits"
    if setting == "previous":
        before = INVENTORY.before(mask_id)
        return before and mask_file(before)
    return setting


def latest(found):
    """The latest of some Exposures."""
    return max(found, key=lambda exposure: (exposure.start, exposure.name))


def latest_exposure(wildcards):
    """A file of the latest exposure: CRDS selects the mask for its header."""
    found = [exposure for kind in KINDS for exposure in exposures(wildcards, kind).values()]
    return next(iter(latest(found).files.values()))


def comparisons(mask_id):
    """The files of the comparison and the release check of the mask `mask_id`."""
    if compared_mask(mask_id) is None:
        return []
    files = [f"{RESULTS}/{mask_id}/changes/{name}" for name in COMPARISON]
    if any(limit is not None for limit in limits_of(mask_id).values()):
        files.append(f"{RESULTS}/{mask_id}/changes/release_gate.json")
    return files


def all_comparisons(wildcards):
    """The comparisons of all masks, for the target `compare`."""
    if not any(comparisons(mask_id) for mask_id in INVENTORY.masks):
        raise refusal("compare: compare_with is null; it must be a mask file, or crds, or previous")
    return recorded([path for mask_id in INVENTORY.masks for path in comparisons(mask_id)])
