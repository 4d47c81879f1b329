"""The loops over the pixels of a ramp, compiled: each pixel is looked at once, in memory that does not grow.

With numpy the same takes a sort of whole cubes for every median.
"""

import numpy as np

from badpix.compiled import compiled, put_in_order
from badpix.dq import GROUP_FLAGS

DO_NOT_USE = GROUP_FLAGS["DO_NOT_USE"]
SATURATED = GROUP_FLAGS["SATURATED"]
JUMP_DET = GROUP_FLAGS["JUMP_DET"]
UNUSABLE = DO_NOT_USE | SATURATED

# The jump step takes the steep start of an RC pixel for the rule and its flat end for jumps; such are no steps.
STEP_SIGMA = np.float32(3)

# Scale from the median absolute deviation to the standard deviation of a Gaussian, 1 / Phi^-1(3/4).
MAD_TO_SIGMA = np.float32(1.4826)
HALF, NAN = np.float32(0.5), np.float32(np.nan)


@compiled
def median(values, number):
    """Median (float32) of the first `number` of `values` (float32), which are put in order; NaN if there are none."""
    if number == 0:
        return NAN
    put_in_order(values, number)
    lower, upper = values[(number - 1) // 2], values[number // 2]
    return lower + (upper - lower) * HALF


@compiled
def median_deviation(ordered, number, middle):
    """Median (float32) of the distances from `middle`, the median of the first `number` > 0 of `ordered`, which are so.

    The distances grow to both sides of the middle, so that merging the two sides puts them in order.
    """
    right = number // 2
    left = right - 1
    lower = upper = np.float32(0)
    for _ in range(number // 2 + 1):
        lower = upper
        if left < 0 or (right < number and ordered[right] - middle <= middle - ordered[left]):
            upper = abs(ordered[right] - middle)
            right += 1
        else:
            upper = abs(ordered[left] - middle)
            left -= 1
    return upper if number % 2 else lower + (upper - lower) * HALF


@compiled
def count_flags(groupdq, window, counts):
    """Fill `counts`, int16 (8, y, x): NJUMP, NJUMP_EARLY, NJUMP_LATE, NGOOD, NGOOD_EARLY, NGOOD_LATE, NSAT, FIRST_SAT.

    `groupdq` is uint8 (group, y, x), `window` the number of early and of late groups.
    """
    n_groups, n_rows, n_columns = groupdq.shape
    late = n_groups - window
    counts[:7] = 0
    counts[7] = -1
    # Along x in the innermost loop, as the file has it.
    for group in range(n_groups):
        for y in range(n_rows):
            for x in range(n_columns):
                flags = groupdq[group, y, x]
                if flags & UNUSABLE == 0:
                    counts[3, y, x] += 1
                    if group < window:
                        counts[4, y, x] += 1
                    if group >= late:
                        counts[5, y, x] += 1
                elif flags & SATURATED:
                    if counts[6, y, x] == 0:
                        counts[7, y, x] = group
                    counts[6, y, x] += 1
                if flags & JUMP_DET:
                    counts[0, y, x] += 1
                    if group < window:
                        counts[1, y, x] += 1
                    if group >= late:
                        counts[2, y, x] += 1


@compiled
def measure_differences(sci, groupdq, window, images):
    """Fill `images`, float32 (5, y, x): CDS_NOISE, CDS_EARLY, CDS_LATE, CDS_FIRST, median unflagged difference.

    `sci` is float32 (group, y, x), at least two groups; `groupdq` uint8 of the same shape; `window` the number of early
    and of late differences.
    """
    n_groups, n_rows, n_columns = sci.shape
    difference = np.empty(n_groups - 1, np.float32)
    good = np.empty(n_groups - 1, np.bool_)
    sample = np.empty(n_groups - 1, np.float32)
    for y in range(n_rows):
        for x in range(n_columns):
            n_unflagged, first, found = 0, NAN, False
            before = groupdq[0, y, x]
            for group in range(n_groups - 1):
                after = groupdq[group + 1, y, x]
                step = sci[group + 1, y, x] - sci[group, y, x]
                difference[group] = step
                good[group] = (before | after) & UNUSABLE == 0 and np.isfinite(step)
                if good[group]:
                    if not found:
                        first, found = step, True
                    if (before | after) & JUMP_DET == 0:
                        sample[n_unflagged] = step
                        n_unflagged += 1
                before = after
            middle = median(sample, n_unflagged)
            if n_unflagged > 1:
                images[0, y, x] = MAD_TO_SIGMA * median_deviation(sample, n_unflagged, middle)
            else:
                images[0, y, x] = NAN
            images[3, y, x] = first
            images[4, y, x] = middle
            for image, start in ((1, 0), (2, n_groups - 1 - window)):
                number = 0
                for group in range(start, start + window):
                    if good[group]:
                        sample[number] = difference[group]
                        number += 1
                images[image, y, x] = median(sample, number)


@compiled
def count_steps(sci, groupdq, window, noise, middle, typical_noise, counts):
    """Fill `counts`, int16 (2, y, x): NFALL and NRISE, groups flagged as jumps that are steps down and up.

    `noise` and `middle` are the images CDS_NOISE and median difference of `measure_differences`; `typical_noise` stands
    for the noise of pixels that have none.
    """
    n_groups, n_rows, n_columns = sci.shape
    counts[:] = 0
    for group in range(window, n_groups - 1):
        for y in range(n_rows):
            for x in range(n_columns):
                flags = groupdq[group + 1, y, x]
                if flags & JUMP_DET == 0 or (flags | groupdq[group, y, x]) & UNUSABLE != 0:
                    continue
                least = STEP_SIGMA * (typical_noise if np.isnan(noise[y, x]) else noise[y, x])
                step = sci[group + 1, y, x] - sci[group, y, x]
                # Where every difference is flagged there is no median to be away from.
                beyond = step - middle[y, x]
                if step < -least and not beyond > -least:
                    counts[0, y, x] += 1
                elif step > least and not beyond < least:
                    counts[1, y, x] += 1


@compiled
def first_good_group(sci, groupdq, first, signal):
    """Fill `first` (int16) and `signal` (float32), images (y, x): the first usable group, or -1 and NaN."""
    n_groups, n_rows, n_columns = sci.shape
    for y in range(n_rows):
        for x in range(n_columns):
            first[y, x], signal[y, x] = -1, NAN
            for group in range(n_groups):
                if groupdq[group, y, x] & UNUSABLE == 0:
                    first[y, x], signal[y, x] = group, sci[group, y, x]
                    break
