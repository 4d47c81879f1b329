# The vote across exposures, the mask, and its check in the pipeline.


def ballots(wildcards):
    """All statistics of the detector by kind, and the responses of the single flats where they vote."""
    files = {kind: statistics_of(wildcards, kind) for kind in KEYS}
    if files["flats"] and config["flat_ballot"] == "exposure":
        folder = f"{RESULTS}/{wildcards.detector}/flats"
        files["responses"] = [
            f"{folder}/{name}_exposure_response.fits" for name in by_exposure(exposures(wildcards, "flats"))
        ]
    return files


def outliers(wildcards):
    """The table of outliers, if they are to be left out."""
    return [f"{RESULTS}/{place_of(wildcards)}/leave_one_out.csv"] if config["quarantine_outliers"] else []


def mask_inputs(wildcards):
    """What votes, the flats' response if there are flats, the outliers and the manual flags if there are any."""
    files = ballots(wildcards) | {"outliers": outliers(wildcards)}
    if files["flats"]:
        files["response"] = f"{RESULTS}/{place_of(wildcards)}/flat_response.fits"
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
    """The configuration keys that the vote reads; an epoch's mask is for data from its first exposure on."""
    keys = {key: config[key] for key in vote_keys()}
    if wildcards.detector.endswith(RECOVERY):
        keys["history"] = f"NOT FOR USE: bad pixels were planted into the exposures. {config['history']}".strip()
    return keys | {"useafter": INVENTORY.start(given_place(wildcards))} if wildcards.get("epoch") else keys


def input_names(wildcards):
    """Name of the file that each exposure came in."""
    return {
        name: Path(next(iter(exposure.files.values()))).name
        for kind in KEYS
        for name, exposure in exposures(wildcards, kind).items()
    }


def header_parameters(wildcards):
    """The parameters that the mask's header lists; those of detector1 for the kinds that are processed here."""
    kinds = {
        kind: any(not exposure.from_products for exposure in exposures(wildcards, kind).values())
        for kind in KEYS
        if exposures(wildcards, kind)
    }
    in_force = effective_max_dead_norm_signal(
        config["max_dead_norm_signal"],
        config["flat_mean_normalization_method"],
        DETECTORS[wildcards.detector].max_dead_norm_signal_dn_per_s,
    )
    return used_parameters(config | {"max_dead_norm_signal": in_force}, kinds)


def ramp_for_check(wildcards):
    """A ramp of the detector to try the mask on: a raw file if there is one."""
    files = [exposure.files for kind in KEYS for exposure in exposures(wildcards, kind).values()]
    for name in ("uncal", "jump"):
        for given in files:
            if name in given:
                return given[name]
    raise WorkflowError(f"quality_check needs an uncal or jump file of {wildcards.detector}, and none was given")


def segment_statistics(wildcards):
    """The statistics of the segments of a flat, or of the whole one."""
    segments = by_exposure(exposures(wildcards, "flats"))[wildcards.exposure]
    return [f"{RESULTS}/{wildcards.detector}/flats/{name}_flat_statistics.fits" for name in segments]


rule exposure_response:
    """One flat normalised on its own, for its vote."""
    priority: 1
    input:
        statistics=segment_statistics,
    output:
        response=RESULTS + "/{detector}/flats/{exposure}_exposure_response.fits",
    log:
        RESULTS + "/{detector}/logs/exposure_response/{exposure}.log",
    benchmark:
        RESULTS + "/{detector}/benchmarks/exposure_response/{exposure}.tsv"
    resources:
        mem_mb=memory("exposure_response"),
        disk_mb=disk("exposure_response"),
        runtime=runtime("exposure_response"),
    params:
        detector=detector_facts,
        settings={key: config[key] for key in RESPONSE_KEYS},
        library=digest("exposure_response.py"),
    message:
        "{wildcards.exposure}: response of one flat"
    conda:
        CONDA_ENV
    script:
        "../scripts/exposure_response.py"


rule leave_one_out:
    """The vote without each exposure in turn: which one changes far more than the others?"""
    input:
        unpack(ballots),
    output:
        table=reported("leave_one_out.csv", "votes without each exposure"),
    log:
        RESULTS + "/{detector}{epoch}/logs/leave_one_out.log",
    benchmark:
        RESULTS + "/{detector}{epoch}/benchmarks/leave_one_out.tsv"
    resources:
        mem_mb=memory("leave_one_out"),
        disk_mb=disk("leave_one_out"),
        runtime=runtime("leave_one_out"),
    params:
        detector=detector_facts,
        config=lambda wildcards: vote_config(wildcards) | {"outlier_factor": config["outlier_factor"]},
        response_settings={key: config[key] for key in RESPONSE_KEYS},
        flats=lambda wildcards: list(by_exposure(exposures(wildcards, "flats"))),
        library=digest("leave_one_out.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: the vote without each exposure in turn"
    conda:
        CONDA_ENV
    script:
        "../scripts/leave_one_out.py"


rule flat_response:
    """The flats stacked, clipped and normalised."""
    priority: 1
    input:
        statistics=lambda wildcards: statistics_of(wildcards, "flats"),
        outliers=outliers,
    output:
        response=RESULTS + "/{detector}{epoch}/flat_response.fits",
    log:
        RESULTS + "/{detector}{epoch}/logs/flat_response.log",
    benchmark:
        RESULTS + "/{detector}{epoch}/benchmarks/flat_response.tsv"
    resources:
        mem_mb=memory("flat_response"),
        disk_mb=disk("flat_response"),
        runtime=runtime("flat_response"),
    params:
        detector=detector_facts,
        settings={key: config[key] for key in RESPONSE_KEYS},
        library=digest("flat_response.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: response of the flats"
    conda:
        CONDA_ENV
    script:
        "../scripts/flat_response.py"


rule bad_pixel_mask:
    """The vote: mask, evidence, summary, and the exposures left out."""
    input:
        unpack(mask_inputs),
    output:
        mask=RESULTS + "/{detector}{epoch}/" + MASK_FILE,
        evidence=RESULTS + "/{detector}{epoch}/evidence.fits",
        summary=reported("summary.csv", "counts per type and flag"),
        quarantine=reported("quarantine.csv", "exposures left out"),
    log:
        RESULTS + "/{detector}{epoch}/logs/bad_pixel_mask.log",
    benchmark:
        RESULTS + "/{detector}{epoch}/benchmarks/bad_pixel_mask.tsv"
    resources:
        mem_mb=memory("bad_pixel_mask"),
        disk_mb=disk("bad_pixel_mask"),
        runtime=runtime("bad_pixel_mask"),
    params:
        detector=detector_facts,
        config=vote_config,
        quarantined=lambda wildcards: INVENTORY.left_out[given_place(wildcards)],
        file_names=input_names,
        parameters=header_parameters,
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
        reason=lambda wildcards: INVENTORY.refused[place_of(wildcards)],
    message:
        "{params.reason}"
    localrule: True
    conda:
        CONDA_ENV
    script:
        "../scripts/refused_detector.py"
