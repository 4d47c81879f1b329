"""Reduce a dark exposure to its cached statistics; the ramps are read once, in blocks of rows."""

import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits

from badpix.formats.detector1_products import check_agree, check_announced, check_steps, open_product, rates_shape
from badpix.formats.lost_data import check_image, check_ramps, check_variances
from badpix.formats.provenance import Provenance
from badpix.formats.statistics_file import StatisticsWriter
from badpix.instrument.detectors import Detector
from badpix.instrument.geometry import Geometry, reference_pixels
from badpix.instrument.readout import GroupTimes, early_late_window
from badpix.numerics.clipping import clipped_mean_std
from badpix.numerics.row_blocks import row_blocks
from badpix.statistics.ramps import count_groups, group_differences, pedestal_t0
from badpix.statistics.slopes import slopes

logger = logging.getLogger(__name__)

# Mean and scatter of the pedestals are taken after clipping at 3 sigma to convergence.
PEDESTAL_CLIP_SIGMA = 3
# With fewer groups the early and late windows are too short for a ratio of jump rates.
MIN_GROUPS_FOR_JUMPS = 4

UNITS = {
    "SLOPE": "DN/s",
    "VAR_SLOPE": "(DN/s)2",
    "VAR_POISSON": "(DN/s)2",
    "PEDESTAL": "DN",
    "PEDESTAL_T0": "DN",
    "PEDESTAL_REL": "DN",
    "PEDESTAL_REL_T0": "DN",
    "CDS_NOISE": "DN",
    "CDS_EARLY": "DN/group",
    "CDS_LATE": "DN/group",
    "CDS_FIRST": "DN/group",
}


@dataclass(frozen=True)
class DarkProducts:
    """The products of a dark as open FITS files; `uncal` is used for MIRI only."""

    jump: fits.HDUList
    rateints: fits.HDUList
    fitopt: fits.HDUList
    uncal: fits.HDUList | None = None

    @property
    def header(self) -> fits.Header:
        """The primary header of the jump file."""
        return self.jump[0].header

    @property
    def times(self) -> GroupTimes:
        """The times of the groups."""
        return GroupTimes.from_header(self.header)

    def check(self) -> tuple[int, int, tuple[int, ...]]:
        """Numbers of integrations and groups, shape (y, x) of an image; BadExposure unless the files are consistent."""
        n_integrations, n_groups, *image = self.jump["SCI"].shape
        check_steps(self.header, "jump")
        check_steps(self.rateints[0].header, "rateints")
        check_agree(
            {
                "jump": (n_integrations, *image),
                "rateints": rates_shape(self.rateints),
                "fitopt": self.fitopt["PEDESTAL"].shape,
            }
        )
        if self.uncal is not None:
            check_agree({"jump": self.jump["SCI"].shape, "uncal": self.uncal["SCI"].shape})
        check_announced(self.header, n_integrations, image, "jump", n_groups)
        return n_integrations, n_groups, tuple(image)


def _measure_block(
    products: DarkProducts, integration: int, rows: slice, science: np.ndarray, early_cutoff_fraction: float
) -> dict[str, np.ndarray]:
    """All planes of a block of rows of an integration: name -> array (rows, x)."""
    sci = np.array(products.jump["SCI"].section[integration, :, rows], dtype=np.float32)
    groupdq = np.array(products.jump["GROUPDQ"].section[integration, :, rows])
    check_ramps(sci, groupdq, science[rows], integration, rows.start)
    slope, poisson, read_noise = slopes(products.rateints, integration, rows)
    pedestal = np.array(products.fitopt["PEDESTAL"].section[integration, rows], dtype=np.float32)
    pedestal[np.isnan(slope)] = np.nan
    planes = {
        "SLOPE": slope,
        "VAR_SLOPE": poisson + read_noise,
        "VAR_POISSON": poisson,
        "PEDESTAL": pedestal,
        "PEDESTAL_T0": pedestal_t0(sci, groupdq, slope, products.times),
        **count_groups(groupdq, early_cutoff_fraction),
        **group_differences(sci, groupdq, early_cutoff_fraction),
    }
    if products.uncal is not None:
        second_group = np.array(products.uncal["SCI"].section[integration, 1, rows], dtype=np.float32)
        planes["PEDESTAL_REL"] = np.abs(second_group - planes["PEDESTAL"])
        planes["PEDESTAL_REL_T0"] = np.abs(second_group - planes["PEDESTAL_T0"])
    return planes


