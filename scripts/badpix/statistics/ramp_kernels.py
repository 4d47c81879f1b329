"""The loops over the pixels of a ramp, compiled: each pixel is looked at once, in memory that does not grow.

With numpy the same takes a sort of whole cubes for every median.
"""

import numpy as np

from badpix.instrument.dq import GROUP_FLAGS
from badpix.numerics.column_sort import CHUNK, median_of_columns, sort_columns
from badpix.numerics.compiled import compiled

DO_NOT_USE = GROUP_FLAGS["DO_NOT_USE"]
SATURATED = GROUP_FLAGS["SATURATED"]
JUMP_DET = GROUP_FLAGS["JUMP_DET"]
UNUSABLE = DO_NOT_USE | SATURATED

# The jump step takes the steep start of an RC pixel for the rule and its flat end for jumps; such are no steps.
STEP_SIGMA = np.float32(3)
# Of healthy pixels 4 in 100,000 have a fall this large in 30 groups, of a simulated NIRISS detector; 100 have one
# beyond STEP_SIGMA. The typical noise is the least to be held against, since a pixel's own may come out low by chance.
CLEAR_SIGMA = np.float32(5)

# Scale from the median absolute deviation to the standard deviation of a Gaussian, 1 / Phi^-1(3/4).
MAD_TO_SIGMA = np.float32(1.4826)
INFINITE, NAN = np.float32(np.inf), np.float32(np.nan)


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
def measure_differences(sci, groupdq, window, comparators, window_comparators, images):
    """Fill `images`, float32 (5, y, x): CDS_NOISE, CDS_EARLY, CDS_LATE, CDS_FIRST, median unflagged difference.

    `sci` is float32 (group, y, x), at least two groups; `groupdq` uint8 of the same shape; `window` the number of early
    and of late differences. The comparators are those of `sorting_network` for all differences and for `window`.
    """
    n_groups, n_rows, n_columns = sci.shape
    n_differences = n_groups - 1
    # What is left out is infinite, and so sorted to the end. `usable` may be flagged as jumps, `clean` is not.
    usable, clean = np.empty((n_differences, CHUNK), np.float32), np.empty((n_differences, CHUNK), np.float32)
    n_usable, n_clean, middle = np.empty(CHUNK, np.int32), np.empty(CHUNK, np.int32), np.empty(CHUNK, np.float32)
    for y in range(n_rows):
        for start in range(0, n_columns, CHUNK):
            end = min(start + CHUNK, n_columns)
            width = end - start
            n_clean[:] = 0
            first = images[3, y, start:end]
            first[:] = NAN
            for group in range(n_differences):
                before, after = groupdq[group, y, start:end], groupdq[group + 1, y, start:end]
                low, high = sci[group, y, start:end], sci[group + 1, y, start:end]
                for x in range(width):
                    flags = before[x] | after[x]
                    step = high[x] - low[x]
                    good = flags & UNUSABLE == 0 and np.isfinite(step)
                    usable[group, x] = step if good else INFINITE
                    unflagged = good and flags & JUMP_DET == 0
                    clean[group, x] = step if unflagged else INFINITE
                    n_clean[x] += unflagged
                    if good and np.isnan(first[x]):
                        first[x] = step
            sort_columns(clean, comparators)
            median_of_columns(clean, n_clean, 1, middle)
            images[4, y, start:end] = middle[:width]
            for image, begin in ((1, 0), (2, n_differences - window)):
                part = usable[begin : begin + window].copy()
                n_usable[:] = 0
                for group in range(window):
                    for x in range(width):
                        n_usable[x] += part[group, x] != INFINITE
                sort_columns(part, window_comparators)
                median_of_columns(part, n_usable, 1, images[image, y, start:end])
            for group in range(n_differences):
                for x in range(width):
                    clean[group, x] = abs(clean[group, x] - middle[x])
            sort_columns(clean, comparators)
            noise = images[0, y, start:end]
            median_of_columns(clean, n_clean, 2, noise)
            noise *= MAD_TO_SIGMA


@compiled
def count_steps(sci, groupdq, window, noise, middle, typical_noise, counts):
    """Fill `counts`, int16 (3, y, x): N_JUMP_DOWN and N_JUMP_UP, groups flagged as jumps that are steps down and up, and
    N_JUMP_DOWN_5SIG, those of N_JUMP_DOWN that no noise makes.

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
                    clear = CLEAR_SIGMA * max(least / STEP_SIGMA, typical_noise)
                    if step < -clear and not beyond > -clear:
                        counts[2, y, x] += 1
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
