# One row per bad pixel, and the check of pixels that are known to be bad.


include: "functions/pixels.smk"


rule bad_pixel_table:
    """A row per flagged pixel: types, flags, votes, strengths, first seen."""
    input:
        unpack(pixel_inputs),
        unpack(earlier_mask_inputs),
        mask=mask_of,
        evidence="<results>/{detector}{epoch}/evidence.fits",
    output:
        parquet="<results>/{detector}{epoch}/bad_pixels.parquet",
        csv=reported("bad_pixels.csv", "bad pixels"),
    log:
        "<results>/{detector}{epoch}/logs/bad_pixel_table.log",
    benchmark:
        "<results>/{detector}{epoch}/benchmarks/bad_pixel_table.tsv"
    resources:
        mem_mb=memory("bad_pixel_table"),
        disk_mb=disk("bad_pixel_table"),
        runtime=runtime("bad_pixel_table"),
    params:
        detector=detector_data,
        config=vote_config,
        sources=earlier_sources,
        stored=stored_digest_of,
        made_with=made_with,
        library=digest("bad_pixel_table.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: table of the bad pixels"
    conda:
        CONDA_ENV
    script:
        "../scripts/bad_pixel_table.py"


rule known_bad_pixels:
    """Which known bad pixels the vote found again, and what the evidence has on the lost pixels."""
    input:
        unpack(pixel_inputs),
        unpack(earlier_mask_inputs),
        unpack(known_inputs),
        mask=mask_of,
        evidence="<results>/{detector}{epoch}/evidence.fits",
    output:
        pixels=reported("known_bad/known_bad_pixels.csv", "known bad pixels"),
        numbers="<results>/{detector}{epoch}/known_bad/known_bad.json",
    log:
        "<results>/{detector}{epoch}/logs/known_bad_pixels.log",
    benchmark:
        "<results>/{detector}{epoch}/benchmarks/known_bad_pixels.tsv"
    resources:
        mem_mb=memory("known_bad_pixels"),
        disk_mb=disk("known_bad_pixels"),
        runtime=runtime("known_bad_pixels"),
    params:
        detector=detector_data,
        config=vote_config,
        sources=earlier_sources,
        stored=stored_digest_of,
        min_masks=lambda wildcards: known_bad_of(mask_id_of(wildcards))["min_masks"],
        known_list=known_list_digest,
        made_with=made_with,
        library=digest("known_bad_pixels.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: known bad pixels"
    conda:
        CONDA_ENV
    script:
        "../scripts/known_bad_pixels.py"


rule known_bad_gate:
    """Fails if too many known bad pixels are lost; the files of the check stay."""
    input:
        numbers="<results>/{detector}{epoch}/known_bad/known_bad.json",
        mask=mask_of,
    output:
        verdict="<results>/{detector}{epoch}/known_bad/known_bad_gate.json",
    log:
        "<results>/{detector}{epoch}/logs/known_bad_gate.log",
    benchmark:
        "<results>/{detector}{epoch}/benchmarks/known_bad_gate.tsv"
    resources:
        mem_mb=memory("known_bad_gate"),
        disk_mb=disk("known_bad_gate"),
        runtime=runtime("known_bad_gate"),
    params:
        min_recall=lambda wildcards: known_bad_of(mask_id_of(wildcards))["min_recall"],
        on_failure=lambda wildcards: known_bad_of(mask_id_of(wildcards))["on_failure"],
        library=digest("known_bad_gate.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: recall of the known bad pixels"
    conda:
        CONDA_ENV
    script:
        "../scripts/known_bad_gate.py"
