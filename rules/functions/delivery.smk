# Functions of delivery.smk.


def certificate(mask_id):
    """The certificate of a mask."""
    return f"{RESULTS}/{mask_id}/{CERTIFICATE}"


def certificates(_wildcards):
    """The certificates of all masks, for the target `certify`."""
    return recorded([certificate(mask_id) for mask_id in INVENTORY.masks])


def certified_mask(wildcards):
    """The mask; its certificate is checked."""
    if DECIDES:
        path = certificate(mask_id_of(wildcards))
        make_again(path, outdated(path, crds_settings()))
    return mask_of(wildcards)


def all_statistics(wildcards):
    """The statistics files of all exposures of a mask."""
    return [path for kind in KINDS for path in statistics_of(wildcards, kind)]


def delivered_files(wildcards):
    """The certificate of a mask, its comparison, and its quality check where a file with ramps was given."""
    mask_id = mask_id_of(wildcards)
    if Path(mask_name(mask_id)).parts[0] == "delivery":
        raise refusal(f"deliver: output_file {mask_name(mask_id)!r} lies in the folder of the delivery")
    if DECIDES and not workflow.dryrun:
        # Snakemake's copy of an output that is updated stays behind if a run is killed, and then stops the next run.
        workflow.persistence.cleanup_backup(Path(RESULTS) / mask_id / "delivery")
    ramps = any(ramp_files(wildcards).values())
    return {
        "certificate": certificate(mask_id),
        "comparison": recorded(comparisons(mask_id)),
        "quality_check": recorded([f"{RESULTS}/{mask_id}/quality_check.json"] if ramps else []),
        "pixels": recorded([*pixel_tables(mask_id), *known_bad_files(mask_id)]),
        "science_check": recorded(delivered_science_check(mask_id)),
    }


def deliveries(_wildcards):
    """The folders of the deliveries of all masks, for the target `deliver`."""
    return [f"{RESULTS}/{mask_id}/delivery" for mask_id in INVENTORY.masks]
