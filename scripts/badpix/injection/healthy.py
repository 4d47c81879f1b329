"""The healthy pixels of a detector, where bad pixels can be planted, and their noise."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from badpix.formats.pixel_types import FLAT_TYPES
from badpix.formats.statistics_file import open_statistics, rejection_reason
from badpix.injection.tables import healthy_pixels
from badpix.instrument.detectors import Detector
from badpix.instrument.geometry import Geometry
from badpix.score.files import read_findings
from badpix.score.pixels import insufficient_for

# Darks used for the noise of a pixel; more would not improve the result noticeably.
DARKS_FOR_NOISE = 5


def read_noise(statistics: Iterable[str | Path], y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Noise (DN) of a group at the pixels (y, x): float64 (pixel), median over the integrations of some darks.

    `statistics` lists statistics files. The noise of a difference of two groups is larger by sqrt(2). Pixels without a
    measured noise get the median of the measured pixels. 0 without darks.
    """
    usable = [path for path in statistics if rejection_reason(path) is None][:DARKS_FOR_NOISE]
    planes = []
    for path in usable:
        with open_statistics(path) as hdus:
            planes += [plane[y, x] for plane in hdus["CDS_NOISE"].data]
    if not planes:
        return np.zeros(len(y))
    values = np.array(planes, float)
    typical = np.nanmedian(values)
    measured = np.isfinite(values).any(axis=0)
    noise = np.full(len(y), typical)
    noise[measured] = np.nanmedian(values[:, measured], axis=0)
    return noise / np.sqrt(2)


def healthy_and_lit(
    pairs: Iterable[tuple[str | Path, str | Path]], science: np.ndarray, geometry: Geometry, detector: Detector
) -> tuple[np.ndarray, np.ndarray]:
    """Healthy pixels and illuminated pixels of several runs, two bool images (y, x).

    `pairs` lists (evidence, mask) of the runs. Healthy pixels are healthy in all runs; illuminated pixels could be
    classified by the flats of all runs. `science` is the bool image (y, x) of the science pixels.
    """
    healthy, lit = science.copy(), science.copy()
    for evidence, mask in pairs:
        findings = read_findings(evidence, mask, geometry, detector)
        healthy &= healthy_pixels(findings, science)
        planes = dict(findings.planes())
        for name in set(FLAT_TYPES) & findings.bits.keys():
            lit &= ~planes[insufficient_for(name)]
    return healthy, lit
