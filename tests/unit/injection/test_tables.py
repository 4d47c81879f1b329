"""The tables of a run on exposures with planted pixels: by strength, and for the pixels that were not planted."""

import numpy as np
import pandas as pd
import pytest

from badpix.formats.truth_file import Truth
from badpix.injection.tables import (
    ANY_FLAG,
    OWN_TYPE,
    change_table,
    curve_table,
    healthy_pixels,
    injection_score,
    strength_table,
)
from badpix.instrument.dq import PIXEL_FLAGS
from badpix.score.pixels import Findings
from badpix.score.plots import plot_curves

BITS = {"hot": 0, "warm": 1, "noisy": 2}
PLANTED = pd.DataFrame(
    {
        "x": [2, 5, 8, 11],
        "y": [2, 2, 2, 2],
        "type": ["hot", "hot", "hot", "noisy"],
        "strength": [1.0, 5.0, 5.0, 3.0],
        "strength_unit": ["DN/s", "DN/s", "DN/s", "x read noise"],
    }
)
TYPES = pd.DataFrame(
    {"CODE": [1, 2], "NAME": ["hot", "noisy"], "EXPECTED": ["hot", "noisy"], "UNIT": ["DN/s", "x read noise"]}
)


def truth():
    codes = np.zeros((12, 14), int)
    codes[0] = -1
    codes[PLANTED["y"], PLANTED["x"]] = [1, 1, 1, 2]
    return Truth(codes, np.zeros(codes.shape, bool), TYPES, pixels=PLANTED)


def findings(**pixels):
    """Findings in which type -> list of (y, x) was found, each with flag and DO_NOT_USE HOT."""
    found = np.zeros((12, 14), np.uint32)
    for name, places in pixels.items():
        for pixel in places:
            found[pixel] |= 1 << BITS[name]
    dq = np.where(found, np.uint32(PIXEL_FLAGS["HOT"] | PIXEL_FLAGS["DO_NOT_USE"]), np.uint32(0))
    return Findings(found, BITS, dq)


def test_healthy_pixels_have_no_findings():
    science = truth().science
    one = findings(hot=[(9, 9)])
    one.dq[5, 5] = PIXEL_FLAGS["DEAD"]  # by hand
    intermittent = np.zeros_like(one.found)
    intermittent[4, 4] = 1
    one = Findings(one.found, BITS, one.dq, intermittent=intermittent)
    healthy = healthy_pixels(one, science)
    assert not healthy[[0, 9, 5, 4], [3, 9, 5, 4]].any()
    assert healthy.sum() == science.sum() - 3


def test_shares_by_strength_with_intervals(tmp_path):
    # The weakest is missed, one of two stronger ones is called warm, which counts as well.
    after = findings(hot=[(2, 5)], warm=[(2, 8)], noisy=[(2, 8)])
    _, score = injection_score(truth(), findings(), after, 5)
    table = strength_table(score).set_index(["type", "strength"])
    assert table.loc[("hot", 1.0), ["planted", "found", "flagged"]].tolist() == [1, 0, 0]
    assert table.loc[("hot", 5.0), ["planted", "found", "flagged", "expected"]].tolist() == [2, 2, 2, "hot|warm"]
    # Wilson (1927) for 2 of 2: 1 / (1 + 1.96^2 / 2)
    assert table.loc[("hot", 5.0), "low"] == pytest.approx(1 / (1 + 1.959964**2 / 2), rel=1e-5)
    assert table.loc[("noisy", 3.0), "completeness"] == 0
    curves, thresholds = curve_table(score)
    assert list(zip(curves["type"], curves["strength"], strict=True)) == 2 * [
        ("hot", 1.0), ("hot", 5.0), ("noisy", 3.0),
    ]  # fmt: skip
    assert list(thresholds["type"]) == 2 * ["hot", "noisy"]
    plot_curves(tmp_path / "one.png", curves, thresholds, label="found")
    plot_curves(tmp_path / "one_strength_of_one_type.png", curves.iloc[2:3], thresholds.iloc[1:2])


def test_a_pixel_flagged_as_another_type_counts_for_any_flag():
    # The noisy pixel is flagged as hot, and the hot ones are found in their own type; the weakest is not flagged.
    _, score = injection_score(truth(), findings(), findings(hot=[(2, 5), (2, 8), (2, 11)]), 5)
    curves, _ = curve_table(score)
    shares = curves.set_index(["run", "type", "strength"])["completeness"]
    assert shares[OWN_TYPE].tolist() == [0, 1, 0]
    assert shares[ANY_FLAG].tolist() == [0, 1, 1]


def test_what_changed_where_nothing_was_planted():
    before = findings(hot=[(9, 9), (10, 2)])
    after = findings(hot=[(9, 9), (2, 5), (4, 6), (10, 12)], noisy=[(10, 2)])
    beside, _ = injection_score(truth(), before, after, 5)
    table = change_table(beside, before, after).set_index("name")
    n_healthy = 11 * 14 - 4 - 2
    assert table.loc["hot", ["healthy", "gained", "near_planted", "bad_before", "lost"]].tolist() == [
        n_healthy, 2, 1, 2, 1,
    ]  # fmt: skip
    assert table.loc["hot", "per_million"] == pytest.approx(2e6 / n_healthy)
    assert table.loc["noisy", ["gained", "bad_before"]].tolist() == [0, 0], "a bad pixel of another type is not healthy"
    assert table.loc["DO_NOT_USE in the mask", ["gained", "lost"]].tolist() == [2, 0]


def test_a_planted_pixel_that_is_bad_by_itself_now_counts_no_more():
    before = findings(noisy=[(2, 5)])
    beside, score = injection_score(truth(), before, findings(hot=[(2, 5)], noisy=[(2, 5)]), 5)
    assert len(beside.pixels) == 3 and len(score.pixels) == 3
    assert change_table(beside, before, findings()).set_index("name").loc["noisy", "lost"] == 1
