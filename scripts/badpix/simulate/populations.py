"""Three populations of bad pixels, with their detector physics: data tables only.

`demo` is small and unambiguous: every planted pixel should be found by its test. `survey` has a continuous range of
strengths, from undetectable to obvious, clusters, and a detector with realistic healthy pixels: it is for measuring
completeness as a function of strength. `realistic` has positions and growth like those of detectors in flight, and
strengths near the limits of detection; hot pixels have rates per second, for frames of any length.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Range:
    """A distribution between two limits: uniform, or uniform in the logarithm; a share of the values can be 0."""

    low: float = np.nan
    high: float = np.nan
    log: bool = False
    zero_share: float = 0.0

    def draw(self, rng: np.random.Generator, number: int) -> np.ndarray:
        """`number` random values, float64; NaN without limits."""
        if self.log:
            return np.exp(rng.uniform(np.log(self.low), np.log(self.high), number))
        values = self.low + (self.high - self.low) * rng.random(number)
        if self.zero_share:
            values[rng.permutation(number)[: round(self.zero_share * number)]] = 0
        return values


def logarithmic(low: float, high: float) -> Range:
    """A Range that is uniform in the logarithm."""
    return Range(low, high, log=True)


@dataclass(frozen=True)
class PlantedType:
    """A type of planted pixels.

    `count` is the number in a 256 x 256 array. `expected` is the detection type that should find it, or "" for no type.
    `behaviour` is its effect while it is bad. `second` is the second parameter: for open pixels the factor on the
    response of the four direct neighbours, for rc and inverse_rc the time constant in frames (or in groups, see
    Population), for telegraph the chance to switch per group. `permanent`: bad in every exposure.
    """

    name: str
    expected: str
    count: int
    strength: Range
    unit: str
    behaviour: str
    second: Range = Range()
    permanent: bool = True

    @property
    def stronger(self) -> int:
        """+1 if larger strengths are easier to find, -1 if smaller strengths are."""
        return -1 if self.unit == "response" else 1

    @property
    def needs_light(self) -> bool:
        """Whether it differs from a healthy pixel only with light."""
        return self.behaviour in ("dead", "low_qe", "open")


@dataclass(frozen=True)
class Physics:
    """Deviations of the detector and the lamp from the ideal, beside the planted pixels."""

    lamp_x: float  # lamp light = 1 + these times x, y, x^2 + y^2 and x y, with x and y from -0.5 to 0.5
    lamp_y: float
    lamp_square: float
    lamp_cross: float
    unlit_strip: bool = False  # the lamp leaves the first science columns dark
    flat_levels: Range | None = None  # factor on the lamp signal of each flat; None: the same level in all flats
    ipc_direct: float = 0.0  # share of a pixel's signal that appears in each direct neighbour
    ipc_diagonal: float = 0.0  # share of a pixel's signal that appears in each diagonal neighbour
    well_saturates: bool = False  # whether the charge saturates at the full well; else only the counts saturate
    snowballs_per_pixel_group: float = 0.0
    nonlinearity_scatter: float = 0.0  # relative, from pixel to pixel; the linearity reference has the mean
    output_noise_scatter: float = 0.0  # logarithmic, of the read noise between the amplifiers


@dataclass(frozen=True)
class Growth:
    """Changes from epoch to epoch: numbers in a 256 x 256 array, and shares of the new pixels."""

    new: int
    recovered: int
    changed: int
    hot_share: float  # of the new pixels; the rest have the other types that can change
    intermittent_share: float  # of the new hot pixels


@dataclass(frozen=True)
class Population:
    """A population of planted pixels. The code of a type is its position in `types` plus one.

    `growth`: changes between epochs; None: as many new as recovered and changed pixels.

    A pixel is bad in the exposures, numbered from 1, where
    (number - 1 + phase_direction x phase) mod period < bad_exposures; see `is_bad`.
    """

    name: str
    types: tuple[PlantedType, ...]
    period: int
    phase_direction: int
    physics: Physics
    growth: Growth | None = None
    time_constants_in_groups: bool = False  # of rc and inverse_rc pixels; else in frames

    @property
    def codes(self) -> dict[str, int]:
        """Code of each type by its name."""
        return {planted.name: code for code, planted in enumerate(self.types, start=1)}

    def is_bad(self, pixels: np.ndarray, index: int) -> np.ndarray:
        """Bool (pixel): whether `pixels` (PIXEL_DTYPE) are bad in exposure `index` (from 1)."""
        return (index - 1 + self.phase_direction * pixels["phase"]) % self.period < pixels["bad_exposures"]


# Hot rates are per frame, so that hot pixels stay below saturation for any frame time: 35-210 DN/frame is 50-300 DN/s
# in SUB256. The jump threshold is about 40 DN here, and a pedestal is high or low beyond about 70 DN. Telegraph and
# noisy pixels stay below these limits most of the time, but not always, like real pixels. Telegraph pixels switch so
# often that 30 groups always have at least 10 jumps.
_DEAD, _SATURATING, _LOW = logarithmic(0.001, 0.02), logarithmic(1.5e5, 6.0e5), logarithmic(600.0, 2000.0)
_RC, _RC_FRAMES = logarithmic(1500.0, 8000.0), Range(1.0, 3.0)
_TELEGRAPH, _SWITCHING = logarithmic(80.0, 120.0), Range(0.70, 0.85)
_HEALTHY = Range(1.0, 1.0)

DEMO = Population(
    name="demo",
    types=(
        PlantedType("dead", "DEAD", 60, _DEAD, "response", "dead"),
        PlantedType("low_qe", "LOW_QE", 60, logarithmic(0.2, 0.4), "response", "low_qe"),
        PlantedType("open", "OPEN", 60, logarithmic(0.1, 0.25), "response", "open", Range(1.13, 1.20)),
        PlantedType("hot", "hot", 60, logarithmic(35.0, 210.0), "DN/frame", "hot"),
        PlantedType("hot_saturated", "hot", 60, _SATURATING, "DN/frame", "hot"),
        PlantedType("rc", "rc", 60, _RC, "DN", "rc", _RC_FRAMES),
        PlantedType("telegraph", "high_cr", 60, _TELEGRAPH, "DN", "telegraph", _SWITCHING),
        PlantedType("noisy", "noisy", 60, logarithmic(7.0, 10.0), "x read noise", "noisy"),
        PlantedType("low_pedestal", "low_pedestal", 60, _LOW, "DN below superbias", "low_pedestal"),
        PlantedType("minority_dead", "", 20, _DEAD, "response", "dead", permanent=False),
        PlantedType("minority_hot_saturated", "", 20, _SATURATING, "DN/frame", "hot", permanent=False),
        PlantedType("minority_telegraph", "", 20, _TELEGRAPH, "DN", "telegraph", _SWITCHING, permanent=False),
        PlantedType("minority_low_pedestal", "", 20, _LOW, "DN below superbias", "low_pedestal", permanent=False),
        PlantedType("minority_rc", "", 20, _RC, "DN", "rc", _RC_FRAMES, permanent=False),
        PlantedType("crds_flagged_healthy", "", 20, logarithmic(1.0, 1.0), "response", "healthy"),
        PlantedType("crds_flagged_dead", "DEAD", 20, _DEAD, "response", "dead"),
    ),
    period=5,
    phase_direction=-1,  # the phase is the exposure (of five) in which the pixel is bad
    physics=Physics(lamp_x=0.10, lamp_y=0.07, lamp_square=-0.06, lamp_cross=0.0),
)

_FRAMES = logarithmic(0.5, 15.0)
_ANY_DEAD = Range(0.0, 0.04)

SURVEY = Population(
    name="survey",
    types=(
        PlantedType("dead", "DEAD", 40, _ANY_DEAD, "response", "dead"),
        PlantedType("low_qe", "LOW_QE", 80, Range(0.1, 0.9), "response", "low_qe"),
        PlantedType("open", "OPEN", 60, Range(0.0, 0.25, zero_share=1 / 3), "response", "open", Range(1.08, 1.20)),
        # From just above the typical dark current to saturation in the first group.
        PlantedType("hot", "hot", 160, logarithmic(0.3, 6.0e5), "DN/frame", "hot"),
        PlantedType("rc", "rc", 100, logarithmic(30.0, 1.0e4), "DN", "rc", _FRAMES),
        PlantedType("inverse_rc", "inverse_rc", 80, logarithmic(30.0, 3000.0), "DN", "inverse_rc", _FRAMES),
        PlantedType("telegraph", "high_cr", 120, logarithmic(10.0, 400.0), "DN", "telegraph", logarithmic(0.01, 0.5)),
        PlantedType("noisy", "noisy", 80, logarithmic(1.5, 10.0), "x read noise", "noisy"),
        PlantedType(
            "low_pedestal", "low_pedestal", 60, logarithmic(20.0, 2000.0), "DN below superbias", "low_pedestal"
        ),
        PlantedType("intermittent_dead", "", 28, _ANY_DEAD, "response", "dead", permanent=False),
        PlantedType("intermittent_hot", "", 28, logarithmic(50.0, 5000.0), "DN/frame", "hot", permanent=False),
        PlantedType(
            "intermittent_telegraph", "", 28, logarithmic(150.0, 300.0), "DN", "telegraph", logarithmic(0.2, 0.5),
            permanent=False,
        ),
        PlantedType(
            "intermittent_low_pedestal", "", 28, logarithmic(300.0, 2000.0), "DN below superbias", "low_pedestal",
            permanent=False,
        ),
        PlantedType(
            "intermittent_rc", "", 28, logarithmic(1500.0, 8000.0), "DN", "rc", logarithmic(1.0, 3.0), permanent=False
        ),
        PlantedType("crds_flagged_healthy", "", 20, _HEALTHY, "response", "healthy"),
        PlantedType("crds_flagged_dead", "DEAD", 20, _DEAD, "response", "dead"),
    ),
    period=8,
    phase_direction=1,
    physics=Physics(
        lamp_x=0.18, lamp_y=0.12, lamp_square=-0.12, lamp_cross=0.06, unlit_strip=True, flat_levels=Range(0.5, 1.3),
        ipc_direct=0.005, ipc_diagonal=0.0005,  # lower end of the values measured in H2RG detectors, 0.5 to 1%
        well_saturates=True,
        snowballs_per_pixel_group=6e-9,  # 0.75 in 30 full-frame groups
        nonlinearity_scatter=0.05, output_noise_scatter=0.15,
    ),
)  # fmt: skip

REALISTIC = Population(
    name="realistic",
    types=(
        PlantedType("dead", "DEAD", 60, Range(0.0, 0.03), "response", "dead"),
        PlantedType("low_qe", "LOW_QE", 60, Range(0.1, 0.6), "response", "low_qe"),
        PlantedType("open", "OPEN", 50, Range(0.0, 0.25, zero_share=1 / 3), "response", "open", Range(1.08, 1.20)),
        # From the rates of new faint pixels to saturation within the first groups.
        PlantedType("hot", "hot", 240, logarithmic(0.05, 5000.0), "DN/s", "hot"),
        PlantedType("rc", "rc", 80, logarithmic(100.0, 1.0e4), "DN", "rc", _FRAMES),
        PlantedType("inverse_rc", "inverse_rc", 60, logarithmic(150.0, 3000.0), "DN", "inverse_rc", _FRAMES),
        PlantedType("telegraph", "high_cr", 110, logarithmic(30.0, 400.0), "DN", "telegraph", logarithmic(0.05, 0.5)),
        PlantedType("noisy", "noisy", 80, logarithmic(1.5, 10.0), "x read noise", "noisy"),
        PlantedType(
            "low_pedestal", "low_pedestal", 50, logarithmic(40.0, 2000.0), "DN below superbias", "low_pedestal"
        ),
        PlantedType("intermittent_hot", "", 40, logarithmic(5.0, 500.0), "DN/s", "hot", permanent=False),
        PlantedType(
            "intermittent_telegraph", "", 20, logarithmic(150.0, 300.0), "DN", "telegraph", logarithmic(0.2, 0.5),
            permanent=False,
        ),
        PlantedType(
            "intermittent_rc", "", 20, logarithmic(1500.0, 8000.0), "DN", "rc", logarithmic(1.0, 3.0), permanent=False
        ),
        PlantedType("crds_flagged_healthy", "", 20, _HEALTHY, "response", "healthy"),
        PlantedType("crds_flagged_dead", "DEAD", 20, _DEAD, "response", "dead"),
    ),
    period=8,
    phase_direction=1,
    physics=Physics(
        lamp_x=0.18, lamp_y=0.12, lamp_square=-0.12, lamp_cross=0.06, flat_levels=Range(0.8, 1.2),
        ipc_direct=0.0055, ipc_diagonal=0.0005,  # 0.53% and 0.59% in NIRCam (JDox)
        well_saturates=True, snowballs_per_pixel_group=6e-9, nonlinearity_scatter=0.05, output_noise_scatter=0.15,
    ),
    # The long-wave detector NRCALONG had 1,000 to 2,000 new pixels a year, nearly all hot, and lost none (lists in
    # `realistic`); about a fifth of new hot pixels are intermittent (grizli issue 200).
    growth=Growth(new=30, recovered=1, changed=1, hot_share=0.9, intermittent_share=0.2),
    # As the chance of telegraph noise to switch: a shorter signal is a pedestal in groups of many frames.
    time_constants_in_groups=True,
)  # fmt: skip

POPULATIONS = {population.name: population for population in (DEMO, SURVEY, REALISTIC)}
