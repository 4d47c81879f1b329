"""The plan of `make validation`: simulated scenarios, runs, and the strengths from which a pixel must be found."""

from collections.abc import Sequence
from dataclasses import dataclass

from badpix.simulate.headers import make_geometry


@dataclass(frozen=True)
class Scenario:
    """Exposures of a detector: number of exposures of each kind, integrations per exposure, groups per integration."""

    name: str
    title: str
    instrument: str
    detector: str
    size: int
    exposures: int
    integrations: int
    groups: int
    n_seeds: int = 5

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of this scenario; costly scenarios have fewer."""
        return SEEDS[: self.n_seeds]

    def simulation_seed(self, seed: int) -> int:
        """Seed of the simulator; it differs between scenarios, so that all detectors have different bad pixels."""
        return 100 * seed + list(SCENARIOS).index(self.name)

    @property
    def limits(self) -> dict[str, float | str]:
        """Limits by planted type, for `badpix.score.tables`.

        With fewer groups in total the noise is less precise, and in shorter ramps telegraph noise must switch more
        often to be visible: the limits are higher. With more groups the limits stay, so that the same pixels are
        compared.
        """
        frame_time_s = make_geometry(self.instrument, self.size, self.detector).frame_time_s
        scatter = max(1, (USUAL_GROUPS_IN_ALL / (self.exposures * self.integrations * self.groups)) ** 0.5)
        switching = max(TELEGRAPH_SWITCHING, TELEGRAPH_SWITCHING * USUAL_GROUPS / self.groups)
        return LIMITS | {
            "hot": HOT_LIMIT_DN_PER_S * frame_time_s,
            "noisy": round(1 + (NOISY_LIMIT - 1) * scatter, 2),
            "telegraph": f"strength >= 100 and second >= {switching:.2g}",
        }


@dataclass(frozen=True)
class Plan:
    """Scenarios to simulate and run, by name; `ablations`: run the first scenario also without each option."""

    scenarios: Sequence[str]
    seeds: Sequence[int] | None = None  # instead of the seeds of each scenario
    ablations: bool = False

    def seeds_of(self, scenario: Scenario) -> tuple[int, ...]:
        """The seeds of a Scenario."""
        return tuple(self.seeds or scenario.seeds)


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("niriss", "NIRISS, 8 darks + 8 flats, 30 groups", "NIRISS", "NIS", 256, 8, 1, 30),
        Scenario("nircam_short", "NIRCam short wave, 8 + 8, 30 groups", "NIRCAM", "NRCA1", 256, 8, 1, 30),
        Scenario("nircam_long", "NIRCam long wave, 8 + 8, 30 groups", "NIRCAM", "NRCALONG", 256, 8, 1, 30),
        Scenario("few", "NIRISS, 5 + 5, 20 groups", "NIRISS", "NIS", 256, 5, 1, 20),
        Scenario("twenty", "NIRISS, 10 + 10 of 2 integrations, 30 groups", "NIRISS", "NIS", 256, 10, 2, 30, 1),
        Scenario("hundred", "NIRISS, 10 + 10 of 10 integrations, 30 groups", "NIRISS", "NIS", 256, 10, 10, 30, 1),
        Scenario("full", "NIRISS, full frame, 8 + 8, 30 groups", "NIRISS", "NIS", 2048, 8, 1, 30, 1),
    )
}
# Seeds below 20 were used to choose the options; these seeds were not.
SEEDS = (21, 22, 23, 24, 25)

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
    "mutually exclusive types": ("exclusive_types",),
    "vote of the single flats": ("flat_vote_unit",),
    "local plane": ("smoothing_type",),
    "dead by absolute response": ("dead_search_type",),
    "open by the mean of its neighbours": ("open_neighbour_rule",),
    "open pixels may be dead": ("open_includes_dead",),
    "unlit parts": ("min_unlit_area",),
}
