"""The defaults of the official algorithm, the rule that decides a vote, and the flags of the types."""

import numpy as np
from astropy.stats import sigma_clip

DEFAULTS = {
    "dead_search": True,
    "low_qe_and_open_search": True,
    "dead_search_type": "sigma_rate",
    "flat_mean_sigma_threshold": 3,
    "flat_mean_normalization_method": "smoothed",
    "smoothing_box_width": 15,
    "smoothing_type": "Box2D",
    "dead_sigma_threshold": 5.0,
    "max_dead_norm_signal": None,
    "run_dead_flux_check": False,
    "flux_check": 45000,
    "max_low_qe_norm_signal": 0.5,
    "max_open_adj_norm_signal": 1.05,
    "flat_do_not_use": [],
    "dark_stdev_clipping_sigma": 5.0,
    "dark_max_clipping_iters": 5,
    "dark_noisy_threshold": 5,
    "max_saturated_fraction": 0.5,
    "max_jump_limit": 10,
    "jump_ratio_threshold": 5,
    "early_cutoff_fraction": 0.25,
    "pedestal_sigma_threshold": 5,
    "rc_fraction_threshold": 0.8,
    "low_pedestal_fraction": 0.8,
    "high_cr_fraction": 0.8,
    "flag_values": {
        "hot": ["HOT"],
        "rc": ["RC"],
        "low_pedestal": ["OTHER_BAD_PIXEL"],
        "high_cr": ["TELEGRAPH"],
    },
    "dark_do_not_use": ["hot", "rc", "low_pedestal", "high_cr"],
    # Beyond the official algorithm.
    "dark_vote_unit": "exposure",
    "pedestal_source": "t0",
    "min_valid": 1,
    "min_clean_slopes": 5,
}

DQ = {
    "DO_NOT_USE": 2**0,
    "DEAD": 2**10,
    "HOT": 2**11,
    "WARM": 2**12,
    "LOW_QE": 2**13,
    "RC": 2**14,
    "TELEGRAPH": 2**15,
    "UNRELIABLE_BIAS": 2**22,
    "UNRELIABLE_DARK": 2**23,
    "UNRELIABLE_SLOPE": 2**24,
    "UNRELIABLE_FLAT": 2**25,
    "OPEN": 2**26,
    "ADJ_OPEN": 2**27,
    "OTHER_BAD_PIXEL": 2**30,
    "REFERENCE_PIXEL": 2**31,
}

DARK_TYPES = ("hot", "rc", "low_pedestal", "high_cr", "noisy")
FLAT_TYPES = ("DEAD", "LOW_QE", "OPEN", "ADJ_OPEN")


def has(dq, bits):
    """True where dq has any of the bits."""
    return (dq & np.asarray(bits, dtype=dq.dtype)) != 0


def decide(k, n_valid, fraction, min_valid):
    """True where k positive of n_valid valid votes are enough: at least the fraction, and at least one."""
    needed = np.maximum(1, np.ceil(np.round(fraction * np.asarray(n_valid), 9)))
    return (np.asarray(k) >= needed) & (np.asarray(n_valid) >= min_valid)


def clipped_mean_and_std(values, sigma, maxiters):
    """Mean and population std of the finite values after clipping about their median; NaN without finite values."""
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return np.nan, np.nan
    survivors = sigma_clip(values, sigma=sigma, maxiters=maxiters).compressed()
    return survivors.mean(), survivors.std()


def combine(types, cfg, reference_pixels):
    """The mask, uint32 (y, x), of the types of darks, of flats, or of both."""
    cfg = {**DEFAULTS, **cfg}
    dq = np.zeros(reference_pixels.shape, dtype=np.uint32)
    dq[reference_pixels] |= np.uint32(DQ["REFERENCE_PIXEL"])

    for name in DARK_TYPES:
        if name not in types:
            continue
        acts_as = "high_cr" if name == "noisy" and "noisy" not in cfg["flag_values"] else name
        for flag in cfg["flag_values"][acts_as]:
            dq[types[name]] |= np.uint32(DQ[flag])
        if acts_as in cfg["dark_do_not_use"]:
            dq[types[name]] |= np.uint32(DQ["DO_NOT_USE"])

    # HOT comes only from darks. A HOT pixel never becomes DEAD, so it does not get DO_NOT_USE from DEAD either.
    hot = has(dq, DQ["HOT"])
    dq[hot] &= np.uint32(~DQ["DEAD"] & 0xFFFFFFFF)
    for name in FLAT_TYPES:
        if name not in types:
            continue
        flagged = types[name] & ~hot if name == "DEAD" else types[name]
        dq[flagged] |= np.uint32(DQ[name])
        if name in cfg["flat_do_not_use"]:
            dq[flagged] |= np.uint32(DQ["DO_NOT_USE"])
    return dq
