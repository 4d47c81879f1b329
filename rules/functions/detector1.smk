# Functions of detector1.smk.

# Read from a file, since the import of the pipeline takes seconds.
REFERENCE_TYPES = json.loads((BASE / "config" / "schemas" / "detector1_references.json").read_text(encoding="utf-8"))


# The folder of the CRDS cache.
CACHE = cache_folder(config["crds_path"] or os.environ.get("CRDS_PATH"))


def first_raw_file(wildcards):
    """A raw file of the kind: apart from their dates, all exposures of a kind need the same references."""
    if wildcards.detector.endswith(CHECKED):
        return next(iter(exposures(wildcards, wildcards.kind).values())).files["uncal"]
    # The copies with planted pixels may not exist yet; they need the same references.
    given = INVENTORY.detectors[detector_of(wildcards.detector)][wildcards.kind].values()
    return next(exposure.files["uncal"] for exposure in given if not exposure.from_products)


def check_references(wildcards):
    """No input file; the listing of the reference files is checked."""
    if DECIDES:
        listing = f"{RESULTS}/{wildcards.detector}/{wildcards.kind}/references.json"
        make_again(listing, CURRENT.check_references(listing, CACHE))
    return []


# The products of calwebb_detector1 by kind, those that the job of an exposure leaves, and all others.
PRODUCTS = {"darks": ("rateints", "rate", "jump", "fitopt"), "flats": ("rateints", "rate")}
KEPT = {
    kind: [name for name in names if config["keep_rates" if name == "rate" else "keep_intermediates"]]
    for kind, names in PRODUCTS.items()
}
NOT_KEPT = {kind: [name for name in names if name not in KEPT[kind]] for kind, names in PRODUCTS.items()}
# The detectors with statistics; of the exposures of the science check, the rates alone are made.
MEASURED = f"[A-Z0-9]+(/{INJECTED})?"


def products_of(kind, names):
    """The products `names` of an exposure of a kind as outputs: name -> path."""
    return {name: f"<results>/{{detector}}/{kind}/{{exposure}}_{name}.fits" for name in names}


def names_pattern(kind, from_products):
    """A pattern of the exposures of a kind that are raw, or that are given as products; no list if all are alike."""
    found = {True: [], False: []}
    for kinds in INVENTORY.detectors.values():
        for name, exposure in kinds[kind].items():
            found[exposure.from_products].append(re.escape(name))
    if not found[not from_products]:
        return "[^/]+"
    return "|".join(sorted(found[from_products])) or "(?!)"


def checked_raw_file(kind, names):
    """An input function: the raw file of an exposure; its products `names` on disk are checked."""

    def file_of(wildcards):
        raw = raw_file(wildcards, kind)
        if DECIDES:
            settings = detector1_settings(kind.removesuffix("s"))
            context = context_now(wildcards.detector, kind)
            for name in names:
                path = f"{RESULTS}/{wildcards.detector}/{kind}/{wildcards.exposure}_{name}.fits"
                check_current(Wanted(path, settings, (("uncal", raw),), required=False, context=context))
        return raw

    return file_of


def raw_files(kind):
    """An input function: the raw file of an exposure, and of a flat the file for its flux check; all is checked."""

    def files_of(wildcards):
        files = {"uncal": checked_raw_file(kind, KEPT[kind])(wildcards)}
        check = exposures(wildcards, kind)[wildcards.exposure].files.get("flux_check")
        if check:
            files["flux_check"] = check
        check_statistics(wildcards, kind, [("uncal", path) for path in files.values()], detector1_settings)
        return files

    return read_once(files_of)
