# Functions of report.smk.


def report_inputs(wildcards):
    """The inputs of a report page: the files of the vote, the raw ramps, and the tables that are configured."""
    files = mask_inputs(wildcards)
    files.pop("manual_flags", None)
    files["ramps"] = [path for paths in ramp_files(wildcards).values() for path in paths.values()]
    if config["leave_one_out"]:
        files["leave_one_out"] = f"{RESULTS}/{mask_id_of(wildcards)}/leave_one_out.csv"
    if (before := compared_mask(mask_id_of(wildcards))) is not None:
        files["compare_with"] = before
    return files


def ramp_files(wildcards):
    """Exposure -> product -> the configured file with its ramps: the raw file, or else the jump file."""
    files = {}
    for kind in KINDS:
        for name, exposure in exposures(wildcards, kind).items():
            for product_name in ("uncal", "jump"):
                if product_name in exposure.files:
                    files[name] = {product_name: exposure.files[product_name]}
                    break
    return files


def ramp_files_and_kept(wildcards):
    """As `ramp_files`, with the kept jump files. These are no input: a run that did not keep them has none."""
    files = ramp_files(wildcards)
    if config["keep_intermediates"]:
        for name, exposure in exposures(wildcards, "darks").items():
            if not exposure.from_products:
                kept = f"{RESULTS}/{wildcards.detector}/darks/{name}_jump.fits"
                files[name] = files.get(name, {}) | {"jump": kept}
    return files


def benchmark_folders(wildcards):
    """The folders with the benchmarks of a mask: of the detector, of the set of exposures, and of the mask itself."""
    folders = (f"{RESULTS}/{wildcards.detector}", set_folder(wildcards), f"{RESULTS}/{mask_id_of(wildcards)}")
    return [f"{folder}/benchmarks" for folder in dict.fromkeys(folders)]


def index_link(wildcards):
    """The link from the page of a mask to the index of all pages."""
    return os.path.relpath(f"{RESULTS}/report.html", f"{RESULTS}/{mask_id_of(wildcards)}")
