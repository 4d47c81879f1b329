"""The options of a run of the simulator: detectors, exposures, bad pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

from badpix.simulate.effects import NO_EFFECTS, Effects
from badpix.simulate.evolution import first_number
from badpix.simulate.exposure import Exposure
from badpix.simulate.sky import Sky


@dataclass(frozen=True)
class Simulation:
    """The options of scripts/simulate.py except the output folder."""

    size: int | None = None
    """Side of a square array in pixels; without `size` and `subarray` the first subarray of the instrument."""
    subarray: str | None = None
    """Name of a subarray, or FULL, instead of `size`."""
    instrument: str = "NIRISS"
    """Name of the instrument, in capitals."""
    detectors: Sequence[str] = ()
    """Names of its detectors; none: the default detector."""
    readpatt: str | None = None
    """Read pattern; None: the default of the instrument."""
    darks: int = 5
    """Number of dark exposures of each detector."""
    flats: int = 5
    """Number of internal flat exposures of each detector."""
    integrations: int = 2
    """Integrations per exposure."""
    segments: int = 1
    """Files (segments) per exposure."""
    groups: int = 30
    """Groups per integration."""
    seed: int = 1
    """Seed of the first detector and its exposures; the seeds of further detectors count up from it."""
    first_dark: int = 1
    """Number of the first dark of the epoch; a larger number adds darks to an earlier simulation."""
    first_flat: int = 1
    """Number of the first flat of the epoch; a larger number adds flats to an earlier simulation."""
    epoch: int = 1
    """Epoch of the detector: its bad pixels change from epoch to epoch."""
    population: str = "demo"
    """Population of bad pixels: a name in `badpix.simulate.populations`."""
    bad_reference_pixels: int = 0
    """Number of noisy, of offset and of railed reference pixels of each detector."""
    sky: Sky | None = None
    """The sky of the flats; None: the flats are of the internal lamp."""
    effects: Effects = NO_EFFECTS
    """Effects of detector and exposures beside the bad pixels; all off by default."""

    def exposures(self) -> list[Exposure]:
        """The exposures of each detector, darks first."""
        before = first_number(self.epoch) - 1
        wanted = (("dark", self.darks, self.first_dark), ("flat", self.flats, self.first_flat))
        return [
            Exposure(
                kind, before + first + number, self.integrations, self.groups, self.sky if kind == "flat" else None
            )
            for kind, count, first in wanted
            for number in range(count)
        ]
