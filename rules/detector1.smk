# Raw exposures to their statistics, and to the products of calwebb_detector1 that are kept.


include: "functions/detector1.smk"


rule reference_pixel_mask:
    """A mask of the reference pixels only, for dq_init."""

    # All detector1 jobs wait for it.
    priority: 3
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
    """A raw dark through calwebb_detector1, and its statistics."""
    input:
        unpack(raw_files("darks")),
        reference_pixel_mask=rules.reference_pixel_mask.output.mask,
        references="<results>/{detector}/darks/references.json",
    output:
        **products_of("darks", KEPT["darks"]),
        statistics="<results>/{detector}/darks/{exposure}_dark_statistics.fits",
    log:
        "<results>/{detector}/logs/detector1_dark/{exposure}.log",
    benchmark:
        "<results>/{detector}/benchmarks/detector1_dark/{exposure}.tsv"
    wildcard_constraints:
        detector=MEASURED,
        exposure=names_pattern("darks", from_products=False),
    threads: threads_per_exposure()
    resources:
        mem_mb=memory("detector1_dark", "darks"),
        disk_mb=disk("detector1_dark", "darks"),
        runtime=runtime("detector1_dark", "darks"),
        scratch=scratch,
        at_a_time=AT_A_TIME,
    params:
        steps=config["detector1_dark"],
        crds=crds_settings(),
        detector=detector_data,
        early_cutoff_fraction=config["early_cutoff_fraction"],
        library=digest("detector1_dark.py"),
    message:
        "{wildcards.detector}: detector1 of the dark {wildcards.exposure}{PROGRESS}"
    conda:
        CONDA_ENV
    script:
        "../scripts/detector1_dark.py"


rule detector1_flat:
    """A raw flat through calwebb_detector1, and its statistics."""

    # Flats first: the response needs all flats, and can then run beside the darks instead of after them.
    priority: 1
    input:
        unpack(raw_files("flats")),
        reference_pixel_mask=rules.reference_pixel_mask.output.mask,
        references="<results>/{detector}/flats/references.json",
    output:
        **products_of("flats", KEPT["flats"]),
        statistics="<results>/{detector}/flats/{exposure}_flat_statistics.fits",
    log:
        "<results>/{detector}/logs/detector1_flat/{exposure}.log",
    benchmark:
        "<results>/{detector}/benchmarks/detector1_flat/{exposure}.tsv"
    wildcard_constraints:
        detector=MEASURED,
        exposure=names_pattern("flats", from_products=False),
    threads: threads_per_exposure()
    resources:
        mem_mb=memory("detector1_flat", "flats"),
        disk_mb=disk("detector1_flat", "flats"),
        runtime=runtime("detector1_flat", "flats"),
        scratch=scratch,
        at_a_time=AT_A_TIME,
    params:
        steps=config["detector1_flat"],
        edgeless_subarrays=lambda wildcards: DETECTORS[wildcards.detector].edgeless_subarrays,
        crds=crds_settings(),
        library=digest("detector1_flat.py"),
    message:
        "{wildcards.detector}: detector1 of the flat {wildcards.exposure}{PROGRESS}"
    conda:
        CONDA_ENV
    script:
        "../scripts/detector1_flat.py"


# The products that are not kept, as targets: a job makes all of an exposure.
if NOT_KEPT["darks"]:

    use rule detector1_dark as products_of_dark with:
        input:
            uncal=checked_raw_file("darks", NOT_KEPT["darks"]),
            reference_pixel_mask=rules.reference_pixel_mask.output.mask,
            references="<results>/{detector}/darks/references.json",
        output:
            **products_of("darks", NOT_KEPT["darks"]),
        log:
            "<results>/{detector}/logs/products_of_dark/{exposure}.log",
        benchmark:
            "<results>/{detector}/benchmarks/products_of_dark/{exposure}.tsv"
        message:
            "{wildcards.detector}: products of detector1 of the dark {wildcards.exposure}"


if NOT_KEPT["flats"]:

    use rule detector1_flat as products_of_flat with:
        input:
            uncal=checked_raw_file("flats", NOT_KEPT["flats"]),
            reference_pixel_mask=rules.reference_pixel_mask.output.mask,
            references="<results>/{detector}/flats/references.json",
        output:
            **products_of("flats", NOT_KEPT["flats"]),
        log:
            "<results>/{detector}/logs/products_of_flat/{exposure}.log",
        benchmark:
            "<results>/{detector}/benchmarks/products_of_flat/{exposure}.tsv"
        message:
            "{wildcards.detector}: products of detector1 of the flat {wildcards.exposure}"
