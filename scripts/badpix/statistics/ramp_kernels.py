"""The loops over the pixels of ramps, compiled: each pixel is read once, and the memory does not grow with the ramp.

In numpy every median would sort a whole cube of differences.
"""

import numpy as np

from badpix.instrument.dq import GROUP_FLAGS
from badpix.numerics.column_sort import CHUNK, median_of_columns, sort_columns
from badpix.numerics.compiled import compiled

DO_NOT_USE = GROUP_FLAGS["DO_NOT_USE"]
SATURATED = GROUP_FLAGS["SATURATED"]
JUMP_DET = GROUP_FLAGS["JUMP_DET"]
UNUSABLE = DO_NOT_USE | SATURATED

# A group flagged as a jump must also be a step this large. For an RC pixel the jump step takes the slope of the steep
# start as normal and flags the flat end, where there are no steps.
STEP_SIGMA = np.float32(3)
# Of 100,000 healthy pixels of a simulated NIRISS detector, 4 have a downward jump this large in 30 groups, and 100 have
# a downward jump beyond STEP_SIGMA. The noise to compare with is at least the typical noise of all pixels, because the
# noise measured for a single pixel may be low by chance.
CLEAR_SIGMA = np.float32(5)

# Scale from the median absolute deviation to the standard deviation of a Gaussian, 1 / Phi^-1(3/4).
MAD_TO_SIGMA = np.float32(1.4826)
INFINITE, NAN = np.float32(np.inf), np.float32(np.nan)


@compiled
def count_flags(groupdq: np.ndarray, window: int, counts: np.ndarray) -> None:
    """Fill `counts`, integer (8, y, x), with the planes COUNTS of `badpix.statistics.ramps`; see `count_groups` there.

    `groupdq` is uint8 (group, y, x), `window` the number of early and of late groups.
    """
    n_groups, n_rows, n_columns = groupdq.shape
    late = n_groups - window
    counts[:7] = 0
    counts[7] = n_groups
    # x in the innermost loop, the order of the pixels in the file.
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
def measure_differences(
    sci: np.ndarray,
    groupdq: np.ndarray,
    window: int,
    comparators: np.ndarray,
    window_comparators: np.ndarray,
    images: np.ndarray,
) -> None:
    """Fill `images` with CDS_NOISE, CDS_EARLY, CDS_LATE, CDS_FIRST and the median unflagged difference.

    Parameters
    ----------
    sci : float32 array (group, y, x)
        At least two groups, in DN.
    groupdq : uint8 array (group, y, x)
        Flags of the groups.
    window : int
        Number of early and of late differences.
    comparators, window_comparators : int64 array (comparator, 2)
        From `sorting_network`, for all differences and for `window` differences.
    images : float32 array (5, y, x)
        The result, in DN/group (CDS_NOISE in DN).
    """
    n_groups, n_rows, n_columns = sci.shape
    n_differences = n_groups - 1
    # Differences left out are set to infinity, which sorts to the end. `usable` includes differences flagged as jumps,
    # `clean` does not.
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
def count_steps(
    sci: np.ndarray,
    groupdq: np.ndarray,
    window: int,
    noise: np.ndarray,
    middle: np.ndarray,
    typical_noise: np.floating,
    counts: np.ndarray,
) -> None:
    """Fill `counts` with N_JUMP_DOWN, N_JUMP_UP and N_JUMP_DOWN_5SIG.

    N_JUMP_DOWN and N_JUMP_UP count groups flagged as jumps that are steps down and up; N_JUMP_DOWN_5SIG counts the
    steps down that are too large for noise.

    Parameters
    ----------
    sci : float32 array (group, y, x)
        Ramps in DN.
    groupdq : uint8 array (group, y, x)
        Flags of the groups.
    window : int
        Number of early differences, which are not counted.
    noise, middle : float32 array (y, x)
        CDS_NOISE and median difference from `measure_differences`.
    typical_noise : float32
        Used for pixels without a value of `noise`, and as the minimum for N_JUMP_DOWN_5SIG.
    counts : integer array (3, y, x)
        The result.
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
                # NaN if every difference is flagged: without a median, only the step itself is compared.
                beyond = step - middle[y, x]
                if step < -least and not beyond > -least:
                    counts[0, y, x] += 1
                    clear = CLEAR_SIGMA * max(least / STEP_SIGMA, typical_noise)
                    if step < -clear and not beyond > -clear:
                        counts[2, y, x] += 1
                elif step > least and not beyond < least:
                    counts[1, y, x] += 1


@compiled
def first_good_group(sci: np.ndarray, groupdq: np.ndarray, first: np.ndarray, signal: np.ndarray) -> None:
    """Fill `first`, int16 (y, x), with the first usable group (0-based) and `signal`, float32 (y, x), with its signal.

    -1 and NaN without a usable group. `sci` is float32 (group, y, x), `groupdq` uint8 (group, y, x).
    """
    n_groups, n_rows, n_columns = sci.shape
    for y in range(n_rows):
        for x in range(n_columns):
            first[y, x], signal[y, x] = -1, NAN
            for group in range(n_groups):
                if groupdq[group, y, x] & UNUSABLE == 0:
                    first[y, x], signal[y, x] = group, sci[group, y, x]
                    break
