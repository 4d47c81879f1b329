"""The plan of `make validation`: simulated scenarios, runs, and the strengths from which a pixel must be found."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from badpix.simulate.headers import Geometry, make_geometry
from badpix.simulate.instruments import DETECTORS

OFFICIAL, FLIGHT = "official", "flight"  # labels of the runs with all good exposures
FULL_FRAME_TIME = "full_frame_time"


@dataclass(frozen=True)
class Scenario:
    """Exposures of a detector: number of exposures of each kind, integrations per exposure, groups per integration."""

    name: str
    title: str
    instrument: str
    detector: str
    size: int | None
    exposures: int
    integrations: int
    groups: int
    n_seeds: int = 5
    population: str = "survey"
    readpatt: str | None = None
    subarray: str | None = None
    effects: tuple[str, ...] = ()
    """Effects of the simulator, in all exposures."""
    numbers: tuple[int, ...] = ()
    """Smaller numbers of darks and of flats with which the preset is also run."""
    bad_dark: tuple[str, ...] = ()
    """Effects of an additional dark. A run replaces the last dark by it, a second run leaves both out."""

    def simulation_seed(self, seed: int) -> int:
        """Seed of the simulator; it differs between scenarios, so that all detectors have different bad pixels."""
        return 100 * seed + list(SCENARIOS).index(self.name)

    @property
    def geometry(self) -> Geometry:
        """The array and its readout."""
        return make_geometry(self.instrument, self.size, self.detector, self.subarray, self.readpatt)

    @property
    def simulation(self) -> list[str]:
        """Options of scripts/simulate.py for the detector, without seed, numbers of exposures and effects."""
        options = [
            "--population", self.population, "--instrument", self.instrument, "--detector", self.detector,
            "--integrations", str(self.integrations), "--groups", str(self.groups),
        ]  # fmt: skip
        options += ["--subarray", self.subarray] if self.subarray else ["--size", str(self.size)]
        return options + (["--readpatt", self.readpatt] if self.readpatt else [])

    @property
    def limits(self) -> dict[str, float | str]:
        """Limits by planted type, for `badpix.score.tables`.

        With fewer groups in total the noise is less precise, and in shorter ramps telegraph noise must switch more
        often to be visible: the limits are higher. With more groups the limits stay, so that the same pixels are
        compared.
        """
        scatter = max(1, (USUAL_GROUPS_IN_ALL / (self.exposures * self.integrations * self.groups)) ** 0.5)
        switching = max(TELEGRAPH_SWITCHING, TELEGRAPH_SWITCHING * USUAL_GROUPS / self.groups)
        return self.limits_for(1 + (NOISY_LIMIT - 1) * scatter, switching)

    @property
    def usual_limits(self) -> dict[str, float | str]:
        """The limits of 8 darks of 30 groups, with which different numbers of groups and darks are compared."""
        return self.limits_for(NOISY_LIMIT, TELEGRAPH_SWITCHING)

    def limits_for(self, noisy: float, switching: float) -> dict[str, float | str]:
        """Limits by planted type, for a limit of noise (times the read noise) and a chance to switch per group."""
        per_unit = self.geometry.frame_time_s if self.population == "survey" else 1.0  # DN/frame or DN/s
        return LIMITS | {
            "hot": HOT_LIMIT_DN_PER_S * per_unit,
            "noisy": round(noisy, 2),
            "telegraph": f"strength >= 100 and second >= {switching:.2g}",
        }


@dataclass(frozen=True)
class Run:
    """A run of the workflow: label, whether with the preset, and how many of the good darks and flats it has.

    `bad_dark`: with the bad dark in addition.
    """

    label: str
    darks: int
    flats: int
    preset: bool = True
    bad_dark: bool = False


def runs_of(scenario: Scenario) -> list[Run]:
    """The runs of a scenario: all exposures with the official defaults and with the preset, then parts of them."""
    full = scenario.exposures
    runs = [Run(OFFICIAL, full, full, preset=False), Run(FLIGHT, full, full)]
    runs += [Run(part_label(number), number, number) for number in scenario.numbers]
    if scenario.bad_dark:
        runs += [Run(WITH_BAD_DARK, full - 1, full, bad_dark=True), Run(WITHOUT_BAD_DARK, full - 1, full)]
    return runs


def part_label(number: int) -> str:
    """Label of the run of the preset with `number` darks and flats."""
    return f"{FLIGHT}, {number} + {number}"


WITH_BAD_DARK, WITHOUT_BAD_DARK = "flight, one dark bad", "flight, without the bad dark"


@dataclass(frozen=True)
class Plan:
    """Scenarios to simulate and run, by name, and seeds.

    `ablations`: run the first scenario also without each option.
    """

    scenarios: Sequence[str]
    n_seeds: int = 2
    seeds: Sequence[int] | None = None  # instead of the first n_seeds
    ablations: bool = False

    def seeds_of(self, scenario: Scenario) -> tuple[int, ...]:
        """The seeds of a Scenario; costly scenarios have fewer."""
        return tuple(self.seeds or SEEDS[scenario.population][: min(self.n_seeds, scenario.n_seeds)])


def _flight(name: str, title: str, detector: str, exposures: int, groups: int, *effects: str, **more: Any) -> Scenario:
    """A scenario of flight: realistic positions, frames as long as those of the full frame, coupling, and `effects`."""
    return Scenario(
        name, title, DETECTORS[detector][0], detector, more.pop("size", 256), exposures, integrations=1, groups=groups,
        population="realistic", effects=(FULL_FRAME_TIME, "ipc", *effects), **more,
    )  # fmt: skip


# Detectors and read patterns of darks in flight: groups of 4 to 8 frames, about 10 of them; the guiders and MIRI have
# groups of one frame. NIRISS has three depths, each with several numbers of exposures, for the table of groups and
# exposures; each of the others has an effect of real detectors. SUB2048 of NIRSpec has reference columns, and its area
# is that of 256 x 256; the full frame would take hours.
_SOME = (4, 6, 8)
_FLIGHT = (
    _flight("niriss_nis10", "NIRISS, NIS (4 frames), 10 groups", "NIS", 10, 10, readpatt="NIS", numbers=_SOME),
    _flight("niriss_rapid20", "NIRISS, NISRAPID, 20 groups", "NIS", 10, 20, numbers=_SOME),
    _flight("niriss_rapid30", "NIRISS, NISRAPID, 30 groups", "NIS", 10, 30, numbers=_SOME),
    _flight(
        "nircam_shallow4", "NIRCam short wave, SHALLOW4 (4 frames), 10 groups, slow telegraph noise", "NRCA1", 8, 10,
        "slow_telegraph", readpatt="SHALLOW4", bad_dark=("stray_light",),
    ),
    _flight(
        "nircam_medium8", "NIRCam long wave, MEDIUM8 (8 frames), 10 groups, glow, border cluster", "NRCALONG",
        8, 10, "glow", "border_cluster", readpatt="MEDIUM8",
    ),
    _flight(
        "nirspec_nrs", "NIRSpec, NRS (4 frames), 10 groups, drifting bias", "NRS1", 8, 10, "bias_rows",
        readpatt="NRS", size=None, subarray="SUB2048",
    ),
    _flight("fgs_rapid", "FGS, FGSRAPID, 20 groups, 6% more bad pixels", "GUIDER1", 8, 20, "more_bad", size=128),
    _flight("miri_fastr1", "MIRI imager, FASTR1, 30 groups, persistence", "MIRIMAGE", 8, 30, "persistence"),
    _flight("mrs_fastr1", "MIRI spectrometer, FASTR1, 30 groups, image slicer", "MIRIFUSHORT", 8, 30, "slicer"),
)  # fmt: skip
# Square arrays of the population survey, whose strengths range from undetectable to obvious.
_SURVEY = (
    Scenario("niriss", "NIRISS, 8 darks + 8 flats, 30 groups", "NIRISS", "NIS", 256, 8, 1, 30),
    Scenario("nircam_short", "NIRCam short wave, 8 + 8, 30 groups", "NIRCAM", "NRCA1", 256, 8, 1, 30),
    Scenario("nircam_long", "NIRCam long wave, 8 + 8, 30 groups", "NIRCAM", "NRCALONG", 256, 8, 1, 30),
    Scenario("few", "NIRISS, 5 + 5, 20 groups", "NIRISS", "NIS", 256, 5, 1, 20),
    Scenario("twenty", "NIRISS, 10 + 10 of 2 integrations, 30 groups", "NIRISS", "NIS", 256, 10, 2, 30, 1),
    Scenario("hundred", "NIRISS, 10 + 10 of 10 integrations, 30 groups", "NIRISS", "NIS", 256, 10, 10, 30, 1),
    Scenario("full", "NIRISS, full frame, 8 + 8, 30 groups", "NIRISS", "NIS", 2048, 8, 1, 30, 1),
)
GROUPS = {part: tuple(scenario.name for scenario in rows) for part, rows in (("flight", _FLIGHT), ("survey", _SURVEY))}
# The seed of a simulation has the position of its scenario: new scenarios go to the end.
SCENARIOS = {scenario.name: scenario for scenario in (*_SURVEY, *_FLIGHT)}
# Smaller seeds were used to choose the options; these seeds were not.
SEEDS = {"survey": (21, 22, 23, 24, 25), "realistic": (42, 43, 44, 45, 46)}

# Strengths from which a pixel must be found, for 8 darks and 8 flats of 30 groups of one frame. The limit of hot pixels
# is twice `hot_rate_threshold` of the preset (1 DN/s). `Scenario.limits` adapts the limits of noisy and telegraph
# pixels to other numbers of groups.
HOT_LIMIT_DN_PER_S = 2.0
NOISY_LIMIT = 2.5  # times the read noise
TELEGRAPH_SWITCHING = 0.1  # chance per group
USUAL_GROUPS, USUAL_GROUPS_IN_ALL = 30, 8 * 30
LIMITS: dict[str, float | str] = {
    "dead": 0.02,
    "low_qe": 0.45,
    "open": 0.25,
    "rc": "strength >= 400",
    "inverse_rc": "strength >= 500",
    "low_pedestal": 100,
}

N_ABLATED = 2  # seeds of the first scenario
# Ablations, the preset without one of its options: title -> keys that are reset to their defaults.
ABLATIONS = {
    "hot by rate": ("hot_rate_threshold", "warm_rate_threshold"),
    "pedestals by significance": ("pedestal_test",),
    "ramp shape": ("ramp_shape_search",),
    "noise of group differences": ("noisy_test",),
    "telegraph by downward jumps": ("telegraph_search",),
    "telegraph between darks": ("slow_telegraph_search",),
    "local level of the darks": ("dark_local_level",),
    "halos of neighbours": ("ipc_neighbor_search",),
    "mutually exclusive types": ("exclusive_types",),
    "vote of the single flats": ("flat_vote_unit",),
    "local plane": ("smoothing_type",),
    "dead by absolute response": ("dead_search_type",),
    "open by the neighbours that are sound": ("open_neighbour_rule",),
    "open pixels may be dead": ("open_includes_dead",),
    "unlit parts": ("min_unlit_area",),
}
