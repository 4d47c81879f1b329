# Functions of history.smk.


def history_directory(wildcards):
    """The folder of a detector's history."""
    configured = config["history_directory"]
    return f"{configured}/{wildcards.detector}" if configured else f"{RESULTS}/{wildcards.detector}/history"


def masks_of(detector):
    """The mask_ids of a detector."""
    return [mask_id for mask_id in INVENTORY.masks if detector_of(mask_id) == detector]


def of_masks(name):
    """An input function: the files `name` of all masks of a detector."""
    return lambda wildcards: [f"{RESULTS}/{mask_id}/{name}" for mask_id in masks_of(wildcards.detector)]


def exposures_of_masks(wildcards):
    """Epoch (or an empty text) and exposures (kind -> name -> start time) of each mask of a detector."""
    return [
        {
            "epoch": Path(mask_id).relative_to(wildcards.detector).name,
            "exposures": {
                kind: {
                    name: exposure.start.isoformat() for name, exposure in INVENTORY.exposures(mask_id, kind).items()
                }
                for kind in KINDS
            },
        }
        for mask_id in masks_of(wildcards.detector)
    ]
