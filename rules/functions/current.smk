# Files of earlier runs that do not agree with the configuration: their jobs are forced (exposures/current_products.py).

CURRENT = CurrentProducts(HEADERS, config["remake"])
# The jobs of a run read the rules again; the main process has decided.
DECIDES = workflow.is_main_process and not LINTING
MAX_LISTED = 10
# The files whose reason was said.
LISTED = []


def make_again(path, reason):
    """Have the job of output `path` run if there is a `reason`, and say why."""
    if not reason or path in workflow.dag.forcefiles:
        return
    workflow.dag.forcefiles.add(path)
    if not reason.startswith("it is missing") and len(LISTED) < MAX_LISTED:
        LISTED.append(path)
        logger.warning(f"Made again: {path}: {reason}.")
        if len(LISTED) == MAX_LISTED:
            logger.warning("Made again: further files, not listed.")


def say_outdated(number_before):
    """Say once for each other version of the software that files of it are kept."""
    for text in list(CURRENT.outdated)[number_before:]:
        logger.warning(
            f"Some cached files were made with {text}. They are kept; to make them again, add: --config remake=outdated"
        )


def check_current(wanted):
    """Have the job of `wanted` run if the file on disk is not as wanted."""
    if DECIDES:
        number = len(CURRENT.outdated)
        make_again(wanted.path, CURRENT.check(wanted))
        say_outdated(number)


def detector1_settings(kind):
    """The settings of the products of detector1, by configuration key."""
    return {f"detector1_{kind}": config[f"detector1_{kind}"], "crds_context": config["crds_context"]}


@functools.cache
def context_now(detector, kind):
    """The CRDS context that detector1 would use: as configured, of the environment, or as fetched; else None.

    None for a name such as `jwst-latest`, of which only CRDS knows the context.
    """
    listing = Path(RESULTS, detector, kind, "references.json")
    try:
        fetched = json.loads(listing.read_text(encoding="utf-8")).get("context")
    except (OSError, ValueError, AttributeError):
        fetched = None
    context = config["crds_context"] or os.environ.get("CRDS_CONTEXT") or fetched
    return context if context and context.endswith(".pmap") else None


def check_statistics(wildcards, kind, inputs, settings_of_products=None):
    """Check the statistics of an exposure, which are measured from `inputs` (product, path).

    `settings_of_products` is `detector1_settings` for a raw exposure.
    """
    if not DECIDES:
        return
    settings, context = statistics_settings(kind), None
    if settings_of_products:
        settings |= settings_of_products(kind.removesuffix("s"))
        context = context_now(wildcards.detector, kind)
    name = f"{wildcards.exposure}_{kind.removesuffix('s')}_statistics.fits"
    check_current(Wanted(f"{RESULTS}/{wildcards.detector}/{kind}/{name}", settings, tuple(inputs), context=context))


def statistics_settings(kind):
    """The settings of the statistics of a kind beside those of detector1."""
    return {"early_cutoff_fraction": config["early_cutoff_fraction"]} if kind == "darks" else {}


def made_with(wildcards):
    """The settings that the inputs of a vote must have been made with."""
    return {kind: statistics_settings(kind) | detector1_settings(kind.removesuffix("s")) for kind in KINDS} | {
        "responses": response_settings(wildcards)
    }


def recorded(paths):
    """`paths`, tables and figures without provenance; those that Snakemake has no record of are made again."""
    if DECIDES:
        for path in paths:
            if Path(path).exists() and not workflow.persistence.metadata(IOFile(path)):
                make_again(path, "Snakemake has no record of it")
    return paths


MADE = frozenset({"statistics", "response", "exposure_response", "reference_statistics", "gain", "earlier"})


def check_response(path, statistics, settings, more=()):
    """Check the response `path` of the flats with these `statistics`; `more` are further inputs (product, path)."""
    inputs = (*(("statistics", name) for name in statistics), *more)
    check_current(Wanted(path, settings, inputs, MADE))


def check_vote(path, files, settings, tables=()):
    """Check the file `path` of a vote of `files` (mask_inputs) with `settings`, and the `tables` of the same job."""
    if not DECIDES:
        return
    names = {"darks": "statistics", "flats": "statistics", "responses": "exposure_response"}
    names["reference_pixels"] = "reference_statistics"
    inputs = []
    for key, given in files.items():
        paths = [given] if isinstance(given, str) else given
        inputs += [(names.get(key, key), path_of_key) for path_of_key in paths]
    check_current(Wanted(path, settings, tuple(inputs), MADE))
    for table in tables:
        make_again(table, CURRENT.check_exists(table))
