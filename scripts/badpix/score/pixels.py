"""The truth of a simulation with the findings of a run: a row per planted pixel, and counts of all other pixels.

Every table of the score is a sum over both, so several simulations are pooled by concatenation and addition. All images
are arrays (y, x) of equal shape.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from badpix.formats.pixel_types import FLAT_TYPES, HALO_TYPE
from badpix.formats.truth_file import PIXEL_DEFAULTS, Truth, check_shapes
from badpix.instrument.dq import PIXEL_FLAGS

PERIOD = 8  # period of intermittent pixels in exposures


def found_as(detection: str) -> str:
    """Name of the column of pixels found as this detection type."""
    return f"found:{detection}"


def insufficient_for(detection: str) -> str:
    """Name of the column of pixels that could not be classified for this detection type."""
    return f"insufficient:{detection}"


@dataclass(frozen=True)
class Findings:
    """The findings of a run.

    `found`, `insufficient`, `intermittent` are uint32 (y, x): bit `bits[name]` is set if the pixel is found as the
    detection type `name`, could not be classified for it, or is found in some exposures only. `dq` is the mask, uint32
    (y, x), in JWST pixel flags. None: no such image. `name` is used in error messages.

    ValueError if images differ in shape, or if a bit is set that no type has.
    """

    found: np.ndarray
    bits: dict[str, int]
    dq: np.ndarray
    insufficient: np.ndarray | None = None
    intermittent: np.ndarray | None = None
    name: str = "evidence"

    def __post_init__(self) -> None:
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
        """Name for messages -> image, for the images that exist."""
        images = {
            f"{self.name} FOUND": self.found, "mask": self.dq, f"{self.name} INSUFFICIENT": self.insufficient,
            f"{self.name} INTERMITTENT": self.intermittent,
        }  # fmt: skip
        return {key: image for key, image in images.items() if image is not None}

    def planes(self) -> Iterator[tuple[str, np.ndarray]]:
        """Names and bool images (y, x) of all properties of a pixel."""
        nothing = np.zeros_like(self.found)
        insufficient = nothing if self.insufficient is None else self.insufficient
        flat = np.uint32(sum(1 << self.bits[name] for name in FLAT_TYPES if name in self.bits))
        for name, bit in self.bits.items():
            yield found_as(name), self.found & np.uint32(1 << bit) != 0
            yield insufficient_for(name), insufficient & np.uint32(1 << bit) != 0
        yield "found_any", self.found != 0
        yield "insufficient_any", insufficient != 0
        halo = np.uint32(sum(1 << self.bits[name] for name in (HALO_TYPE,) if name in self.bits))
        yield "found_halo", self.found & halo != 0
        yield "found_other", self.found & ~halo != 0
        yield "found_flat", self.found & flat != 0
        yield "insufficient_flat", insufficient & flat != 0
        yield "intermittent", (nothing if self.intermittent is None else self.intermittent) != 0
        yield "flagged", self.dq != 0
        yield "do_not_use", self.dq & np.uint32(PIXEL_FLAGS["DO_NOT_USE"]) != 0


@dataclass(frozen=True)
class Score:
    """The findings of a run in one or several simulations.

    Attributes
    ----------
    pixels : DataFrame
        A row per planted pixel: truth (name), x, y, type, strength, strength_unit, second, group, bad_in (number of
        exposures in which it is bad; -1: not known) of `exposures`, adjacent_to_open, unlit, in_halo, and bool columns:
        found_any (as any type), found_halo (as the halo of a neighbour), found_other (as any other type), flagged (any
        flag in the mask), do_not_use, intermittent, insufficient_any, found_flat, insufficient_flat (any of
        FLAT_TYPES), and for each detection type the columns named by `found_as` and
        `insufficient_for`.
    areas : DataFrame
        A row per area, by name: number of its `pixels`, and number of pixels with each of the bool columns set.
    types : DataFrame
        A row per planted type, by name: EXPECTED, STRONGER, UNIT.
    detections : tuple of str
        The detection types of the run.
    knows_intermittent : bool
        Whether the run lists intermittent pixels.
    """

    pixels: pd.DataFrame
    areas: pd.DataFrame
    types: pd.DataFrame
    detections: tuple[str, ...]
    knows_intermittent: bool = field(default=False)


def bad_in(pixels: pd.DataFrame, exposures: int) -> np.ndarray:
    """Number of `exposures` in which each pixel of the table is bad; -1: not known.

    With phase -1 only the number of bad exposures of eight is known; it is scaled and rounded.
    """
    index = np.arange(exposures)[:, np.newaxis]
    phase, bad_of_8 = pixels["phase"].to_numpy(), pixels["bad_of_8"].to_numpy()
    counted = ((index + phase) % PERIOD < bad_of_8).sum(axis=0)
    known = np.where(phase < 0, np.rint(bad_of_8 * exposures / PERIOD).astype(int), counted)
    return np.where(bad_of_8 < 0, -1, known)


def score_run(truth: Truth, findings: Findings, exposures: int = PERIOD) -> Score:
    """The Score of `findings` against `truth`; `exposures` is the number of exposures of each kind.

    ValueError if images differ in shape.
    """
    check_shapes({f"{truth.name} TRUTH": truth.codes, **findings.images()})
    columns = ["x", "y", "type", *PIXEL_DEFAULTS]
    assert truth.pixels is not None  # Truth fills it in
    pixels = truth.pixels[columns].reset_index(drop=True)
    y, x = pixels["y"].to_numpy(), pixels["x"].to_numpy()
    pixels.insert(0, "truth", truth.name)
    pixels["bad_in"], pixels["exposures"] = bad_in(pixels, exposures), exposures
    pixels = pixels.drop(columns=["phase", "bad_of_8"])
    pixels["adjacent_to_open"] = truth.adjacent_to_open[y, x].astype(bool)
    pixels["in_halo"] = False if truth.coupled is None else truth.coupled[y, x] > 0
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
    """The Score of several simulations together: planted pixels are concatenated, counts are added.

    ValueError without scores, if the runs have different detection types, or if a planted type differs in EXPECTED,
    STRONGER or UNIT.
    """
    if not scores:
        raise ValueError("nothing to pool: no runs given")
    first = scores[0]
    for score in scores[1:]:
        if set(score.detections) != set(first.detections):
            raise ValueError(f"runs to pool have different detection types: {first.detections} and {score.detections}")
        if score.knows_intermittent != first.knows_intermittent:
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
