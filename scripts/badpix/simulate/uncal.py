"""Write a simulated exposure as a JWST level 1b (`uncal`) file."""

from pathlib import Path

import numpy as np
from astropy.io import fits

from badpix.core.files import atomic_path
from badpix.simulate.exposure import Exposure, Segment
from badpix.simulate.headers import Geometry, exposure_meta, exposure_name, modified_julian_date


def write_uncal(
    folder: str | Path, counts_dn: np.ndarray, geometry: Geometry, exposure: Exposure, segment: Segment | None = None
) -> Path:
    """Write an exposure, or a segment of it, to a file with its JWST name; returns the path.

    Parameters
    ----------
    folder : path
        Folder of the file.
    counts_dn : np.ndarray
        Raw counts of the complete exposure, uint16 DN (integration, group, y, x).
    geometry : Geometry
        The array.
    exposure : Exposure
        The exposure.
    segment : Segment, optional
        The segment to write; None: all integrations.
    """
    from stdatamodels.jwst.datamodels import Level1bModel  # 2 s to import: only where it is needed

    path = Path(folder) / exposure_name(geometry, exposure, segment)
    with atomic_path(path) as temporary, Level1bModel(strict_validation=True) as model:
        written = slice(segment.first_integration - 1, segment.last_integration) if segment else slice(None)
        model.data = counts_dn[written]
        for key, value in exposure_meta(geometry, exposure, segment).items():
            setattr_path(model.meta, key, value)
        model.int_times = integration_times(geometry, exposure, model.get_dtype("int_times"))[written]
        model.save(str(temporary))
        fits.setval(temporary, "FILENAME", value=path.name)  # save() puts the temporary name there
    return path


def setattr_path(node: object, dotted: str, value: object) -> None:
    """Set a nested datamodel attribute, e.g. `observation.date` below `meta`."""
    *parents, last = dotted.split(".")
    for name in parents:
        if not hasattr(node, name):
            setattr(node, name, {})  # models of tables have no nodes for the keywords of images
        node = getattr(node, name)
    setattr(node, last, value)


def integration_times(geometry: Geometry, exposure: Exposure, dtype: np.dtype) -> np.ndarray:
    """The INT_TIMES table: number (from 1), start, middle and end of each integration as MJD UTC, with equal BJD."""
    day = 86400.0
    table = np.zeros(exposure.n_integrations, dtype=dtype)
    number, n_groups = np.arange(exposure.n_integrations), exposure.n_groups
    begin = modified_julian_date(exposure.start_time) + number * (n_groups + 1) * geometry.frame_time_s / day
    length = n_groups * geometry.frame_time_s / day
    table["integration_number"] = number + 1
    for scale in ("MJD_UTC", "BJD_TDB"):  # an internal exposure has no target: no barycentric correction
        table[f"int_start_{scale}"] = begin
        table[f"int_mid_{scale}"] = begin + length / 2
        table[f"int_end_{scale}"] = begin + length
    return table
