"""Choose healthy pixels of the detector, and the types and strengths to plant in them.

Reads the evidence and the mask of the run without planted pixels, and the statistics of the darks (for the noise of the
pixels). Writes the truth as FITS, in the simulator's format, and its pixels as CSV.
"""

import numpy as np

from badpix.core.files import write_text
from badpix.core.logs import logger, logging_to
from badpix.formats.truth_file import write_truth_file
from badpix.injection.healthy import healthy_and_lit, read_noise
from badpix.injection.plan import Planting, places_for, plan_injection
from badpix.instrument.detectors import detector_from_mapping
from badpix.instrument.geometry import Geometry, reference_pixels
from badpix.simulate.truth import HEALTHY_CODE, REFERENCE_CODE, type_table, within_a_pixel


def main(inputs, truth, detector, geometry, planting):
    """Write the truth file, and its pixels as CSV beside it.

    Parameters
    ----------
    inputs : mapping
        evidence and mask -> the paths of all masks of the detector, statistics -> the statistics files of its darks.
    truth : path
        Truth file to write.
    detector : Detector
    geometry : Geometry
        The geometry of the exposures.
    planting : Planting
        Types, strengths, number of pixels and seed.
    """
    science = ~reference_pixels(geometry, detector)
    healthy, lit = healthy_and_lit(zip(inputs["evidence"], inputs["mask"], strict=True), science, geometry, detector)
    pixels, wanted = plan_injection(places_for(healthy, science), lit, planting), planting.pixels_per_strength
    n_planted = pixels.groupby(["type", "strength"]).size().min()
    logger.info("%d healthy of %d science pixels; %d are planted", healthy.sum(), science.sum(), len(pixels))
    if n_planted < wanted:
        logger.warning(
            "healthy pixels suffice for %d pixels of each strength, not pixels_per_strength = %d", n_planted, wanted
        )
    y, x = pixels["y"].to_numpy(), pixels["x"].to_numpy()
    codes = np.where(science, HEALTHY_CODE, REFERENCE_CODE).astype(np.int16)
    codes[y, x] = pixels.pop("code")
    opened = pixels[pixels["type"] == "open"]
    adjacent = within_a_pixel(opened["y"].to_numpy(), opened["x"].to_numpy(), codes.shape) & (codes == HEALTHY_CODE)
    pixels = pixels.assign(phase=-1, bad_of_8=8, group="", read_noise_dn=read_noise(inputs["statistics"], y, x))
    cards = [("DETECTOR", detector.name, "detector"), ("SEED", planting.seed, "of the planted pixels")]
    images = {
        "TRUTH": codes,
        "ADJ_OPEN": adjacent.astype(np.uint8),
        "DONTCARE": (science & ~healthy).astype(np.uint8),
    }
    logger.info("planted:\n%s", pixels.groupby(["type", "strength"]).size().to_string())
    write_truth_file(truth, cards, images, type_table(planting.types), pixels)


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            {name: list(getattr(snakemake.input, name)) for name in ("evidence", "mask", "statistics")},
            snakemake.output.truth,
            detector_from_mapping(snakemake.params.detector),
            Geometry(**snakemake.params.geometry),
            Planting.from_config(snakemake.params.injection, snakemake.params.kinds),
        )
        # Last: the file of the settings proves that all other files are complete.
        write_text(snakemake.output.plan, snakemake.params.plan)
