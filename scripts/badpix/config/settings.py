"""The configuration keys that the vote uses, as dataclasses under the keys' own names."""

from dataclasses import dataclass, fields

# Of the mean response; what the specification's `None` stands for when the flat is normalised.
DEFAULT_MAX_DEAD_NORM_SIGNAL = 0.05


class Settings:
    """Configuration keys as attributes of the same names; a dataclass of them."""

    @classmethod
    def from_config(cls, config):
        """Take the settings from a mapping with (at least) all their keys."""
        return cls(**{field.name: config[field.name] for field in fields(cls)})


@dataclass(frozen=True)
class DarkVoteSettings(Settings):
    """The configuration keys that the dark vote uses, under their own names."""

    ballot: str
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
class DarkExcessSettings(Settings):
    """The configuration keys that the searches of darks beyond the specification use, under their own names."""

    false_flags_per_million: float
    min_valid: int
    hot_rate_threshold: float | None
    warm_rate_threshold: float
    hot_fraction: float
    pedestal_test: str
    ramp_shape_search: bool
    noisy_test: str
    noisy_fraction: float
    telegraph_search: bool
    rc_fraction_threshold: float
    low_pedestal_fraction: float
    high_cr_fraction: float

    @property
    def any(self):
        """Whether one of the searches is on."""
        return (
            self.hot_rate_threshold is not None
            or self.pedestal_test == "calibrated"
            or self.ramp_shape_search
            or self.noisy_test == "cds"
            or self.telegraph_search
        )


@dataclass(frozen=True)
class FlatTypeSettings(Settings):
    """The configuration keys that the flat types use, under their own names.

    `max_dead_norm_signal` is the number in force, never None (see `effective_max_dead_norm_signal`).
    """

    dead_search: bool
    low_qe_and_open_search: bool
    dead_search_type: tuple
    flat_mean_sigma_threshold: float
    dead_sigma_threshold: float
    max_dead_norm_signal: float
    run_dead_flux_check: bool
    flux_check: float
    max_low_qe_norm_signal: float
    max_open_adj_norm_signal: float
    open_rule: str
    open_includes_dead: bool
    flat_ballot: str
    flat_fraction: float
    min_valid: int

    @classmethod
    def from_config(cls, config):
        """Take the settings from a mapping with (at least) all their keys."""
        kinds = config["dead_search_type"]
        return super().from_config(config | {"dead_search_type": (kinds,) if isinstance(kinds, str) else tuple(kinds)})


def effective_max_dead_norm_signal(value, method, detector_value):
    """The threshold in force: the configured `value`; by default 0.05, or the detector's (DN/s) if not normalised."""
    if value is not None:
        return value
    return detector_value if method == "none" else DEFAULT_MAX_DEAD_NORM_SIGNAL


# Beside those of the two classes: what the vote needs to combine the types and to write the mask.
MASK_KEYS = (
    "exclusive_types", "unlit_fraction", "mask_frame",
    "flat_mean_normalization_method", "flag_values", "dark_do_not_use", "flat_do_not_use", "min_darks", "min_flats",
    "on_bad_exposure", "author", "description", "pedigree", "useafter", "history",
)  # fmt: skip


def vote_keys():
    """Names of all configuration keys that the vote reads, sorted."""
    names = {field.name for cls in (DarkVoteSettings, DarkExcessSettings, FlatTypeSettings) for field in fields(cls)}
    return sorted(names | set(MASK_KEYS))


@dataclass(frozen=True)
class ResponseSettings(Settings):
    """The configuration keys that the responses of the flats are made with, under their own names."""

    flat_mean_sigma_threshold: float
    flat_mean_normalization_method: str
    smoothing_type: str
    smoothing_box_width: int


RESPONSE_KEYS = tuple(field.name for field in fields(ResponseSettings))
