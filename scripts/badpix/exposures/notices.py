"""What the headers of usable exposures tell about a mask: sentences for the start of a run."""

from collections.abc import Mapping

from badpix.exposures.inventory import Exposure
from badpix.instrument.depth import depth_warning
from badpix.instrument.segments import exposure_of


def start_notices(kinds: Mapping[str, Mapping[str, Exposure]], min_darks: int) -> list[str]:
    """The sentences on the exposures of a mask; `kinds` maps kind -> name of an exposure -> Exposure."""
    # The segments of an exposure have the same number of groups.
    groups = {exposure_of(name): dark.keywords["NGROUPS"] for name, dark in kinds["darks"].items()}
    return list(filter(None, [depth_warning(list(groups.values()), min_darks)]))
