"""Darks of the tests, added to a vote."""

from badpix.formats.statistics_planes import StatisticsPlanes
from badpix.vote.dark_official import DarkVote
from badpix.vote.dark_voter import DarkVoter


def add(vote, *segments, shallow=False, **more):
    """Add an exposure, whose open statistics files are `segments`, to a DarkVote or to DarkExtended."""
    official, extended = (vote, None) if isinstance(vote, DarkVote) else (None, vote)
    source = official.settings.pedestal_source if official else "t0"
    DarkVoter(official, extended, source, **more).add([StatisticsPlanes(segment) for segment in segments], shallow)
