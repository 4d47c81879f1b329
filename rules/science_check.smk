# Science check: the old and the new mask applied to exposures that did not vote. The target is `science_check`.
#
# Raw exposures of the check belong to a detector named <detector>/science_check, to which the rules of detector1 apply.


include: "functions/science_check.smk"


use rule detector1_dark as detector1_checked_dark with:
    input:
        uncal=checked_raw_file("darks", ["rateints"]),
        reference_pixel_mask="<results>/{detector}/reference_pixel_mask.fits",
        references="<results>/{detector}/darks/references.json",
    output:
        rateints="<results>/{detector}/darks/{exposure}_rateints.fits",
    wildcard_constraints:
        detector=f"[A-Z0-9]+/{CHECKED}",
        exposure="[^/]+",


use rule detector1_flat as detector1_checked_flat with:
    input:
        uncal=checked_raw_file("flats", ["rateints"]),
        reference_pixel_mask="<results>/{detector}/reference_pixel_mask.fits",
        references="<results>/{detector}/flats/references.json",
    output:
        rateints="<results>/{detector}/flats/{exposure}_rateints.fits",
    wildcard_constraints:
        detector=f"[A-Z0-9]+/{CHECKED}",
        exposure="[^/]+",


rule apply_masks:
    """Outliers that each mask lets through, good area that it loses, and the verdict on the new mask."""
    input:
        unpack(checked_masks_and_rates),
        mask=mask_of,
    output:
        report="<results>/{detector}{epoch}/science_check/science_check.md",
        numbers="<results>/{detector}{epoch}/science_check/science_check.json",
        differing="<results>/{detector}{epoch}/science_check/differing_pixels.csv",
        let_through="<results>/{detector}{epoch}/science_check/let_through_by_both.csv",
        exposures="<results>/{detector}{epoch}/science_check/exposures.csv",
        figure=reported("science_check/science_check.png", "science check"),
    log:
        "<results>/{detector}{epoch}/logs/apply_masks.log",
    benchmark:
        "<results>/{detector}{epoch}/benchmarks/apply_masks.tsv"
    wildcard_constraints:
        detector="[A-Z0-9]+",
    resources:
        mem_mb=memory("apply_masks"),
        disk_mb=disk("apply_masks"),
        runtime=runtime("apply_masks"),
    params:
        names=lambda wildcards: list(check_exposures(mask_id_of(wildcards))[0]),
        left_out=lambda wildcards: check_exposures(mask_id_of(wildcards))[1],
        sigma=config["science_check"]["sigma"],
        sky={key: config[key] for key in SKY_KEYS},
        library=digest("apply_masks.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: science check against {input.old}"
    conda:
        CONDA_ENV
    script:
        "../scripts/apply_masks.py"


rule science_check:
    """The science checks of all masks, as a target."""
    input:
        science_checks,
