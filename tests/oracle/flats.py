"""The types of bad pixels that flats show: DEAD, LOW_QE, OPEN and ADJ_OPEN."""

import numpy as np
from astropy.convolution import Box2DKernel, convolve
from astropy.io import fits
from astropy.stats import sigma_clip
from scipy.ndimage import median_filter

from .vote import DEFAULTS, DQ, clipped_mean_and_std, has

CLIPPING_ITERATIONS = 5  # astropy's default

DEFAULT_MAX_DEAD_NORM_SIGNAL = 0.05
# In DN/s, for a mean image that is not normalised.
NIRCAM_MAX_DEAD_SIGNAL = {
    "NRCA1": 25,
    "NRCA2": 25,
    "NRCA3": 30,
    "NRCA4": 30,
    "NRCALONG": 40,
    "NRCB1": 25,
    "NRCB2": 25,
    "NRCB3": 25,
    "NRCB4": 25,
    "NRCBLONG": 50,
}

SIDES = [(-1, 0), (1, 0), (0, -1), (0, 1)]
AROUND = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)]


def flat_types(exposures, cfg):
    """Type -> bool image (y, x) of the pixels found; 'norm' -> the normalised image; 'insufficient' as in `dark_types`.

    An exposure is a dict with the paths of its 'rateints' file and, for the flux check, of its 'uncal' file.
    """
    cfg = {**DEFAULTS, **cfg}
    images = []  # an image per integration of all exposures: NaN where the slope is not usable
    science = True
    for exposure in exposures:
        with fits.open(exposure["rateints"]) as hdus:
            detector = hdus[0].header.get("DETECTOR")
            rate = hdus["SCI"].data.astype(np.float64)
            dq = hdus["DQ"].data.astype(np.uint32)
        science = science & ~has(dq, DQ["REFERENCE_PIXEL"]).any(axis=0)
        for i in range(len(rate)):
            usable = ~has(dq[i], DQ["DO_NOT_USE"]) & np.isfinite(rate[i])
            images.append(np.where(usable, rate[i], np.nan))

    mean_image = clipped_mean_image(images, science, cfg)
    norm = normalise(mean_image, science, cfg)
    known = science & np.isfinite(norm)

    max_dead = cfg["max_dead_norm_signal"]
    if max_dead is None:
        max_dead = DEFAULT_MAX_DEAD_NORM_SIGNAL
        if cfg["flat_mean_normalization_method"] == "none":
            max_dead = NIRCAM_MAX_DEAD_SIGNAL.get(detector, max_dead)

    dead = np.zeros(science.shape, dtype=bool)
    if cfg["dead_search"]:
        searches = cfg["dead_search_type"]
        for search in [searches] if isinstance(searches, str) else searches:
            if search == "sigma_rate":
                mean, std = clipped_mean_and_std(norm[known], cfg["flat_mean_sigma_threshold"], CLIPPING_ITERATIONS)
                dead |= known & (norm < mean - cfg["dead_sigma_threshold"] * std)
            elif search == "absolute_rate":
                dead |= known & (norm < max_dead)
            else:
                raise ValueError(f"dead_search_type: {search!r}")
        if cfg["run_dead_flux_check"]:
            dead &= ~(signal_of_last_groups(exposures) >= cfg["flux_check"])

    low_qe = np.zeros(science.shape, dtype=bool)
    open_ = np.zeros(science.shape, dtype=bool)
    adj_open = np.zeros(science.shape, dtype=bool)
    if cfg["low_qe_and_open_search"]:
        candidates = known & (norm >= max_dead) & (norm < cfg["max_low_qe_norm_signal"])
        for y, x in np.argwhere(candidates):
            beside = [norm[p] for p in pixels_around(y, x, SIDES, known)]
            if len(beside) >= 2 and min(beside) > cfg["max_open_adj_norm_signal"]:
                open_[y, x] = True
            else:
                low_qe[y, x] = True
        for y, x in np.argwhere(open_):
            for p in pixels_around(y, x, AROUND, science & ~open_):
                adj_open[p] = True

    no_value = science & np.isnan(mean_image)
    return {
        "DEAD": dead,
        "LOW_QE": low_qe,
        "OPEN": open_,
        "ADJ_OPEN": adj_open,
        "norm": norm,
        "insufficient": {name: no_value.copy() for name in ("DEAD", "LOW_QE", "OPEN", "ADJ_OPEN")},
    }


def clipped_mean_image(images, science, cfg):
    """The mean of the images after clipping along the stack; NaN where no value is left, and at reference pixels."""
    stack = np.array(images)
    unusable = np.isnan(stack) | ~science
    clipped = sigma_clip(
        np.ma.masked_array(np.where(unusable, 0, stack), mask=unusable),
        sigma=cfg["flat_mean_sigma_threshold"],
        maxiters=CLIPPING_ITERATIONS,
        axis=0,
    )
    survives = ~np.ma.getmaskarray(clipped)
    mean_image = np.full(science.shape, np.nan)
    for y, x in np.argwhere(survives.any(axis=0)):
        mean_image[y, x] = stack[survives[:, y, x], y, x].mean()
    return mean_image


def normalise(mean_image, science, cfg):
    """The mean image divided by the smoothed image, by its mean, or unchanged."""
    method = cfg["flat_mean_normalization_method"]
    if method == "none":
        return mean_image.copy()
    if method == "mean":
        mean, _ = clipped_mean_and_std(mean_image[science], cfg["flat_mean_sigma_threshold"], CLIPPING_ITERATIONS)
        return mean_image / mean
    if method != "smoothed":
        raise ValueError(f"flat_mean_normalization_method: {method!r}")

    median = np.nanmedian(mean_image[science])
    width = cfg["smoothing_box_width"]
    if cfg["smoothing_type"] == "Box2D":
        smooth = convolve(
            mean_image,
            Box2DKernel(width),
            boundary="fill",
            fill_value=median,
            nan_treatment="interpolate",
            preserve_nan=False,
        )
    elif cfg["smoothing_type"] == "Median":
        filled = np.where(np.isnan(mean_image), median, mean_image)
        smooth = median_filter(filled, size=width, mode="constant", cval=median)
    else:
        raise ValueError(f"smoothing_type: {cfg['smoothing_type']!r}")
    return mean_image / smooth


def signal_of_last_groups(exposures):
    """The mean (DN) of the last four groups of the raw ramps of all integrations of all exposures."""
    signals = []
    for exposure in exposures:
        with fits.open(exposure["uncal"]) as hdus:
            ramps = hdus["SCI"].data.astype(np.float64)
        for ramp in ramps:
            signals.append(ramp[-4:].mean(axis=0))
    return np.mean(signals, axis=0)


def pixels_around(y, x, offsets, allowed):
    """The (y, x) of the pixels at the offsets, as far as they lie on the detector and are allowed."""
    height, width = allowed.shape
    pixels = [(y + dy, x + dx) for dy, dx in offsets]
    return [(py, px) for py, px in pixels if 0 <= py < height and 0 <= px < width and allowed[py, px]]
