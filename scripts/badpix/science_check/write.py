"""The files of a science check: report, numbers, lists of pixels, exposures and figure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from badpix.core.csv_table import write_csv
from badpix.core.files import write_text
from badpix.science_check.compare import FINDINGS, Check, differing, let_through_by_both, pixel_table
from badpix.science_check.exposures import Chosen
from badpix.science_check.plot import draw_check
from badpix.science_check.text import reason_of, report_text
from badpix.science_check.units import BOX, MIN_DEVIATION, SAME_POINTING

FOLDER = "science_check"
NAMES = {
    "report": "science_check.md", "numbers": "science_check.json", "differing": "differing_pixels.csv",
    "let_through": "let_through_by_both.csv", "exposures": "exposures.csv", "figure": "science_check.png",
}  # fmt: skip


def numbers_of(result: Check, chosen: Chosen, paths: Mapping[str, str], notes: Sequence[str]) -> dict[str, Any]:
    """The numbers of the Check, ready for JSON.

    `paths` has the paths of the old and the new mask.
    """
    by_old, by_new = result.masks.rejects
    counts = {
        name: asdict(count)
        | {
            "old_share": count.share(count.old),
            "new_share": count.share(count.new),
            "difference": count.difference(),
            "result": count.result,
        }
        for name, count in result.counts.items()
    }
    findings = {
        name: {
            label: int(np.count_nonzero(one & ~other & (result.finding == code)))
            for label, one, other in (("old", by_old, by_new), ("new", by_new, by_old))
        }
        for code, name in enumerate(FINDINGS)
    }
    return {
        "verdict": result.verdict,
        "reason": reason_of(result.counts),
        "old_mask": paths["old"],
        "new_mask": paths["new"],
        "n_measured": next(iter(result.counts.values())).measured,
        "n_old": int(by_old.sum()),
        "n_new": int(by_new.sum()),
        "n_differing": int((by_old ^ by_new).sum()),
        "counts": counts,
        "findings": findings,
        "lights": [
            {
                "light": group.light,
                "n_exposures": len(names := [n for of_unit in chosen.lights[group.light].values() for n in of_unit]),
                "n_units": len(group.names),
                "chance": result.chances[group.light],
                "first": min(str(chosen.headers[name].get("DATE-OBS")) for name in names),
                "last": max(str(chosen.headers[name].get("DATE-OBS")) for name in names),
            }
            for group in result.groups
        ],
        "left_out": chosen.left_out,
        "notes": list(notes),
    }


def exposure_table(chosen: Chosen) -> pd.DataFrame:
    """A row per exposure: name, light, unit (that of its pointing for the sky), start, reason if it is left out."""
    rows = [
        (name, light, unit, f"{chosen.headers[name].get('DATE-OBS')}T{chosen.headers[name].get('TIME-OBS')}", "")
        for light, units in chosen.lights.items()
        for unit, names in units.items()
        for name in names
    ]
    rows += [(name, "", "", "", reason) for name, reason in chosen.left_out.items()]
    return pd.DataFrame(rows, columns=["exposure", "light", "unit", "start", "left_out"])


def write_check(
    outputs: Mapping[str, str | Path],
    result: Check,
    chosen: Chosen,
    numbers: Mapping[str, Any],
    title: str,
    sigma: float,
) -> None:
    """Write all files of the Check.

    Parameters
    ----------
    outputs : mapping
        The names of NAMES -> paths.
    result : Check
        The result.
    chosen : Chosen
        Its exposures.
    numbers : mapping
        The result of `numbers_of`.
    title : str
        The detector and the masks, for the figure.
    sigma : float
        Limit of an outlier.
    """
    assumed = {"sigma": sigma, "box": BOX, "deviation": MIN_DEVIATION, "pointing": SAME_POINTING}
    write_csv(outputs["differing"], pixel_table(result, differing(result)))
    write_csv(outputs["let_through"], pixel_table(result, let_through_by_both(result)))
    write_csv(outputs["exposures"], exposure_table(chosen))
    draw_check(outputs["figure"], result, title)
    write_text(outputs["report"], report_text(numbers, assumed))
    write_text(outputs["numbers"], json.dumps(numbers, indent=2) + "\n")
