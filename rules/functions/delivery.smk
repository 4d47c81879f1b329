# Functions of delivery.smk.


def certificate(mask_id):
    """The certificate of a mask."""
    return f"{RESULTS}/{mask_id}/{CERTIFICATE}"


def certificates(_wildcards):
    """The certificates of all masks, for the target `certify`."""
    return recorded([certificate(mask_id) for mask_id in INVENTORY.masks])


def statistics_of_mask(wildcards):
    """The statistics files of all exposures of a mask."""
    return [path for kind in KINDS for path in statistics_of(wildcards, kind)]
