"""Write the table of the bad pixels of a mask: a row per flagged pixel, as Parquet and as CSV.

Reads the mask, its evidence, the statistics of the darks, and the earlier masks of the detector. x and y are 0-based on
the full frame. Strengths are in physical units.
"""

from badpix.core.content import sha256_of
from badpix.core.logs import logger, logging_to
from badpix.formats.pixel_table_file import write_tables
from badpix.history.selection import left_out_text
from badpix.instrument.detectors import detector_from_mapping
from badpix.pixels.earlier import Sources, earlier_masks
from badpix.pixels.result import ResultFiles, read_result
from badpix.pixels.rows import pixel_rows
from badpix.pixels.strength import STRENGTHS


def main(files, outputs, detector, config, sources):
    """Write the table of the mask of `files` (ResultFiles) to `outputs` (parquet, csv -> path).

    `detector` has the fields of Detector, `config` the configuration keys of the vote, `sources` those of Sources.
    """
    result = read_result(files, detector, config)
    sources = Sources(**sources)
    earlier = earlier_masks(sources, detector_from_mapping(detector))
    table = pixel_rows(result, *result.flagged(), earlier, sources.start)
    about = {
        "detector": result.exposures.detector.name,
        "mask": files.mask_name,
        "mask_sha256": sha256_of(files.mask),
        "subarray": result.frame.subarray,
        "earlier_masks": earlier.number,
        "left_out_masks": earlier.left_out,
    }
    write_tables(outputs["parquet"], outputs["csv"], table, STRENGTHS, about)
    left_out = left_out_text(earlier.left_out)
    logger.info("%d flagged pixels; first seen from %d earlier masks%s", len(table), earlier.number, left_out)


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            ResultFiles.of_rule(snakemake.input, snakemake.params),
            dict(snakemake.output.items()),
            snakemake.params.detector,
            snakemake.params.config,
            snakemake.params.sources,
        )
