"""The types of bad pixels that darks show: hot, rc, low_pedestal, high_cr and noisy.

The pedestal of MIRI, which is relative to the second group, is not implemented: for MIRI, rc and low_pedestal are not
valid.
"""

import numpy as np
from astropy.io import fits

from .vote import DEFAULTS, DQ, clipped_mean_and_std, decide, has

GROUP_DO_NOT_USE = 1
GROUP_SATURATED = 2
GROUP_JUMP_DET = 4

LEAST_LATE_RATE = 1e-6


def dark_types(exposures, cfg):
    """Type -> bool image (y, x) of the pixels found; 'insufficient' -> type -> bool image of pixels not classified.

    An exposure is a dict with the paths of its 'rateints', 'jump' and 'fitopt' files.
    """
    cfg = {**DEFAULTS, **cfg}
    votes = []  # a list per exposure: for each of its integrations, {test: (valid, yes)}
    clean_slopes = []  # an image per integration of all exposures: NaN where the ramp is not usable or has a jump
    science = True
    for exposure in exposures:
        dark = read_dark(exposure, cfg)
        science = science & dark["science"]
        of_exposure = []
        for i in range(len(dark["slope"])):
            jumps = has(dark["groupdq"][i], GROUP_JUMP_DET).sum(axis=0)
            clean_slopes.append(np.where(jumps == 0, dark["slope"][i], np.nan))
            of_exposure.append(votes_of_integration(dark["pedestal"][i], dark["groupdq"][i], dark["science"], cfg))
        votes.append(of_exposure)

    def vote(test, by, fraction):
        k, n_valid = count(votes, test, by)
        return decide(k, n_valid, fraction, cfg["min_valid"]), n_valid < cfg["min_valid"]

    by = cfg["dark_vote_unit"]
    hot, hot_unknown = vote("saturated", "integration", cfg["max_saturated_fraction"])
    high_pedestal, high_pedestal_unknown = vote("high_pedestal", by, cfg["rc_fraction_threshold"])
    rc_jumps, rc_jumps_unknown = vote("rc_jumps", by, cfg["rc_fraction_threshold"])
    low_pedestal, low_pedestal_unknown = vote("low_pedestal", by, cfg["low_pedestal_fraction"])
    high_cr, high_cr_unknown = vote("many_jumps", by, cfg["high_cr_fraction"])
    noisy, noisy_unknown = find_noisy(clean_slopes, science, cfg)
    rc = high_pedestal | rc_jumps

    return {
        "hot": hot & science,
        "rc": rc & science,
        "low_pedestal": low_pedestal & science,
        "high_cr": high_cr & science,
        "noisy": noisy & science,
        "insufficient": {
            "hot": hot_unknown & science,
            "rc": ~rc & high_pedestal_unknown & rc_jumps_unknown & science,
            "low_pedestal": low_pedestal_unknown & science,
            "high_cr": high_cr_unknown & science,
            "noisy": noisy_unknown & science,
        },
    }


def read_dark(exposure, cfg):
    """Slopes (DN/s) and pedestals (DN) as (integration, y, x), group flags, and science pixels, bool (y, x)."""
    with fits.open(exposure["rateints"]) as hdus:
        rate = hdus["SCI"].data.astype(np.float32)
        rate_dq = hdus["DQ"].data.astype(np.uint32)
    with fits.open(exposure["jump"]) as hdus:
        header = hdus[0].header
        ramp = hdus["SCI"].data.astype(np.float32)
        groupdq = hdus["GROUPDQ"].data.astype(np.uint8)
        pixeldq = hdus["PIXELDQ"].data.astype(np.uint32)

    science = ~has(pixeldq, DQ["REFERENCE_PIXEL"]) & ~has(rate_dq, DQ["REFERENCE_PIXEL"]).any(axis=0)
    usable = ~has(rate_dq, DQ["DO_NOT_USE"]) & np.isfinite(rate)
    slope = np.where(usable, rate, np.nan).astype(np.float64)

    if cfg["pedestal_source"] == "fitopt":
        with fits.open(exposure["fitopt"]) as hdus:
            pedestal = hdus["PEDESTAL"].data.astype(np.float64)
    elif cfg["pedestal_source"] == "t0":
        pedestal = pedestal_at_t0(ramp, groupdq, slope, header)
    else:
        raise ValueError(f"pedestal_source: {cfg['pedestal_source']!r}")
    pedestal = np.where(usable, pedestal, np.nan)
    return {"slope": slope, "pedestal": pedestal, "groupdq": groupdq, "science": science}


