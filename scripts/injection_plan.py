"""Choose healthy pixels of the detector and what is planted in them.

Reads the evidence and the mask of the run on the exposures as they are, and the statistics of some darks (for the noise
of the pixels); writes the truth FITS (and the same pixels as CSV) that the simulator would write.
"""

import numpy as np

from badpix.core.files import write_text
from badpix.core.logs import logger, logging_to
from badpix.formats.statistics_file import open_statistics, quarantine_reason
from badpix.formats.truth_file import write_truth_file
from badpix.injection.plan import Planting, places_for, plan_injection
from badpix.injection.tables import healthy_pixels
from badpix.instrument.detectors import detector_from_mapping
from badpix.instrument.geometry import Geometry, reference_pixels
from badpix.score.files import read_findings
from badpix.score.pixels import FLAT_TYPES, insufficient_for
from badpix.simulate.truth import HEALTHY_CODE, REFERENCE_CODE, type_table, within_a_pixel

# More darks than these tell the noise of a pixel no better than it is needed.
DARKS_FOR_NOISE = 5


def read_noise(statistics, y, x):
    """Noise (DN) of one group at the pixels (y, x): the median over the integrations of some darks.

    `statistics` lists statistics files. A difference of two groups is noisier by the square root of 2. Pixels without
    a measured noise get the median of the others, 0 where there is no dark.
    """
    usable = [path for path in statistics if quarantine_reason(path) is None][:DARKS_FOR_NOISE]
    planes = []
    for path in usable:
        with open_statistics(path) as hdus:
            planes += [plane[y, x] for plane in hdus["CDS_NOISE"].data]
    if not planes:
        return np.zeros(len(y))
    planes = np.array(planes, float)
    typical = np.nanmedian(planes)
    known = np.isfinite(planes).any(axis=0)
    noise = np.full(len(y), typical)
    noise[known] = np.nanmedian(planes[:, known], axis=0)
    return noise / np.sqrt(2)


def healthy_and_lit(pairs, science, geometry, detector):
    """Bool (y, x): pixels about which none of the runs, `pairs` of (evidence, mask), found anything, and pixels that
    the flats of all of them could judge."""
    healthy, lit = science.copy(), science.copy()
    for evidence, mask in pairs:
        findings = read_findings(evidence, mask, geometry, detector)
        healthy &= healthy_pixels(findings, science)
        planes = dict(findings.planes())
        for name in set(FLAT_TYPES) & findings.bits.keys():
            lit &= ~planes[insufficient_for(name)]
    return healthy, lit


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
