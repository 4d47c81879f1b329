# Functions of pixels.smk, and the check of `known_bad`.

# The value of `known_bad.pixels` for those that all earlier masks agree on.
OF_EPOCHS = "epochs"


def known_bad_of(mask_id):
    """`known_bad` of a mask, with the `pixels` of its detector: a file, OF_EPOCHS or None."""
    setting = config_of(mask_id)["known_bad"]
    pixels = setting["pixels"]
    return setting | {"pixels": pixels.get(detector_of(mask_id)) if isinstance(pixels, dict) else pixels}


def check_known_bad(mask_ids):
    """Refuse lists of known bad pixels that cannot be used, before hours of darks."""
    # Imported here because few runs need it.
    from badpix.mask.flags import flags_by_type
    from badpix.pixels.known_list import KnownPixelError, read_known_pixels
    from badpix.pixels.known_source import is_unnamed, own_result

    lists, detectors = {}, sorted({detector_of(mask_id) for mask_id in mask_ids})
    for mask_id in mask_ids:
        setting, of_mask = config_of(mask_id)["known_bad"]["pixels"], config_of(mask_id)
        path = known_bad_of(mask_id)["pixels"]
        if path in (None, OF_EPOCHS):
            continue
        if not isinstance(setting, dict) and len(detectors) > 1:
            raise refusal(
                f"known_bad.pixels: {setting!r} is a list of one detector, and the run has masks of"
                f" {', '.join(detectors)}; give a mapping of detectors to lists"
            )
        lists[path, detector_of(mask_id)] = of_mask
        for made in map(mask_file, mask_ids):
            if is_same_file(path, made):
                raise refusal(
                    f"known_bad.pixels: {path!r} is the mask {made}, which this run makes; set it to a copy, or to"
                    " epochs"
                )
        if own_result(path, RESULTS, detectors):
            raise refusal(
                f"known_bad.pixels: {path!r} is among the results of this run, which change with the mask; set it to a"
                " copy in another folder, or to epochs"
            )
    for (path, detector), of_mask in lists.items():
        table = flags_by_type(of_mask["flag_values"], of_mask["dark_do_not_use"], of_mask["flat_do_not_use"])
        try:
            read_known_pixels(path, DETECTORS[detector], table)
        except KnownPixelError as error:
            raise refusal(f"known_bad.pixels: {error}") from None
    for mask_id in mask_ids:
        if is_unnamed(config_of(mask_id)["known_bad"]["pixels"], detector_of(mask_id)):
            say([f"Warning: {mask_id}: known_bad.pixels does not name {detector_of(mask_id)}; no check of this mask"])


if DECIDES and any(config_of(mask_id)["known_bad"]["pixels"] is not None for mask_id in INVENTORY.masks):
    check_known_bad([*INVENTORY.masks])


def pixel_inputs(wildcards):
    """The files of the vote but for the table of manual flags."""
    return {name: files for name, files in mask_inputs(wildcards).items() if name != "manual_flags"}


def masks_before(wildcards):
    """The mask_ids of the epochs before in this run, of the same detector and variant, in order of time."""
    found, mask_id = [], mask_id_of(wildcards)
    while mask_id := INVENTORY.before(mask_id):
        found.insert(0, mask_id)
    return found


def earlier_mask_inputs(wildcards):
    """The masks of the epochs before, and their evidence."""
    before = masks_before(wildcards)
    return {
        "earlier_masks": list(map(mask_file, before)),
        "earlier_evidence": [f"{RESULTS}/{mask_id}/evidence.fits" for mask_id in before],
    }


def earlier_sources(wildcards):
    """Where the earlier masks of a mask are: the fields of Sources."""
    mask_id = mask_id_of(wildcards)
    series, before = series_of(mask_id), masks_before(wildcards)
    epochs = [
        Path(without_variant(m)).relative_to(detector_of(m)).name for m in INVENTORY.masks if series_of(m) == series
    ]
    given = earlier_mask_inputs(wildcards)
    return {
        "directory": history_of(series),
        "start": INVENTORY.start(mask_id).replace(" ", "T"),
        "epochs": tuple(epochs),
        "masks": tuple(given["earlier_masks"]),
        "evidence": tuple(given["earlier_evidence"]),
        "starts": tuple(INVENTORY.start(other).replace(" ", "T") for other in before),
        "settings": settings_of(mask_id),
        "also": config["comparable_settings"],
    }


def stored_digest_of(wildcards):
    """The digest of the earlier masks in the history."""
    # Imported here because it takes a second.
    from badpix.pixels.earlier import stored_digest

    return stored_digest(earlier_sources(wildcards))


def pixel_tables(mask_id):
    """The tables of the bad pixels of a mask."""
    return [f"{RESULTS}/{mask_id}/bad_pixels.{suffix}" for suffix in ("parquet", "csv")]


def known_list_digest(wildcards):
    """The digest of the list of known bad pixels, None for those of earlier masks."""
    pixels = known_bad_of(mask_id_of(wildcards))["pixels"]
    return sha256_of(pixels) if pixels not in (None, OF_EPOCHS) else None


def known_inputs(wildcards):
    """The list of known bad pixels; for those of earlier masks the verdicts on the epochs before.

    A refused mask would take its lost pixels out of those that all earlier masks agree on.
    """
    pixels = known_bad_of(mask_id_of(wildcards))["pixels"]
    if pixels == OF_EPOCHS:
        return {"verdicts": [path for mask_id in masks_before(wildcards) for path in known_bad_gates(mask_id)]}
    return {"known_list": pixels} if pixels else {}


def known_bad_gates(mask_id):
    """The verdict on the known bad pixels of a mask; none without the check."""
    return [f"{RESULTS}/{mask_id}/known_bad/known_bad_gate.json"] if known_bad_of(mask_id)["pixels"] else []


def known_bad_files(mask_id):
    """All files of the check of the known bad pixels of a mask."""
    folder = f"{RESULTS}/{mask_id}/known_bad"
    checked = [f"{folder}/known_bad_pixels.csv", f"{folder}/known_bad.json"]
    return [*checked, *known_bad_gates(mask_id)] if known_bad_gates(mask_id) else []
