# Changes since the previous mask, and the release check of their number.


include: "functions/changes.smk"


rule compare:
    """All comparisons, as a target."""
    input:
        all_comparisons,


rule crds_mask:
    """The mask that CRDS selects now for the latest exposure."""
    input:
        exposure=latest_exposure,
    output:
        mask="<results>/{detector}{epoch}/changes/crds_mask.fits",
    log:
        "<results>/{detector}{epoch}/logs/crds_mask.log",
    benchmark:
        "<results>/{detector}{epoch}/benchmarks/crds_mask.tsv"
    resources:
        mem_mb=memory("crds_mask"),
        disk_mb=disk("crds_mask"),
        runtime=runtime("crds_mask"),
    params:
        crds=crds_settings(),
        whole=lambda wildcards: config_of(mask_id_of(wildcards))["mask_frame"] == "full",
        library=digest("crds_mask.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: mask from CRDS"
    conda:
        CONDA_ENV
    script:
        "../scripts/crds_mask.py"


rule compare_masks:
    """New, recovered and reclassified pixels since the previous mask."""
    input:
        before=lambda wildcards: compared_mask(mask_id_of(wildcards)) or [],
        mask=mask_of,
    output:
        matrix="<results>/{detector}{epoch}/changes/mask_changes.csv",
        pixels="<results>/{detector}{epoch}/changes/changed_pixels.csv",
        table="<results>/{detector}{epoch}/changes/changed_pixels.fits",
        summary="<results>/{detector}{epoch}/changes/mask_changes.json",
        figure=reported("changes/mask_changes.png", "changes since the previous mask"),
    log:
        "<results>/{detector}{epoch}/logs/compare_masks.log",
    benchmark:
        "<results>/{detector}{epoch}/benchmarks/compare_masks.tsv"
    resources:
        mem_mb=memory("compare_masks"),
        disk_mb=disk("compare_masks"),
        runtime=runtime("compare_masks"),
    params:
        library=digest("compare_masks.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: comparison with {input.before}"
    conda:
        CONDA_ENV
    script:
        "../scripts/compare_masks.py"


rule release_gate:
    """Fails if too many pixels are new or recovered; the files of the comparison stay."""
    input:
        summary="<results>/{detector}{epoch}/changes/mask_changes.json",
    output:
        report="<results>/{detector}{epoch}/changes/release_gate.json",
    log:
        "<results>/{detector}{epoch}/logs/release_gate.log",
    benchmark:
        "<results>/{detector}{epoch}/benchmarks/release_gate.tsv"
    resources:
        mem_mb=memory("release_gate"),
        disk_mb=disk("release_gate"),
        runtime=runtime("release_gate"),
    params:
        limits=lambda wildcards: limits_of(mask_id_of(wildcards)),
        library=digest("release_gate.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: release check of the changes"
    conda:
        CONDA_ENV
    script:
        "../scripts/release_gate.py"
