# Functions of changes.smk, and the check of `compare_with`.

COMPARISON = ("mask_changes.csv", "changed_pixels.csv", "changed_pixels.fits", "mask_changes.json", "mask_changes.png")
LIMITS = {change: config[f"max_{change}_fraction"] for change in ("new", "recovered")}

if config["compare_with"] not in (None, "crds", "previous"):
    if not os.path.isfile(config["compare_with"]):
        raise WorkflowError(
            f"compare_with: no such file: {config['compare_with']!r}; it must be a mask file, or crds, or previous"
        )
    for made in (f"{RESULTS}/{mask_id}/{MASK_FILE}" for mask_id in (*INVENTORY.masks, *INVENTORY.refused)):
        if is_same_file(config["compare_with"], made):
            raise WorkflowError(
                f"compare_with: {config['compare_with']!r} is the mask {made}, which this run makes; set it to a copy, or to"
                " crds or previous"
            )


def compared_mask(mask_id):
    """The mask to compare the mask `mask_id` with, from `compare_with`; None without a comparison."""
    setting = config["compare_with"]
    if setting == "crds":
        return f"{RESULTS}/{mask_id}/changes/crds_mask.fits"
    if setting == "previous":
        before = INVENTORY.before(mask_id)
        return before and f"{RESULTS}/{before}/{MASK_FILE}"
    return setting


def latest_exposure(wildcards):
    """A file of the latest exposure: CRDS selects the mask for its header."""
    found = [exposure for kind in KINDS for exposure in exposures(wildcards, kind).values()]
    return next(iter(max(found, key=lambda exposure: (exposure.start, exposure.name)).files.values()))


def comparisons(mask_id):
    """The files of the comparison and the release check of the mask `mask_id`."""
    if compared_mask(mask_id) is None:
        return []
    files = [f"{RESULTS}/{mask_id}/changes/{name}" for name in COMPARISON]
    if any(limit is not None for limit in LIMITS.values()):
        files.append(f"{RESULTS}/{mask_id}/changes/release_gate.json")
    return files


def all_comparisons(wildcards):
    """The comparisons of all masks, for the target `compare`."""
    if config["compare_with"] is None:
        raise WorkflowError("compare: compare_with is null; it must be a mask file, or crds, or previous")
    return recorded([path for mask_id in INVENTORY.masks for path in comparisons(mask_id)])
