"""Apply the old and the new mask to exposures that did not vote: the science check.

Reads two MASK files and files of rates (DN/s, or surface brightness); writes the report (Markdown), the numbers (JSON),
lists of pixels and of exposures (CSV), and a figure.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from badpix.changes.compare import compare
from badpix.changes.files import MaskMismatch, align, labels, read_image
from badpix.config.settings import SkySettings
from badpix.core.logs import logger, logging_to
from badpix.core.paths import is_same_file
from badpix.instrument.geometry import Geometry
from badpix.science_check.compare import Masks, check
from badpix.science_check.exposures import choose, measure
from badpix.science_check.notes import notes_on
from badpix.science_check.text import short_lines
from badpix.science_check.write import numbers_of, write_check


@dataclass(frozen=True)
class CheckInputs:
    """Paths of both masks and of the rates (name of the exposure -> path); `left_out` maps further names to reasons."""

    old: str
    new: str
    rates: Mapping[str, str]
    left_out: Mapping[str, str]


def main(inputs, outputs, sigma, sky):
    """Check the masks and write the `outputs` (names of badpix.science_check.write.NAMES -> path); returns the numbers.

    `sigma` is the limit of an outlier, `sky` (SkySettings) the search of sources. MaskMismatch unless the masks are of
    the same part of the same detector, NothingToCheck without usable exposures.
    """
    if is_same_file(inputs.old, inputs.new):
        raise MaskMismatch(f"{inputs.old} and {inputs.new} are the same file; give a copy of the mask before")
    old, new = read_image(inputs.old), read_image(inputs.new)
    pair = align(old, new)
    masks = Masks(pair.before, pair.after, compare(pair.before, pair.after, pair.compared).science)
    n_rows, n_columns = pair.after.shape
    frame = Geometry.from_header(dict(new.header) | {"SUBSIZE1": n_columns, "SUBSIZE2": n_rows})
    chosen = choose(inputs.rates, {"old": old.header, "new": new.header}, frame)
    chosen.left_out = dict(sorted((chosen.left_out | dict(inputs.left_out)).items()))
    groups = measure(chosen, inputs.rates, frame, masks.science, (sigma, sky))
    result = check(masks, groups)
    numbers = numbers_of(
        result, chosen, {"old": inputs.old, "new": inputs.new}, [*pair.notes, *notes_on(result, chosen, new.header)]
    )
    title = f"{new.header.get('DETECTOR', 'unknown detector')}: {' to '.join(labels(old, new))}"
    write_check(outputs, result, chosen, numbers, title, sigma)
    logger.info("%s", "\n".join(short_lines(numbers)))
    return numbers


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        given = snakemake.params
        main(
            CheckInputs(
                snakemake.input.old,
                snakemake.input.mask,
                dict(zip(given.names, snakemake.input.rates, strict=True)),
                given.left_out,
            ),
            dict(snakemake.output.items()),
            given.sigma,
            SkySettings(**given.sky),
        )
