# Raw exposures to rates, ramps with flagged jumps, and fits.


include: "functions/detector1.smk"


rule reference_pixel_mask:
    """A mask of the reference pixels only, for dq_init."""

    # All detector1 jobs wait for it.
    priority: 2
    output:
        mask="<results>/{detector}/reference_pixel_mask.fits",
    log:
        "<results>/{detector}/logs/reference_pixel_mask.log",
    benchmark:
        "<results>/{detector}/benchmarks/reference_pixel_mask.tsv"
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


rule prefetch_references:
    """The reference files of a kind into the CRDS cache, once, before many jobs need them at the same time.

    The raw file is a resource and not an input, so that another first exposure does not repeat this rule, and with it
    all rules downstream.
    """
    priority: 2
    input:
        check_references,
    output:
        references="<results>/{detector}/{kind}/references.json",
    log:
        "<results>/{detector}/logs/prefetch_references/{kind}.log",
    benchmark:
        "<results>/{detector}/benchmarks/prefetch_references/{kind}.tsv"
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
        uncal=checked_raw_file("dark"),
        reference_pixel_mask="<results>/{detector}/reference_pixel_mask.fits",
        references="<results>/{detector}/darks/references.json",
    output:
        rateints="<results>/{detector}/darks/{exposure}_rateints.fits",
        rate="<results>/{detector}/darks/{exposure}_rate.fits",
        jump=keep_or_temp("<results>/{detector}/darks/{exposure}_jump.fits"),
        fitopt=keep_or_temp("<results>/{detector}/darks/{exposure}_fitopt.fits"),
    log:
        "<results>/{detector}/logs/detector1_dark/{exposure}.log",
    benchmark:
        "<results>/{detector}/benchmarks/detector1_dark/{exposure}.tsv"
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
        "{wildcards.detector}: detector1 of the dark {wildcards.exposure}{PROGRESS}"
    conda:
        CONDA_ENV
    script:
        "../scripts/detector1.py"


rule detector1_flat:
    """A raw flat through calwebb_detector1."""

    # Flats first: the response needs all flats, and can then run beside the darks instead of after them.
    priority: 1
    input:
        uncal=checked_raw_file("flat"),
        reference_pixel_mask="<results>/{detector}/reference_pixel_mask.fits",
        references="<results>/{detector}/flats/references.json",
    output:
        rateints="<results>/{detector}/flats/{exposure}_rateints.fits",
        rate="<results>/{detector}/flats/{exposure}_rate.fits",
    log:
        "<results>/{detector}/logs/detector1_flat/{exposure}.log",
    benchmark:
        "<results>/{detector}/benchmarks/detector1_flat/{exposure}.tsv"
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
        "{wildcards.detector}: detector1 of the flat {wildcards.exposure}{PROGRESS}"
    conda:
        CONDA_ENV
    script:
        "../scripts/detector1.py"
