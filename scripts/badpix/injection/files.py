"""Copies of raw files with planted pixels: only the counts of the pixels concerned differ, bit for bit."""

import gzip
import shutil
import zlib
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

# FITS holds unsigned 16-bit integers as signed ones less this.
ZERO = 32768
CHECKSUM = "CHECKSUM"


def exposure_of_header(header, is_flat: bool) -> Exposure:
    """What planting must know, from the primary header of a raw file; the gain is the usual one of the instrument."""
    times = GroupTimes(header["TGROUP"], header["TFRAME"], header["NFRAMES"], header.get("DRPFRMS1", 0) or 0)
    return Exposure(is_flat, times, INSTRUMENTS[header["INSTRUME"]].gain_e_per_dn)


def raw_rows(header, y: np.ndarray) -> np.ndarray:
    """Rows of the raw array that hold the rows `y` of the pixels: others for IRS2 only."""
    return np.flatnonzero(science_rows(header["DETECTOR"]))[y] if is_irs2(header.get("READPATT")) else y


@contextmanager
def raw_counts(path, extension, name):
    """The integers of an image extension of 16-bit unsigned integers as they are in the file, open for writing.

    Yields a memory map (..., y, x) of big-endian int16; the counts are these + ZERO. None without such an extension.
    `name` is what an error calls the file.
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


def copy_whole(source, target):
    """Copy a raw file, uncompressed where its name ends in .gz."""
    if str(source).endswith(".gz"):
        with gzip.open(source) as packed, open(target, "wb") as file:
            shutil.copyfileobj(packed, file)
    else:
        shutil.copyfile(source, target)


def renew_checksums(path):
    """Make the checksums of a FITS file right again, where it has any."""
    with fits.open(path) as hdus:
        numbers = [number for number, hdu in enumerate(hdus) if CHECKSUM in hdu.header]
    if numbers:
        with fits.open(path, mode="update") as hdus:
            for number in numbers:
                # The usual comment is the time of day: the same pixels are to make the same file.
                hdus[number].add_checksum(when="HDU checksum")


@dataclass(frozen=True)
class PlantedExposure:
    """The exposure that a copy is of: its `name` and `kind` (darks, flats), and the `seed` of what is planted.

    The random numbers belong to seed and name, so an exposure is the same however many others there are.
    """

    name: str
    kind: str
    seed: int

    def random_numbers(self) -> np.random.Generator:
        """The random numbers of this exposure, from the first."""
        return np.random.default_rng(np.random.SeedSequence([self.seed, zlib.crc32(self.name.encode())]))


def inject(source, target, pixels: pd.DataFrame, planted: PlantedExposure) -> int:
    """Write at `target` a copy of the raw file `source` with `pixels` planted; returns how many counts changed.

    `pixels`: a row per pixel with x, y, type, strength, second and read_noise_dn. The extension ZEROFRAME, the first
    frame of each integration where groups are means of several, gets what its first group got.
    """
    rng = planted.random_numbers()
    with atomic_path(target) as temporary:
        copy_whole(source, temporary)
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
                changes.append((y, x, after[:, 0] - before[:, 0], np.count_nonzero(after != before)))
        with raw_counts(temporary, "ZEROFRAME", Path(source).name) as frames:
            if frames is not None:
                for y, x, more, _ in changes:
                    frame = frames[:, y, x].astype(np.int32) + ZERO + more
                    frames[:, y, x] = np.clip(frame, 0, 2 * ZERO - 1) - ZERO
        renew_checksums(temporary)
    return sum(number for *_, number in changes)


def _changes(pixels, exposure, rng):
    """The groups of pixels to change, each with the function of their ramps that does it."""
    if not exposure.is_flat:
        # What only light can tell is not to be seen in a dark.
        pixels = pixels[~pixels["type"].isin(["dead", "low_qe", "open"])]
    yield pixels, lambda ramps: plant(ramps, pixels, exposure, rng)
    if exposure.is_flat:
        bright = neighbours_of_open(pixels)
        yield bright, lambda ramps: brightened(ramps, bright["factor"].to_numpy(), exposure, rng)
