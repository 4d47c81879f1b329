# Functions for `intermittent`: the earlier masks that a vote reads.

import hashlib


def finds_in_masks(wildcards):
    """True if the mask has flags of pixels that earlier masks found; masks with planted pixels have none."""
    of_mask = config_of(mask_id_of(wildcards))
    is_on = of_mask["intermittent"] and "masks" in of_mask["intermittent_from"]
    return bool(is_on) and not wildcards.detector.endswith(INJECTED)


def earlier_evidence(wildcards):
    """The evidence of the masks of the epochs before, of the same detector and variant."""
    files, mask_id = [], mask_id_of(wildcards)
    while finds_in_masks(wildcards) and (mask_id := INVENTORY.before(mask_id)):
        files.insert(0, f"{RESULTS}/{mask_id}/evidence.fits")
    return files


def settings_digest(mask_id):
    """Digest of all that decides which pixels a mask flags, but for its exposures: equal for comparable masks."""
    of_mask = config_of(mask_id)
    keys = [key for key in VOTE_KEYS if key not in NO_THRESHOLDS]
    table = of_mask["manual_flag_file"]
    if table == "default":
        table = str(BASE / "config" / "manual_flags" / DETECTORS[detector_of(mask_id)].manual_flags)
    manual = hashlib.sha256(Path(table).read_bytes()).hexdigest() if table != "none" else ""
    empty = sorted(name for name, flags in of_mask["flag_values"].items() if not flags)
    compared = [{key: of_mask[key] for key in keys}, made_with(wildcards_of(mask_id)), manual, empty]
    return hashlib.sha256(json.dumps(compared, sort_keys=True, default=str).encode()).hexdigest()[:16]


def stored_masks_of(wildcards):
    """The earlier masks of the history that a mask reads, fields of Series and digests; None if it reads none."""
    if not finds_in_masks(wildcards):
        return None
    # Imported here because it takes a second.
    from badpix.history.earlier import Series, masks_before

    mask_id = mask_id_of(wildcards)
    series = series_of(mask_id)
    names = [
        Path(without_variant(m)).relative_to(detector_of(m)).name for m in INVENTORY.masks if series_of(m) == series
    ]
    fields = {
        "directory": history_of(series),
        "settings": settings_digest(mask_id),
        "start": INVENTORY.start(mask_id).replace(" ", "T"),
        "epochs": tuple(names),
    }
    return {"series": fields, "digests": dict(masks_before(Series(**fields)).digests)}


def history_of(series):
    """The folder of the history of a detector, or of a variant of a detector."""
    configured = config["history_directory"]
    return f"{configured}/{series}" if configured else f"{RESULTS}/{series}/history"
