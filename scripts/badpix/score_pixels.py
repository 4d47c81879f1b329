"""The truth of a simulation beside what a run found: a row per planted pixel, and counts of all other pixels.

Every table of the score is a sum over these two, so several simulations are pooled by putting them together. All
images are arrays (y, x) of one shape.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import ndimage

from badpix.dq import PIXEL_FLAGS

ADJ_OPEN = "ADJ_OPEN"
FLAT_TYPES = ("DEAD", "LOW_QE", "OPEN", ADJ_OPEN)  # the types that need light
HEALTHY, DONT_CARE, NEXT_TO_OPEN, UNLIT, BORDER, MIDDLE = (
    "healthy", "dont-care", "next to open", "unlit", "border", "middle",
)  # fmt: skip
RING = "ring of "  # and the label of the group
RING_WIDTH = 2  # pixels, in rows and columns
BORDER_WIDTH = 4  # pixels
PIXEL_DEFAULTS = {"strength": np.nan, "strength_unit": "", "second": np.nan, "phase": -1, "bad_of_8": 8, "group": ""}
PERIOD = 8  # exposures after which an intermittent pixel begins anew


def found_as(detection: str) -> str:
    """Name of the column of pixels found as this detection type."""
    return f"found:{detection}"


def insufficient_for(detection: str) -> str:
    """Name of the column of pixels that could not be judged for this detection type."""
    return f"insufficient:{detection}"


@dataclass(frozen=True)
class Truth:
    """What was planted.

    `codes`: int (y, x), 0 healthy, -1 reference pixel, else a CODE of `types`. `adjacent_to_open`: bool (y, x), the
    neighbours of open pixels. `types`: a row per planted type with CODE, NAME, EXPECTED (the detection type that
    should find it, or ""), and, as far as known, STRONGER (+1: a larger strength is easier to find, -1: a smaller
    one; default +1) and UNIT of the strength (default "").

    `charge_reached`: bool (y, x), healthy pixels that charge of a planted neighbour really reaches. `not_lit`: bool
    (y, x), pixels that the lamp does not light. None stands for no such pixels. `pixels`: a row per planted pixel
    with x, y (0-based), type and, as far as known, strength, strength_unit, second, phase, bad_of_8, group; None: from
    `codes`.
    `name` is what error messages call this truth.

    ValueError where images differ in shape, or the table of pixels contradicts the image.
    """

    codes: np.ndarray
    adjacent_to_open: np.ndarray
    types: pd.DataFrame
    charge_reached: np.ndarray | None = None
    not_lit: np.ndarray | None = None
    pixels: pd.DataFrame | None = None
    name: str = "truth"

    def __post_init__(self):
        check_shapes({f"{self.name} {key}": image for key, image in self.images().items()})
        object.__setattr__(self, "types", self.types.assign(**{
            key: default for key, default in (("STRONGER", 1), ("UNIT", "")) if key not in self.types
        }))  # fmt: skip
        object.__setattr__(self, "pixels", self.complete_pixels())

    def images(self) -> dict[str, np.ndarray]:
        """The images by their names in the truth file, without those that are not there."""
        images = {
            "TRUTH": self.codes, "ADJ_OPEN": self.adjacent_to_open, "DONTCARE": self.charge_reached,
            "UNLIT": self.not_lit,
        }  # fmt: skip
        return {key: image for key, image in images.items() if image is not None}

    def complete_pixels(self) -> pd.DataFrame:
        """The table of planted pixels with defaults for the columns that it lacks."""
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

    @property
    def dont_care(self) -> np.ndarray:
        """Bool (y, x): charge reaches them; neither planted nor next to an open pixel, which say what to expect."""
        reached = np.zeros(self.codes.shape, bool) if self.charge_reached is None else self.charge_reached.astype(bool)
        return reached & (self.codes == 0) & ~self.next_to_open

    @property
    def healthy(self) -> np.ndarray:
        """Bool (y, x): science pixels neither planted, nor next to an open pixel, nor reached by charge."""
        return (self.codes == 0) & ~self.next_to_open & ~self.dont_care

    def areas(self) -> Iterator[tuple[str, np.ndarray]]:
        """Names and bool images (y, x) of the sets of pixels to count; unlit, border, middle and rings are healthy.

        A ring is what lies within RING_WIDTH of a planted pixel of the group in x and y; the border what lies within
        BORDER_WIDTH of the edge of the science pixels.
        """
        healthy = self.healthy
        yield HEALTHY, healthy
        yield NEXT_TO_OPEN, self.next_to_open
        yield DONT_CARE, self.dont_care
        yield UNLIT, healthy & (False if self.not_lit is None else self.not_lit.astype(bool))
        inside = ndimage.minimum_filter(self.science, 2 * BORDER_WIDTH + 1, mode="constant", cval=0)
        yield BORDER, healthy & ~inside
        yield MIDDLE, healthy & inside
        for group, members in self.pixels.groupby("group"):
            image = np.zeros(self.codes.shape, bool)
            image[members["y"], members["x"]] = True
            yield RING + str(group), healthy & ndimage.maximum_filter(image, 2 * RING_WIDTH + 1, mode="constant")


@dataclass(frozen=True)
class Findings:
    """What one run says.

    `found`, `insufficient`, `intermittent`: uint32 (y, x), bit `bits[name]` set where the detection type `name` found
    the pixel, could not judge it, or found it in some exposures only. `dq`: uint32 (y, x), the mask in JWST pixel
    flags. None: no such image. `name` is what error messages call it.

    ValueError where images differ in shape, or a bit is set that no type has.
    """

    found: np.ndarray
    bits: dict[str, int]
    dq: np.ndarray
    insufficient: np.ndarray | None = None
    intermittent: np.ndarray | None = None
    name: str = "evidence"

    def __post_init__(self):
        check_shapes(self.images())
        if not self.bits:
            raise ValueError(f"{self.name}: table TYPES names no detection type")
        known = np.uint32(sum(1 << bit for bit in set(self.bits.values())))
        for key, image in self.images().items():
            stray = np.bitwise_or.reduce(image & ~known, axis=None) if image is not self.dq else 0
            if stray:
                numbers = [bit for bit in range(32) if int(stray) >> bit & 1]
                raise ValueError(f"{key} has bits {numbers} that table TYPES does not name; it has {self.bits}")

    def images(self) -> dict[str, np.ndarray]:
        """The images by their names in messages, without those that are not there."""
        images = {
            f"{self.name} FOUND": self.found, "mask": self.dq, f"{self.name} INSUFFICIENT": self.insufficient,
            f"{self.name} INTERMITTENT": self.intermittent,
        }  # fmt: skip
        return {key: image for key, image in images.items() if image is not None}

    def planes(self) -> Iterator[tuple[str, np.ndarray]]:
        """Names and bool images (y, x) of all that is said of a pixel."""
        nothing = np.zeros_like(self.found)
        insufficient = nothing if self.insufficient is None else self.insufficient
        flat = np.uint32(sum(1 << self.bits[name] for name in FLAT_TYPES if name in self.bits))
        for name, bit in self.bits.items():
            yield found_as(name), self.found & np.uint32(1 << bit) != 0
            yield insufficient_for(name), insufficient & np.uint32(1 << bit) != 0
        yield "found_any", self.found != 0
        yield "insufficient_any", insufficient != 0
        yield "found_flat", self.found & flat != 0
        yield "insufficient_flat", insufficient & flat != 0
        yield "intermittent", (nothing if self.intermittent is None else self.intermittent) != 0
        yield "flagged", self.dq != 0
        yield "do_not_use", self.dq & np.uint32(PIXEL_FLAGS["DO_NOT_USE"]) != 0


@dataclass(frozen=True)
class Score:
    """What a run made of one or several simulations.

    `pixels`: a row per planted pixel: truth (name), x, y, type, strength, strength_unit, second, group, bad_in (number
    of the exposures it is bad in; -1: not known) of `exposures`, adjacent_to_open, unlit, and bool columns: found_any
    (as any type), flagged (any flag in the mask), do_not_use, intermittent, insufficient_any, found_flat,
    insufficient_flat (any of FLAT_TYPES), and for each detection type
    those of `found_as` and `insufficient_for`. `areas`: by the name of the area, the number of `pixels` in it, and how
    many of them are so in each of these bool columns. `types`: by name of the planted type, EXPECTED, STRONGER, UNIT.
    `detections`: the detection types of the run. `knows_intermittent`: whether the run lists intermittent pixels.
    """

    pixels: pd.DataFrame
    areas: pd.DataFrame
    types: pd.DataFrame
    detections: tuple[str, ...]
    knows_intermittent: bool = field(default=False)


def check_shapes(images: dict[str, np.ndarray]) -> None:
    """Raise ValueError, naming each image, when they are not of one shape."""
    shapes = {name: image.shape for name, image in images.items()}
    if len(set(shapes.values())) > 1:
        raise ValueError(
            "images of different shapes: " + ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        )


def bad_in(pixels: pd.DataFrame, exposures: int) -> np.ndarray:
    """In how many of `exposures`, numbered from 1, each pixel of the table is bad; -1 where that is not known.

    Where phase is -1 only the share of eight is known: it is rounded.
    """
    index = np.arange(exposures)[:, np.newaxis]
    phase, bad_of_8 = pixels["phase"].to_numpy(), pixels["bad_of_8"].to_numpy()
    counted = ((index + phase) % PERIOD < bad_of_8).sum(axis=0)
    known = np.where(phase < 0, np.rint(bad_of_8 * exposures / PERIOD).astype(int), counted)
    return np.where(bad_of_8 < 0, -1, known)


def score_run(truth: Truth, findings: Findings, exposures: int = PERIOD) -> Score:
    """Put what was found beside what was planted, in so many `exposures` of each kind.

    ValueError where the images are of different shapes.
    """
    check_shapes({f"{truth.name} TRUTH": truth.codes, **findings.images()})
    columns = ["x", "y", "type", *PIXEL_DEFAULTS]
    pixels = truth.pixels[columns].reset_index(drop=True)
    y, x = pixels["y"].to_numpy(), pixels["x"].to_numpy()
    pixels.insert(0, "truth", truth.name)
    pixels["bad_in"], pixels["exposures"] = bad_in(pixels, exposures), exposures
    pixels = pixels.drop(columns=["phase", "bad_of_8"])
    pixels["adjacent_to_open"] = truth.adjacent_to_open[y, x].astype(bool)
    pixels["unlit"] = False if truth.not_lit is None else truth.not_lit[y, x].astype(bool)
    areas = dict(truth.areas())
    counts = {"pixels": [np.count_nonzero(area) for area in areas.values()]}
    at_planted = {}
    for name, plane in findings.planes():
        at_planted[name] = plane[y, x]
        counts[name] = [np.count_nonzero(plane & area) for area in areas.values()]
    return Score(
        pixels=pd.concat([pixels, pd.DataFrame(at_planted, index=pixels.index)], axis=1),
        areas=pd.DataFrame(counts, index=pd.Index(areas, name="area")),
        types=truth.types.set_index("NAME")[["EXPECTED", "STRONGER", "UNIT"]],
        detections=tuple(findings.bits),
        knows_intermittent=findings.intermittent is not None,
    )


def pool(scores: Sequence[Score]) -> Score:
    """The scores of one way of running over several simulations as one: planted pixels side by side, counts added.

    ValueError when there are none, when the runs know different detection types, or when a planted type means
    different things in two simulations.
    """
    if not scores:
        raise ValueError("nothing to pool: no runs given")
    first = scores[0]
    for other in scores[1:]:
        if set(other.detections) != set(first.detections):
            raise ValueError(f"runs to pool know different types: {first.detections} and {other.detections}")
        if other.knows_intermittent != first.knows_intermittent:
            raise ValueError("runs to pool differ: only some of them have an image INTERMITTENT")
    rows = pd.concat([score.types.reset_index() for score in scores]).drop_duplicates()
    repeated = sorted(set(rows.loc[rows["NAME"].duplicated(), "NAME"]))
    if repeated:
        raise ValueError(f"simulations to pool disagree in EXPECTED, STRONGER or UNIT of the planted types {repeated}")
    areas = pd.concat([score.areas for score in scores]).groupby(level="area", sort=False).sum()
    return Score(
        pixels=pd.concat([score.pixels for score in scores], ignore_index=True),
        areas=areas,
        types=rows.set_index("NAME"),
        detections=first.detections,
        knows_intermittent=first.knows_intermittent,
    )