def pedestal_at_t0(ramp, groupdq, slope, header):
    """The first valid group minus slope x effective time, the time of the mean frame of the group."""
    n_integrations, n_groups = ramp.shape[:2]
    pedestal = np.full(slope.shape, np.nan)
    for i in range(n_integrations):
        found = np.zeros(slope.shape[1:], dtype=bool)
        for g in range(n_groups):
            frames = header.get("DRPFRMS1", 0) + (header["NFRAMES"] + 1) / 2
            time = g * header["TGROUP"] + header["TFRAME"] * frames
            valid = ~has(groupdq[i, g], GROUP_SATURATED | GROUP_DO_NOT_USE)
            first = valid & ~found
            pedestal[i][first] = (ramp[i, g].astype(np.float64) - slope[i] * time)[first]
            found |= valid
    return pedestal.astype(np.float32).astype(np.float64)  # the workflow stores the pedestal as float32


def votes_of_integration(pedestal, groupdq, science, cfg):
    """For each test of an integration the bool images (y, x) of the valid and of the positive votes."""
    n_groups = len(groupdq)
    saturated = has(groupdq, GROUP_SATURATED)
    do_not_use = has(groupdq, GROUP_DO_NOT_USE)
    jump = has(groupdq, GROUP_JUMP_DET)
    good = ~saturated & ~do_not_use
    votes = {}

    mean, std = clipped_mean_and_std(pedestal[science], sigma=3, maxiters=None)
    valid = np.isfinite(pedestal) & ~saturated[0]
    votes["high_pedestal"] = valid, pedestal > mean + cfg["pedestal_sigma_threshold"] * std
    votes["low_pedestal"] = valid, pedestal < mean - cfg["pedestal_sigma_threshold"] * std

    votes["saturated"] = (saturated | ~do_not_use).any(axis=0), saturated.all(axis=0)

    window = int(cfg["early_cutoff_fraction"] * n_groups + 1e-9)
    most_jumps = good.sum(axis=0).max() - 1  # the first usable group has no jump
    if n_groups < 4 or window == 0 or most_jumps < cfg["max_jump_limit"]:
        nowhere = np.zeros(pedestal.shape, dtype=bool)
        votes["many_jumps"] = nowhere, nowhere
        votes["rc_jumps"] = nowhere, nowhere
        return votes

    many_jumps_valid = good.any(axis=0)
    many_jumps = jump.sum(axis=0) >= cfg["max_jump_limit"]
    votes["many_jumps"] = many_jumps_valid, many_jumps

    jumps_early = jump[:window].sum(axis=0)
    jumps_late = jump[-window:].sum(axis=0)
    good_early = good[:window].sum(axis=0)
    good_late = good[-window:].sum(axis=0)
    threshold = cfg["jump_ratio_threshold"]
    # (jumps_early / good_early) / (jumps_late / good_late) >= threshold, without division so that equality is exact.
    enough = jumps_early * good_late >= threshold * good_early * jumps_late
    enough_without_late = jumps_early >= threshold * good_early * LEAST_LATE_RATE
    enough = np.where(jumps_late == 0, enough_without_late, enough)
    votes["rc_jumps"] = many_jumps_valid & (good_early > 0) & (good_late > 0), many_jumps & enough
    return votes


def count(votes, test, by):
    """The numbers of positive and of valid votes, with a vote per integration or per exposure (`by`)."""
    k = 0
    n_valid = 0
    for of_exposure in votes:
        k_exposure = 0
        n_exposure = 0
        for integration in of_exposure:
            valid, yes = integration[test]
            k_exposure = k_exposure + (valid & yes).astype(int)
            n_exposure = n_exposure + valid.astype(int)
        if by == "integration":
            k = k + k_exposure
            n_valid = n_valid + n_exposure
        elif by == "exposure":
            k = k + decide(k_exposure, n_exposure, 0.5, 1).astype(int)
            n_valid = n_valid + (n_exposure >= 1).astype(int)
        else:
            raise ValueError(f"dark_vote_unit: {by!r}")
    return k, n_valid


def find_noisy(clean_slopes, science, cfg):
    """Pixels whose clean slopes scatter more than the rest of the detector, and pixels with too few clean slopes."""
    std = np.full(science.shape, np.nan)
    for y, x in np.argwhere(science):
        values = np.array([image[y, x] for image in clean_slopes])
        values = values[np.isfinite(values)]
        if len(values) > 0 and len(values) >= cfg["min_clean_slopes"]:
            std[y, x] = values.std()
    center, spread = clipped_mean_and_std(
        std[science], sigma=cfg["dark_stdev_clipping_sigma"], maxiters=cfg["dark_max_clipping_iters"]
    )
    return std > center + cfg["dark_noisy_threshold"] * spread, np.isnan(std)
