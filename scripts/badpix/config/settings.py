"""Configuration keys as frozen dataclasses, and the keys of the vote. Without slow imports: every job loads it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

# The kinds of exposures, named as their configuration keys.
KINDS = ("darks", "flats")

# Fraction of the mean response: the default of `max_dead_norm_signal` for a normalised flat.
DEFAULT_MAX_DEAD_NORM_SIGNAL = 0.05


@dataclass(frozen=True)
class Settings:
    """Base of dataclasses whose fields are configuration keys of the same names."""

    @classmethod
    def from_config(cls, config: Mapping) -> Self:
        """Take the settings from a mapping with (at least) all their keys."""
        return cls(**{field.name: config[field.name] for field in fields(cls)})


@dataclass(frozen=True)
class ResponseSettings(Settings):
    """Settings of the normalised responses of the flats."""

    flat_mean_sigma_threshold: float
    flat_mean_normalization_method: str
    smoothing_type: str
    smoothing_box_width: int


@dataclass(frozen=True)
class SkySettings(Settings):
    """Settings of the search of sources in flats of the sky."""

    source_threshold: float
    source_growth: int


SKY_KEYS = tuple(field.name for field in fields(SkySettings))
RESPONSE_KEYS = tuple(field.name for field in fields(ResponseSettings))


def with_max_dead_norm_signal(config: Mapping, detector_value: float | None) -> dict:
    """`config` with the effective value of `max_dead_norm_signal`; its null is resolved only here.

    The default is 0.05, or `detector_value` (DN/s; None for a detector without a default) if flats are not normalised.
    """
    value = config["max_dead_norm_signal"]
    if value is None:
        normalised = config["flat_mean_normalization_method"] != "none"
        value = DEFAULT_MAX_DEAD_NORM_SIGNAL if normalised else detector_value
    return {**config, "max_dead_norm_signal": value}


# Keys with a number for all detectors, or a mapping of detectors to numbers.
BY_DETECTOR = (
    "hot_rate_threshold_e_per_s", "warm_rate_threshold_e_per_s", "cold_rate_threshold_e_per_s", "gain_e_per_dn",
)  # fmt: skip
# Thresholds that need the gain.
IN_ELECTRONS = BY_DETECTOR[:3]


def of_detector(config: Mapping, detector: str) -> dict:
    """`config` with the values of `detector` of the keys BY_DETECTOR; None where a mapping has no value for it."""
    values = {key: value.get(detector) for key in BY_DETECTOR if isinstance(value := config[key], Mapping)}
    return {**config, **values}


# Keys that change an earlier product and are read by the vote too; `preset` is for the record.
_OF_EARLIER_STAGES = ("early_cutoff_fraction", "flat_vote_unit", "reject_outliers", "preset", *RESPONSE_KEYS)
# Keys of the rule bad_pixel_mask that are file names, not settings of the vote.
_FILES = ("manual_flag_file", "output_file", "flat_types_from")


def vote_keys(schema: Mapping) -> list[str]:
    """Names of all configuration keys that the vote and the mask depend on, sorted; `schema` is the whole schema."""
    of_the_mask = {key for key, node in schema["properties"].items() if node["changes"] == "bad_pixel_mask"}
    return sorted(of_the_mask - set(_FILES) | set(_OF_EARLIER_STAGES))
