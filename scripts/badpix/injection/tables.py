"""Tables of a run on exposures with planted pixels: found share of the planted pixels, and changes elsewhere."""

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import ndimage

from badpix.formats.truth_file import RING_WIDTH, Truth
from badpix.score.curves import curves_and_thresholds, found_share
from badpix.score.pixels import Findings, Score, insufficient_for, score_run
from badpix.score.tables import accepted_types, in_own_type, usual_accepted

OWN_TYPE, ANY_FLAG = "own type", "any flag"


def healthy_pixels(findings: Findings, science: np.ndarray) -> np.ndarray:
    """Bool (y, x): science pixels without findings of a run: no type, not intermittent, no flag in the mask."""
    nothing = np.zeros_like(findings.found)
    intermittent = nothing if findings.intermittent is None else findings.intermittent
    return science & (findings.found == 0) & (intermittent == 0) & (findings.dq == 0)


def truth_beside(truth: Truth, before: Findings) -> Truth:
    """`truth` without the pixels that are now bad in the run without planted pixels, with findings `before`.

    The thresholds may have changed since the planting. Such pixels are neither planted nor healthy in the result.
    """
    healthy = healthy_pixels(before, truth.science)
    assert truth.pixels is not None  # Truth fills it in
    pixels = truth.pixels[healthy[truth.pixels["y"], truth.pixels["x"]]].reset_index(drop=True)
    codes = np.where((truth.codes > 0) & ~healthy, 0, truth.codes)
    return replace(truth, codes=codes, pixels=pixels, charge_reached=truth.science & ~healthy)


def strength_table(score: Score) -> pd.DataFrame:
    """A row per planted type and strength.

    Columns: type, strength, unit, expected (accepted detection types, joined by |), planted, found (as an accepted
    type), completeness, low, high (95%, Wilson), found_any (as any type), flagged (any flag in the mask), do_not_use,
    insufficient (could not be classified for its accepted types).
    """
    accepted = usual_accepted(score)
    own_types = accepted_types(score.types, accepted)
    pixels = score.pixels.assign(
        planted=1,
        found=in_own_type(score, accepted),
        insufficient=in_own_type(score, accepted, insufficient_for),
        expected=score.pixels["type"].map(lambda name: "|".join(own_types[name])),
        order=score.pixels["type"].map({name: number for number, name in enumerate(score.types.index)}),
    )
    counts = ["planted", "found", "found_any", "flagged", "do_not_use", "insufficient"]
    groups = pixels.groupby(["order", "type", "strength", "strength_unit", "expected"])[counts].sum().astype(int)
    table = groups.reset_index().drop(columns="order").rename(columns={"strength_unit": "unit"})
    share = found_share(table["found"], table["planted"])
    for position, (name, values) in enumerate(zip(("completeness", "low", "high"), share, strict=True), start=6):
        table.insert(position, name, values)
    return table


def curve_table(score: Score) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Found share against strength, and strengths where 50% and 90% are found: `badpix.score.plots.plot_curves` input.

    The column run tells the curves apart: found as an accepted type (OWN_TYPE), or with any flag in the mask
    (ANY_FLAG), which counts for science also where the type is wrong. The curves have a row per planted strength;
    `badpix.score.curves` fits the thresholds.
    """
    accepted = usual_accepted(score)
    own_types = accepted_types(score.types, accepted)
    table = strength_table(score)
    table = table.assign(
        stronger=table["type"].map(score.types["STRONGER"]),
        strength_low=table["strength"],
        strength_high=table["strength"],
    )
    curves, thresholds = [], []
    for run, column, found in (
        (OWN_TYPE, "found", in_own_type(score, accepted)),
        (ANY_FLAG, "flagged", score.pixels["flagged"]),
    ):
        share = zip(("completeness", "low", "high"), found_share(table[column], table["planted"]), strict=True)
        curves.append(table.assign(run=run, **dict(share)))
        thresholds.append(curves_and_thresholds(score.pixels, found, score.types, own_types)[1].assign(run=run))
    return pd.concat(curves, ignore_index=True), pd.concat(thresholds, ignore_index=True)


def change_table(truth: Truth, before: Findings, after: Findings) -> pd.DataFrame:
    """Changes at pixels that were not planted: a row per type, then any type, any flag, and DO_NOT_USE.

    `truth` is the result of `truth_beside`; `before` and `after` are the findings of the runs without and with planted
    pixels. Columns: name; healthy (pixels without findings in the run without planted pixels, and not next to an open
    pixel), gained (healthy pixels found now), per_million, low, high (95%, Wilson), near_planted (gained pixels within
    two pixels of a planted pixel); bad_before (found in the run without planted pixels), lost (bad before, not found
    now).
    """
    healthy, near = truth.healthy, _near(truth.codes > 0)
    unplanted = truth.science & (truth.codes <= 0)
    planes = {side: dict(findings.planes()) for side, findings in (("before", before), ("after", after))}
    names = {name: f"found:{name}" for name in after.bits}
    names |= {"any type": "found_any", "any flag in the mask": "flagged", "DO_NOT_USE in the mask": "do_not_use"}
    rows = []
    for name, plane in names.items():
        was, is_now = planes["before"].get(plane, np.zeros_like(healthy)), planes["after"][plane]
        gained = healthy & is_now
        rows.append(
            {
                "name": name,
                "healthy": int(healthy.sum()),
                "gained": int(gained.sum()),
                "near_planted": int((gained & near).sum()),
                "bad_before": int((was & unplanted).sum()),
                "lost": int((was & unplanted & ~is_now).sum()),
            }
        )
    table = pd.DataFrame(rows)
    share = (1e6 * value for value in found_share(table["gained"], table["healthy"]))
    for position, (name, values) in enumerate(zip(("per_million", "low", "high"), share, strict=True), start=3):
        table.insert(position, name, values)
    return table


def _near(planted: np.ndarray) -> np.ndarray:
    """Bool (y, x): within RING_WIDTH of a planted pixel in x and y."""
    return ndimage.maximum_filter(planted, 2 * RING_WIDTH + 1, mode="constant", cval=0)


def injection_score(truth: Truth, before: Findings, after: Findings, n_exposures: int) -> tuple[Truth, Score]:
    """The truth of `truth_beside`, and the Score of the run with planted pixels against it."""
    truth = truth_beside(truth, before)
    return truth, score_run(truth, after, n_exposures)
