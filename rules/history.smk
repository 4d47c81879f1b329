# The masks of a detector over time.


def history_directory(wildcards):
    """Where the history of a detector is kept."""
    elsewhere = config["history_directory"]
    return f"{elsewhere}/{wildcards.detector}" if elsewhere else f"{RESULTS}/{wildcards.detector}/history"


def masks_of(detector):
    """The places of a detector's masks."""
    return [mask_id for mask_id in INVENTORY.masks if mask_id.split("/")[0] == detector]


def of_masks(name):
    """An input function: the files `name` of a detector's masks."""
    return lambda wildcards: [f"{RESULTS}/{mask_id}/{name}" for mask_id in masks_of(wildcards.detector)]


def mask_facts(wildcards):
    """Epoch (or nothing) and exposures (kind -> name -> when it began) of each of a detector's masks."""
    return [
        {
            "epoch": mask_id.partition("/epochs/")[2],
            "exposures": {
                kind: {name: exposure.start.isoformat() for name, exposure in INVENTORY.exposures(mask_id, kind).items()}
                for kind in KINDS
            },
        }
        for mask_id in masks_of(wildcards.detector)
    ]


rule history:
    """Adds the masks of a detector to its history.

    The history itself is no output: Snakemake would delete it before the job, and it has to outlive the run.
    """
    input:
        masks=of_masks(MASK_FILE),
        summaries=of_masks("summary.csv"),
        rejected_tables=of_masks("rejected_exposures.csv"),
    output:
        figure=report(
            RESULTS + "/{detector}/history.png",
            caption=str(BASE / "rules" / "captions" / "history.rst"),
            category="{detector}",
            labels={"file": "history"},
        ),
        intermittent=RESULTS + "/{detector}/intermittent_pixels.csv",
    log:
        RESULTS + "/{detector}/logs/history.log",
    benchmark:
        RESULTS + "/{detector}/benchmarks/history.tsv"
    resources:
        mem_mb=memory("history"),
        disk_mb=disk("history"),
        runtime=runtime("history"),
    params:
        directory=history_directory,
        masks=mask_facts,
        library=digest("history.py"),
    message:
        "{wildcards.detector}: history of the masks"
    conda:
        CONDA_ENV
    script:
        "../scripts/history.py"
