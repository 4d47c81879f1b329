"""Checks of segments: the segment number in the name and in the header, and the segments of an exposure together."""

from collections import Counter
from collections.abc import Mapping

from badpix.exposures.header_walk import Keywords
from badpix.exposures.keyword_checks import start_of
from badpix.instrument.segments import by_exposure, integrations, segment_of


def segment_number(keywords: Keywords) -> int:
    """EXSEGNUM; 1 for an exposure without segments."""
    return keywords.get("EXSEGNUM", 1)


def segment_key_problem(keywords: Keywords) -> str | None:
    """The reason why the keywords of segments contradict each other, None if they do not."""
    number, total = segment_number(keywords), keywords.get("EXSEGTOT", 1)
    if number > total:
        return f"EXSEGNUM is {number}, but EXSEGTOT is {keywords.get('EXSEGTOT', 'missing')}"
    if total == 1:
        return None
    if missing := [key for key in ("INTSTART", "INTEND") if key not in keywords]:
        return f"it is segment {number} of {total}, but the primary header lacks {' and '.join(missing)}"
    first, last = keywords["INTSTART"], keywords["INTEND"]
    if not first <= last <= keywords["NINTS"]:
        return f"its integrations are {first} to {last} (INTSTART, INTEND), and NINTS is {keywords['NINTS']}"
    return None


def segment_problem(name: str, keywords: Keywords) -> str | None:
    """The reason why the segment number in a `name` is wrong, None if it is right.

    All files of an exposure share a vote by their names, so that a wrong number would give a segment a vote of its own
    or unite two exposures.
    """
    number, total, in_name = segment_number(keywords), keywords.get("EXSEGTOT", 1), segment_of(name)
    if in_name is None and total > 1:
        return (
            f"it is segment {number} of an exposure (EXSEGTOT is {total}), but its name has no segment number; end it"
            f" in -seg{number:>03}"
        )
    if in_name is not None and int(in_name.removeprefix("-seg")) != number:
        return f"its name has the segment number {in_name}, but EXSEGNUM is {keywords.get('EXSEGNUM', 'missing')}"
    return None


def mixed_segments(of_names: Mapping[str, Keywords]) -> dict[str, str]:
    """Reasons (name -> reason) of the segments that differ from most segments of their exposure, or overlap.

    `of_names` maps the names of a kind to their keywords, without problems of their own. Of an exposure without a
    majority all segments are returned.
    """
    reasons: dict[str, str] = {}
    for exposure, names in by_exposure(sorted(of_names)).items():
        if len(names) == 1:
            continue
        of_exposure = {
            name: (start_of(keywords), keywords.get("EXSEGTOT", 1), keywords["NINTS"])
            for name, keywords in ((name, of_names[name]) for name in names)
        }
        (most, count), *_ = Counter(of_exposure.values()).most_common()
        for name, found in of_exposure.items():
            if 2 * count <= len(names) or found != most:
                reasons[name] = (
                    f"{' and '.join(other for other in names if of_exposure[other] != found) or 'another'} would be of"
                    f" the same exposure, {exposure}, by the names, but DATE-OBS, TIME-OBS, EXSEGTOT or NINTS differ"
                )
        reasons |= _overlapping([name for name in names if name not in reasons], of_names)
    return reasons


def _overlapping(names: list[str], of_names: Mapping[str, Keywords]) -> dict[str, str]:
    """Reasons of the segments of an exposure that have integrations of an earlier segment.

    Equal numbers are left to the search for exposures that are given twice.
    """
    reasons, last, before = {}, 0, ""
    for name in sorted(names, key=lambda name: segment_number(of_names[name])):
        keywords = of_names[name]
        if before and segment_number(keywords) == segment_number(of_names[before]):
            continue
        first = keywords.get("INTSTART", 1)
        if first <= last:
            reasons[name] = f"INTSTART is {first}, but {before} has the integrations up to {last}"
        else:
            last, before = first - 1 + integrations(keywords), name
    return reasons
