"""Compare what was found with what was planted: completeness and purity. Pure functions of images and tables."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from badpix.dq import PIXEL_FLAGS

ADJ_OPEN = "ADJ_OPEN"


@dataclass(frozen=True)
class Truth:
    """What was planted. `codes`: int image (y, x), 0 healthy, -1 reference pixel, else a code of `types`.

    `adjacent_to_open`: bool (y, x), the eight neighbours of the open pixels: expected as ADJ_OPEN, not healthy.
    `types`: one row per planted type with CODE, NAME, EXPECTED (the detection type that should find it, or "").
    """

    codes: np.ndarray
    adjacent_to_open: np.ndarray
    types: pd.DataFrame

    @property
    def science(self) -> np.ndarray:
        """Bool (y, x): every pixel that is not a reference pixel."""
        return self.codes >= 0

    @property
    def healthy(self) -> np.ndarray:
        """Bool (y, x): science pixels neither planted nor next to an open pixel."""
        return (self.codes == 0) & ~self.adjacent_to_open

    def expected_as(self, detection: str) -> np.ndarray:
        """Bool (y, x): the pixels that a detection type should find."""
        if detection == ADJ_OPEN:
            return self.adjacent_to_open & self.science
        return np.isin(self.codes, self.types.loc[self.types["EXPECTED"] == detection, "CODE"])


def score(found: np.ndarray, bits: dict[str, int], dq: np.ndarray, truth: Truth) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score one run.

    `found`: uint32 (y, x), bit `bits[name]` set where the detection type `name` (hot, rc, low_pedestal, high_cr,
    noisy, DEAD, LOW_QE, OPEN, ADJ_OPEN ...) found the pixel. `dq`: uint32 (y, x), the final mask in JWST pixel flags.

    Returns the tables of `score_planted` and of `score_healthy`.
    """
    shapes = {"found": found.shape, "mask": dq.shape, "truth": truth.codes.shape}
    if len(set(shapes.values())) > 1:
        raise ValueError(f"images of different shapes: {shapes}")
    detected = {name: (found & np.uint32(1 << bit)) != 0 for name, bit in bits.items()}
    return score_planted(detected, dq, truth), score_healthy(detected, dq, truth)


def score_planted(detected: dict[str, np.ndarray], dq: np.ndarray, truth: Truth) -> pd.DataFrame:
    """One row per planted type, and one for the neighbours of open pixels.

    Columns: type, planted, expected, found (in its own type), completeness, found_any (by any detection type),
    flagged (any flag in the mask), do_not_use, purity. Purity belongs to the detection type: the share of the science
    pixels it found that were planted for it. NaN where nothing was planted, expected or found.
    """
    populations = [(row.NAME, row.EXPECTED, truth.codes == row.CODE) for row in truth.types.itertuples()]
    populations.append(("next to open", ADJ_OPEN, truth.expected_as(ADJ_OPEN)))
    nothing = np.zeros(dq.shape, bool)
    found_any = np.logical_or.reduce([nothing, *detected.values()])
    rows = []
    for name, expected, planted in populations:
        number = np.count_nonzero(planted)
        own = detected.get(expected, nothing)
        found = np.count_nonzero(own & planted)
        rows.append(
            {
                "type": name,
                "planted": number,
                "expected": expected,
                "found": found,
                "completeness": found / number if number and expected else np.nan,
                "found_any": np.count_nonzero(found_any & planted),
                "flagged": np.count_nonzero((dq != 0) & planted),
                "do_not_use": np.count_nonzero((dq & PIXEL_FLAGS["DO_NOT_USE"] != 0) & planted),
                "purity": purity(own, expected, truth),
            }
        )
    return pd.DataFrame(rows)


def purity(own: np.ndarray, expected: str, truth: Truth) -> float:
    """Share of the science pixels in `own` (bool, y, x) that were planted for the detection type `expected`."""
    number = np.count_nonzero(own & truth.science)
    return np.count_nonzero(own & truth.expected_as(expected)) / number if number and expected else np.nan


def score_healthy(detected: dict[str, np.ndarray], dq: np.ndarray, truth: Truth) -> pd.DataFrame:
    """Healthy pixels found by each detection type, then the totals of the mask: any flag, and DO_NOT_USE.

    Columns: type, healthy_flagged, healthy (how many there are), per_million.
    """
    healthy = truth.healthy
    images = {
        **detected,
        "any flag in the mask": dq != 0,
        "DO_NOT_USE in the mask": dq & PIXEL_FLAGS["DO_NOT_USE"] != 0,
    }
    total = np.count_nonzero(healthy)
    counts = {name: np.count_nonzero(image & healthy) for name, image in images.items()}
    return pd.DataFrame(
        {
            "type": list(counts),
            "healthy_flagged": list(counts.values()),
            "healthy": total,
            "per_million": [1e6 * count / total if total else np.nan for count in counts.values()],
        }
    )


def flag_counts(dq: np.ndarray) -> pd.DataFrame:
    """Number of pixels per DQ flag that occurs in `dq`, uint32 (y, x), in JWST pixel flags."""
    counts = {name: np.count_nonzero(dq & np.uint32(value)) for name, value in PIXEL_FLAGS.items()}
    present = {name: count for name, count in counts.items() if count}
    return pd.DataFrame({"flag": list(present), "pixels": list(present.values())})
