# Functions of history.smk.


def history_directory(wildcards):
    """The folder of the history of a detector, or of a variant of a detector."""
    return history_of(mask_id_of(wildcards))


def masks_of(detector):
    """The mask_ids of a detector."""
    return [mask_id for mask_id in INVENTORY.masks if detector_of(mask_id) == detector]


def masks_of_series(wildcards):
    """The mask_ids of all epochs of a detector and variant."""
    return [mask_id for mask_id in INVENTORY.masks if series_of(mask_id) == mask_id_of(wildcards)]


def of_masks(name):
    """An input function: the files `name` of all masks of a history."""
    return lambda wildcards: [f"{RESULTS}/{mask_id}/{name}" for mask_id in masks_of_series(wildcards)]


def verdicts_of_masks(wildcards):
    """The verdicts on the known bad pixels of all masks of a history."""
    return [path for mask_id in masks_of_series(wildcards) for path in known_bad_gates(mask_id)]


def exposures_of_masks(wildcards):
    """Epoch (or an empty text) and exposures (kind -> name -> start time) of each mask of a history."""
    return [
        {
            "epoch": Path(without_variant(mask_id)).relative_to(wildcards.detector).name,
            "configuration": configuration_of(mask_id),
            "preset": (config["preset"] or {"name": "official"})["name"],
            "exposures": {
                kind: {
                    name: exposure.start.isoformat() for name, exposure in INVENTORY.exposures(mask_id, kind).items()
                }
                for kind in KINDS
            },
        }
        for mask_id in masks_of_series(wildcards)
    ]


def like_of_series(wildcards):
    """The settings whose masks are compared: those of the last mask of a detector and variant in this run."""
    mask_id = max(masks_of_series(wildcards), key=INVENTORY.start)
    return {"settings": settings_of(mask_id), "also": config["comparable_settings"]}


def removed_from_history(wildcards):
    """The digest of the table of entries that a user removed from the history."""
    return removed_digest(history_directory(wildcards))
