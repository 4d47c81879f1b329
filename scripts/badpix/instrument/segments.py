"""Segmented exposures: the integrations of one exposure, spread over several files.

The observatory cuts a long exposure into files `jw..._00001-seg001_nis_uncal.fits`, `-seg002` and so on. Each file is
processed on its own; in a vote by exposure they have one vote together.
"""

import re

_SEGMENT = re.compile(r"-seg\d{3}(?=_|$)")


def exposure_of(name):
    """The name of the exposure that the file or segment `name` belongs to: without its segment number."""
    return _SEGMENT.sub("", name)


def segment_of(name):
    """The segment number that the file or segment `name` carries, such as `-seg001`; None if it carries none."""
    match = _SEGMENT.search(name)
    return match and match[0]


def by_exposure(names):
    """Exposure -> list of its segments, in the order given; a whole exposure has one, itself."""
    exposures = {}
    for name in names:
        exposures.setdefault(exposure_of(name), []).append(name)
    return exposures
