"""All tables of the score for one or several runs. Pure functions of images and tables."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from badpix.instrument.dq import PIXEL_FLAGS
from badpix.score.curves import curves_and_thresholds
from badpix.score.pixels import Score
from badpix.score.tables import (
    Accepted,
    Limits,
    accepted_types,
    border_table,
    completeness_table,
    confusion_table,
    dont_care_table,
    group_table,
    halo_table,
    healthy_table,
    in_own_type,
    intermittent_table,
    purity_table,
    unlit_table,
)


def score_tables(
    scores: Mapping[str, Score], accepted: Accepted | None = None, limits: Limits | None = None
) -> dict[str, pd.DataFrame]:
    """Name of table -> table of all runs; the first column, run, is the label in `scores`.

    `accepted` and `limits` as in `badpix.score.tables`. ValueError if they name a planted type that is missing in the
    truth of a run, or a detection type that no run has.
    """
    check_detections(scores, accepted)
    parts: dict[str, list[pd.DataFrame]] = {}
    for label, score in scores.items():
        own = in_own_type(score, accepted)
        allowed = accepted_types(score.types, accepted)
        curves, thresholds = curves_and_thresholds(score.pixels, own, score.types, allowed)
        tables = {
            "completeness": completeness_table(score, accepted, limits),
            "purity": purity_table(score, accepted, limits),
            "confusion": confusion_table(score),
            "healthy": healthy_table(score),
            "dont_care": dont_care_table(score),
            "halos": halo_table(score),
            "unlit": unlit_table(score),
            "intermittent": intermittent_table(score),
            "groups": group_table(score, accepted),
            "border": border_table(score),
            "curves": curves,
            "thresholds": thresholds,
            "pixels": score.pixels.assign(found=own),
        }
        for name, table in tables.items():
            table.insert(0, "run", label)
            parts.setdefault(name, []).append(table)
    result = {name: pd.concat(tables, ignore_index=True) for name, tables in parts.items()}
    # A detection type that is missing in a run leaves NaN, which must not turn counts into floats.
    counts = result["confusion"].columns[2:]
    result["confusion"] = result["confusion"].astype(dict.fromkeys(counts, "Int64"))
    return result


def check_detections(scores: Mapping[str, Score], accepted: Accepted | None) -> None:
    """Raise ValueError if `accepted` names a detection type that no run has."""
    known = sorted({name for score in scores.values() for name in score.detections})
    for planted, allowed in (accepted or {}).items():
        unknown = sorted(set(allowed) - set(known))
        if unknown:
            raise ValueError(
                f"accepted for {planted}: no run has the detection type {', '.join(unknown)}; the runs have"
                f" {', '.join(known)}"
            )


def unknown_expectations(score: Score) -> list[str]:
    """Expected detection types that the run does not have: no pixel can be found as them."""
    return sorted(set(score.types["EXPECTED"]) - {""} - set(score.detections))


def flag_counts(dq: np.ndarray) -> pd.DataFrame:
    """Number of pixels per DQ flag in `dq`, uint32 (y, x), in JWST pixel flags; flags without pixels are left out."""
    counts = {name: np.count_nonzero(dq & np.uint32(value)) for name, value in PIXEL_FLAGS.items()}
    present = {name: count for name, count in counts.items() if count}
    return pd.DataFrame({"flag": list(present), "pixels": list(present.values())})
