# Raw exposures from MAST, before a run: `snakemake --cores 1 fetch`. For these targets, no exposures are read.

FETCH_KEYS = (
    "mast",
    "darks",
    "flats",
    "dark_uncal_files",
    "dead_flux_check_files",
    "exposures",
    "detectors",
    "dark_exp_types",
    "flat_exp_types",
)
FETCH_CONFIG = {key: config[key] for key in FETCH_KEYS}


rule fetch:
    """Fetches darks and flats that are not among the inputs yet. It has no output, so that it always runs."""
    log:
        "<results>/logs/fetch.log",
    params:
        config=FETCH_CONFIG,
        detectors=str(BASE / "config" / "detectors"),
        only_list=False,
    message:
        "New exposures from MAST (the target fetch_list shows them)"
    localrule: True
    conda:
        CONDA_ENV
    script:
        "../scripts/fetch.py"


rule fetch_list:
    """Lists what `fetch` would fetch."""
    log:
        "<results>/logs/fetch_list.log",
    params:
        config=FETCH_CONFIG,
        detectors=str(BASE / "config" / "detectors"),
        only_list=True,
    message:
        "List of new exposures in MAST"
    localrule: True
    conda:
        CONDA_ENV
    script:
        "../scripts/fetch.py"
