"""Reduce a flat exposure to its cached statistics: slopes, their variances, and the signal of the last groups."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from astropy.io import fits

from badpix.core.errors import BadExposure
from badpix.formats.detector1_products import check_agree, check_announced, open_product, rates_rows, rates_shape
from badpix.formats.lost_data import check_image, check_raw, check_variances
from badpix.formats.provenance import Provenance
from badpix.formats.statistics_file import StatisticsWriter
from badpix.instrument import irs2, pointing
from badpix.instrument.dq import PIXEL_FLAGS
from badpix.numerics.row_blocks import row_blocks
from badpix.statistics.slopes import slopes

# The flux check uses the mean of the last FLUX_CHECK_GROUPS groups of the raw ramp.
FLUX_CHECK_GROUPS = 4


def last_groups_mean(
    uncal_sci: np.ndarray | irs2.Section | irs2.ScienceSection, integration: int, rows: slice
) -> np.ndarray:
    """Mean of the last FLUX_CHECK_GROUPS groups of raw ramps (integration, group, y, x): float32 (rows, x), in DN.

    The mean of all groups if the ramps have fewer.
    """
    ramps = uncal_sci[integration, -FLUX_CHECK_GROUPS:, rows]
    return ramps.mean(axis=0, dtype=np.float64).astype(np.float32)


@dataclass(frozen=True)
class FlatMeasurement:
    """The measurement of flats; the raw file is read if there is a raw file."""

    products: tuple[str, ...] = ("rateints",)
    needs_raw: bool = True
    settings: Mapping[str, object] = field(default_factory=dict)

    def write(self, paths: Mapping[str, str | Path], output: str | Path, exposure: str, provenance: Provenance) -> None:
        """Measure `exposure` from the files `paths` (product -> path) and write the statistics file `output`.

        Raises BadExposure if the products cannot be used.
        """
        with ExitStack() as stack:
            opened = {product: stack.enter_context(open_product(path, product)) for product, path in paths.items()}
            measure_flat(exposure, opened["rateints"], opened.get("uncal")).write(output, provenance)


def measure_flat(exposure: str, rateints: fits.HDUList, uncal: fits.HDUList | None) -> StatisticsWriter:
    """Measure a flat exposure.

    `exposure` is its name; `rateints` and `uncal` (None without a raw file) are open FITS files. Planes of the returned
    StatisticsWriter: `SLOPE` (float32, DN/s, NaN where DO_NOT_USE), `VAR_SLOPE` (float32, (DN/s)2), and with a raw file
    `LAST_GROUPS` (float32, DN). Raises BadExposure if the files are not consistent.
    """
    n_integrations, *image = rates_shape(rateints)
    if uncal is not None:
        if irs2.is_irs2(uncal[0].header.get("READPATT")) and (problem := irs2.problem(uncal[0].header)):
            raise BadExposure(problem)
        raw = irs2.science_section(uncal)
        check_agree({"rateints": rates_shape(rateints), "uncal": (raw.shape[0], *raw.shape[2:])})
    if rateints[0].header.get("S_RAMP") != "COMPLETE":
        raise BadExposure(f"step ramp_fit is not COMPLETE: S_RAMP is {rateints[0].header.get('S_RAMP', 'missing')}")
    check_announced(rateints[0].header, n_integrations, image, "rateints")
    if uncal is not None:
        check_raw(uncal["SCI"], slice(-FLUX_CHECK_GROUPS, None))
    writer = StatisticsWriter(exposure, _with_pointing(rateints), n_integrations, tuple(image))
    for integration in range(n_integrations):
        for rows in row_blocks(image[0], 4 * image[1] * 4):
            slope, poisson, read_noise = slopes(rateints, integration, rows)
            writer.put("SLOPE", integration, rows, slope, "DN/s")
            writer.put("VAR_SLOPE", integration, rows, poisson + read_noise, "(DN/s)2")
            if uncal is not None:
                signal = last_groups_mean(raw, integration, rows)
                writer.put("LAST_GROUPS", integration, rows, signal, "DN")
        flags = rates_rows(rateints, "DQ", integration, slice(None))
        _check_content(writer.planes, integration, (flags & PIXEL_FLAGS["REFERENCE_PIXEL"]) == 0)
    return writer


def _with_pointing(rateints: fits.HDUList) -> fits.Header:
    """The primary header of an exposure with the keywords of its pointing, most of which are in its SCI header."""
    header, of_sci = rateints[0].header.copy(), rateints["SCI"].header
    for key in pointing.KEYWORDS:
        if key in of_sci:
            header[key] = (of_sci[key], of_sci.comments[key])
    return header


def _check_content(planes: Mapping[str, np.ndarray], integration: int, science: np.ndarray) -> None:
    """Raise BadExposure if an image of an integration has no measurement; `science` is a boolean image (y, x)."""
    number = f"integration {integration + 1}"
    slope = np.where(science, planes["SLOPE"][integration], np.nan)
    check_image(slope, science, f"SCI of the rateints file, {number},")
    check_variances(
        slope, planes["VAR_SLOPE"][integration], f"VAR_POISSON + VAR_RNOISE of the rateints file, {number},"
    )
