"""The times of the groups of an integration, and the windows of early and late groups whose jumps are compared."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


def early_late_window(n_groups: int, early_cutoff_fraction: float) -> int:
    """Length of the equal early and late windows, `int(early_cutoff_fraction * n_groups)` groups.

    The small term prevents the loss of a group where a product such as 0.29 * 100 is below 29 in floating point.
    """
    return int(early_cutoff_fraction * n_groups + 1e-9)


@dataclass(frozen=True)
class GroupTimes:
    """The readout times of the groups of an integration.

    Attributes are header keywords: `group_time_s` TGROUP (s), `frame_time_s` TFRAME (s), `n_frames` NFRAMES (frames
    averaged to a group), `dropped_frames` DRPFRMS1 (frames dropped before the first group).
    """

    group_time_s: float
    frame_time_s: float
    n_frames: int
    dropped_frames: int = 0

    @classmethod
    def from_header(cls, header: Mapping[str, Any]) -> "GroupTimes":
        """The GroupTimes of a primary header."""
        return cls(
            header["TGROUP"], header["TFRAME"], int(header.get("NFRAMES", 1)), int(header.get("DRPFRMS1", 0) or 0)
        )

    @property
    def shot_noise_time_s(self) -> float:
        """Time (s) in which the collected charge has the shot noise of a difference of two neighbouring groups.

        TGROUP for groups of one frame. The means of m frames have TGROUP - TFRAME (m^2 - 1) / (3 m), from the
        covariance rate x min(s, t) of Poisson counts at the times s and t of two frames.
        """
        return self.group_time_s - self.frame_time_s * (self.n_frames**2 - 1) / (3 * self.n_frames)

    def effective_time_s(self, group: int | np.ndarray) -> np.ndarray:
        """Time (s) since reset of the mean frame of `group` (0-based index or array of indices)."""
        mean_frame = self.dropped_frames + (self.n_frames + 1) / 2
        return np.asarray(group) * self.group_time_s + mean_frame * self.frame_time_s
