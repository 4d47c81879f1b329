"""Which entries of a history are compared with a mask, and why all others are left out."""

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from badpix.history.comparable import UNKNOWN, Like

OTHER, NO_RECORD, AGAIN = "other settings", "no record of settings", "same exposures"
REASONS = (OTHER, NO_RECORD, AGAIN)


@dataclass(frozen=True)
class Selection:
    """The entries (rows of `entries_of`) that are compared, and those `left_out`, with the column `reason`."""

    compared: pd.DataFrame
    left_out: pd.DataFrame

    @property
    def texts(self) -> list[str]:
        """How many entries are left out and why, a text per reason; empty if none is."""
        found = []
        for reason in REASONS:
            rows = self.left_out[self.left_out["reason"] == reason]
            if rows.empty:
                continue
            if reason == OTHER:
                settings = ", ".join(dict.fromkeys(rows["settings"]))
                found.append(f"{len(rows)} made with other settings ({settings})")
            elif reason == NO_RECORD:
                found.append(f"{len(rows)} of an earlier version, without a record of the settings ({UNKNOWN})")
            else:
                found.append(f"{len(rows)} of the same exposures as another entry")
        return found


def select(entries: pd.DataFrame, like: Like) -> Selection:
    """The Selection of `entries` (of `entries_of`) by their settings; the same exposures count once.

    Of entries of the same epoch or the same exposures, with settings that are declared to be comparable, that with the
    settings of `like` counts, or else the latest mask.
    """
    has = pd.Series([like.has(settings) for settings in entries["settings"]], entries.index, dtype=bool)
    accepted = entries[has]
    own_first = accepted.assign(own=accepted["settings"] == like.settings).sort_values(
        ["own", "mask_date"], ascending=False, kind="stable"
    )
    repeated = _repeats(own_first, "epoch") | _repeats(own_first, "exposures")
    again = accepted[repeated.reindex(accepted.index).astype(bool)]
    labelled = entries.assign(reason="")
    labelled.loc[~has, "reason"] = [OTHER if settings else NO_RECORD for settings in entries.loc[~has, "settings"]]
    labelled.loc[again.index, "reason"] = AGAIN
    return Selection(entries[labelled["reason"] == ""], labelled[labelled["reason"] != ""])


def _repeats(entries: pd.DataFrame, column: str) -> pd.Series:
    """True for entries whose text in `column` an entry above has; entries with an empty text have none."""
    return entries[column].duplicated() & (entries[column] != "")


def left_out_text(texts: Iterable[str]) -> str:
    """The `texts` of a Selection as an addition to a sentence; empty without any."""
    joined = ", ".join(texts)
    return f"; left out: {joined}" if joined else ""
