"""Warnings of a PEDIGREE and a USEAFTER that are allowed, but do not fit the dates of the exposures."""

import datetime
from collections.abc import Sequence

LAUNCH = datetime.datetime(2021, 12, 25)
# The default of the key `useafter` (a test compares it with the schema).
DEFAULT_USEAFTER = datetime.datetime(2019, 4, 1)


def date_warnings(pedigree: str, useafter: str, starts: Sequence[datetime.datetime]) -> list[str]:
    """Warnings of the configured `pedigree` and `useafter` of a mask; `starts` are the starts of its exposures (UTC).

    Simulated and dummy data may have any dates.
    """
    kind = pedigree.split()[0]
    if not starts or kind not in ("GROUND", "INFLIGHT"):
        return []
    first, last = min(starts), max(starts)
    days = f"{first:%Y-%m-%d}" if first.date() == last.date() else f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"
    use_from = datetime.datetime.fromisoformat(useafter)
    warnings = []
    if kind == "GROUND" and last >= LAUNCH:
        warnings.append(f"pedigree is GROUND, but the exposures are of {days}, in flight; set pedigree: INFLIGHT")
    if kind == "INFLIGHT" and use_from > last:
        warnings.append(
            f"useafter is {useafter}, after the last exposure ({last:%Y-%m-%d %H:%M:%S}): CRDS would not select the"
            " mask for the data that it was made from"
        )
    if use_from == DEFAULT_USEAFTER and last >= LAUNCH:
        warnings.append(
            f"useafter is the default {useafter}, but the exposures are of {days}: CRDS would select the mask for all"
            " earlier data too; set useafter to the start of the period that the mask describes"
        )
    return warnings
