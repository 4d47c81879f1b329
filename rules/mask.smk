# The vote across exposures, the mask, and its check in the pipeline.


include: "functions/mask.smk"
include: "functions/intermittent.smk"


rule gain_reference:
    """The gain reference file that CRDS selects, cut to the array: for thresholds in e-/s."""
    input:
        exposure=exposure_for_gain,
    output:
        gain="<results>/{detector}{epoch}/gain.fits",
    log:
        "<results>/{detector}{epoch}/logs/gain_reference.log",
    benchmark:
        "<results>/{detector}{epoch}/benchmarks/gain_reference.tsv"
    resources:
        mem_mb=memory("gain_reference"),
        disk_mb=disk("gain_reference"),
        runtime=runtime("gain_reference"),
    params:
        crds=crds_settings(),
        settings=gain_settings,
        library=digest("gain_reference.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: gain from CRDS"
    conda:
        CONDA_ENV
    script:
        "../scripts/gain_reference.py"


for VOTE_RULE, (VOTED_FILE, VOTED_EPOCH) in VOTE_RULES.items():

    rule:
        """The vote: mask, evidence, summary, and rejected exposures."""
        name:
            VOTE_RULE
        input:
            unpack(checked_mask_inputs),
        output:
            mask=f"<results>/{{detector}}{{epoch}}/{VOTED_FILE}",
            evidence="<results>/{detector}{epoch}/evidence.fits",
            summary=reported("summary.csv", "counts per type and flag"),
            rejected=reported("rejected_exposures.csv", "rejected exposures"),
            inputs=reported("inputs.csv", "input files"),
        log:
            "<results>/{detector}{epoch}/logs/bad_pixel_mask.log",
        benchmark:
            "<results>/{detector}{epoch}/benchmarks/bad_pixel_mask.tsv"
        wildcard_constraints:
            epoch=VOTED_EPOCH,
        threads: 2
        resources:
            mem_mb=memory("bad_pixel_mask"),
            disk_mb=disk("bad_pixel_mask"),
            runtime=runtime("bad_pixel_mask"),
        params:
            detector=detector_data,
            config=vote_config,
            rejected=lambda wildcards: INVENTORY.rejected[source_mask_id(wildcards)],
            manual_flag_file=manual_flag_setting,
            stored=stored_masks_of,
            steps=steps_used,
            notices=lambda wildcards: header_notices({kind: exposures(wildcards, kind) for kind in KINDS}),
            crds=crds_settings(),
            made_with=made_with,
            library=digest("bad_pixel_mask.py"),
        message:
            "{wildcards.detector}{wildcards.epoch}: vote and mask"
        conda:
            CONDA_ENV
        script:
            "../scripts/bad_pixel_mask.py"


rule quality_check:
    """dq_init of a real ramp with the mask; PIXELDQ must contain the flags of the mask."""
    input:
        mask=mask_of,
        ramp=ramp_for_check,
    output:
        report=reported("quality_check.json", "quality check"),
    log:
        "<results>/{detector}{epoch}/logs/quality_check.log",
    benchmark:
        "<results>/{detector}{epoch}/benchmarks/quality_check.tsv"
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
    """Fails with the reason for a detector without a mask; all other detectors continue."""
    output:
        touch("<results>/{detector}{epoch}/refused"),
    log:
        "<results>/{detector}{epoch}/logs/refused_detector.log",
    params:
        reason=lambda wildcards: INVENTORY.refused[mask_id_of(wildcards)],
    message:
        "{params.reason}"
    localrule: True
    conda:
        CONDA_ENV
    script:
        "../scripts/refused_detector.py"
