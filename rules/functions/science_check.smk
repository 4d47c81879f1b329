# Functions of science_check.smk.

from badpix.exposures.check_exposures import RAW, of_mask

SCIENCE_CHECK_FILES = (
    "science_check.md",
    "science_check.json",
    "differing_pixels.csv",
    "let_through_by_both.csv",
    "exposures.csv",
    "science_check.png",
)


@functools.cache
def check_exposures(mask_id):
    """The exposures of the check of a mask, name -> Exposure, and those left out, name -> reason."""
    kinds = INVENTORY.masks[mask_id]
    voters = [exposure for of_kind in kinds.values() for exposure in of_kind.values()]
    names = {voter.name for voter in voters}
    usable, left_out = of_mask(CHECK_EXPOSURES, detector_of(mask_id), voters, voters[0].keywords, names)
    for name, exposure in list(usable.items()):
        path = Path(next(iter(exposure.files.values())))
        # Snakemake would make such a file with the rules of this run, which do not know its exposure.
        if path.is_relative_to(RESULTS) and str(path) not in rates_of_run(detector_of(mask_id)):
            left_out[name] = f"{path} is among the results of this run; give the raw file, or a copy in another folder"
            del usable[name]
    return usable, left_out


@functools.cache
def rates_of_run(detector):
    """The rates that this run makes from the raw darks and flats of a detector, as of other epochs."""
    return {
        f"{RESULTS}/{detector}/{kind}/{name}_{product}.fits"
        for kind in KINDS
        for name, exposure in INVENTORY.detectors[detector][kind].items()
        for product in ("rateints", "rate")
        if not exposure.from_products
    }


def old_mask(mask_id):
    """The mask that the mask `mask_id` is checked against; None for the first epoch with `previous`."""
    setting = config["science_check"]["old_mask"]
    if setting == "crds":
        return f"{RESULTS}/{mask_id}/changes/crds_mask.fits"
    if setting == "previous":
        before = INVENTORY.before(mask_id)
        return before and mask_file(before)
    return setting


def checked_masks_and_rates(wildcards):
    """The old mask, and the rates of the exposures: given, or made from the raw files."""
    mask_id = mask_id_of(wildcards)
    made = f"{RESULTS}/{wildcards.detector}/{CHECKED}"
    return {
        "old": old_mask(mask_id) or [],
        "rates": [
            (
                f"{made}/{exposure.kind}/{name}_rateints.fits"
                if RAW in exposure.files
                else next(iter(exposure.files.values()))
            )
            for name, exposure in check_exposures(mask_id)[0].items()
        ],
    }


def science_checks(_wildcards):
    """The files of the checks of all masks that have an old mask, for the target `science_check`."""
    settings = config["science_check"]
    if settings["exposures"] is None:
        raise refusal(
            "science_check: science_check.exposures is null; it must name exposures that did not vote: raw files"
            " (uncal) or rates (rateints, rate, calints, cal)"
        )
    check_old_mask(settings["old_mask"])
    wanted, without = [], []
    for mask_id in INVENTORY.masks:
        lines = without_check(mask_id)
        without += lines
        wanted += [] if lines else science_check_files(mask_id)
    if not wanted:
        raise refusal("\n".join(["science_check: there is nothing to check", *without]))
    say(without)
    return recorded(wanted)


def without_check(mask_id):
    """Lines on why a mask cannot be checked; none if it can."""
    usable, left_out = check_exposures(mask_id)
    if old_mask(mask_id) is None:
        return [f"{mask_id}: no science check, because there is no earlier epoch"]
    if not usable:
        head = f"{mask_id}: no science check, because no exposures are left that can test the mask:"
        return [head, *(f"  {line}" for line in reason_lines(left_out))]
    return []


def delivered_science_check(mask_id):
    """The files of the science check of a mask, if the delivery shall have them and they can be made."""
    if not config["science_check"]["deliver"]:
        return []
    check_old_mask(config["science_check"]["old_mask"])
    lines = without_check(mask_id)
    say(lines)
    return [] if lines else science_check_files(mask_id)


def science_check_files(mask_id):
    """The files of the check of a mask."""
    return [f"{RESULTS}/{mask_id}/science_check/{name}" for name in SCIENCE_CHECK_FILES]


@functools.cache
def check_old_mask(setting):
    """Refuse an old mask that is missing, that this run makes, or that is no mask of the detector of all masks."""
    if setting in ("crds", "previous"):
        return
    if not os.path.isfile(setting):
        raise refusal(
            f"science_check.old_mask: no such file: {setting!r}; it must be a mask file, or crds, or previous"
        )
    for made in map(mask_file, INVENTORY.masks):
        if is_same_file(setting, made):
            raise refusal(
                f"science_check.old_mask: {setting!r} is the mask {made}, which this run makes; set it to a copy"
            )
    # Imported here because it takes a second.
    from badpix.science_check.old_mask import old_mask_problem

    if problem := old_mask_problem(setting, map(detector_of, INVENTORY.masks)):
        raise refusal(f"science_check.old_mask: {problem}")
