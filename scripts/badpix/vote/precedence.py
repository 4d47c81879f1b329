"""Types of bad pixel that exclude each other where one explains the other."""

from dataclasses import replace

import numpy as np

# Type -> the types that explain it. Whatever moves a pixel makes it noisy; an RC pixel's ramp bends, so its slope is
# high; an inverse RC pixel starts low; an open pixel is dark because its charge went to its neighbours.
EXPLAINED_BY = {
    "hot": ("rc", "inverse_rc"),
    "warm": ("rc", "inverse_rc"),
    "low_pedestal": ("inverse_rc",),
    "noisy": ("hot", "rc", "inverse_rc", "high_cr"),
    "DEAD": ("OPEN",),
    "LOW_QE": ("OPEN", "DEAD"),
}
# Many jumps may be the steep start of an RC pixel. Falls are a telegraph signal's alone, whose two levels can look like
# anything else by chance.
WITH_JUMPS = EXPLAINED_BY | {"high_cr": ("rc", "inverse_rc")}
WITH_FALLS = {
    name: (*EXPLAINED_BY.get(name, ()), "high_cr") for name in ("hot", "warm", "low_pedestal", "rc", "inverse_rc")
}


def without_explained(verdicts, falls):
    """`verdicts` (type -> Verdict), where each type has lost the pixels that another type explains.

    `falls` says whether high_cr was found by its falls, not by the number of jumps.
    """
    explained_by = EXPLAINED_BY | WITH_FALLS if falls else WITH_JUMPS
    result = {}
    for name, verdict in verdicts.items():
        found = verdict.found.copy()
        for winner in explained_by.get(name, ()):
            if winner in verdicts:
                found &= ~verdicts[winner].found
        result[name] = replace(verdict, found=found)
    return result


def only_at_times(verdicts):
    """`verdicts`, where no pixel of any type is called intermittent: what is bad for good is bad at times too."""
    found = np.logical_or.reduce([verdict.found for verdict in verdicts.values()])
    return {
        name: verdict if verdict.intermittent is None else replace(verdict, intermittent=verdict.intermittent & ~found)
        for name, verdict in verdicts.items()
    }
