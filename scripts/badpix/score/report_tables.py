"""Compare what runs found with what was planted: all tables of the score. Pure functions of images and tables."""

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
    healthy_table,
    in_own_type,
    intermittent_table,
    purity_table,
    unlit_table,
)


def score_tables(
    scores: Mapping[str, Score], accepted: Accepted | None = None, limits: Limits | None = None
) -> dict[str, pd.DataFrame]:
    """Every table of one or several runs by its name; their first column, run, is the label in `scores`.

    `accepted` and `limits` as in `badpix.score.tables`. ValueError when they name a planted type that the truth of a
    run lacks, or a detection type that no run knows.
    """
    check_detections(scores, accepted)
    parts: dict[str, list[pd.DataFrame]] = {}
    for label, one in scores.items():
        own = in_own_type(one, accepted)
        curves, thresholds = curves_and_thresholds(one.pixels, own, one.types, accepted_types(one.types, accepted))
        tables = {
            "completeness": completeness_table(one, accepted, limits),
            "purity": purity_table(one, accepted, limits),
            "confusion": confusion_table(one),
            "healthy": healthy_table(one),
            "dont_care": dont_care_table(one),
            "unlit": unlit_table(one),
            "intermittent": intermittent_table(one),
            "groups": group_table(one, accepted),
            "border": border_table(one),
            "curves": curves,
            "thresholds": thresholds,
            "pixels": one.pixels.assign(found=own),
        }
        for name, table in tables.items():
            table.insert(0, "run", label)
            parts.setdefault(name, []).append(table)
    result = {name: pd.concat(tables, ignore_index=True) for name, tables in parts.items()}
    # A detection type that one run does not know leaves gaps, which must not make fractions of its counts.
    counts = result["confusion"].columns[2:]
    result["confusion"] = result["confusion"].astype(dict.fromkeys(counts, "Int64"))
    return result


def check_detections(scores: Mapping[str, Score], accepted: Accepted | None) -> None:
    """Raise ValueError when `accepted` names a detection type that none of the runs knows."""
    known = sorted({name for one in scores.values() for name in one.detections})
    for planted, allowed in (accepted or {}).items():
        unknown = sorted(set(allowed) - set(known))
        if unknown:
            raise ValueError(f"accepted for {planted}: no run knows {', '.join(unknown)}; known are {', '.join(known)}")


def unknown_expectations(one: Score) -> list[str]:
    """Detection types that planted types expect but that the run does not know: nothing can be found as them."""
    return sorted(set(one.types["EXPECTED"]) - {""} - set(one.detections))


def flag_counts(dq: np.ndarray) -> pd.DataFrame:
    """Number of pixels per DQ flag that occurs in `dq`, uint32 (y, x), in JWST pixel flags."""
    counts = {name: np.count_nonzero(dq & np.uint32(value)) for name, value in PIXEL_FLAGS.items()}
    present = {name: count for name, count in counts.items() if count}
    return pd.DataFrame({"flag": list(present), "pixels": list(present.values())})
