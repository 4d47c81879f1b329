# Plots of intermediate results, when the configuration asks for them.


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
