"""Compare each exposure with the others of its kind: outliers are no darks or flats of this detector.

Reads a sample of the pixels of the statistics files; writes a CSV with a row per exposure and measure
(`badpix.formats.comparison_file`). No exposure is rejected here.
"""

from collections.abc import Mapping, Sequence

from badpix.comparison.compare import PLANES, compare
from badpix.config.settings import KINDS
from badpix.core.logs import logger, logging_to
from badpix.formats.comparison_file import reasons, write_comparison
from badpix.formats.response_file import Responses
from badpix.formats.statistics_set import exposures_of, read_set
from badpix.instrument.detectors import detector_from_mapping
from badpix.instrument.geometry import reference_pixels


def main(
    statistics: Mapping[str, Sequence[str]], output: str, detector: Mapping, limit: float, sky: Sequence[str] = ()
) -> None:
    """Write the comparison of the exposures.

    Parameters
    ----------
    statistics : mapping
        Kind (darks, flats) -> statistics files.
    output : path
        Table to write.
    detector : mapping
        The fields of Detector.
    limit : float
        `outlier_limit`.
    sky : sequence of str
        The files of the single flats, if any flat is of the sky: their sources are left out.
    """
    rows = []
    sources = dict(Responses(single=tuple(sky)).every_exposure())
    for kind in KINDS:
        segments, _ = read_set(statistics.get(kind, ()), planes=PLANES[kind])
        if segments:
            science = ~reference_pixels(segments[0].geometry, detector_from_mapping(detector))
            rows += compare(exposures_of(segments), kind, science, limit, sources if kind == "flats" else None)
    write_comparison(output, rows)
    for name, reason in reasons(rows).items():
        logger.info("%s is an outlier: %s", name, reason)


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            {kind: list(snakemake.input.get(kind, ())) for kind in KINDS},
            snakemake.output.table,
            snakemake.params.detector,
            snakemake.params.limit,
            list(snakemake.input.get("sky", ())),
        )
