"""What the headers of usable exposures tell about a mask: sentences for the start of a run and for the HISTORY."""

from collections.abc import Iterable, Mapping

from badpix.core.reasons import MAX_NAMES
from badpix.core.wording import counted, first_of
from badpix.exposures.inventory import Exposure
from badpix.exposures.processing import STEPS, processing_notices, skipped_without_reference
from badpix.instrument.depth import depth_warning
from badpix.instrument.segments import exposure_of

# Exposures by kind and name.
Kinds = Mapping[str, Mapping[str, Exposure]]


def start_notices(kinds: Kinds, min_darks: int) -> list[str]:
    """The sentences on the exposures of a mask for the start of a run; `kinds` maps kind -> name -> Exposure."""
    # The segments of an exposure have the same number of groups.
    groups = {exposure_of(name): dark.keywords["NGROUPS"] for name, dark in kinds["darks"].items()}
    return [*header_notices(kinds), *filter(None, [depth_warning(list(groups.values()), min_darks)])]


def header_notices(kinds: Kinds) -> list[str]:
    """The sentences on exposures that are used and may be unsound, for the HISTORY; `kinds` as of `start_notices`."""
    lines = []
    for kind, exposures in kinds.items():
        problem = [name for name, exposure in exposures.items() if exposure.keywords.get("DATAPROB") is True]
        suspect = [name for name, exposure in exposures.items() if exposure.keywords.get("ENG_QUAL") == "SUSPECT"]
        if problem:
            lines.append(f"DATAPROB is true (the telemetry of the data had a problem) in {_named(problem, kind)}")
        if suspect:
            lines.append(f"ENG_QUAL is SUSPECT (quality of the engineering data) in {_named(suspect, kind)}")
        for step in STEPS:
            if without := [name for name, e in exposures.items() if step in skipped_without_reference(e.keywords)]:
                lines.append(f"{step} was skipped, since CRDS had no reference file for it, in {_named(without, kind)}")
        otherwise = {name: exposure.processing for name, exposure in exposures.items()}
        lines += processing_notices(kind, otherwise, sum(not exposure.recorded for exposure in exposures.values()))
    return lines


def _named(names: Iterable[str], kind: str) -> str:
    """The number and the first of the names."""
    listed = sorted(names)
    return f"{counted(len(listed), kind)}: {first_of(listed, MAX_NAMES)}"
