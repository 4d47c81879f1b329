"""Configuration keys as frozen dataclasses, and the keys of the vote. No large imports: every job reads it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

# The kinds of exposures, as the configuration names them.
KINDS = ("darks", "flats")

# Of the mean response; what `max_dead_norm_signal: null` stands for when the flat is normalised.
DEFAULT_MAX_DEAD_NORM_SIGNAL = 0.05


class Settings:
    """Configuration keys as attributes of the same names; the base of dataclasses of them."""

    @classmethod
    def from_config(cls, config: Mapping) -> Self:
        """Take the settings from a mapping with (at least) all their keys."""
        return cls(**{field.name: config[field.name] for field in fields(cls)})


@dataclass(frozen=True)
class ResponseSettings(Settings):
    """What the responses of the flats are made with."""

    flat_mean_sigma_threshold: float
    flat_mean_normalization_method: str
    smoothing_type: str
    smoothing_box_width: int


RESPONSE_KEYS = tuple(field.name for field in fields(ResponseSettings))


def with_max_dead_norm_signal(config: Mapping, detector_value: float | None) -> dict:
    """`config` with the number in force for `max_dead_norm_signal`, the only place where its null is resolved.

    By default it is 0.05, or `detector_value` (DN/s; None where the detector has none) if flats are not normalised.
    """
    value = config["max_dead_norm_signal"]
    if value is None:
        normalised = config["flat_mean_normalization_method"] != "none"
        value = DEFAULT_MAX_DEAD_NORM_SIGNAL if normalised else detector_value
    return {**config, "max_dead_norm_signal": value}


# Keys that change an earlier product, which the vote reads as well.
_OF_EARLIER_STAGES = ("early_cutoff_fraction", "flat_vote_unit", *RESPONSE_KEYS)
# Keys of the rule bad_pixel_mask that are the name of a file, not a setting of the vote.
_FILES = ("manual_flag_file", "output_file")


def vote_keys(schema: Mapping) -> list[str]:
    """Names of all configuration keys that the vote and the mask read, sorted; `schema` is the configuration's."""
    of_the_mask = {key for key, node in schema["properties"].items() if node["changes"] == "bad_pixel_mask"}
    return sorted(of_the_mask - set(_FILES) | set(_OF_EARLIER_STAGES))
