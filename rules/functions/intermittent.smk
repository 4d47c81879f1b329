# Functions for `intermittent`: the earlier masks that a vote reads.


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


@functools.cache
def configuration_of(mask_id):
    """The settings of a mask as text, by which the masks of a history are compared."""
    wildcards = wildcards_of(mask_id)
    contents = {}
    if path := manual_flag_path(wildcards):
        contents["manual_flags"] = sha256_of(path)
    if product := FLAT_PRODUCTS.get(detector_of(mask_id)):
        contents["flat_types"] = HEADERS.sha256(product)
    kinds = [kind for kind in KINDS if INVENTORY.exposures(mask_id, kind)]
    return settings_text(config_of(mask_id), SCHEMA, contents, kinds)


def settings_of(mask_id):
    """The digest of the settings of a mask."""
    return digest_of(configuration_of(mask_id))


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
        "settings": settings_of(mask_id),
        "start": INVENTORY.start(mask_id).replace(" ", "T"),
        "epochs": tuple(names),
        "also": config["comparable_settings"],
    }
    return {"series": fields, "digests": dict(masks_before(Series(**fields)).digests)}


def history_of(series):
    """The folder of the history of a detector, or of a variant of a detector."""
    configured = config["history_directory"]
    return f"{configured}/{series}" if configured else f"{RESULTS}/{series}/history"
