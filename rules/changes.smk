# What has changed since the mask before, and whether that is too much for a release.

COMPARISON = ("mask_changes.csv", "changed_pixels.csv", "changed_pixels.fits", "mask_changes.json", "mask_changes.png")
LIMITS = {change: config[f"max_{change}_fraction"] for change in ("new", "recovered")}

if config["compare_with"] not in (None, "crds", "previous") and not Path(config["compare_with"]).is_file():
    raise WorkflowError(
        f"compare_with: no such file: {config['compare_with']!r}; it must be a mask file, or crds, or previous"
    )


def compared_mask(mask_id):
    """The mask that the one at `mask_id` is compared with, as `compare_with` says; None if with nothing."""
    setting = config["compare_with"]
    if setting == "crds":
        return f"{RESULTS}/{mask_id}/changes/crds_mask.fits"
    if setting == "previous":
        before = INVENTORY.before(mask_id)
        return before and f"{RESULTS}/{before}/{MASK_FILE}"
    return setting


def latest_exposure(wildcards):
    """A file of the latest exposure, for which CRDS is asked."""
    found = [exposure for kind in KINDS for exposure in exposures(wildcards, kind).values()]
    return next(iter(max(found, key=lambda exposure: (exposure.start, exposure.name)).files.values()))


def comparisons(mask_id):
    """What is compared and checked of the mask at `mask_id`."""
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
    return [path for mask_id in INVENTORY.masks for path in comparisons(mask_id)]


rule compare:
    """All comparisons, as a target."""
    input:
        all_comparisons,


rule crds_mask:
    """The mask that CRDS selects now for the latest of the exposures."""
    input:
        exposure=latest_exposure,
    output:
        mask=RESULTS + "/{detector}{epoch}/changes/crds_mask.fits",
    log:
        RESULTS + "/{detector}{epoch}/logs/crds_mask.log",
    benchmark:
        RESULTS + "/{detector}{epoch}/benchmarks/crds_mask.tsv"
    resources:
        mem_mb=memory("crds_mask"),
        disk_mb=disk("crds_mask"),
        runtime=runtime("crds_mask"),
    params:
        crds=crds_settings(),
        whole=config["mask_frame"] == "full",
        library=digest("crds_mask.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: mask from CRDS"
    conda:
        CONDA_ENV
    script:
        "../scripts/crds_mask.py"


rule compare_masks:
    """New, recovered and reclassified pixels since the mask before."""
    input:
        before=lambda wildcards: compared_mask(mask_id_of(wildcards)) or [],
        mask=RESULTS + "/{detector}{epoch}/" + MASK_FILE,
    output:
        matrix=RESULTS + "/{detector}{epoch}/changes/mask_changes.csv",
        pixels=RESULTS + "/{detector}{epoch}/changes/changed_pixels.csv",
        table=RESULTS + "/{detector}{epoch}/changes/changed_pixels.fits",
        summary=RESULTS + "/{detector}{epoch}/changes/mask_changes.json",
        figure=reported("changes/mask_changes.png", "changes since the mask before"),
    log:
        RESULTS + "/{detector}{epoch}/logs/compare_masks.log",
    benchmark:
        RESULTS + "/{detector}{epoch}/benchmarks/compare_masks.tsv"
    resources:
        mem_mb=memory("compare_masks"),
        disk_mb=disk("compare_masks"),
        runtime=runtime("compare_masks"),
    params:
        library=digest("compare_masks.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: comparison with {input.before}"
    conda:
        CONDA_ENV
    script:
        "../scripts/compare_masks.py"


rule release_gate:
    """Fails when too many pixels are new or recovered; the comparison stays."""
    input:
        summary=RESULTS + "/{detector}{epoch}/changes/mask_changes.json",
    output:
        report=RESULTS + "/{detector}{epoch}/changes/release_gate.json",
    log:
        RESULTS + "/{detector}{epoch}/logs/release_gate.log",
    benchmark:
        RESULTS + "/{detector}{epoch}/benchmarks/release_gate.tsv"
    resources:
        mem_mb=memory("release_gate"),
        disk_mb=disk("release_gate"),
        runtime=runtime("release_gate"),
    params:
        limits=LIMITS,
        library=digest("release_gate.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: is the mask near enough to the one before?"
    conda:
        CONDA_ENV
    script:
        "../scripts/release_gate.py"
