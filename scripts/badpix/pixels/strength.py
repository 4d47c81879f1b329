"""The measured strengths of single pixels, in physical units, over all integrations of the darks that vote."""

from collections.abc import Mapping, Sequence
from warnings import catch_warnings, simplefilter

import numpy as np
from astropy.io import fits

from badpix.formats.statistics_file import open_segments
from badpix.formats.statistics_set import Exposure

# Planes of the statistics of a dark that the strengths are measured from (docs/explanation/algorithm.md).
PLANES = ("SLOPE", "CDS_NOISE", "PEDESTAL_T0", "CDS_FIRST", "CDS_LATE", "NJUMP", "FIRST_SAT")
# Column -> its unit and meaning.
STRENGTHS = {
    "slope_dn_per_s": "DN/s; median slope of the darks (hot, warm, cold)",
    "slope_e_per_s": "e-/s; the same times the gain, where the gain is known",
    "cds_noise_dn": "DN; median noise of the differences between neighbouring groups (noisy)",
    "slope_scatter_dn_per_s": "DN/s; standard deviation of the slopes without jumps (noisy of the official algorithm)",
    "pedestal_dn": "DN; median signal at the reset minus the mean of the detector (rc, low_pedestal)",
    "curvature_dn_per_group": "DN/group; median of the first difference minus the late differences (rc, inverse_rc)",
    "jumps_per_integration": "mean number of groups with a jump (high_cr)",
    "saturated_at_group": "median first saturated group, 0-based; empty if most integrations do not saturate (hot)",
    "response": "response of the flats relative to the level around the pixel (DEAD, LOW_QE, OPEN, ADJ_OPEN)",
}


def dark_strengths(
    darks: Sequence[Exposure], pixels: np.ndarray, gain: np.ndarray | float | None
) -> dict[str, np.ndarray]:
    """Column of STRENGTHS -> values of `pixels` (flat indices of the array) in the `darks`, float32 (pixel).

    `gain` is in e-/DN, a number or an image (y, x); None if it is not known. Without darks all values are NaN.
    """
    values: dict[str, list[np.ndarray]] = {name: [] for name in PLANES}
    for dark in darks:
        with open_segments(dark.paths) as segments:
            for statistics in segments:
                _add(values, statistics, pixels)
    if not values["SLOPE"]:
        nothing = np.full(pixels.size, np.nan, np.float32)
        return dict.fromkeys(STRENGTHS, nothing)
    slope = _median(values["SLOPE"])
    saturated = np.asarray(np.median(np.stack(values["FIRST_SAT"]), axis=0))
    found: dict[str, np.ndarray] = {
        "slope_dn_per_s": slope,
        "slope_e_per_s": np.asarray(slope * _of_pixels(gain, pixels)),
        "cds_noise_dn": _median(values["CDS_NOISE"]),
        "pedestal_dn": _median(values["PEDESTAL_T0"]),
        "curvature_dn_per_group": _median(
            [first - late for first, late in zip(values["CDS_FIRST"], values["CDS_LATE"], strict=True)]
        ),
        "jumps_per_integration": np.asarray(np.mean(np.stack(values["NJUMP"]), axis=0, dtype=np.float32)),
        "saturated_at_group": np.where(np.isinf(saturated), np.nan, saturated),
    }
    return {name: value.astype(np.float32) for name, value in found.items()}


def _add(values: Mapping[str, list[np.ndarray]], statistics: fits.HDUList, pixels: np.ndarray) -> None:
    """Add the values of `pixels` in each integration of a statistics file.

    Pedestals are relative to the detector's; FIRST_SAT is infinite without a saturated group.
    """
    integrations = statistics["INTEGRATIONS"].data
    for name, lists in values.items():
        for number, plane in enumerate(statistics[name].data):
            picked = plane.ravel()[pixels].astype(np.float32)
            if name == "PEDESTAL_T0":
                picked -= np.float32(integrations["PEDESTAL_T0_MEAN"][number])
            elif name == "FIRST_SAT":
                # Statistics of earlier versions, which a run may find in moved results, have -1.
                picked[(picked < 0) | (picked >= integrations["N_GROUPS"][number])] = np.inf
            lists.append(picked)


def _median(values: Sequence[np.ndarray]) -> np.ndarray:
    """The median over integrations (list of float32 (pixel)) without NaN; NaN where all are."""
    with catch_warnings():
        simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmedian(np.stack(values), axis=0))


def _of_pixels(gain: np.ndarray | float | None, pixels: np.ndarray) -> np.ndarray | np.float32:
    if gain is None:
        return np.float32(np.nan)
    return gain.ravel()[pixels] if isinstance(gain, np.ndarray) else np.float32(gain)
