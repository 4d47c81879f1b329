# The masks of a detector over time.


include: "functions/history.smk"


rule history:
    """Adds the masks of a detector, or of a variant of a detector, to its history.

    The history itself is not an output: Snakemake deletes outputs before a job, and the history must stay.
    """
    input:
        masks=lambda wildcards: list(map(mask_file, masks_of_series(wildcards))),
        summaries=of_masks("summary.csv"),
        evidence=of_masks("evidence.fits"),
        inputs=of_masks("inputs.csv"),
        rejected_tables=of_masks("rejected_exposures.csv"),
        # A mask that lost known bad pixels does not enter the history, which names the known pixels of later masks.
        verdicts=verdicts_of_masks,
    output:
        figure=report(
            "<results>/{detector}{epoch}/history.png",
            caption=CAPTIONS / "history.rst",
            category="{detector}{epoch}",
            labels={"file": "history"},
        ),
        intermittent="<results>/{detector}{epoch}/intermittent_pixels.csv",
        numbers="<results>/{detector}{epoch}/history.json",
    log:
        "<results>/{detector}{epoch}/logs/history.log",
    benchmark:
        "<results>/{detector}{epoch}/benchmarks/history.tsv"
    wildcard_constraints:
        epoch="(/variants/[^/]+)?",
    resources:
        mem_mb=memory("history"),
        disk_mb=disk("history"),
        runtime=runtime("history"),
    params:
        directory=history_directory,
        masks=exposures_of_masks,
        like=like_of_series,
        removed=removed_from_history,
        library=digest("history.py"),
    message:
        "{wildcards.detector}{wildcards.epoch}: history of the masks"
    conda:
        CONDA_ENV
    script:
        "../scripts/history.py"
