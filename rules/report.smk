# Report pages, one per detector and one over all of them, and plots, when the configuration asks for them.


def report_inputs(wildcards):
    """What the page of a detector tells of: all that voted, what came out, and where the ramps of pixels are."""
    files = mask_inputs(wildcards)
    files.pop("manual_flags", None)
    files["ramps"] = [path for paths in ramp_files(wildcards).values() for path in paths.values()]
    if config["leave_one_out"] or config["reject_outliers"]:
        files["leave_one_out"] = f"{RESULTS}/{mask_id_of(wildcards)}/leave_one_out.csv"
    if (before := compared_mask(mask_id_of(wildcards))) is not None:
        files["compare_with"] = before
    return files


def ramp_files(wildcards):
    """Exposure -> the file that has its ramps for good: the raw one, or the jump file it was given as."""
    files = {}
    for kind in KINDS:
        for name, exposure in exposures(wildcards, kind).items():
            for product_name in ("uncal", "jump"):
                if product_name in exposure.files:
                    files[name] = {product_name: exposure.files[product_name]}
                    break
    return files


def ramp_files_and_kept(wildcards):
    """As `ramp_files`, with the jump files that stay. Those are no input: a run that did not keep them has none."""
    files = ramp_files(wildcards)
    if config["keep_intermediates"]:
        for name, exposure in exposures(wildcards, "darks").items():
            if not exposure.from_products:
                kept = f"{RESULTS}/{wildcards.detector}/darks/{name}_jump.fits"
                files[name] = files.get(name, {}) | {"jump": kept}
    return files


rule report_page:
    """The report page of a detector."""
    input:
        unpack(report_inputs),
        mask=RESULTS + "/{detector}{epoch}/" + MASK_FILE,
        evidence=RESULTS + "/{detector}{epoch}/evidence.fits",
        rejected=RESULTS + "/{detector}{epoch}/rejected_exposures.csv",
    output:
        page=reported("report.html", "report page"),
        overview=RESULTS + "/{detector}{epoch}/report.json",
    log:
        RESULTS + "/{detector}{epoch}/logs/report_page.log",
    benchmark:
        RESULTS + "/{detector}{epoch}/benchmarks/report_page.tsv"
    resources:
        mem_mb=memory("report_page"),
        disk_mb=disk("report_page"),
        runtime=runtime("report_page"),
    params:
        detector=detector_data,
        config=vote_config,
        rejected=lambda wildcards: INVENTORY.rejected[mask_id_of(wildcards)],
        ramp_files=ramp_files_and_kept,
        benchmarks=lambda wildcards: [
            f"{RESULTS}/{mask_id}/benchmarks" for mask_id in dict.fromkeys((wildcards.detector, mask_id_of(wildcards)))
        ],
        epoch=lambda wildcards: mask_id_of(wildcards).partition("/epochs/")[2],
        index=lambda wildcards: "../" * (1 + mask_id_of(wildcards).count("/")) + "report.html",
        library=digest("report_page.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: report page"
    conda:
        CONDA_ENV
    script:
        "../scripts/report_page.py"


rule report_index:
    """The page over all detectors."""
    input:
        overview=[f"{RESULTS}/{mask_id}/report.json" for mask_id in INVENTORY.masks],
    output:
        page=report(RESULTS + "/report.html", caption="captions/report_index.rst", category="All detectors"),
    log:
        RESULTS + "/logs/report_index.log",
    benchmark:
        RESULTS + "/benchmarks/report_index.tsv"
    resources:
        mem_mb=memory("report_index"),
        disk_mb=disk("report_index"),
        runtime=runtime("report_index"),
    params:
        pages=[f"{mask_id}/report.html" for mask_id in INVENTORY.masks],
        refused=dict(INVENTORY.refused),
        library=digest("report_index.py"),
    message:
        "the page over all detectors"
    conda:
        CONDA_ENV
    script:
        "../scripts/report_index.py"


rule plots:
    """Response, noise and found pixels as images and histograms."""
    input:
        evidence=RESULTS + "/{detector}{epoch}/evidence.fits",
    output:
        figure=reported("plots.png", "plots"),
    log:
        RESULTS + "/{detector}{epoch}/logs/plots.log",
    benchmark:
        RESULTS + "/{detector}{epoch}/benchmarks/plots.tsv"
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
