"""What MIRI's ramps have beside those of the near infrared: their first groups and the last one are off.

Sizes are of the order of real ones; what matters is which step of the pipeline takes care of what: `reset` subtracts
the reset anomaly, `rscd` flags the first groups, `lastframe` the last one. Left in, they would bend every ramp.
"""

import numpy as np

RESET_ANOMALY_DN = -60.0  # in the first group of every integration, and decaying
RESET_DECAY_GROUPS = 1.5
RESET_GROUPS = 8  # what the reset reference covers: less than 1 DN is left

RSCD_DN = 80.0  # reset switch charge decay, in the first group of all integrations but the first, and decaying
RSCD_DECAY_GROUPS = 0.8
RSCD_FLAGGED_FIRST, RSCD_FLAGGED_LATER = 1, 4  # groups that the rscd reference has flagged: first integration, others

LAST_FRAME_DN = -30.0  # the reset of the lines next in turn pulls the last frame


def reset_anomaly(n_groups: int) -> np.ndarray:
    """DN per group, float64."""
    return RESET_ANOMALY_DN * np.exp(-np.arange(n_groups) / RESET_DECAY_GROUPS)


def group_offsets(integration: int, n_groups: int) -> np.ndarray:
    """What is added to all pixels, DN per group, float64; `integration` counts from 0."""
    offsets_dn = reset_anomaly(n_groups)
    if integration > 0:
        offsets_dn += RSCD_DN * np.exp(-np.arange(n_groups) / RSCD_DECAY_GROUPS)
    offsets_dn[-1] += LAST_FRAME_DN
    return offsets_dn
