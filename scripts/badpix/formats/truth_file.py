"""The truth of planted pixels: the contents of a truth file, its writer and its reader."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits
from astropy.table import Table
from scipy import ndimage

from badpix.core.csv_table import write_csv
from badpix.core.files import atomic_path
from badpix.core.fits_table import part, read_table

TYPE_COLUMNS = {"CODE": int, "NAME": str, "EXPECTED": str}
MORE_TYPE_COLUMNS = {"STRONGER": int, "UNIT": str}
PIXEL_COLUMNS = {"x": int, "y": int, "type": str}
MORE_PIXEL_COLUMNS = {"strength": float, "strength_unit": str, "second": float, "phase": int, "bad_of_8": int,
                      "group": str}  # fmt: skip

ADJ_OPEN = "ADJ_OPEN"
HEALTHY, DONT_CARE, NEXT_TO_OPEN, UNLIT, BORDER, MIDDLE, HALO, STRONG_HALO = (
    "healthy", "dont-care", "next to open", "unlit", "border", "middle", "halo", "strong halo",
)  # fmt: skip
STRONG_HALO_DN = 100.0  # at the end of a ramp: without the search for halos, tests of slope or pedestal find it
RING = "ring of "  # followed by the label of the group
RING_WIDTH = 2  # pixels, in rows and columns
BORDER_WIDTH = 4  # pixels
PIXEL_DEFAULTS = {"strength": np.nan, "strength_unit": "", "second": np.nan, "phase": -1, "bad_of_8": 8, "group": ""}


def write_truth_file(
    path: str | Path,
    cards: list[tuple[str, object, str]],
    images: dict[str, np.ndarray],
    types: pd.DataFrame,
    pixels: pd.DataFrame,
) -> None:
    """Write a truth file, and its table of pixels as CSV beside it.

    Parameters
    ----------
    path : str or Path
        The FITS file; the CSV has the same name with the suffix .csv.
    cards : list of (str, object, str)
        Keyword, value and comment for the primary header.
    images : dict of str to array (y, x)
        Name of the extension -> image; for the contents see Truth.
    types, pixels : DataFrame
        The tables TYPES and PIXELS; for the columns see Truth.
    """
    header = fits.Header()
    for keyword, value, comment in cards:
        header[keyword] = (value, comment)
    hdus = [fits.PrimaryHDU(header=header)]
    hdus += [fits.ImageHDU(image, name=name) for name, image in images.items()]
    hdus += [
        fits.BinTableHDU(Table.from_pandas(types), name="TYPES"),
        fits.BinTableHDU(Table.from_pandas(pixels), name="PIXELS"),
    ]
    write_csv(Path(path).with_suffix(".csv"), pixels)
    with atomic_path(path) as temporary:
        fits.HDUList(hdus).writeto(temporary, overwrite=True)


@dataclass(frozen=True)
class Truth:
    """The planted pixels.

    `codes`: int (y, x), 0 healthy, -1 reference pixel, else a CODE of `types`. `adjacent_to_open`: bool (y, x), the
    neighbours of open pixels. `types`: a row per planted type with CODE, NAME, EXPECTED (the detection type that
    should find it, or ""), and, as far as known, STRONGER (+1: a larger strength is easier to find, -1: a smaller
    strength is easier to find; default +1) and UNIT of the strength (default "").

    `charge_reached`: bool (y, x), healthy pixels that receive charge from a planted neighbour at times. `coupled`:
    float (y, x), DN, signal of permanent neighbours by capacitive coupling at the end of a ramp, 0 without any.
    `not_lit`: bool (y, x), pixels that the lamp does not light. None means no such pixels. `pixels`: a row per planted
    pixel with x, y (0-based), type and, as far as known, strength, strength_unit, second, phase, bad_of_8, group; if
    given as None, the table is made from `codes`. `name` is the name of this truth in error messages.

    ValueError if images differ in shape, or the table of pixels contradicts the image.
    """

    codes: np.ndarray
    adjacent_to_open: np.ndarray
    types: pd.DataFrame
    charge_reached: np.ndarray | None = None
    not_lit: np.ndarray | None = None
    pixels: pd.DataFrame = None  # never None after __post_init__
    name: str = "truth"
    coupled: np.ndarray | None = None

    def __post_init__(self) -> None:
        check_shapes({f"{self.name} {key}": image for key, image in self.images().items()})
        object.__setattr__(self, "types", self.types.assign(**{
            key: default for key, default in (("STRONGER", 1), ("UNIT", "")) if key not in self.types
        }))  # fmt: skip
        object.__setattr__(self, "pixels", self.complete_pixels())

    def images(self) -> dict[str, np.ndarray]:
        """Name in the truth file -> image (y, x), without images that are None."""
        images = {
            "TRUTH": self.codes, "ADJ_OPEN": self.adjacent_to_open, "DONTCARE": self.charge_reached,
            "HALO": self.coupled, "UNLIT": self.not_lit,
        }  # fmt: skip
        return {key: image for key, image in images.items() if image is not None}

    def complete_pixels(self) -> pd.DataFrame:
        """The table of planted pixels, with defaults for missing columns."""
        names = dict(zip(self.types["CODE"], self.types["NAME"], strict=True))
        y, x = np.nonzero(self.codes > 0)
        planted = [names.get(code, f"unknown code {code}") for code in self.codes[y, x]]
        if self.pixels is None:
            table = pd.DataFrame({"x": x, "y": y, "type": planted})
        else:
            table = self.pixels
            in_table = set(zip(table["y"].tolist(), table["x"].tolist(), table["type"], strict=True))
            differing = in_table ^ set(zip(y.tolist(), x.tolist(), planted, strict=True))
            if differing or len(in_table) != len(table):
                example = f", such as (y, x, type) {min(differing)}" if differing else ": a pixel is listed twice"
                raise ValueError(f"{self.name}: table PIXELS and image TRUTH disagree{example}")
        table = table.assign(**{key: default for key, default in PIXEL_DEFAULTS.items() if key not in table})
        return table.astype({"type": str, "strength": float, "strength_unit": str, "group": str})

    @property
    def science(self) -> np.ndarray:
        """Bool (y, x): every pixel that is not a reference pixel."""
        return self.codes >= 0

    @property
    def next_to_open(self) -> np.ndarray:
        """Bool (y, x): neighbours of open pixels that are not planted themselves."""
        return self.adjacent_to_open.astype(bool) & (self.codes == 0)

    def halo(self, at_least: float = 0.0) -> np.ndarray:
        """Bool (y, x): pixels neither planted nor next to an open pixel that receive coupled signal.

        `at_least`: of this strength in DN.
        """
        signal = np.zeros(self.codes.shape) if self.coupled is None else self.coupled
        return (signal != 0) & (signal >= at_least) & (self.codes == 0) & ~self.next_to_open

    @property
    def dont_care(self) -> np.ndarray:
        """Bool (y, x): pixels reached by charge that are neither planted, nor next to an open pixel, nor in a halo.

        Any result is acceptable for them; planted pixels, halos and pixels next to an open pixel have an expected type.
        """
        reached = np.zeros(self.codes.shape, bool) if self.charge_reached is None else self.charge_reached.astype(bool)
        return reached & (self.codes == 0) & ~self.next_to_open & ~self.halo()

    @property
    def healthy(self) -> np.ndarray:
        """Bool (y, x): science pixels that are neither planted, next to an open pixel, in a halo nor reached."""
        return (self.codes == 0) & ~self.next_to_open & ~self.halo() & ~self.dont_care

    def areas(self) -> Iterator[tuple[str, np.ndarray]]:
        """Names and bool images (y, x) of the sets of pixels to count; unlit, border, middle and rings are healthy.

        The ring of a group lies within RING_WIDTH of its planted pixels in x and y. The border lies within BORDER_WIDTH
        of the edge of the science pixels, the middle is the rest.
        """
        healthy = self.healthy
        yield HEALTHY, healthy
        yield NEXT_TO_OPEN, self.next_to_open
        yield DONT_CARE, self.dont_care
        yield HALO, self.halo()
        yield STRONG_HALO, self.halo(STRONG_HALO_DN)
        yield UNLIT, healthy & (False if self.not_lit is None else self.not_lit.astype(bool))
        inside = ndimage.minimum_filter(self.science, 2 * BORDER_WIDTH + 1, mode="constant", cval=0)
        yield BORDER, healthy & ~inside
        yield MIDDLE, healthy & inside
        for group, members in self.pixels.groupby("group"):
            image = np.zeros(self.codes.shape, bool)
            image[members["y"], members["x"]] = True
            yield RING + str(group), healthy & ndimage.maximum_filter(image, 2 * RING_WIDTH + 1, mode="constant")


def check_shapes(images: dict[str, np.ndarray]) -> None:
    """Raise ValueError, naming each image, if the shapes differ."""
    shapes = {name: image.shape for name, image in images.items()}
    if len(set(shapes.values())) > 1:
        raise ValueError(
            "images of different shapes: " + ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        )


def read_truth(path: str | Path) -> Truth:
    """Read a truth file: images TRUTH, ADJ_OPEN, and if present DONTCARE, HALO, UNLIT; tables TYPES, if present PIXELS.

    ValueError if an image, table or column is missing, or images differ in shape.
    """
    with fits.open(path, memmap=False) as hdus:
        images = {name: hdus[name].data.astype(bool) for name in ("DONTCARE", "UNLIT") if name in hdus}
        return Truth(
            codes=part(hdus, "TRUTH", path).astype(int),
            adjacent_to_open=part(hdus, "ADJ_OPEN", path).astype(bool),
            types=read_table(hdus, "TYPES", path, TYPE_COLUMNS, MORE_TYPE_COLUMNS),
            charge_reached=images.get("DONTCARE"),
            coupled=hdus["HALO"].data.astype(np.float32) if "HALO" in hdus else None,
            not_lit=images.get("UNLIT"),
            pixels=read_table(hdus, "PIXELS", path, PIXEL_COLUMNS, MORE_PIXEL_COLUMNS) if "PIXELS" in hdus else None,
            name=str(path),
        )


def truth_of(paths: Sequence[str | Path], detector: str, shape: tuple[int, int]) -> Truth | None:
    """The Truth of `detector` (its name) among the truth files at `paths`; None without files.

    ValueError if no file is of this detector, or its shape is not the `shape` (y, x) of the exposures.
    """
    if not paths:
        return None
    for path in paths:
        if fits.getheader(path, 0).get("DETECTOR") == detector:
            truth = read_truth(path)
            if truth.codes.shape != shape:
                raise ValueError(f"truth: {path} is of shape {truth.codes.shape}, the exposures of {shape} (y, x)")
            return truth
    raise ValueError(f"truth: none of {', '.join(map(str, paths))} is of the detector {detector} (keyword DETECTOR)")
