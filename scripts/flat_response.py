"""Combine the flats into the normalised response of the detector.

Reads the flats' statistics files, by rows; writes one FITS with the images (y, x) `MEAN` and `STD` (DN/s), `NVALID`
(integrations left after clipping) and `RESPONSE` (normalised), and table `USED` of the exposures.
"""

import numpy as np
from astropy.io import fits

from badpix.config.settings import ResponseSettings
from badpix.core.errors import TooFewExposures
from badpix.core.files import atomic_path
from badpix.core.fits_table import table_hdu
from badpix.core.logs import logger, logging_to
from badpix.formats.response_file import IMAGES
from badpix.instrument.detectors import detector_from_mapping
from badpix.instrument.geometry import reference_pixels
from badpix.instrument.segments import exposure_of
from badpix.response.normalise import combine_flats
from badpix.vote.exposure_set import read_set
from badpix.vote.outliers import read_outliers

# Of n values one alone can lie n / sqrt(n - 1) standard deviations from the median: 2.86 for 7, 3.02 for 8.
MIN_INTEGRATIONS_TO_CLIP = 8


def main(statistics, output, detector, settings, outliers=None):
    """Write the response of `detector` (a mapping with the fields of Detector) at `output`.

    `settings` are ResponseSettings. `outliers` is the table of leave_one_out, if those it names are to be left out.
    """
    detector = detector_from_mapping(detector)
    excluded = read_outliers(outliers)
    exposures = [flat for flat in read_set(statistics)[0] if exposure_of(flat.name) not in excluded]
    used = [exposure.path for exposure in exposures]
    if not used:
        raise TooFewExposures(f"{detector.name}: none of the {len(statistics)} flats could be used")
    science = ~reference_pixels(exposures[0].geometry, detector)
    n_integrations = sum(fits.getheader(path, "SLOPE")["NAXIS3"] for path in used)
    if n_integrations < MIN_INTEGRATIONS_TO_CLIP:
        logger.warning(
            "only %d flat integrations: sigma clipping along the stack can reject little or nothing", n_integrations
        )
    response = combine_flats(used, science, settings)
    hdus = [fits.PrimaryHDU()]
    hdus[0].header["DETECTOR"] = detector.name
    images = (response.mean, response.std, response.n_valid, response.normalised)
    for name, image in zip(IMAGES, images, strict=True):
        hdus.append(fits.ImageHDU(image, name=name))
    names = [exposure.name for exposure in exposures]
    hdus.append(table_hdu("USED", {"EXPOSURE": names}))
    with atomic_path(output) as temporary:
        fits.HDUList(hdus).writeto(temporary, overwrite=True)
    logger.info(
        "%s: %d integrations of %d flats, median response %.4f",
        detector.name,
        n_integrations,
        len(used),
        np.nanmedian(response.normalised[science]),
    )


if "snakemake" in globals():
    with logging_to(snakemake.log[0], snakemake.rule):
        main(
            snakemake.input.statistics,
            snakemake.output.response,
            snakemake.params.detector,
            ResponseSettings.from_config(snakemake.params.settings),
            next(iter(snakemake.input.outliers), None),
        )