@dataclass(frozen=True)
class DarkMeasurement:
    """The measurement of darks of a `detector`; `early_cutoff_fraction` of the groups count as early."""

    detector: Detector
    early_cutoff_fraction: float
    products: tuple[str, ...] = ("jump", "rateints", "fitopt")

    @property
    def needs_raw(self) -> bool:
        """Whether the raw file is read too: for a relative pedestal."""
        return self.detector.relative_pedestal

    @property
    def settings(self) -> dict[str, object]:
        """The settings that change the statistics, by configuration key."""
        return {"early_cutoff_fraction": self.early_cutoff_fraction}

    def write(self, paths: Mapping[str, str | Path], output: str | Path, exposure: str, provenance: Provenance) -> None:
        """Measure `exposure` from the files `paths` (product -> path) and write the statistics file `output`.

        Raises BadExposure if the products cannot be used.
        """

        def science_of(header: fits.Header) -> np.ndarray:
            return ~reference_pixels(Geometry.from_header(header), self.detector)

        with ExitStack() as stack:
            opened = {product: stack.enter_context(open_product(path, product)) for product, path in paths.items()}
            products = DarkProducts(**opened)
            writer, integrations = measure_dark(exposure, products, science_of, self.early_cutoff_fraction)
            writer.write(output, provenance, integrations)


def measure_dark(
    exposure: str,
    products: DarkProducts,
    science_of: Callable[[fits.Header], np.ndarray],
    early_cutoff_fraction: float,
) -> tuple[StatisticsWriter, list[dict[str, float]]]:
    """Measure a dark exposure from its DarkProducts.

    `exposure` is its name. `science_of(header)` returns the boolean image (y, x) of the science pixels.
    `early_cutoff_fraction` is the length of the early and late windows as a fraction of the groups. Returns
    (StatisticsWriter, rows of table INTEGRATIONS). Raises BadExposure if the products are not consistent.
    """
    n_integrations, n_groups, image = products.check()
    science = science_of(products.header)
    if n_groups < MIN_GROUPS_FOR_JUMPS or early_late_window(n_groups, early_cutoff_fraction) == 0:
        logger.warning(
            "%s has %d groups: too few to compare early and late jumps; these tests have no valid votes in it",
            exposure,
            n_groups,
        )
    writer = StatisticsWriter(exposure, products.header, n_integrations, image)
    integrations = []
    for integration in range(n_integrations):
        for rows in row_blocks(image[0], n_groups * image[1] * 4):
            block = _measure_block(products, integration, rows, science, early_cutoff_fraction)
            for name, values in block.items():
                writer.put(name, integration, rows, values, UNITS.get(name))
        _check_content(writer.planes, integration, science)
        integrations.append(_summary(writer, integration, n_groups, science))
    return writer, integrations


def _check_content(planes: Mapping[str, np.ndarray], integration: int, science: np.ndarray) -> None:
    """Raise BadExposure if an image of an integration has no measurement; `science` is a boolean image (y, x)."""
    number = f"integration {integration + 1}"
    slope = np.where(science, planes["SLOPE"][integration], np.nan)
    check_image(slope, science, f"SCI of the rateints file, {number},")
    check_image(planes["PEDESTAL"][integration], np.isfinite(slope), f"PEDESTAL of the fitopt file, {number},")
    check_variances(
        slope, planes["VAR_SLOPE"][integration], f"VAR_POISSON + VAR_RNOISE of the rateints file, {number},"
    )


def _summary(writer: StatisticsWriter, integration: int, n_groups: int, science: np.ndarray) -> dict[str, float]:
    """A row of table INTEGRATIONS: mean, standard deviation (DN) and number of pixels of each pedestal plane."""
    row: dict[str, float] = {"INTEGRATION": integration + 1, "N_GROUPS": n_groups}
    for name in ("PEDESTAL", "PEDESTAL_T0", "PEDESTAL_REL", "PEDESTAL_REL_T0"):
        if name in writer.planes:
            values = writer.planes[name][integration][science]
            mean, std, n_valid = clipped_mean_std(values, PEDESTAL_CLIP_SIGMA)
            row.update({f"{name}_MEAN": mean, f"{name}_STD": std, f"{name}_N": n_valid})
            logger.info(
                "%s integration %d: %s %.2f +- %.2f DN over %d pixels",
                writer.exposure,
                integration + 1,
                name.lower(),
                mean,
                std,
                n_valid,
            )
    return row
