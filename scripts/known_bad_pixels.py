"""Check which pixels that are known to be bad the vote found again.

Reads the mask, its evidence, the statistics of the darks, and the list of known bad pixels, or the earlier masks of the
detector. Writes a table with a row per known pixel (CSV), lost pixels first, and the numbers (JSON).
"""

from badpix.core.csv_table import write_csv
from badpix.core.logs import logger, logging_to
from badpix.formats.evidence_file import read_intermittent_flagged
from badpix.formats.pixel_table_file import with_digits
from badpix.instrument.detectors import detector_from_mapping
from badpix.mask.flags import flags_by_type
from badpix.pixels.earlier import Sources, earlier_masks
from badpix.pixels.known_check import agreed_pixels, check_known, check_table
from badpix.pixels.known_gate import short_text, write_json
from badpix.pixels.known_list import read_known_pixels
from badpix.pixels.known_text import numbers_of
from badpix.pixels.result import ResultFiles, read_result
from badpix.pixels.rows import pixel_rows


def main(files, known_list, outputs, detector, config, sources, min_masks):
    """Write the check of the mask of `files` (ResultFiles) to `outputs` (pixels, numbers -> path).

    `known_list` is the file with the known bad pixels; None: those that all earlier masks of the same settings flag, at
    least `min_masks`.
    `detector` has the fields of Detector, `config` the configuration keys of the vote, `sources` those of Sources.
    """
    of_detector = detector_from_mapping(detector)
    result, earlier = read_result(files, detector, config), earlier_masks(Sources(**sources), of_detector)
    table = flags_by_type(config["flag_values"], config["dark_do_not_use"], config["flat_do_not_use"])
    notes = []
    if known_list is None:
        known = agreed_pixels(earlier, min_masks, table)
        if earlier.number < min_masks:
            notes = [f"min_masks is {min_masks}, and there are {earlier.number} earlier masks"]
        elif not known.x.size:
            notes = [f"the {earlier.number} earlier masks have no flagged pixel in common"]
    else:
        known = read_known_pixels(known_list, of_detector, table)
        notes = list(known.notes)
    checked = check_known(known, result, table, read_intermittent_flagged(files.evidence))
    rows = check_table(checked, pixel_rows(result, known.y, known.x, earlier, sources["start"]))
    numbers = {"mask": files.mask_name} | numbers_of(checked, rows, result.evidence, notes)
    write_csv(outputs["pixels"], with_digits(rows))
    write_json(outputs["numbers"], numbers)
    logger.info("known bad pixels of %s", short_text(numbers))
    for text in (*numbers["lost_pixels"], *numbers["insufficient_pixels"]):
        logger.info("%s", text)


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            ResultFiles.of_rule(snakemake.input, snakemake.params),
            snakemake.input.get("known_list"),
            dict(snakemake.output.items()),
            snakemake.params.detector,
            snakemake.params.config,
            snakemake.params.sources,
            snakemake.params.min_masks,
        )
