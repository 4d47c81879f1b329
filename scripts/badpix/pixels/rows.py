"""One row per pixel: types, flags, votes, strengths, and the pixel it is attributed to."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from badpix.delivery.pixel_lists import NOT_BAD, OTHER
from badpix.formats.evidence_file import Evidence
from badpix.instrument.dq import PIXEL_FLAGS, flag_texts
from badpix.instrument.geometry import Geometry
from badpix.pixels.attribution import sources
from badpix.pixels.earlier import EarlierMasks
from badpix.pixels.strength import STRENGTHS, dark_strengths
from badpix.vote.exposure_set import ExposureSet

NOTHING = ""


@dataclass(frozen=True)
class MaskResult:
    """A mask and the vote behind it.

    `exposures` voted, `evidence` is their Evidence; `dq` is the mask, uint32 (y, x), and `frame` its Geometry, which
    may be larger than the array of the exposures. `min_darks` is the configuration key, which decides on the depth of
    the darks that vote. `gain` is the configured gain (e-/DN), None for that of the exposures.
    """

    exposures: ExposureSet
    evidence: Evidence
    dq: np.ndarray
    frame: Geometry
    min_darks: int
    gain: float | None = None

    def flagged(self) -> tuple[np.ndarray, np.ndarray]:
        """y and x in the full frame, 0-based, of the pixels with a flag that makes them bad."""
        y, x = np.nonzero(self.dq & ~NOT_BAD)
        return y + self.frame.y_start - 1, x + self.frame.x_start - 1

    def strengths(self, pixels: np.ndarray) -> dict[str, np.ndarray]:
        """Column of STRENGTHS -> values of `pixels` (flat indices of the array of the exposures), float32."""
        exposures = self.exposures
        shallow = exposures.shallow_darks(self.min_darks)
        gain = self.gain if exposures.gain is None else exposures.gain.image
        darks = [dark for dark in exposures.darks if dark.name not in shallow]
        found = dark_strengths(darks, pixels, gain)
        for column, name in (("slope_scatter_dn_per_s", "NOISE"), ("response", "RESPONSE")):
            image = self.evidence.measured.get(name)
            found[column] = np.full(pixels.size, np.nan, np.float32) if image is None else image.ravel()[pixels]
        return {name: found[name].astype(np.float32) for name in STRENGTHS}


def pixel_rows(result: MaskResult, y: np.ndarray, x: np.ndarray, earlier: EarlierMasks, start: str) -> pd.DataFrame:
    """A row per pixel (y, x), 0-based in the full frame; in their order.

    Columns: `x`, `y`; `types` and `flags` (joined by `+`), `do_not_use`; `insufficient` and `intermittent`, the types
    of these planes of the evidence; the columns of STRENGTHS; `votes`, the votes of the tests of the pixel's types as
    text; `<test>_k` and `<test>_n`, positive and valid votes of every test, empty outside the array of the exposures;
    `first_seen`, the start of the first mask that flags the pixel, and `n_masks_flagged` of `n_masks`, this mask
    included, whose first exposure began at `start` (ISO, UTC); `source_x` and `source_y`, the pixel that the pixel is
    attributed to.
    """
    measured, evidence = result.exposures.geometry, result.evidence
    row, column = y - (measured.y_start - 1), x - (measured.x_start - 1)
    inside = (row >= 0) & (column >= 0) & (row < measured.n_rows) & (column < measured.n_columns)
    pixels = row[inside] * measured.n_columns + column[inside]
    dq, covered = _mask_values(result, y, x)
    is_bad = dq & ~NOT_BAD != 0
    types = _scattered(_type_texts(evidence.found.ravel()[pixels], evidence.bit_of), inside)
    table = {
        "x": x.astype(np.int16),
        "y": y.astype(np.int16),
        "types": np.where(is_bad & (types == NOTHING), OTHER, types),
        "flags": np.where(is_bad, flag_texts(dq & ~NOT_BAD), NOTHING),
        "do_not_use": dq & PIXEL_FLAGS["DO_NOT_USE"] != 0,
    }
    for name, plane in (("insufficient", evidence.insufficient), ("intermittent", evidence.intermittent)):
        bits = np.zeros(pixels.size, np.uint32) if plane is None else plane.ravel()[pixels]
        table[name] = _scattered(_type_texts(bits, evidence.bit_of), inside)
    for name, values in result.strengths(pixels).items():
        table[name] = np.full(x.size, np.nan, np.float32)
        table[name][inside] = values
    counts = _counts(evidence, pixels)
    table["votes"] = _scattered(_vote_texts(evidence, pixels, counts), inside)
    for name, numbers in counts.items():
        table[name] = pd.array(np.zeros(x.size), "Int16")
        table[name][inside], table[name][~inside] = numbers, pd.NA
    first, now = earlier.first_seen[y, x], np.datetime64(start, "s")
    table["first_seen"] = np.where(np.isnat(first) & is_bad, now, first).astype("datetime64[s]")
    table["n_masks_flagged"] = (earlier.n_flagged[y, x] + is_bad).astype(np.int16)
    table["n_masks"] = (earlier.n_masks[y, x] + covered).astype(np.int16)
    source = np.full(x.size, -1)
    source[inside] = sources(evidence).ravel()[pixels]
    for name, value in (("source_x", source % measured.n_columns + measured.x_start - 1),
                        ("source_y", source // measured.n_columns + measured.y_start - 1)):  # fmt: skip
        table[name] = pd.array(value.astype(np.int16), "Int16")
        table[name][source < 0] = pd.NA
    return pd.DataFrame(table)


def _mask_values(result: MaskResult, y: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The values of the mask at pixels of the full frame, 0 outside the array of the mask, and whether it has them."""
    row, column = y - (result.frame.y_start - 1), x - (result.frame.x_start - 1)
    n_rows, n_columns = result.dq.shape
    inside = (row >= 0) & (column >= 0) & (row < n_rows) & (column < n_columns)
    values = np.zeros(y.size, np.uint32)
    values[inside] = result.dq[row[inside], column[inside]]
    return values, inside


