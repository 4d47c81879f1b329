# The vote across exposures, the mask, and its check in the pipeline.


def vote_files(wildcards):
    """All statistics of the detector by kind, and the responses of the single flats where they vote."""
    files = {kind: statistics_of(wildcards, kind) for kind in KINDS}
    if files["flats"] and config["flat_vote_unit"] == "exposure":
        folder = f"{RESULTS}/{wildcards.detector}/flats"
        files["responses"] = [
            f"{folder}/{name}_exposure_response.fits" for name in by_exposure(exposures(wildcards, "flats"))
        ]
    return files


def mask_inputs(wildcards):
    """What votes, the flats' response if there are flats, the outliers and the manual flags if there are any."""
    files = vote_files(wildcards) | {"outliers": outliers(wildcards)}
    if files["flats"]:
        files["response"] = f"{RESULTS}/{mask_id_of(wildcards)}/flat_response.fits"
    if path := manual_flag_path(wildcards):
        files["manual_flags"] = path
    return files


def manual_flag_path(wildcards):
    """The table of manual flags: the one shipped for the detector, the configured one, or None."""
    setting = config["manual_flag_file"]
    if setting == "none":
        return None
    if setting == "default":
        return str(BASE / "config" / "manual_flags" / DETECTORS[wildcards.detector].manual_flags)
    return setting


def vote_config(wildcards):
    """The configuration keys that the vote reads, for the detector; an epoch's mask is for data from its start on."""
    of_detector = config_of(wildcards.detector)
    keys = {key: of_detector[key] for key in VOTE_KEYS}
    if wildcards.detector.endswith(INJECTED):
        keys["history"] = f"NOT FOR USE: bad pixels were planted into the exposures. {config['history']}".strip()
    return keys | {"useafter": INVENTORY.start(source_mask_id(wildcards))} if wildcards.get("epoch") else keys


def input_names(wildcards):
    """Name of the file that each exposure came in."""
    return {
        name: Path(next(iter(exposure.files.values()))).name
        for kind in KINDS
        for name, exposure in exposures(wildcards, kind).items()
    }


def steps_used(wildcards):
    """The configured parameters of detector1's steps, for the kinds of exposures that are processed here."""
    return {
        key: config[key]
        for kind in KINDS
        for key in [f"detector1_{kind.removesuffix('s')}"]
        if any(not exposure.from_products for exposure in exposures(wildcards, kind).values())
    }


def ramp_for_check(wildcards):
    """A ramp of the detector to try the mask on: a raw file if there is one."""
    files = [exposure.files for kind in KINDS for exposure in exposures(wildcards, kind).values()]
    for name in ("uncal", "jump"):
        for given in files:
            if name in given:
                return given[name]
    raise WorkflowError(f"quality_check needs an uncal or jump file of {wildcards.detector}, and none was given")


rule bad_pixel_mask:
    """The vote: mask, evidence, summary, and the exposures left out."""
    input:
        unpack(mask_inputs),
    output:
        mask=RESULTS + "/{detector}{epoch}/" + MASK_FILE,
        evidence=RESULTS + "/{detector}{epoch}/evidence.fits",
        summary=reported("summary.csv", "counts per type and flag"),
        rejected=reported("rejected_exposures.csv", "exposures left out"),
    log:
        RESULTS + "/{detector}{epoch}/logs/bad_pixel_mask.log",
    benchmark:
        RESULTS + "/{detector}{epoch}/benchmarks/bad_pixel_mask.tsv"
    resources:
        mem_mb=memory("bad_pixel_mask"),
        disk_mb=disk("bad_pixel_mask"),
        runtime=runtime("bad_pixel_mask"),
    params:
        detector=detector_data,
        config=vote_config,
        rejected=lambda wildcards: INVENTORY.rejected[source_mask_id(wildcards)],
        file_names=input_names,
        manual_flag_file=config["manual_flag_file"],
        steps=steps_used,
        library=digest("bad_pixel_mask.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: vote and mask"
    conda:
        CONDA_ENV
    script:
        "../scripts/bad_pixel_mask.py"


rule quality_check:
    """dq_init of a real ramp with the mask; its flags must arrive in PIXELDQ."""
    input:
        mask=RESULTS + "/{detector}{epoch}/" + MASK_FILE,
        ramp=ramp_for_check,
    output:
        report=reported("quality_check.json", "quality check"),
    log:
        RESULTS + "/{detector}{epoch}/logs/quality_check.log",
    benchmark:
        RESULTS + "/{detector}{epoch}/benchmarks/quality_check.tsv"
    resources:
        mem_mb=memory("quality_check"),
        disk_mb=disk("quality_check"),
        runtime=runtime("quality_check"),
    params:
        crds=crds_settings(),
        library=digest("quality_check.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: quality check of the mask"
    conda:
        CONDA_ENV
    script:
        "../scripts/quality_check.py"


rule refused_detector:
    """Fails, and says why, for a detector of which no mask can be made; the others go on."""
    output:
        touch(RESULTS + "/{detector}{epoch}/refused"),
    log:
        RESULTS + "/{detector}{epoch}/logs/refused_detector.log",
    params:
        reason=lambda wildcards: INVENTORY.refused[mask_id_of(wildcards)],
    message:
        "{params.reason}"
    localrule: True
    conda:
        CONDA_ENV
    script:
        "../scripts/refused_detector.py"
