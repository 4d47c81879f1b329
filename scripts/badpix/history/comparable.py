"""Which masks of a detector can be compared over time: those of the same settings. Without slow imports."""

import hashlib
import json
from collections.abc import Iterable, Mapping

from badpix.config.sweep import NO_THRESHOLDS
from badpix.instrument.depth import MIN_DEEP


def settings_digest(
    config: Mapping, vote_keys: Iterable[str], made_with: Mapping[str, object], contents: Mapping[str, str]
) -> str:
    """Digest of all that decides which pixels a mask flags, but for its exposures: equal for comparable masks.

    Parameters
    ----------
    config : mapping
        The configuration of the mask.
    vote_keys : iterable of str
        The configuration keys of the vote.
    made_with : mapping
        The settings of the inputs of the vote, by kind.
    contents : mapping
        File that decides on pixels beside the exposures (manual flags, flat types) -> its SHA-256.
    """
    thresholds = {key: config[key] for key in vote_keys if key not in NO_THRESHOLDS}
    # It decides also which darks are deep enough to vote (`least_groups`), where it is more than MIN_DEEP.
    thresholds["min_darks"] = max(MIN_DEEP, config["min_darks"])
    unflagged = sorted(name for name, flags in config["flag_values"].items() if not flags)
    compared = [thresholds, made_with, dict(contents), unflagged]
    return hashlib.sha256(json.dumps(compared, sort_keys=True, default=str).encode()).hexdigest()[:16]
