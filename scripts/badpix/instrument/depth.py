"""Darks of different depth (number of groups): which darks vote in the tests whose power depends on it.

The noise of a slope falls as the 1.5th power of the number of groups, and a telegraph signal jumps more often in a
longer ramp. A vote of a short ramp would be a no for pixels that all long ramps show to be bad.
"""

from collections import Counter
from collections.abc import Sequence

from badpix.core.wording import counted

# A dark of fewer groups than this part of those of the deep darks has no vote: its slopes have more than 1.8 times
# their noise.
NUMERATOR, DENOMINATOR = 2, 3
# Fewer darks do not decide alone, so that a single exposure is never sufficient.
MIN_DEEP = 3
# The jump step compares group differences with their median. Telegraph signals are found in ramps of this many groups
# (jwst 3.0.0: 15 of 15 at 5 groups, 0 of 15 at 4, 1 of 15 at 3), cosmic rays with one group fewer.
MIN_GROUPS_FOR_TELEGRAPH = 5
# With fewer groups the jump step searches for no jumps.
MIN_GROUPS_FOR_JUMP_STEP = 3


def least_groups(groups: Sequence[int], min_darks: int = 0) -> int:
    """The smallest number of groups with which a dark votes in the tests that depend on it.

    `groups` are the NGROUPS of the darks. The reference is the third deepest dark, or the dark of rank `min_darks` if
    that is more, or the shallowest of fewer darks. 0 without darks.
    """
    if not groups:
        return 0
    rank = min(max(MIN_DEEP, min_darks), len(groups))
    reference = sorted(groups, reverse=True)[rank - 1]
    return -(-NUMERATOR * reference // DENOMINATOR)


def similar_depth(groups: Sequence[int]) -> list[list[int]]:
    """Positions in `groups` (NGROUPS of exposures) of similar depth, the deepest first, each list in order.

    The members of a list have at least two thirds of the groups of its deepest.
    """
    classes: list[list[int]] = []
    least = 0
    for position in sorted(range(len(groups)), key=lambda position: -groups[position]):
        if not classes or groups[position] < least:
            classes.append([])
            least = -(-NUMERATOR * groups[position] // DENOMINATOR)
        classes[-1].append(position)
    return [sorted(members) for members in classes]


def listed(groups: Sequence[int]) -> str:
    """'3 of 8 groups, 3 of 40 groups': how many darks have each number of groups."""
    return ", ".join(f"{count} of {number} groups" for number, count in sorted(Counter(groups).items()))


def depth_warning(groups: Sequence[int], min_darks: int = 0) -> str | None:
    """The sentence on darks of different numbers of groups, None if all `groups` are equal."""
    if len(set(groups)) < 2:
        return None
    least = least_groups(groups, min_darks)
    shallow = sum(number < least for number in groups)
    return f"the darks have different numbers of groups ({listed(groups)}): " + (
        f"{counted(shallow, 'darks')} of fewer than {least} groups {'has' if shallow == 1 else 'have'} no vote in the"
        " tests that depend on the number of groups (many jumps, RC jumps, and all searches beyond the official"
        " algorithm); the official scatter of the slopes is measured within each number of groups"
        if shallow
        else "all vote, and the official scatter of the slopes is measured within each number of groups"
    )