def _scattered(texts: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Texts of the pixels `inside` (boolean), in their order, as texts of all pixels; empty elsewhere."""
    everywhere = np.full(inside.size, NOTHING, object)
    everywhere[inside] = texts
    return everywhere


def _type_texts(values: np.ndarray, bit_of: Mapping[str, int]) -> np.ndarray:
    """The types whose bits are set in `values` (uint32), joined by `+`, as an array of texts."""
    different, index = np.unique(values, return_inverse=True)
    texts = ["+".join(name for name, bit in bit_of.items() if int(value) >> bit & 1) for value in different]
    return np.array(texts, object)[index] if texts else np.zeros(0, object)


def _counts(evidence: Evidence, pixels: np.ndarray) -> dict[str, np.ndarray]:
    """`<test>_k` and `<test>_n` -> votes of `pixels` (flat indices), for all tests with counts in the evidence."""
    found: dict[str, np.ndarray] = {}
    for test in dict.fromkeys(test for tests in evidence.tests.values() for test in tests):
        if (counts := evidence.counts(test)) is not None:
            for ending, image in zip("kn", counts, strict=True):
                found[f"{test}_{ending}"] = image.ravel()[pixels].astype(np.int16)
    return found


def _vote_texts(evidence: Evidence, pixels: np.ndarray, counts: Mapping[str, np.ndarray]) -> np.ndarray:
    """The votes of the tests of each pixel's types, such as `rate 16/16`, separated by blanks."""
    texts = np.full(pixels.size, NOTHING, object)
    done: dict[str, np.ndarray] = {}
    for name, tests in evidence.tests.items():
        found = evidence.is_found(name).ravel()[pixels]
        for test in tests:
            if f"{test}_k" not in counts:
                continue
            # Two types may share a test.
            here = np.flatnonzero(found & ~done.get(test, np.zeros(pixels.size, bool)))
            done[test] = done.get(test, False) | found
            k, n_valid = (counts[f"{test}_{ending}"][here] for ending in "kn")
            texts[here] += [f"{test} {a}/{b}; " for a, b in zip(k.tolist(), n_valid.tolist(), strict=True)]
    return np.array([text.removesuffix("; ") for text in texts], object)
