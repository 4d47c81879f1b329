"""Effects in MIRI ramps that near-infrared ramps do not have: offsets of the first groups and of the last group.

The amplitudes have realistic orders of magnitude. They test the pipeline steps: `reset` subtracts the reset anomaly,
`rscd` flags the first groups, `lastframe` flags the last group. Without these steps every ramp would be curved.
"""

import numpy as np

RESET_ANOMALY_DN = -60.0  # in the first group of every integration, and decaying
RESET_DECAY_GROUPS = 1.5
RESET_GROUPS = 8  # groups of the reset reference; the anomaly is below 1 DN afterwards

RSCD_DN = 80.0  # reset switch charge decay, in the first group of all integrations except the first, and decaying
RSCD_DECAY_GROUPS = 0.8
RSCD_FLAGGED_FIRST, RSCD_FLAGGED_LATER = 1, 4  # groups flagged by the rscd reference: first integration, later ones

LAST_FRAME_DN = -30.0  # effect of the reset of the following lines on the last frame


def reset_anomaly(n_groups: int) -> np.ndarray:
    """The reset anomaly, DN, float64 (group)."""
    return RESET_ANOMALY_DN * np.exp(-np.arange(n_groups) / RESET_DECAY_GROUPS)


def group_offsets(integration: int, n_groups: int) -> np.ndarray:
    """Offset of all pixels, DN, float64 (group); `integration` counts from 0."""
    offsets_dn = reset_anomaly(n_groups)
    if integration > 0:
        offsets_dn += RSCD_DN * np.exp(-np.arange(n_groups) / RSCD_DECAY_GROUPS)
    offsets_dn[-1] += LAST_FRAME_DN
    return offsets_dn
