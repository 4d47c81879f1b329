"""The healthy pixels of a detector, into which others are planted, and their noise."""

import numpy as np

from badpix.formats.pixel_types import FLAT_TYPES
from badpix.formats.statistics_file import open_statistics, rejection_reason
from badpix.injection.tables import healthy_pixels
from badpix.score.files import read_findings
from badpix.score.pixels import insufficient_for

# More darks than these tell the noise of a pixel no better than it is needed.
DARKS_FOR_NOISE = 5


def read_noise(statistics, y, x):
    """Noise (DN) of one group at the pixels (y, x): the median over the integrations of some darks.

    `statistics` lists statistics files. A difference of two groups is noisier by the square root of 2. Pixels without
    a measured noise get the median of the others, 0 where there is no dark.
    """
    usable = [path for path in statistics if rejection_reason(path) is None][:DARKS_FOR_NOISE]
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
