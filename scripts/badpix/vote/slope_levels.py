"""Warning of darks whose slopes raise the limit of the official search of noisy pixels."""

from dataclasses import dataclass

import numpy as np

from badpix.core.wording import first_of
from badpix.instrument.segments import exposure_of
from badpix.vote.significance import subsample, typical_level_and_scatter

# Between integrations the slope of a healthy pixel scatters by at most its scatter between the pixels of an
# integration, which contains the same noise. Beyond this multiple, at least one integration has slopes of its own.
MAX_SCATTER_RATIO = 2
# Exposures named in the warning.
MAX_NAMED = 5


@dataclass(frozen=True)
class SlopeLevel:
    """The typical slope of an integration of `exposure`, and its scatter between the pixels (both DN/s)."""

    exposure: str
    level: float
    scatter: float


class SlopeLevels:
    """The SlopeLevel of each integration; `shape` is that of the images (y, x)."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.sample = subsample(np.ones(shape, bool))
        self.levels: list[SlopeLevel] = []

    def add(self, slope: np.ndarray, segment: str) -> None:
        """Add an integration: its image of slopes (y, x) in DN/s, NaN not valid, and the name of its segment."""
        level, scatter = typical_level_and_scatter(slope.ravel()[self.sample])
        if np.isfinite(level):
            self.levels.append(SlopeLevel(exposure_of(segment), level, scatter))

    def warning(self, mean: float, width: float, limit: float) -> str | None:
        """The warning that slopes between integrations scatter far more than between pixels; None if they do not.

        `mean` and `width` (DN/s) are the clipped mean and standard deviation of the scatter of each pixel between the
        integrations; `limit` (DN/s) is that of noisy pixels.
        """
        if not self.levels:
            return None
        typical = float(np.median([level.scatter for level in self.levels]))
        if not (typical > 0 and mean + width > MAX_SCATTER_RATIO * typical):
            return None
        middle = float(np.median([level.level for level in self.levels]))
        deviating: dict[str, SlopeLevel] = {}
        for level in self.levels:
            if max(level.scatter, abs(level.level - middle)) > MAX_SCATTER_RATIO * typical:
                deviating.setdefault(level.exposure, level)
        named = first_of(
            [
                f"{name} (typical slope {level.level:.3g} DN/s, scatter {level.scatter:.3g} DN/s)"
                for name, level in deviating.items()
            ],
            MAX_NAMED,
        )
        return (
            f"noisy: the slopes of the pixels scatter by {mean:.3g} DN/s between the integrations of the darks, but by"
            f" {typical:.3g} DN/s between the pixels of a typical integration. The limit of noisy pixels, {limit:.3g}"
            " DN/s, follows the darks that deviate, and noisy pixels are missed."
            + (f" Darks that deviate: {named}." if named else "")
            + " Leave such darks out, or set noisy_test: cds"
        )
