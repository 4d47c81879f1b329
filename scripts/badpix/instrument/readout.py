"""The timing of the groups of an integration, and the early and late groups in which jumps are compared."""

from dataclasses import dataclass

import numpy as np


def early_late_window(n_groups, early_cutoff_fraction):
    """Length of the equal early and late windows, `int(early_cutoff_fraction * n_groups)` groups.

    The small term keeps products such as 0.29 * 100, which is below 29 in floating point, from losing a group.
    """
    return int(early_cutoff_fraction * n_groups + 1e-9)


@dataclass(frozen=True)
class GroupTimes:
    """When the groups of an integration were read.

    Attributes are the header's: `group_time_s` TGROUP, `frame_time_s` TFRAME, `n_frames` NFRAMES (frames averaged to
    a group), `dropped_frames` DRPFRMS1 (frames dropped before the first group).
    """

    group_time_s: float
    frame_time_s: float
    n_frames: int
    dropped_frames: int = 0

    def effective_time_s(self, group):
        """Time (s) since reset of the mean frame of `group` (0-based number or array of numbers)."""
        mean_frame = self.dropped_frames + (self.n_frames + 1) / 2
        return np.asarray(group) * self.group_time_s + mean_frame * self.frame_time_s
