"""The settings of a vote: all configuration keys that a vote reads, as frozen dataclasses."""

from collections.abc import Mapping
from dataclasses import dataclass

from badpix.config.settings import ResponseSettings, Settings
from badpix.formats.pixel_types import FLAT_TYPES
from badpix.vote.searches.base import Search
from badpix.vote.searches.registry import configured_searches


@dataclass(frozen=True)
class RequiredExposures(Settings):
    """The numbers of exposures that a vote needs, and the reaction to a rejected exposure and to an outlier.

    `on_bad_exposure`: `fail` stops the vote, `reject` continues without the exposure. `reject_outliers`: outliers among
    the exposures are rejected; otherwise they are only named.
    """

    min_darks: int
    min_flats: int
    on_bad_exposure: str
    reject_outliers: bool = False

    def minimum(self, kind: str) -> int:
        """The smallest number of exposures of `kind` (darks, flats)."""
        return {"darks": self.min_darks, "flats": self.min_flats}[kind]


@dataclass(frozen=True)
class DarkSettings(Settings):
    """The keys of the official tests of darks, under the same names."""

    dark_vote_unit: str
    pedestal_source: str
    min_valid: int
    min_clean_slopes: int
    early_cutoff_fraction: float
    dark_stdev_clipping_sigma: float
    dark_max_clipping_iters: int
    dark_noisy_threshold: float
    max_saturated_fraction: float
    max_jump_limit: int
    jump_ratio_threshold: float
    pedestal_sigma_threshold: float
    rc_fraction_threshold: float
    low_pedestal_fraction: float
    high_cr_fraction: float


@dataclass(frozen=True)
class FlatSettings(Settings):
    """The keys of the flat types, under the same names.

    `max_dead_norm_signal` is the number that applies, never None
    (see `badpix.config.settings.with_max_dead_norm_signal`).
    """

    dead_search: bool
    low_qe_and_open_search: bool
    dead_search_type: tuple[str, ...]
    flat_mean_sigma_threshold: float
    dead_sigma_threshold: float
    max_dead_norm_signal: float
    run_dead_flux_check: bool
    flux_check: float
    max_low_qe_norm_signal: float
    max_open_adj_norm_signal: float
    open_neighbour_rule: str
    open_includes_dead: bool
    flat_vote_unit: str
    flat_vote_fraction: float
    min_unlit_area: float | None
    min_valid: int

    @classmethod
    def from_config(cls, config: Mapping) -> "FlatSettings":
        """Take the settings from a mapping with (at least) all their keys."""
        searches = config["dead_search_type"]
        searches = (searches,) if isinstance(searches, str) else tuple(searches)
        return super().from_config({**config, "dead_search_type": searches})

    @property
    def searched(self) -> dict[str, bool]:
        """Flat type -> whether its search is on."""
        return dict.fromkeys(FLAT_TYPES, self.low_qe_and_open_search) | {"DEAD": self.dead_search}


@dataclass(frozen=True)
class VoteSettings:
    """All settings of a vote.

    `darks` are the settings of the official tests. `searches` are all searches beyond the official algorithm, on or
    off; their false-alarm rate is `false_flags_per_million`. `flats` are the settings of the flat types, `response`
    those of the normalisation of flats, `required` the required exposures. `min_valid` is the smallest number of valid
    votes. `exclusive_types`: types exclude each other by priority. `gain_e_per_dn` is the configured gain (e-/DN), None
    for the gain of the exposures. `dark_local_level`: the searches measure deviations from the local level of a dark.
    """

    required: RequiredExposures
    darks: DarkSettings
    searches: tuple[Search, ...]
    flats: FlatSettings
    response: ResponseSettings
    false_flags_per_million: float
    min_valid: int
    exclusive_types: bool
    gain_e_per_dn: float | None = None
    dark_local_level: bool = False

    @classmethod
    def from_config(cls, config: Mapping) -> "VoteSettings":
        """Take the settings from a mapping with (at least) all keys of `badpix.config.settings.vote_keys`."""
        return cls(
            RequiredExposures.from_config(config),
            DarkSettings.from_config(config),
            configured_searches(config),
            FlatSettings.from_config(config),
            ResponseSettings.from_config(config),
            config["false_flags_per_million"],
            config["min_valid"],
            config["exclusive_types"],
            config["gain_e_per_dn"],
            config["dark_local_level"],
        )

    @property
    def searches_on(self) -> tuple[Search, ...]:
        """The searches that the configuration turns on."""
        return tuple(search for search in self.searches if search.is_on())

    @property
    def replaced_tests(self) -> frozenset[str]:
        """Names of the official tests of darks that do not vote, because a search replaces them."""
        return frozenset(name for search in self.searches_on for name in search.replaces)
