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
