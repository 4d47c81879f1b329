# Plots of intermediate results, when the configuration asks for them.


rule plots:
    """Response, noise and found pixels as images and histograms."""
    input:
        evidence=RESULTS + "/{detector}/evidence.fits",
    output:
        figure=RESULTS + "/{detector}/plots.png",
    log:
        RESULTS + "/{detector}/logs/plots.log",
    benchmark:
        RESULTS + "/{detector}/benchmarks/plots.tsv"
    resources:
        mem_mb=memory(resources.vote_mb),
    params:
        library=digest("plots.py"),
    message:
        "{wildcards.detector}: plots"
    conda:
        CONDA_ENV
    script:
        "../scripts/plots.py"
