"""The compiled loops against the same in plain numpy, on ramps with all combinations of flags."""

import warnings

import numpy as np
import pytest

from badpix.instrument.readout import early_late_window
from badpix.statistics.ramp_kernels import CLEAR_SIGMA, MAD_TO_SIGMA, STEP_SIGMA
from badpix.statistics.ramps import count_groups, group_differences

DNU, SAT, JUMP = 1, 2, 4


def random_ramps(n_groups, seed):
    """Ramps of 40 x 40 pixels, (group, y, x), with many flags, few flags, and a NaN; float32 and uint8."""
    rng = np.random.default_rng(seed)
    sci = np.cumsum(rng.normal(5, 3, (n_groups, 40, 40)), axis=0).astype(np.float32)
    flags = rng.choice([0, DNU, SAT, JUMP, JUMP | SAT], (n_groups, 40, 40), p=[0.6, 0.1, 0.1, 0.15, 0.05])
    flags[:, :10] &= JUMP
    flags[:, 10:12] = JUMP
    flags[:, 12:16] = 0
    flags[-1, 14:16] = JUMP
    sci[-1, 14] += 100
    sci[-1, 15] -= 100
    sci[n_groups // 2, 20, 20] = np.nan
    return sci, flags.astype(np.uint8)


def median_of(values, valid):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of pixels without any valid value
        return np.nanmedian(np.where(valid, values, np.nan), axis=0)


def plain_differences(sci, flags, fraction):
    usable, jump = flags & (DNU | SAT) == 0, flags & JUMP != 0
    steps = np.diff(sci, axis=0)
    pair = usable[1:] & usable[:-1] & np.isfinite(steps)
    clean = pair & ~jump[1:] & ~jump[:-1]
    middle = median_of(steps, clean)
    noise = MAD_TO_SIGMA * median_of(np.abs(steps - middle), clean)
    noise[clean.sum(axis=0) < 2] = np.nan
    window = min(early_late_window(len(sci), fraction), len(steps))
    known = np.where(np.isnan(noise), np.nanmedian(noise), noise)
    least, clear = STEP_SIGMA * known, CLEAR_SIGMA * np.maximum(known, np.nanmedian(noise))
    late = (jump[1:] & pair)[window:]
    first = np.take_along_axis(steps, pair.argmax(axis=0)[None], axis=0)[0]
    return {
        "CDS_NOISE": noise,
        "CDS_EARLY": median_of(steps[:window], pair[:window]),
        "CDS_LATE": median_of(steps[len(steps) - window :], pair[len(steps) - window :]),
        "CDS_FIRST": np.where(pair.any(axis=0), first, np.nan),
        "N_JUMP_DOWN": (late & ((steps < -least) & ~(steps - middle > -least))[window:]).sum(axis=0),
        "N_JUMP_DOWN_5SIG": (late & ((steps < -clear) & ~(steps - middle > -clear))[window:]).sum(axis=0),
        "N_JUMP_UP": (late & ((steps > least) & ~(steps - middle < least))[window:]).sum(axis=0),
    }


@pytest.mark.parametrize("n_groups", [3, 4, 5, 20, 61])
@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.5])
def test_differences_as_in_numpy(n_groups, fraction):
    sci, flags = random_ramps(n_groups, seed=n_groups)
    found, expected = group_differences(sci, flags, fraction), plain_differences(sci, flags, fraction)
    assert found.keys() == expected.keys()
    for name, image in expected.items():
        np.testing.assert_allclose(found[name], image, rtol=1e-5, atol=1e-5, err_msg=name)
        assert found[name].dtype == (np.uint8 if name.startswith("N") else np.float32)
    assert found["N_JUMP_DOWN"].any() and found["N_JUMP_UP"].any()
    if n_groups in (5, 20):
        assert (found["N_JUMP_DOWN"] > found["N_JUMP_DOWN_5SIG"]).any() and found["N_JUMP_DOWN_5SIG"].any()


@pytest.mark.parametrize("n_groups", [1, 4, 20])
def test_counts_as_in_numpy(n_groups):
    _, flags = random_ramps(n_groups, seed=n_groups)
    window = early_late_window(n_groups, 0.25)
    late = slice(n_groups - window, n_groups)
    jump, good, saturated = flags & JUMP != 0, flags & (DNU | SAT) == 0, flags & SAT != 0
    expected = {
        "NJUMP": jump, "NJUMP_EARLY": jump[:window], "NJUMP_LATE": jump[late], "NGOOD": good,
        "NGOOD_EARLY": good[:window], "NGOOD_LATE": good[late], "NSAT": saturated,
    }  # fmt: skip
    counts = count_groups(flags, 0.25)
    for name, mask in expected.items():
        assert np.array_equal(counts[name], mask.sum(axis=0)), name
    assert np.array_equal(
        counts["FIRST_SAT"], np.where(saturated.any(axis=0), saturated.argmax(axis=0), len(saturated))
    )
