# Functions of mask.smk.


def vote_files(wildcards):
    """All statistics of the detector by kind, and the responses of the single flats if each flat votes."""
    files = {kind: statistics_of(wildcards, kind) for kind in KINDS}
    if files["darks"] and (gain := gain_file(wildcards)):
        files["gain"] = gain
    if sky := sky_responses(wildcards):
        files["responses"] = sky
    elif files["flats"] and config["flat_vote_unit"] == "exposure":
        folder = f"{RESULTS}/{wildcards.detector}/flats"
        files["responses"] = [
            f"{folder}/{name}_exposure_response.fits" for name in by_exposure(exposures(wildcards, "flats"))
        ]
    return files


def gain_file(wildcards):
    """The gain of the detector where a threshold of the mask is in electrons and no gain is configured; else None."""
    of_mask = config_of(mask_id_of(wildcards))
    if of_mask["gain_e_per_dn"] is not None or all(of_mask[key] is None for key in IN_ELECTRONS):
        return None
    # Copies with planted pixels have the gain of their detector.
    return f"{RESULTS}/{INVENTORY.set_id(source_mask_id(wildcards))}/gain.fits"


def dark_for_gain(wildcards):
    """The latest dark: only darks have limits in e-/s."""
    return latest(exposures(wildcards, "darks").values())


def gain_settings(wildcards):
    """The settings of the gain of a set of exposures."""
    dark = dark_for_gain(wildcards)
    return {
        "crds_context": config["crds_context"],
        "exposure": dark.name,
        "geometry": dataclasses.asdict(Geometry.from_header(dark.keywords)),
        "rates_are_scaled": rates_are_scaled(dark, HEADERS.header_info, config["detector1_dark"]),
    }


def exposure_for_gain(wildcards):
    """A file of the latest dark, for which CRDS selects the gain; the gain on disk is checked."""
    context = context_now(wildcards.detector, "darks")
    check_current(Wanted(f"{RESULTS}/{mask_id_of(wildcards)}/gain.fits", gain_settings(wildcards), (), context=context))
    return next(iter(dark_for_gain(wildcards).files.values()))


def checked_mask_inputs(wildcards):
    """The files of the vote; the files that the vote makes are checked."""
    files, folder = (
        mask_inputs(wildcards) | {"earlier": earlier_evidence(wildcards)},
        f"{RESULTS}/{mask_id_of(wildcards)}",
    )
    if DECIDES:
        settings = vote_config(wildcards) | {"manual_flag_file": manual_flag_setting(wildcards)}
        if (stored := stored_masks_of(wildcards)) is not None:
            settings["history_masks"] = stored["digests"]
        tables = [f"{folder}/{name}.csv" for name in ("summary", "rejected_exposures", "inputs")]
        check_vote(f"{folder}/evidence.fits", files, settings, tables)
        make_again(mask_of(wildcards), CURRENT.check_fits(mask_of(wildcards)))
    return files


def mask_inputs(wildcards):
    """The files of the vote, the comparison of the exposures, the response of the flats or its product, manual flags."""
    files = vote_files(wildcards) | {"comparison": comparison(wildcards)}
    if files["flats"]:
        files["response"] = f"{set_folder(wildcards)}/flat_response.fits"
    if product := FLAT_PRODUCTS.get(detector_of(wildcards.detector)):
        files["flat_types"] = product
    if path := manual_flag_path(wildcards):
        files["manual_flags"] = path
    if of_reference := reference_statistics_of(wildcards):
        files["reference_pixels"] = of_reference
    return files


def manual_flag_setting(wildcards):
    """The configured table of manual flags of a mask, `default` or `none`."""
    return config_of(mask_id_of(wildcards))["manual_flag_file"]


def manual_flag_path(wildcards):
    """The table of manual flags: the project's table for the detector, the configured table, or None."""
    setting = manual_flag_setting(wildcards)
    if setting == "none":
        return None
    if setting == "default":
        return str(BASE / "config" / "manual_flags" / DETECTORS[wildcards.detector].manual_flags)
    return setting


def vote_config(wildcards):
    """The configuration keys of the vote, for the mask; USEAFTER of an epoch's mask is the start of the epoch."""
    of_mask = config_of(mask_id_of(wildcards))
    keys = {key: of_mask[key] for key in (*VOTE_KEYS, *(SKY_KEYS if has_sky(wildcards) else ()))}
    for variant in variants_of(config):
        if variant.name and variant.name == variant_of(mask_id_of(wildcards)):
            keys["history"] = f"{selection_text(variant)}\n{keys['history']}".strip()
    if wildcards.detector.endswith(INJECTED):
        keys["history"] = f"NOT FOR USE: bad pixels were planted into the exposures. {keys['history']}".strip()
    return keys | {"useafter": INVENTORY.start(source_mask_id(wildcards))} if config["epochs"] else keys


def steps_used(wildcards):
    """The configured parameters of the detector1 steps, for the kinds with raw exposures."""
    return {
        key: config[key]
        for kind in KINDS
        for key in [f"detector1_{kind.removesuffix('s')}"]
        if any(not exposure.from_products for exposure in exposures(wildcards, kind).values())
    }


def ramp_for_check(wildcards):
    """A ramp of the detector for the check of the mask: a raw file if there is a raw file, else a jump file."""
    files = [exposure.files for kind in KINDS for exposure in exposures(wildcards, kind).values()]
    for name in ("uncal", "jump"):
        for given in files:
            if name in given:
                return given[name]
    raise refusal(f"quality_check needs an uncal or jump file of {wildcards.detector}, and none was given")


def check_flat_types_from(mask_ids):
    """Refuse a product in place of flats that is a mask of this run: it would be made from itself."""
    for made in map(mask_file, mask_ids):
        for product in FLAT_PRODUCTS.values():
            if is_same_file(product, made):
                raise refusal(
                    f"flat_types_from: {product!r} is the mask {made}, which this run makes; set it to a copy"
                )


check_flat_types_from([*INVENTORY.masks, *INVENTORY.refused])
