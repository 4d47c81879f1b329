"""Limits of dark slopes in DN/s, or in e-/s through the gain of each pixel."""

from dataclasses import dataclass

import numpy as np

E_PER_S = "_e_per_s"


@dataclass(frozen=True)
class RateLimit:
    """A limit of dark slopes.

    `key` is its configuration key without the unit, `dn` and `electrons` its values in DN/s and in e-/s, of which
    `electrons` counts if it is not None. `gain` is a number or an image (y, x) in e-/DN.
    """

    key: str
    dn: float | None
    electrons: float | None
    gain: np.ndarray | float | None

    @property
    def dn_per_s(self) -> np.ndarray | float:
        """The limit in DN/s: a number, or an image (y, x), float32. ValueError without the gain."""
        if self.electrons is None:
            return self.dn or 0.0
        if self.gain is None:
            raise ValueError(f"{self.key}{E_PER_S} needs the gain; set gain_e_per_dn")
        return (
            np.asarray(self.electrons / self.gain, np.float32)
            if isinstance(self.gain, np.ndarray)
            else (self.electrons / self.gain)
        )

    @property
    def typical(self) -> float:
        """The limit in DN/s of a pixel with the median gain."""
        return float(np.median(self.dn_per_s))

    def untested(self, noise_limit: np.ndarray, undecided: np.ndarray) -> np.ndarray | None:
        """The pixels that the noise leaves without a test: boolean image (y, x); None for a limit in DN/s.

        `noise_limit` (image, DN/s) is the smallest deviation of each pixel that is significant, `undecided` (boolean
        image) are the pixels without a significant deviation.
        """
        if self.electrons is None:
            return None
        with np.errstate(invalid="ignore"):
            return undecided & (noise_limit > self.dn_per_s)

    def warnings(
        self, pixel_type: str, untested: np.ndarray, noise_limit: np.ndarray, science: np.ndarray
    ) -> tuple[str, ...]:
        """The warning of the pixels `untested` for `pixel_type`; none without such pixels."""
        if not untested.any():
            return ()
        n_pixels, fraction = int(untested.sum()), untested.sum() / max(1, science.sum())
        typical = float(np.nanmedian(noise_limit[untested]) * np.median(self.gain if self.gain is not None else 1.0))
        return (
            f"{pixel_type}: {n_pixels} pixels ({fraction:.2%}) are not classified, because {self.key}{E_PER_S},"
            f" {self.electrons:g} e-/s, is below the noise limit of their slopes (typically {typical:.2g} e-/s). Longer"
            " ramps or more darks lower the noise limit",
        )
