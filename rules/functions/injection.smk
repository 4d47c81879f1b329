# Functions of injection.smk.

PLAN = json.dumps({"injection": config["injection"], "library": digest("injection_plan.py")}, sort_keys=True)


def injection_recovery_targets(wildcards):
    """The tables and the figure of each mask; every exposure must be raw."""
    wanted = []
    for mask_id, kinds in INVENTORY.masks.items():
        given = [e.name for kind in KINDS for e in kinds[kind].values() if e.from_products]
        if given:
            raise refusal(
                f"injection_recovery: {mask_id}: pixels are planted into raw files, and {len(given)} exposures were given"
                f" already processed, the first {given[0]}; give the raw ones (*_uncal.fits) as darks and flats"
            )
        detector = detector_of(mask_id)
        folder = f"{RESULTS}/{detector}/{INJECTED}{mask_id.removeprefix(detector)}"
        wanted += [f"{folder}/injection_recovery.{end}" for end in ("csv", "png")]
    return wanted


def injected_findings(wildcards):
    """Evidence and mask without and with planted pixels."""
    before = f"{wildcards.detector}{wildcards.epoch}"
    after = f"{wildcards.detector}/{INJECTED}{wildcards.epoch}"
    return {
        "evidence": f"{RESULTS}/{before}/evidence.fits",
        "mask": mask_file(before),
        "injected_evidence": f"{RESULTS}/{after}/evidence.fits",
        "injected_mask": mask_file(after),
    }


def findings_of_all_masks(wildcards):
    """Evidence and masks of all epochs and variants of a detector, and the statistics of its darks."""
    mask_ids = masks_of(wildcards.detector)
    return {
        "evidence": [f"{RESULTS}/{mask_id}/evidence.fits" for mask_id in mask_ids],
        "mask": [mask_file(mask_id) for mask_id in mask_ids],
        "statistics": statistics_of(wildcards, "darks"),
    }


def unplanned():
    """The detectors without a plan of the pixels to plant, or with a plan of other settings."""

    def is_planned(path):
        return path.exists() and path.read_text(encoding="utf-8", errors="replace") == PLAN

    detectors = dict.fromkeys(map(detector_of, INVENTORY.masks))
    return [name for name in detectors if not is_planned(Path(RESULTS, name, INJECTED, "plan.json"))]
