"""What one run of the simulator makes: of which detectors, which exposures, with which bad pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

from badpix.simulate.evolution import first_number
from badpix.simulate.exposure import Exposure


@dataclass(frozen=True)
class Simulation:
    """The options of scripts/simulate.py but for the folder to write."""

    size: int | None = None
    """Pixels on a side of a square array; without it and `subarray` the first subarray of the instrument."""
    subarray: str | None = None
    """Name of a subarray, or FULL, in place of `size`."""
    instrument: str = "NIRISS"
    """Name of the instrument, in capitals."""
    detectors: Sequence[str] = ()
    """Names of its detectors; none: the usual one."""
    readpatt: str | None = None
    """Read pattern; None: the usual one of the instrument."""
    darks: int = 5
    """Number of dark exposures of each detector."""
    flats: int = 5
    """Number of internal flat exposures of each detector."""
    integrations: int = 2
    """Integrations of an exposure."""
    segments: int = 1
    """Files that an exposure is cut into."""
    groups: int = 30
    """Groups of an integration."""
    seed: int = 1
    """Of the first detector and its exposures; those of the others count up from it."""
    first_dark: int = 1
    """Number of the first dark of the epoch, to add more later."""
    first_flat: int = 1
    """Number of the first flat of the epoch, to add more later."""
    epoch: int = 1
    """Of the detector, which grows older with each."""
    population: str = "demo"
    """Of bad pixels: a name in `badpix.simulate.populations`."""

    def exposures(self) -> list[Exposure]:
        """The exposures of each detector, darks first."""
        before = first_number(self.epoch) - 1
        wanted = (("dark", self.darks, self.first_dark), ("flat", self.flats, self.first_flat))
        return [
            Exposure(kind, before + first + number, self.integrations, self.groups)
            for kind, count, first in wanted
            for number in range(count)
        ]
