"""Write a simulated exposure as a JWST level 1b (`uncal`) file."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from astropy.io import fits

from badpix.core.files import atomic_path
from badpix.simulate.exposure import Exposure, Segment
from badpix.simulate.headers import Geometry, exposure_meta, exposure_name, modified_julian_date
from badpix.simulate.instruments import REFERENCE_OUTPUT

# The level of the reference output of MIRI, which the pipeline does not use.
REFERENCE_OUTPUT_DN = 10_000


def write_uncal(
    folder: str | Path,
    counts_dn: np.ndarray,
    geometry: Geometry,
    exposure: Exposure,
    segment: Segment | None = None,
    zero_frames_dn: np.ndarray | None = None,
    seed: int = 0,
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
    zero_frames_dn : np.ndarray, optional
        The first frame of each integration, uint16 (integration, y, x), for extension ZEROFRAME.
    seed : int
        Seed of the pointing of an exposure of the sky.
    """
    from stdatamodels.jwst.datamodels import Level1bModel  # 2 s to import: only where it is needed

    path = Path(folder) / exposure_name(geometry, exposure, segment)
    with atomic_path(path) as temporary, Level1bModel(strict_validation=True) as model:
        written = slice(segment.first_integration - 1, segment.last_integration) if segment else slice(None)
        model.data = counts_dn[written]
        for key, value in exposure_meta(geometry, exposure, segment, seed).items():
            setattr_path(model.meta, key, value)
        if zero_frames_dn is not None:
            model.zeroframe = zero_frames_dn[written]
        if geometry.instrument in REFERENCE_OUTPUT:
            n_integrations, n_groups, n_rows, n_columns = model.data.shape
            shape = (n_integrations, n_groups, n_rows, n_columns // 4)
            model.refout = np.full(shape, REFERENCE_OUTPUT_DN, np.uint16)
        model.int_times = integration_times(geometry, exposure, model.get_dtype("int_times"))[written]
        groups = group_table(geometry, exposure, model.get_dtype("group"))
        number = groups["integration_number"] - 1
        model.group = groups[np.isin(number, np.arange(exposure.n_integrations)[written])]
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
    n_frames = geometry.n_frames(n_groups)
    begin = modified_julian_date(exposure.start_time) + number * (n_frames + 1) * geometry.frame_time_s / day
    length = n_frames * geometry.frame_time_s / day
    table["integration_number"] = number + 1
    for scale in ("MJD_UTC", "BJD_TDB"):  # an internal exposure has no target: no barycentric correction
        table[f"int_start_{scale}"] = begin
        table[f"int_mid_{scale}"] = begin + length / 2
        table[f"int_end_{scale}"] = begin + length
    return table


def group_table(geometry: Geometry, exposure: Exposure, dtype: np.dtype) -> np.ndarray:
    """The GROUP table: integration, group (from 1) and UTC of the end of every group, without gaps in the data."""
    table = np.zeros(exposure.n_integrations * exposure.n_groups, dtype=dtype)
    averaged, dropped = geometry.frames
    for row, entry in enumerate(table):
        integration, group = divmod(row, exposure.n_groups)
        frames = integration * (geometry.n_frames(exposure.n_groups) + 1) + group * (averaged + dropped) + averaged
        end = exposure.start_time + timedelta(seconds=frames * geometry.frame_time_s)
        midnight = end.replace(hour=0, minute=0, second=0, microsecond=0)
        milliseconds, microseconds = divmod((end - midnight) // timedelta(microseconds=1), 1000)
        entry["integration_number"], entry["group_number"] = integration + 1, group + 1
        entry["end_day"] = (end - datetime(2000, 1, 1)).days
        entry["end_milliseconds"], entry["end_submilliseconds"] = milliseconds, microseconds
        entry["group_end_time"] = end.isoformat(timespec="microseconds")
        entry["number_of_columns"], entry["number_of_rows"] = geometry.n_columns, geometry.n_rows
        entry["completion_code_text"] = "COMPLETE"
        entry["bary_end_time"] = entry["helio_end_time"] = modified_julian_date(end)
    return table
