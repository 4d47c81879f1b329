"""Say how far a mask can be trusted: false flags to expect from noise, stability of each flag, pixels not settled.

Reads the statistics files, the evidence of the vote, and the votes without each exposure. Writes a tidy CSV (section,
kind, type, quantity, value, note) and a FITS: image STABILITY, float32 (y, x), the share of the votes without one
exposure in which a pixel keeps its types (the least of them; NaN where none was found); image NEVER, uint32 (y, x), a
bit per type (table TYPES) at pixels that no further exposure of the kind will settle; table PIXELS, a row per pixel and
type.
"""

from collections.abc import Mapping

import numpy as np
from astropy.io import fits

from badpix.control.leave_one_out import Stability
from badpix.control.stability import stability_image, table_of
from badpix.control.summary import control_of
from badpix.core.files import atomic_path, write_text
from badpix.core.logs import logger, logging_to
from badpix.formats.evidence_file import bit_image, read_evidence, types_hdu
from badpix.formats.leave_one_out_file import pixels_hdu, read_stability
from badpix.instrument.detectors import detector_from_mapping
from badpix.vote.exposure_set import VoteFiles, gather
from badpix.vote.settings import VoteSettings


def main(files: VoteFiles, inputs: Mapping, outputs: Mapping, detector: Mapping, config: Mapping) -> None:
    """Write `outputs` (table, stability -> path) from `files` and `inputs` (evidence, stability -> path).

    `detector` maps the fields of Detector, `config` the keys of the vote.
    """
    settings = VoteSettings.from_config(config)
    exposures = gather(files, detector_from_mapping(detector), settings.required)
    stability = Stability(*read_stability(inputs["stability"]))
    control = control_of(exposures, read_evidence(inputs["evidence"]), stability, settings)
    table, pixels, shape = table_of(control.rows), stability.pixels, exposures.geometry.shape
    names = [*pixels["type"].unique(), *control.never]
    bits = {name: bit for bit, name in enumerate(dict.fromkeys(names))}
    image = bit_image(control.never, bits) if control.never else np.zeros(shape, np.uint32)
    hdus = [
        fits.PrimaryHDU(),
        fits.ImageHDU(stability_image(pixels, shape), name="STABILITY"),
        fits.ImageHDU(image, name="NEVER"),
        types_hdu(bits),
        pixels_hdu(pixels),
    ]
    hdus[0].header["DETECTOR"] = exposures.detector.name
    with atomic_path(outputs["stability"]) as temporary:
        fits.HDUList(hdus).writeto(temporary, overwrite=True)
    write_text(outputs["table"], table.to_csv(index=False))
    logger.info("control:\n%s", table.drop(columns="note").to_string(index=False))


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            VoteFiles.of_rule(snakemake.input, snakemake.params),
            {"evidence": snakemake.input.evidence, "stability": snakemake.input.votes},
            dict(snakemake.output.items()),
            snakemake.params.detector,
            snakemake.params.config,
        )
