"""Fetch the gain reference file that CRDS selects for an exposure, and cut it to the exposure's array.

Reads the header of the exposure and the reference file; writes the gain (e-/DN).
"""

from badpix.core.crds_settings import set_crds_environment
from badpix.core.logs import logger, logging_to
from badpix.detector1.references import fetch_reference
from badpix.formats.gain_file import read_gain, read_reference, write_gain
from badpix.instrument.geometry import Geometry


def main(exposure, output, crds, settings):
    """Write the gain for the array of the file `exposure` to `output`.

    `settings` are those of its provenance: among them `geometry` (the fields of a Geometry) and `rates_are_scaled` as
    in `read_reference`. Raises ReferencesUnavailable if CRDS has no gain or cannot be reached.
    """
    set_crds_environment(**crds)
    context, selected = fetch_reference(exposure, "gain", "thresholds in e-/s", "set gain_e_per_dn to a number (e-/DN)")
    geometry = Geometry(**settings["geometry"])
    gain = read_reference(selected, geometry, settings["rates_are_scaled"])
    write_gain(output, gain, selected, context, settings)
    logger.info("%s", read_gain(output, geometry).text)


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(snakemake.input.exposure, snakemake.output.gain, snakemake.params.crds, snakemake.params.settings)
