"""Copies of raw files with planted pixels: only the counts of the affected pixels differ, bit for bit."""

import gzip
import shutil
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits

from badpix.core.errors import BadExposure
from badpix.core.files import atomic_path
from badpix.injection.plant import Exposure, brightened, neighbours_of_open, plant
from badpix.instrument.irs2 import is_irs2, science_rows
from badpix.instrument.readout import GroupTimes
from badpix.simulate.instruments import INSTRUMENTS

# Offset of unsigned 16-bit integers, which FITS stores as signed integers.
ZERO = 32768
CHECKSUM = "CHECKSUM"


def exposure_of_header(header: fits.Header, is_flat: bool) -> Exposure:
    """The Exposure of the primary header of a raw file; the gain is the mean gain of the instrument."""
    return Exposure(is_flat, GroupTimes.from_header(header), INSTRUMENTS[header["INSTRUME"]].gain_e_per_dn)


def raw_rows(header: fits.Header, y: np.ndarray) -> np.ndarray:
    """Rows of the raw array with the science rows `y`; they differ from `y` for IRS2 only."""
    return np.flatnonzero(science_rows(header["DETECTOR"]))[y] if is_irs2(header.get("READPATT")) else y


@contextmanager
def raw_counts(path: str | Path, extension: str, name: str) -> Iterator[np.ndarray | None]:
    """The stored integers of an extension of 16-bit unsigned integers, open for writing.

    Yields a memory map (..., y, x) of big-endian int16; counts are these values + ZERO. Yields None without the
    extension. BadExposure for another data type. `name` is the name of the file in errors.
    """
    with fits.open(path) as hdus:
        if extension not in hdus:
            yield None
            return
        header, start, shape = hdus[extension].header, hdus[extension].fileinfo()["datLoc"], hdus[extension].shape
        if header["BITPIX"] != 16 or header.get("BZERO", 0) != ZERO or header.get("BSCALE", 1) != 1:
            raise BadExposure(f"{name}: {extension} does not hold unsigned 16-bit integers")
    counts = np.memmap(path, dtype=">i2", mode="r+", offset=start, shape=shape)
    yield counts
    counts.flush()


def copy_uncompressed(source: str | Path, target: str | Path) -> None:
    """Copy a raw file; a file with a name ending in .gz is decompressed."""
    if str(source).endswith(".gz"):
        with gzip.open(source) as packed, Path(target).open("wb") as file:
            shutil.copyfileobj(packed, file)
    else:
        shutil.copyfile(source, target)


def renew_checksums(path: str | Path) -> None:
    """Update the checksums of a FITS file in the extensions that have them."""
    with fits.open(path) as hdus:
        numbers = [number for number, hdu in enumerate(hdus) if CHECKSUM in hdu.header]
    if numbers:
        with fits.open(path, mode="update") as hdus:
            for number in numbers:
                # Fixed comment: the default has the current time, but equal pixels must give equal files.
                hdus[number].add_checksum(when="HDU checksum")


@dataclass(frozen=True)
class PlantedExposure:
    """The original exposure of a copy: its `name` and `kind` (darks, flats), and the `seed` of the planting.

    The random numbers depend on seed and name only, so a copy does not depend on the number of exposures.
    """

    name: str
    kind: str
    seed: int

    def random_numbers(self) -> np.random.Generator:
        """A new random generator of this exposure, from the start of its sequence."""
        return np.random.default_rng(np.random.SeedSequence([self.seed, zlib.crc32(self.name.encode())]))


def inject(source: str | Path, target: str | Path, pixels: pd.DataFrame, planted: PlantedExposure) -> int:
    """Write to `target` a copy of the raw file `source` with planted pixels; returns the number of changed counts.

    `pixels` has a row per pixel with x, y, type, strength, second and read_noise_dn. The extension ZEROFRAME (first
    frame of each integration, if groups are means of several frames) gets the change of the first group.
    """
    rng = planted.random_numbers()
    with atomic_path(target) as temporary:
        copy_uncompressed(source, temporary)
        header = fits.getheader(temporary, 0)
        exposure = exposure_of_header(header, planted.kind == "flats")
        changes = []
        with raw_counts(temporary, "SCI", Path(source).name) as counts:
            if counts is None:
                raise BadExposure(f"{Path(source).name} has no SCI extension")
            for part, change in _changes(pixels, exposure, rng):
                y, x = raw_rows(header, part["y"].to_numpy()), part["x"].to_numpy()
                before = counts[..., y, x].astype(np.int32) + ZERO
                after = change(before.astype(float)).astype(np.int32)
                counts[..., y, x] = after - ZERO
                changes.append((y, x, after[:, 0] - before[:, 0], int(np.count_nonzero(after != before))))
        with raw_counts(temporary, "ZEROFRAME", Path(source).name) as frames:
            if frames is not None:
                for y, x, added, _ in changes:
                    frame = frames[:, y, x].astype(np.int32) + ZERO + added
                    frames[:, y, x] = np.clip(frame, 0, 2 * ZERO - 1) - ZERO
        renew_checksums(temporary)
    return sum(n_changed for _, _, _, n_changed in changes)


def _changes(
    pixels: pd.DataFrame, exposure: Exposure, rng: np.random.Generator
) -> Iterator[tuple[pd.DataFrame, Callable[[np.ndarray], np.ndarray]]]:
    """Yields DataFrames of pixels to change, each with the function of their ramps that makes the change."""
    if not exposure.is_flat:
        # These types have no effect without light.
        pixels = pixels[~pixels["type"].isin(["dead", "low_qe", "open"])]
    yield pixels, lambda ramps: plant(ramps, pixels, exposure, rng)
    if exposure.is_flat:
        bright = neighbours_of_open(pixels)
        yield bright, lambda ramps: brightened(ramps, bright["factor"].to_numpy(), exposure, rng)
