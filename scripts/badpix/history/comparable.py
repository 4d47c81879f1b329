"""Which masks of a detector are compared over time: those of the same settings. Without slow imports."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from badpix.config.settings import KINDS, SKY_KEYS, vote_keys
from badpix.instrument.depth import MIN_DEEP

# Values of the key `comparable_settings` beside digests: all entries, and entries without a record of their settings.
ALL, UNKNOWN = "all", "unknown"
# Keys of the vote that decide neither on pixels nor on their flags. Entries of the history have the pixels with the
# flags of `intermittent` as good. `preset` names keys that are here themselves.
NOT_DECIDING = {
    "author", "description", "pedigree", "useafter", "history", "subarray_name", "selectors", "min_darks", "min_flats",
    "on_bad_exposure", "intermittent", "intermittent_from", "preset",
}  # fmt: skip
STEPS = ("detector1_dark", "detector1_flat")


@dataclass(frozen=True)
class Like:
    """The settings whose masks are compared: `settings`, a digest, and those of `also`: digests, UNKNOWN, or ALL."""

    settings: str = ""
    also: Sequence[str] | str = ()

    def has(self, settings: str) -> bool:
        """Whether masks of the digest `settings` (empty: without a record) are compared."""
        known = settings or UNKNOWN
        return self.also == ALL or known == self.settings or known in self.also


def settings_text(
    config: Mapping[str, Any], schema: Mapping[str, Any], contents: Mapping[str, str], kinds: Sequence[str] = KINDS
) -> str:
    """All that decides which pixels a mask flags, and how, but for its exposures, as JSON: equal for comparable masks.

    Only values that differ from the defaults, so that a new key of a later version changes nothing. The CRDS context is
    no part: like the exposures, it differs between epochs.

    Parameters
    ----------
    config : mapping
        The configuration of the mask.
    schema : mapping
        The schema of the configuration.
    contents : mapping
        File that decides on pixels beside the exposures (manual flags, flat types) -> its SHA-256.
    kinds : sequence of str
        The kinds of its exposures: without flats, no mask has DEAD pixels.
    """
    found: dict[str, Any] = dict(contents)
    for key in [key for key in vote_keys(schema) if key not in NOT_DECIDING] + [*SKY_KEYS, *STEPS]:
        node = schema["properties"][key]
        value = _plain(config[key])
        if value != _plain(node["default"]):
            found[key] = value
    # It decides which darks are deep enough to vote (`least_groups`), where it is more than MIN_DEEP.
    if config["min_darks"] > MIN_DEEP:
        found["min_darks"] = config["min_darks"]
    if set(kinds) != set(KINDS):
        found["exposures"] = sorted(kinds)
    return json.dumps(found, sort_keys=True, default=str)


def _plain(value: Any) -> Any:
    """`value` with numbers of one type (5 and 5.0 are the same threshold); lists of texts, which are sets, sorted."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        items = [_plain(item) for item in value]
        return sorted(items) if all(isinstance(item, str) for item in items) else items
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def digest_of(text: str) -> str:
    """The digest of a `settings_text`; empty of an empty text, which is no record."""
    return hashlib.sha256(text.encode()).hexdigest()[:16] if text else ""
