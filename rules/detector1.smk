# Raw exposures to rates, ramps with jumps flagged, and fits.


rule reference_pixel_mask:
    """A mask that holds the reference pixels only, for dq_init."""
    # All of detector1 waits for it.
    priority: 2
    output:
        mask=RESULTS + "/{detector}/reference_pixel_mask.fits",
    log:
        RESULTS + "/{detector}/logs/reference_pixel_mask.log",
    benchmark:
        RESULTS + "/{detector}/benchmarks/reference_pixel_mask.tsv"
    resources:
        mem_mb=memory("reference_pixel_mask"),
        disk_mb=disk("reference_pixel_mask"),
        runtime=runtime("reference_pixel_mask"),
    params:
        detector=detector_data,
        geometry=geometry_of,
        library=digest("reference_pixel_mask.py"),
    message:
        "{wildcards.detector}: reference-pixel mask"
    conda:
        CONDA_ENV
    script:
        "../scripts/reference_pixel_mask.py"


# So that the job need not wait for the pipeline to be imported.
REFERENCE_TYPES = json.loads((BASE / "config" / "schemas" / "detector1_references.json").read_text(encoding="utf-8"))


def first_raw_file(wildcards):
    """A raw file of the kind: references are the same for all exposures of a kind, but for their dates."""
    # Copies with planted pixels need not be there yet, and ask for the same references.
    given = INVENTORY.detectors[wildcards.detector.removesuffix(INJECTED)][wildcards.kind].values()
    return next(exposure.files["uncal"] for exposure in given if not exposure.from_products)


rule prefetch_references:
    """The reference files of a kind into the CRDS cache, once, before many jobs ask for them at the same time.

    The raw file is a resource and no input, so that another first exposure does not fetch again: Snakemake would then
    not look at what has changed further down, or repeat all of it.
    """
    priority: 2
    output:
        references=RESULTS + "/{detector}/{kind}/references.json",
    log:
        RESULTS + "/{detector}/logs/prefetch_references/{kind}.log",
    benchmark:
        RESULTS + "/{detector}/benchmarks/prefetch_references/{kind}.tsv"
    wildcard_constraints:
        kind="darks|flats",
    resources:
        mem_mb=memory("prefetch_references"),
        disk_mb=disk("prefetch_references"),
        runtime=runtime("prefetch_references"),
        raw_file=first_raw_file,
    params:
        crds=crds_settings(),
        types=REFERENCE_TYPES,
    message:
        "{wildcards.detector}: reference files of the {wildcards.kind} from CRDS"
    conda:
        CONDA_ENV
    script:
        "../scripts/prefetch_references.py"


rule detector1_dark:
    """A raw dark through calwebb_detector1."""
    input:
        uncal=lambda wildcards: raw_file(wildcards, "darks"),
        reference_pixel_mask=RESULTS + "/{detector}/reference_pixel_mask.fits",
        references=RESULTS + "/{detector}/darks/references.json",
    output:
        rateints=RESULTS + "/{detector}/darks/{exposure}_rateints.fits",
        rate=RESULTS + "/{detector}/darks/{exposure}_rate.fits",
        jump=keep_or_temp(RESULTS + "/{detector}/darks/{exposure}_jump.fits"),
        fitopt=keep_or_temp(RESULTS + "/{detector}/darks/{exposure}_fitopt.fits"),
    log:
        RESULTS + "/{detector}/logs/detector1_dark/{exposure}.log",
    benchmark:
        RESULTS + "/{detector}/benchmarks/detector1_dark/{exposure}.tsv"
    threads: lambda wildcards: cores_per_exposure()
    resources:
        mem_mb=memory("detector1_dark", "darks"),
        disk_mb=disk("detector1_dark", "darks"),
        runtime=runtime("detector1_dark", "darks"),
        scratch=SCRATCH,
    params:
        kind="dark",
        steps=config["detector1_dark"],
        crds=crds_settings(),
        library=digest("detector1.py"),
    message:
        "{wildcards.detector}: detector1 of the dark {wildcards.exposure}"
    conda:
        CONDA_ENV
    script:
        "../scripts/detector1.py"


rule detector1_flat:
    """A raw flat through calwebb_detector1."""
    # Flats first: their response, which needs them all, is then made beside the darks and not after them.
    priority: 1
    input:
        uncal=lambda wildcards: raw_file(wildcards, "flats"),
        reference_pixel_mask=RESULTS + "/{detector}/reference_pixel_mask.fits",
        references=RESULTS + "/{detector}/flats/references.json",
    output:
        rateints=RESULTS + "/{detector}/flats/{exposure}_rateints.fits",
        rate=RESULTS + "/{detector}/flats/{exposure}_rate.fits",
    log:
        RESULTS + "/{detector}/logs/detector1_flat/{exposure}.log",
    benchmark:
        RESULTS + "/{detector}/benchmarks/detector1_flat/{exposure}.tsv"
    threads: lambda wildcards: cores_per_exposure()
    resources:
        mem_mb=memory("detector1_flat", "flats"),
        disk_mb=disk("detector1_flat", "flats"),
        runtime=runtime("detector1_flat", "flats"),
        scratch=SCRATCH,
    params:
        kind="flat",
        steps=config["detector1_flat"],
        edgeless_subarrays=lambda wildcards: DETECTORS[wildcards.detector].edgeless_subarrays,
        crds=crds_settings(),
        library=digest("detector1.py"),
    message:
        "{wildcards.detector}: detector1 of the flat {wildcards.exposure}"
    conda:
        CONDA_ENV
    script:
        "../scripts/detector1.py"
