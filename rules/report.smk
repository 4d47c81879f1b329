# Report pages (a page per detector and an index), and plots.


include: "functions/report.smk"


rule report_page:
    """The report page of a detector."""
    input:
        unpack(report_inputs),
        mask=mask_of,
        evidence="<results>/{detector}{epoch}/evidence.fits",
        rejected="<results>/{detector}{epoch}/rejected_exposures.csv",
    output:
        page=reported("report.html", "report page"),
        overview="<results>/{detector}{epoch}/report.json",
    log:
        "<results>/{detector}{epoch}/logs/report_page.log",
    benchmark:
        "<results>/{detector}{epoch}/benchmarks/report_page.tsv"
    resources:
        mem_mb=memory("report_page"),
        disk_mb=disk("report_page"),
        runtime=runtime("report_page"),
    params:
        detector=detector_data,
        config=vote_config,
        rejected=lambda wildcards: INVENTORY.rejected[mask_id_of(wildcards)],
        ramp_files=ramp_files_and_kept,
        benchmarks=benchmark_folders,
        epoch=lambda wildcards: division_name(mask_id_of(wildcards)),
        index=index_link,
        library=digest("report_page.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: report page"
    conda:
        CONDA_ENV
    script:
        "../scripts/report_page.py"


rule report_index:
    """The index of all report pages."""
    input:
        overview=[f"{RESULTS}/{mask_id}/report.json" for mask_id in INVENTORY.masks],
    output:
        page=report("<results>/report.html", caption=CAPTIONS / "report_index.rst", category="All detectors"),
    log:
        "<results>/logs/report_index.log",
    benchmark:
        "<results>/benchmarks/report_index.tsv"
    resources:
        mem_mb=memory("report_index"),
        disk_mb=disk("report_index"),
        runtime=runtime("report_index"),
    params:
        pages=[f"{mask_id}/report.html" for mask_id in INVENTORY.masks],
        refused=dict(INVENTORY.refused),
        library=digest("report_index.py"),
    message:
        "index of all report pages"
    conda:
        CONDA_ENV
    script:
        "../scripts/report_index.py"


rule plots:
    """Response, noise and found pixels as images and histograms."""
    input:
        evidence="<results>/{detector}{epoch}/evidence.fits",
    output:
        figure=reported("plots.png", "plots"),
    log:
        "<results>/{detector}{epoch}/logs/plots.log",
    benchmark:
        "<results>/{detector}{epoch}/benchmarks/plots.tsv"
    resources:
        mem_mb=memory("plots"),
        disk_mb=disk("plots"),
        runtime=runtime("plots"),
    params:
        library=digest("plots.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: plots"
    conda:
        CONDA_ENV
    script:
        "../scripts/plots.py"
