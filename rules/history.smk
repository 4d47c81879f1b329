# The masks of a detector over time.


include: "functions/history.smk"


rule history:
    """Adds the masks of a detector to its history.

    The history itself is not an output: Snakemake deletes outputs before a job, and the history must stay.
    """
    input:
        masks=of_masks(MASK_FILE),
        summaries=of_masks("summary.csv"),
        rejected_tables=of_masks("rejected_exposures.csv"),
    output:
        figure=report(
            "<results>/{detector}/history.png",
            caption=CAPTIONS / "history.rst",
            category="{detector}",
            labels={"file": "history"},
        ),
        intermittent="<results>/{detector}/intermittent_pixels.csv",
    log:
        "<results>/{detector}/logs/history.log",
    benchmark:
        "<results>/{detector}/benchmarks/history.tsv"
    resources:
        mem_mb=memory("history"),
        disk_mb=disk("history"),
        runtime=runtime("history"),
    params:
        directory=history_directory,
        masks=exposures_of_masks,
        library=digest("history.py"),
    message:
        "{wildcards.detector}: history of the masks"
    conda:
        CONDA_ENV
    script:
        "../scripts/history.py"
