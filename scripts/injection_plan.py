"""Choose healthy pixels of the detector and what is planted in them.

Reads the evidence and the mask of the run on the exposures as they are, and the statistics of some darks (for the noise
of the pixels); writes the truth FITS (and the same pixels as CSV) that the simulator would write.
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
    """Write the truth file `truth`, and its pixels as CSV beside it.

    `inputs` maps evidence and mask to those of all masks of the Detector, and statistics to the statistics files of
    its darks. `geometry` is the Geometry of its exposures, `planting` the Planting of what is to be planted.
    """
    science = ~reference_pixels(geometry, detector)
    healthy, lit = healthy_and_lit(zip(inputs["evidence"], inputs["mask"], strict=True), science, geometry, detector)
    pixels, asked = plan_injection(places_for(healthy, science), lit, planting), planting.pixels_per_strength
    number = pixels.groupby(["type", "strength"]).size().min()
    logger.info("%d healthy of %d science pixels; %d are planted", healthy.sum(), science.sum(), len(pixels))
    if number < asked:
        logger.warning("there is room for %d pixels of each strength only, not pixels_per_strength = %d", number, asked)
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
        # Last: where the settings stand, all of it does.
        write_text(snakemake.output.plan, snakemake.params.plan)
