"""PEDIGREE from the dates of the exposures, and warnings where it or USEAFTER do not fit these dates."""

import datetime
from collections.abc import Sequence

LAUNCH = datetime.datetime(2021, 12, 25)
# The value of `pedigree` for exposures of the ground and of flight together. CRDS has no such PEDIGREE: in the mask it
# is INFLIGHT with the dates of the flight exposures, and HISTORY names the ground exposures.
FLIGHT_AND_GROUND = "INFLIGHT GROUND"
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
    n_ground = sum(start < LAUNCH for start in starts)
    if kind == "GROUND" and n_ground == 0:
        warnings.append(f"pedigree is GROUND, but the exposures are of {days}, in flight; set pedigree: INFLIGHT")
    elif kind == "GROUND" and n_ground < len(starts):
        warnings.append(
            f"pedigree is GROUND, but {len(starts) - n_ground} of {len(starts)} exposures are of flight, to"
            f" {last:%Y-%m-%d}; set pedigree: {FLIGHT_AND_GROUND}"
        )
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


def complete_pedigree(pedigree: str, dates: Sequence[str]) -> str:
    """PEDIGREE as CRDS allows it: the first and last of `dates` (YYYY-MM-DD) are added if it is only `INFLIGHT`.

    FLIGHT_AND_GROUND becomes INFLIGHT with the dates of flight or, if all dates are before the launch, GROUND.
    """
    pedigree = pedigree.strip().upper()
    if pedigree == FLIGHT_AND_GROUND:
        # The text order of ISO dates is their time order.
        dates = [date for date in dates if date >= f"{LAUNCH:%Y-%m-%d}"]
        pedigree = "INFLIGHT" if dates else "GROUND"
    if pedigree == "INFLIGHT":
        if not dates:
            raise ValueError("pedigree INFLIGHT takes its dates from DATE-OBS, which no exposure has; give them")
        return f"INFLIGHT {min(dates)} {max(dates)}"
    return pedigree
